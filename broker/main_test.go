package broker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// TestMain lets the test binary stand for the program: as the child that Start starts, and as a parent to be killed.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		var err error
		switch os.Args[1] {
		case "broker-child":
			err = RunChild(context.Background(), os.Args[2:])
		case "broker-parent":
			err = runParent(os.Args[2])
		case "broker-pin":
			err = runPinned()
		default:
			os.Exit(m.Run())
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(4)
		}
		return
	}
	os.Exit(m.Run())
}

// runParent starts a target, tells its data folder and its children's process ids, and waits to be killed.
func runParent(kind string) error {
	spec, err := ParseTarget(kind)
	if err != nil {
		return err
	}
	t, err := Start(context.Background(), spec)
	if err != nil {
		return err
	}
	dir := "-"
	if t.data != nil {
		dir = t.data.path
	}
	words := []string{dir}
	for _, n := range t.Nodes() {
		words = append(words, fmt.Sprint(n.PID))
	}
	fmt.Println(strings.Join(words, " "))
	<-t.Done()
	return errors.Join(t.Err(), t.Close())
}

// testContext ends well before a test that hangs would be cut off.
func testContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// start starts a target that ends with the test.
func start(t *testing.T, spec Spec) *Target {
	t.Helper()
	spec.Log = func(line string) { t.Log(line) }
	target, err := Start(testContext(t), spec)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := target.Close(); err != nil {
			t.Error(err)
		}
	})
	return target
}

func connect(t *testing.T, target *Target) *Cluster {
	t.Helper()
	c, err := Connect(testContext(t), target.Bootstrap)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// mustContain checks that an error is there and says all of what it is to say.
func mustContain(t *testing.T, err error, want ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error; want one with %q", want)
	}
	for _, w := range want {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("error %q\ndoesn't contain %q", err, w)
		}
	}
}
