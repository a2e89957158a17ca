// Package drivertest is the conformance suite that every driver passes: order, acknowledgements exactly once, errors with
// their cause, back-pressure, fidelity of what arrives. It runs against an in-process fake cluster, or against a real one.
package drivertest

import (
	"context"
	"encoding/binary"
	"os"
	"testing"

	"kbench/driver"
	"kbench/workload"
)

// Option changes what the suite expects of a driver.
type Option func(*suite)

// NoDelivery is for a driver that acknowledges but sends nothing: only the rules about acknowledgements are checked.
func NoDelivery() Option { return func(s *suite) { s.noDelivery = true } }

// OtherContent is for a driver that doesn't send the keys, values and headers it is handed but others in their place: what
// arrives is counted and its places are compared with the acknowledgements, but nobody looks into it.
func OtherContent() Option { return func(s *suite) { s.otherContent = true } }

// suite is one run of the conformance suite.
type suite struct {
	d            driver.Driver
	noDelivery   bool
	otherContent bool
}

// Run runs the suite against d as subtests of t.
func Run(t *testing.T, d driver.Driver, opts ...Option) {
	t.Helper()
	s := &suite{d: d}
	for _, o := range opts {
		o(s)
	}
	t.Run("goroutines", s.goroutines) // first and alone: it counts the process's goroutines
	for _, test := range s.tests() {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(t)
		})
	}
}

type namedTest struct {
	name string
	run  func(*testing.T)
}

// tests lists what applies to this driver and cluster. What a driver doesn't claim to carry out isn't asked of it.
func (s *suite) tests() []namedTest {
	tests := []namedTest{
		{"table", s.table},
		{"exactly once", s.exactlyOnce},
		{"effective", s.effective},
		{"close twice", s.closeTwice},
		{"send after cancel", s.sendAfterCancel},
	}
	if s.noDelivery {
		return tests
	}
	tests = append(tests, s.deliveryTests()...)
	if os.Getenv(BootstrapEnv) == "" {
		tests = append(tests, s.faultTests()...)
	}
	return append(tests, s.openTests()...)
}

// config returns the configuration of a test: the defaults with settings changed, no linger, sixteen hundred slots.
func (s *suite) config(t *testing.T, c *cluster, settings map[string]string) driver.Config {
	t.Helper()
	p := workload.DefaultProducerConfig()
	for name, value := range settings {
		if err := p.Set(name, value); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Validate(); err != nil {
		t.Fatal(err)
	}
	return driver.Config{Bootstrap: c.addrs, Topics: c.topics, Producer: p, Slots: 1600, Seed: 1}
}

// can reports whether the driver's table allows the settings.
func (s *suite) can(settings map[string]string) bool {
	p := workload.DefaultProducerConfig()
	for name, value := range settings {
		if p.Set(name, value) != nil {
			return false
		}
	}
	return p.Validate() == nil && driver.Check(s.d, &p) == nil
}

// numbered makes n records without key whose values begin with their number.
func numbered(n, size int) []workload.Record {
	recs := make([]workload.Record, n)
	for i := range recs {
		v := make([]byte, max(size, 8))
		binary.BigEndian.PutUint64(v, uint64(i))
		for j := 8; j < len(v); j++ {
			v[j] = byte('a' + (i+j*j)%17)
		}
		recs[i] = workload.Record{Partition: -1, Value: v}
	}
	return recs
}

func number(value []byte) int { return int(binary.BigEndian.Uint64(value)) }

// table checks the capability table: settings that exist, values where they are limited, each setting once.
func (s *suite) table(t *testing.T) {
	if s.d.Name == "" || s.d.Client == "" || s.d.Version == "" || s.d.About == "" {
		t.Errorf("driver has an empty name, client, version or line about itself: %q %q %q %q", s.d.Name, s.d.Client, s.d.Version, s.d.About)
	}
	known := map[string]bool{}
	for _, row := range driver.Settings() {
		known[row.Name] = true
	}
	for _, c := range s.d.Capabilities {
		if !known[c.Setting] {
			t.Errorf("capability row for %q, which is no setting or comes twice", c.Setting)
		}
		delete(known, c.Setting)
		if c.Support == driver.Limited && len(c.Values) == 0 {
			t.Errorf("%s is limited, but no values are named", c.Setting)
		}
		if c.Support == driver.Mapped && c.How == "" {
			t.Errorf("%s is mapped, but it isn't said how", c.Setting)
		}
	}
}

// exactlyOnce sends many records through few slots: the harness checks that each is acknowledged once.
func (s *suite) exactlyOnce(t *testing.T) {
	c := newCluster(t)
	cfg := s.config(t, c, nil)
	cfg.Slots = 48
	h := open(t, s.d, cfg)
	recs := numbered(3000, 40)
	h.mustSend(recs, 16)
	h.flush()
	h.allAcked(recs)
}

// effective checks what the client says about its configuration.
func (s *suite) effective(t *testing.T) {
	c := newCluster(t)
	cfg := s.config(t, c, nil)
	h := open(t, s.d, cfg)
	rows := map[string]driver.Capability{}
	for _, row := range s.d.Capabilities {
		rows[row.Setting] = row
	}
	for _, set := range driver.Settings() {
		got, said := h.session.Effective[set.Name]
		if !said && rows[set.Name].Support != driver.Unsupported {
			t.Errorf("nothing is said about %s", set.Name)
		}
		p := workload.DefaultProducerConfig()
		if said && got != "" {
			if err := p.Set(set.Name, got); err != nil {
				t.Errorf("effective value of %s: %v", set.Name, err)
			}
		}
	}
	for _, diff := range driver.Differences(&cfg.Producer, h.session.Effective, s.d.Capabilities) {
		switch rows[diff.Setting].Support {
		case driver.Full, driver.Mapped:
			t.Errorf("%s is %q instead of %q, though the table says that it is carried out", diff.Setting, diff.Effective, diff.Asked)
		}
	}
}

// closeTwice checks that a second Close is harmless.
func (s *suite) closeTwice(t *testing.T) {
	c := newCluster(t)
	h := open(t, s.d, s.config(t, c, nil))
	recs := numbered(10, 10)
	h.mustSend(recs, 10)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := h.session.Producer.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	if err := h.session.Producer.Close(); err != nil { // and once more at the end of the test
		t.Fatal(err)
	}
	h.allAcked(recs)
}
