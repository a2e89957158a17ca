package selftest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"kbench/metrics"
)

// child is a `kbench run` in a process of its own, so that it can be stopped, starved and pinned.
type child struct {
	args   []string // after run
	hurt   hurt     // what is done to it meanwhile; nil: nothing
	beside int      // hogs that run on the generator's CPUs
}

// hurt does something to a running process. undo is called when the process has ended.
type hurt func(ctx context.Context, pid int) (undo func() error, err error)

// nothing is an undo where nothing is left behind.
func nothing() error { return nil }

// Times of a child's run. The load begins when the program has started, made its records and opened its target.
const (
	childStart  = 700 * time.Millisecond // at most, until the load begins
	childWarmup = 500 * time.Millisecond
)

// childOutcome is what came of it.
type childOutcome struct {
	verdict metrics.Verdict
	trouble string // what else took this machine's time
}

// run carries the child out. The command's exit code says nothing that its result doesn't.
func (c child) run(ctx context.Context, env *Env, seed int) (o childOutcome, err error) {
	place, err := newPlacement(true)
	if err != nil {
		return o, err
	}
	if len(place.generator) == len(place.all) {
		return o, fmt.Errorf("%w: it takes two CPUs, one for the generator and one for the sink", ErrUnable)
	}
	args := append([]string{"run", "--format", "json", "--quiet", "--allow-invalid", "--warmup", childWarmup.String(),
		"--seed", strconv.Itoa(seed), "--out", filepath.Join(env.Dir, fmt.Sprintf("run-%d", trials.Add(1))),
		"--cpus", cpuList(place.generator), "--target-cpus", cpuList(place.target)}, c.args...)
	w := startWatch()
	hogs, err := startHogs(ctx, env, c.beside, place)
	if err != nil {
		return o, err
	}
	defer func() { err = errors.Join(err, hogs.stop()) }()
	var out, stderr bytes.Buffer
	cmd := env.command(ctx, args...)
	cmd.Stdout, cmd.Stderr = &out, &stderr
	if err := cmd.Start(); err != nil {
		return o, fmt.Errorf("can't start kbench run: %w", err)
	}
	undo, hurt := nothing, error(nil)
	if c.hurt != nil {
		undo, hurt = c.hurt(ctx, cmd.Process.Pid)
	}
	failed := cmd.Wait()
	hurt = errors.Join(hurt, undo())
	if ctx.Err() != nil {
		return o, ctx.Err()
	}
	var res metrics.Result
	if err := json.Unmarshal(out.Bytes(), &res); err != nil {
		return o, fmt.Errorf("kbench run gave no result (%w): %v: %s", err, failed, bytes.TrimSpace(stderr.Bytes()))
	}
	o.verdict = res.Verdict
	// Its own CPU time and its sink's are known only now that they have ended: they count as this process's children.
	o.trouble = w.trouble(int64(cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime()) + hogs.cpu())
	return o, hurt
}

// command is this program with other arguments. Should ctx end, it is killed, and its sink ends with it.
func (e *Env) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, e.Kbench[0])
	cmd.Args = append([]string{e.Kbench[1]}, args...)
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

// cpuList writes CPUs as --cpus takes them.
func cpuList(cpus []int) string {
	text := ""
	for i, c := range cpus {
		if i > 0 {
			text += ","
		}
		text += strconv.Itoa(c)
	}
	return text
}

// hogs are processes that do nothing but take time.
type hogs []*exec.Cmd

// startHogs starts so many on the generator's CPUs.
func startHogs(ctx context.Context, env *Env, n int, place placement) (h hogs, err error) {
	if n == 0 {
		return nil, nil
	}
	// They inherit the CPUs of the process that starts them.
	if err := place.enter(); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, place.leave()) }()
	for range n {
		cmd := env.command(ctx, HogArgs()...)
		if err := cmd.Start(); err != nil {
			return nil, errors.Join(fmt.Errorf("can't start a hog: %w", err), h.stop())
		}
		h = append(h, cmd)
	}
	return h, nil
}

// stop ends them.
func (h hogs) stop() error {
	var errs []error
	for _, cmd := range h {
		if err := cmd.Process.Kill(); err != nil {
			errs = append(errs, err)
		}
		_ = cmd.Wait() // killed: how it ended is known
	}
	return errors.Join(errs...)
}

// cpu is the time that they have taken so far, in ns.
func (h hogs) cpu() int64 {
	sum := int64(0)
	for _, cmd := range h {
		sum += processCPU(cmd.Process.Pid)
	}
	return sum
}

// HogArgs are the arguments of this program that reach Hog.
func HogArgs() []string { return []string{"selftest", "hog"} }

// Hog takes CPU time until ctx ends, or for a minute: should whoever started it be gone, so is it.
func Hog(ctx context.Context) {
	end := time.Now().Add(time.Minute)
	for n := uint(0); ctx.Err() == nil && time.Now().Before(end); n++ {
		for range 1 << 20 {
			n++
		}
	}
}
