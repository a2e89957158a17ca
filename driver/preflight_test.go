package driver_test

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"

	"kbench/driver"
	"kbench/workload"
)

func preflight(t *testing.T, topics []string, addrs ...string) (driver.Cluster, error) {
	t.Helper()
	cfg := driver.Config{Bootstrap: addrs, Topics: topics, Producer: workload.DefaultProducerConfig()}
	d := driver.NewDialer(&cfg.Producer, nil)
	defer d.Shut()
	return driver.Preflight(context.Background(), cfg, d.DialContext)
}

func TestPreflight(t *testing.T) {
	fake, err := kfake.NewCluster(kfake.NumBrokers(3), kfake.SeedTopics(5, "five"), kfake.SeedTopics(2, "two"))
	if err != nil {
		t.Fatal(err)
	}
	defer fake.Close()
	cl, err := preflight(t, []string{"two", "five", "two"}, fake.ListenAddrs()[1])
	if err != nil {
		t.Fatal(err)
	}
	if want := []int32{2, 5, 2}; !slices.Equal(cl.Partitions, want) {
		t.Errorf("partitions %v, want %v", cl.Partitions, want)
	}
	if r := cl.Versions[0]; r[1] < 9 {
		t.Errorf("produce versions %v, want at least up to 9", r)
	}
	if cl.Addr != fake.ListenAddrs()[1] {
		t.Errorf("address %s, want %s", cl.Addr, fake.ListenAddrs()[1])
	}
}

func TestPreflightWithoutAddress(t *testing.T) {
	if _, err := preflight(t, nil); err == nil || !strings.Contains(err.Error(), "bootstrap.servers") {
		t.Errorf("error %v, want one about bootstrap.servers", err)
	}
}

// TestPreflightHangs opens at a server that never answers: the context ends it.
func TestPreflightHangs(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	cfg := driver.Config{Bootstrap: []string{l.Addr().String()}, Producer: workload.DefaultProducerConfig()}
	d := driver.NewDialer(&cfg.Producer, nil)
	defer d.Shut()
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		if c, err := l.Accept(); err == nil {
			c.Read(make([]byte, 1))
			cancel()
			c.Read(make([]byte, 1000))
		}
	}()
	if _, err := driver.Preflight(ctx, cfg, d.DialContext); err == nil || !strings.Contains(err.Error(), cfg.Bootstrap[0]) {
		t.Errorf("error %v, want one that names the address", err)
	}
}

func TestDialerShut(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	p := workload.DefaultProducerConfig()
	d := driver.NewDialer(&p, driver.NewWireMeter(&p))
	conn, err := d.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	d.Shut()
	if _, err := conn.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("write after Shut: %v, want %v", err, net.ErrClosed)
	}
	if _, err := d.Dial("tcp", l.Addr().String()); !errors.Is(err, net.ErrClosed) {
		t.Errorf("dial after Shut: %v, want %v", err, net.ErrClosed)
	}
}
