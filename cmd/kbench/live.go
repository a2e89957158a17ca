package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"kbench/bench"
)

// plainEvery is how often a line is printed where stderr isn't a terminal.
const plainEvery = 5 * time.Second

// live shows how a run goes on: one line that stays in place on a terminal, plain lines elsewhere, nothing if quiet.
type live struct {
	w     io.Writer
	title string
	bar   *progressbar.ProgressBar // nil: plain lines
	quiet bool
	last  time.Duration
}

func newLive(w io.Writer, quiet bool, title string) *live {
	l := &live{w: w, quiet: quiet, title: title}
	if quiet {
		return l
	}
	if file, ok := w.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		l.bar = progressbar.NewOptions64(-1, progressbar.OptionSetWriter(w), progressbar.OptionSetWidth(12),
			progressbar.OptionSetDescription(title), progressbar.OptionSetElapsedTime(false), progressbar.OptionClearOnFinish(),
			progressbar.OptionSetPredictTime(false))
		return l
	}
	fmt.Fprintln(w, title)
	return l
}

// observe is a bench.Options.Observe.
func (l *live) observe(p bench.Progress) {
	if l.quiet {
		return
	}
	if p.Draining {
		l.drain()
		return
	}
	if l.bar != nil {
		l.draw(p)
		return
	}
	if p.Elapsed-l.last >= plainEvery-100*time.Millisecond {
		l.last = p.Elapsed
		fmt.Fprintln(l.w, progressLine(p))
	}
}

func (l *live) draw(p bench.Progress) {
	// A bar can't fail to be drawn in a way that matters to a measurement.
	if p.Left >= 0 {
		l.bar.ChangeMax64(int64(p.Elapsed + p.Left))
		l.bar.Describe(l.title + "  " + progressLine(p))
		_ = l.bar.Set64(int64(p.Elapsed))
		return
	}
	l.bar.Describe(l.title + "  " + progressLine(p))
	_ = l.bar.RenderBlank()
}

// drain says that the load is over and what is in flight is waited for.
func (l *live) drain() {
	if l.bar != nil {
		l.bar.Describe(l.title + "  draining")
		_ = l.bar.RenderBlank()
	}
}

// finish removes the line.
func (l *live) finish() {
	if l.bar != nil {
		_ = l.bar.Finish()
	}
}

// progressLine is one state of a run in words.
func progressLine(p bench.Progress) string {
	line := fmt.Sprintf("%3.0fs  %.0f records/s  p50 %s  p99 %s", p.Elapsed.Seconds(), p.Rate, shortTime(p.P50), shortTime(p.P99))
	if p.Failed > 0 {
		line += fmt.Sprintf("  %d failed", p.Failed)
	}
	if p.Warmup {
		line += "  warming up"
	}
	if p.Left >= 0 {
		line += fmt.Sprintf("  %.0fs left", p.Left.Seconds())
	}
	return line
}

// shortTime rounds to three digits.
func shortTime(d time.Duration) string {
	switch {
	case d >= 10*time.Second:
		return d.Round(100 * time.Millisecond).String()
	case d >= 100*time.Millisecond:
		return d.Round(time.Millisecond).String()
	case d >= time.Millisecond:
		return d.Round(10 * time.Microsecond).String()
	}
	return d.Round(100 * time.Nanosecond).String()
}
