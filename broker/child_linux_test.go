package broker

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// isAlive tells whether a process runs; one that has ended and waits to be asked how (a zombie) doesn't.
func isAlive(pid int) bool {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(raw), ") ")
	return !strings.HasPrefix(rest, "Z") && !strings.HasPrefix(rest, "X")
}

// allowedCPUs reads the CPUs of each thread of a process.
func allowedCPUs(pid string) ([]string, error) {
	files, err := filepath.Glob("/proc/" + pid + "/task/*/status")
	if err != nil {
		return nil, err
	}
	var lists []string
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
			continue // the thread ended meanwhile
		}
		if err != nil {
			return nil, err
		}
		_, rest, _ := strings.Cut(string(raw), "Cpus_allowed_list:")
		list, _, _ := strings.Cut(strings.TrimSpace(rest), "\n")
		lists = append(lists, list)
	}
	return lists, nil
}

// TestChildOutOfTheTerminalsReach: a Ctrl-C goes to the terminal's process group, and the child isn't in it.
func TestChildOutOfTheTerminalsReach(t *testing.T) {
	pid := start(t, Spec{Kind: KindSink}).Nodes()[0].PID
	group, err := syscall.Getpgid(pid)
	if err != nil || group != pid {
		t.Errorf("process %d is in group %d (%v), want one of its own", pid, group, err)
	}
}

// TestChildSurvivesThreads ends all threads of this process that it can while children run: none of them may be one
// whose end kills a child. There are several children because the main thread, which never ends, may have started one.
func TestChildSurvivesThreads(t *testing.T) {
	const children, threads = 8, 64
	running := make([]*process, children)
	var starting sync.WaitGroup
	for i := range running {
		starting.Go(func() {
			p, err := startProcess(command{name: "sleep", path: "/bin/sleep", args: []string{"sleep", "1000"}})
			if err != nil {
				t.Error(err)
				return
			}
			running[i] = p
		})
	}
	starting.Wait()
	var locked, ended sync.WaitGroup
	locked.Add(threads)
	for range threads {
		ended.Go(func() {
			runtime.LockOSThread() // and never unlock: the thread ends with the goroutine
			locked.Done()
			locked.Wait() // so many at a time that they take all threads there are
		})
	}
	ended.Wait()
	time.Sleep(50 * time.Millisecond)
	for i, p := range running {
		if p == nil {
			continue
		}
		if p.ended() {
			t.Errorf("child %d ended: %v", i, p.failure())
			continue
		}
		if err := p.kill(); err != nil {
			t.Error(err)
		}
	}
}

func TestChildIsPinned(t *testing.T) {
	cpus, err := currentCPUs()
	if err != nil {
		t.Fatal(err)
	}
	last := cpus[len(cpus)-1]
	for _, tc := range []struct {
		cpus []int
		want string
	}{{[]int{last}, strconv.Itoa(last)}, {nil, formatCPUs(cpus)}} {
		target := start(t, Spec{Kind: KindFake, CPUs: tc.cpus})
		lists, err := allowedCPUs(strconv.Itoa(target.Nodes()[0].PID))
		if err != nil || len(lists) == 0 {
			t.Fatal(lists, err)
		}
		for _, got := range lists {
			if got != tc.want {
				t.Errorf("CPUs %v: a thread of the child has %q, want %q", tc.cpus, got, tc.want)
			}
		}
	}
	own, err := currentCPUs()
	if err != nil || formatCPUs(own) != formatCPUs(cpus) {
		t.Errorf("starting a child changed this process's CPUs to %v (%v)", own, err)
	}
}

func TestNoSuchCPU(t *testing.T) {
	for _, err := range []error{PinSelf([]int{0, 1000}), checkCPUs([]int{1000})} {
		mustContain(t, err, "no CPU 1000", "this machine has 0")
	}
	_, err := Start(testContext(t), Spec{Kind: KindSink, CPUs: []int{1000}})
	mustContain(t, err, "no CPU 1000")
	mustContain(t, PinSelf(nil), "no CPU")
}

// runPinned pins this process and tells its threads' CPUs and how many processors Go uses. Threads are busy meanwhile.
func runPinned() error {
	for range 8 {
		go func() {
			runtime.LockOSThread()
			select {}
		}()
	}
	cpus, err := currentCPUs()
	if err != nil {
		return err
	}
	if err := PinSelf(cpus[:1]); err != nil {
		return err
	}
	go runtime.LockOSThread() // makes one more thread, which inherits
	time.Sleep(10 * time.Millisecond)
	lists, err := allowedCPUs("self")
	fmt.Println(cpus[0], runtime.GOMAXPROCS(0), strings.Join(lists, " "))
	return err
}

func TestPinSelf(t *testing.T) {
	cmd := exec.Command(os.Args[0], "broker-pin")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	words := strings.Fields(string(out))
	if len(words) < 10 || words[1] != "1" {
		t.Fatalf("got %q, want a CPU, 1 processor, and the CPUs of more than 8 threads", out)
	}
	for _, list := range words[2:] {
		if list != words[0] {
			t.Errorf("a thread has %q, want %q: %q", list, words[0], out)
		}
	}
}

// parent is a process of its own that has started a target.
type parent struct {
	cmd  *exec.Cmd
	dir  string // the target's data; "-": none
	pids []int  // its children
}

func startParent(t *testing.T, kind string, env ...string) parent {
	t.Helper()
	cmd := exec.Command(os.Args[0], "broker-parent", kind)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() }) // it has ended already if all went well
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	words := strings.Fields(line)
	p := parent{cmd: cmd, dir: words[0]}
	for _, w := range words[1:] {
		pid, err := strconv.Atoi(w)
		if err != nil {
			t.Fatal(err)
		}
		p.pids = append(p.pids, pid)
	}
	return p
}

// kill ends the parent so that it can do nothing more, and waits until its children are gone.
func (p parent) kill(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = p.cmd.Wait() // it says that it was killed
	for ctx := testContext(t); ; time.Sleep(10 * time.Millisecond) {
		alive := 0
		for _, pid := range p.pids {
			if isAlive(pid) {
				alive++
			}
		}
		if alive == 0 {
			return
		}
		if ctx.Err() != nil {
			t.Fatalf("%d of the children %v outlive their parent", alive, p.pids)
		}
	}
}

func TestChildrenDieWithTheirParent(t *testing.T) {
	for _, kind := range []string{KindSink, KindFake} {
		t.Run(kind, func(t *testing.T) { startParent(t, kind).kill(t) })
	}
}

// TestKafkaParentKilled kills the process that started a broker: the broker goes with it, and the next start removes
// its data.
func TestKafkaParentKilled(t *testing.T) {
	needKafka(t)
	tmp := t.TempDir()
	p := startParent(t, KindKafka, "TMPDIR="+tmp)
	if filepath.Dir(p.dir) != tmp {
		t.Fatalf("data is in %s, want it under %s", p.dir, tmp)
	}
	p.kill(t)
	if _, err := os.Stat(p.dir); err != nil {
		t.Fatalf("nothing was left behind to be removed: %v", err)
	}
	var said []string
	target, err := Start(testContext(t), Spec{Kind: KindKafka, Dir: tmp, Log: func(l string) { said = append(said, l) }})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(p.dir); !os.IsNotExist(err) {
		t.Errorf("%s is still there (%v); said %q", p.dir, err, said)
	}
	if err := target.Close(); err != nil {
		t.Fatal(err)
	}
	checkGone(t, tmp, target.Nodes()[0].PID)
}
