package broker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// pipeGrace bounds how long a process that has ended may keep its output open through children of its own.
const pipeGrace = time.Second

// command says what to run as a child.
type command struct {
	name   string   // what errors call it
	path   string   // the program
	args   []string // with the program's own name first
	dir    string   // working folder; "": this process's
	cpus   []int    // those it may run on; none: as this process
	stdout io.Writer
	stdin  bool // keep a pipe open on its standard input
}

// process is a child that was started. It dies with this process, however that ends.
type process struct {
	name   string
	pid    int
	cmd    *exec.Cmd
	stdin  io.Closer     // ends a child that watches its standard input; nil if there is none
	stderr *tail         // the last lines it wrote there
	done   chan struct{} // closed when it has ended
	err    error         // how it ended; valid once done is closed
}

// startProcess starts a child in a process group of its own, so that a Ctrl-C at the terminal doesn't reach it.
//
// Linux's parent-death signal fires when the *thread* that forked ends, not the process, and Go ends threads when it
// likes. So the child is started from a goroutine that keeps its thread until the child has ended. The same thread
// gives the child its CPUs: it takes them on before it forks, and is thrown away afterwards.
func startProcess(c command) (*process, error) {
	p := &process{name: c.name, stderr: &tail{max: tailLines}, done: make(chan struct{})}
	p.cmd = &exec.Cmd{Path: c.path, Args: c.args, Dir: c.dir, Stdout: c.stdout, Stderr: p.stderr, WaitDelay: pipeGrace, SysProcAttr: childAttr()}
	if c.stdin {
		pipe, err := p.cmd.StdinPipe()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.name, err)
		}
		p.stdin = pipe
	}
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with this goroutine
		if len(c.cpus) > 0 {
			if err := setAffinity(0, c.cpus); err != nil {
				started <- err
				return
			}
		}
		if err := p.cmd.Start(); err != nil {
			started <- err
			return
		}
		p.pid = p.cmd.Process.Pid
		started <- nil
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	if err := <-started; err != nil {
		if p.stdin != nil {
			p.stdin.Close() // nobody reads it
		}
		return nil, fmt.Errorf("can't start %s: %w", c.name, err)
	}
	return p, nil
}

// ended tells whether the process is gone.
func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// kill ends the process at once and waits for its end.
func (p *process) kill() error {
	err := p.signal(sigKill)
	if err == nil || p.ended() {
		<-p.done
		return nil
	}
	return err
}

// stop asks the process to end, gives it grace to do so, then kills it. It returns when the process is gone.
func (p *process) stop(ask func() error, grace time.Duration) error {
	// A stopped process acts on nothing until it is continued. Both calls fail harmlessly where it has ended already.
	_ = p.signal(sigContinue)
	if err := ask(); err == nil {
		timer := time.NewTimer(grace)
		defer timer.Stop()
		select {
		case <-p.done:
			return nil
		case <-timer.C:
		}
	}
	return p.kill()
}

// failure says how the process ended, with the last it wrote to standard error.
func (p *process) failure() error {
	how := "exit status 0"
	if p.err != nil {
		how = p.err.Error()
	}
	if last := p.stderr.text(); last != "" {
		return fmt.Errorf("%s ended (%s): %s", p.name, how, last)
	}
	return fmt.Errorf("%s ended (%s)", p.name, how)
}

// runProcess runs a child to its end and returns what it wrote to standard output. The error of one that fails is an
// *exec.ExitError inside; its standard error comes as the second string.
func runProcess(ctx context.Context, c command) (stdout, stderr string, err error) {
	out := &tail{max: 200}
	c.stdout = out
	p, err := startProcess(c)
	if err != nil {
		return "", "", err
	}
	select {
	case <-p.done:
	case <-ctx.Done():
		return "", "", errors.Join(ctx.Err(), p.kill())
	}
	return strings.Join(out.lines(), "\n"), strings.Join(p.stderr.lines(), "\n"), p.err
}
