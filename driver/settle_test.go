package driver

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"
)

func TestSettle(t *testing.T) {
	var acked atomic.Int64
	acked.Store(3)
	if err := Settle(context.Background(), &acked, 3); err != nil {
		t.Errorf("all acknowledged: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := Settle(ctx, &acked, 4); !errors.Is(err, context.Canceled) {
		t.Errorf("one is missing and ctx is over: %v", err)
	}
	if err := Settle(ctx, &acked, 3); err != nil {
		t.Errorf("all acknowledged, ctx over: %v", err)
	}
	late := time.AfterFunc(5*time.Millisecond, func() { acked.Add(1) })
	defer late.Stop()
	if err := Settle(context.Background(), &acked, 4); err != nil || acked.Load() != 4 {
		t.Errorf("the last one comes late: %v, %d acknowledged", err, acked.Load())
	}
}
