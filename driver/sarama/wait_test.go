package sarama

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/IBM/sarama"

	"kbench/driver"
)

func TestWaiter(t *testing.T) {
	m := new(sarama.ProducerMessage)
	full := make(chan *sarama.ProducerMessage)
	w := newWaiter(time.Millisecond)
	for range 3 {
		var be *driver.BlockedError
		if err := w.send(context.Background(), full, m); !errors.As(err, &be) || be.MaxBlockMS != 1 {
			t.Fatalf("error %v, want one about max.block.ms=1", err)
		}
		w.disarm()
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := newWaiter(time.Hour).send(ctx, full, m); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want the context's", err)
	}
}

// TestWaiterAfterExpiry lets the timer fire while nobody waits: the next wait has all its time.
func TestWaiterAfterExpiry(t *testing.T) {
	m := new(sarama.ProducerMessage)
	w := newWaiter(time.Nanosecond)
	for range 1000 {
		room := make(chan *sarama.ProducerMessage, 1)
		if err := w.send(context.Background(), room, m); err != nil && !errors.Is(err, w.blocked) {
			t.Fatal(err)
		}
		w.disarm()
		if len(w.expired) != 0 || w.armed {
			t.Fatal("a timer's value is left behind")
		}
	}
	w.maxBlock = time.Hour
	room := make(chan *sarama.ProducerMessage, 1)
	if err := w.send(context.Background(), room, m); err != nil {
		t.Error(err)
	}
}

// TestWaiterProgress fires in the middle of a burst that goes on: nothing is given up.
func TestWaiterProgress(t *testing.T) {
	m := new(sarama.ProducerMessage)
	w := newWaiter(time.Hour)
	room := make(chan *sarama.ProducerMessage, 1)
	if err := w.send(context.Background(), room, m); err != nil {
		t.Fatal(err)
	}
	w.timer.Reset(0) // as if max.block.ms were over
	time.AfterFunc(5*time.Millisecond, func() { <-room })
	if err := w.send(context.Background(), room, m); err != nil {
		t.Errorf("a record that just came was given up: %v", err)
	}
}
