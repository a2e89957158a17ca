package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// abortGrace is how long cleaning up may still take after the second Ctrl-C.
const abortGrace = 2 * time.Second

// interrupts turns Ctrl-C into what it means: the first one cancels ctx (stop the load, drain, keep the result), the
// second one closes abort (no drain, clean up within abortGrace, keep what there is), the third one ends the process.
type interrupts struct {
	ctx   context.Context
	abort chan struct{}
	once  sync.Once
	undo  func()
}

// watchInterrupts starts watching for SIGINT, SIGTERM and SIGHUP (a closed terminal); done ends it. A reader of our output
// that goes away is an error of the write, not the end of the process: what was measured is kept.
func watchInterrupts(parent context.Context, stderr io.Writer) *interrupts {
	ctx, cancel := context.WithCancel(parent)
	i := &interrupts{ctx: ctx, abort: make(chan struct{})}
	signals, pipes := make(chan os.Signal, 3), make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	signal.Notify(pipes, syscall.SIGPIPE) // taken and dropped: the write returns EPIPE
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
			default:
				os.Exit(exitInterrupted) // children die with this process
			}
		}
	}()
	return i
}

// stopNow closes abort.
func (i *interrupts) stopNow() { i.once.Do(func() { close(i.abort) }) }

// interrupted says whether there was a Ctrl-C.
func (i *interrupts) interrupted() bool { return i.ctx.Err() != nil }

// cleanup returns a context for what has to be done after the run, also after a Ctrl-C: at most for limit, and at most
// abortGrace beyond the second Ctrl-C.
func (i *interrupts) cleanup(limit time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	go func() {
		select {
		case <-ctx.Done():
			return
		case <-i.abort:
		}
		select {
		case <-ctx.Done():
		case <-time.After(abortGrace):
			cancel()
		}
	}()
	return ctx, cancel
}

func (i *interrupts) done() { i.undo() }
