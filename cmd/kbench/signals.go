package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// interrupts turns Ctrl-C into the two things it means: the first one cancels ctx (stop the load, drain, keep the
// result), the second one closes abort (stop at once, keep what there is).
type interrupts struct {
	ctx   context.Context
	abort chan struct{}
	once  sync.Once
	undo  func()
}

// watchInterrupts starts watching for SIGINT and SIGTERM; done ends it.
func watchInterrupts(parent context.Context, stderr io.Writer) *interrupts {
	ctx, cancel := context.WithCancel(parent)
	i := &interrupts{ctx: ctx, abort: make(chan struct{})}
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	ended := make(chan struct{})
	i.undo = func() {
		signal.Stop(signals)
		close(ended)
		cancel()
	}
	go func() {
		for n := 1; ; n++ {
			select {
			case <-ended:
				return
			case <-signals:
			}
			switch n {
			case 1:
				fmt.Fprintln(stderr, "kbench: interrupted: stopping the load and draining; once more to stop at once")
				cancel()
			case 2:
				i.stopNow()
			}
		}
	}()
	return i
}

// stopNow closes abort.
func (i *interrupts) stopNow() { i.once.Do(func() { close(i.abort) }) }

// interrupted says whether there was a Ctrl-C.
func (i *interrupts) interrupted() bool { return i.ctx.Err() != nil }

func (i *interrupts) done() { i.undo() }
