package procfs

import (
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// Process is what /proc/PID/stat tells of a process.
type Process struct {
	ID    int
	Name  string // of its program, at most 15 bytes; anything may be in it
	CPU   int64  // user and system time so far, in ns, without its children's
	Start int64  // ns after boot; 0: not told
}

// The fields of /proc/PID/stat, counted from 1: proc_pid_stat(5).
const (
	fieldState = 3 // the first after the name
	fieldUser  = 14
	fieldSys   = 15
	fieldStart = 22
)

// ParseProcess reads the text of /proc/PID/stat. The name stands in parentheses and may hold spaces, parentheses and line
// ends itself, so the fields are counted from the last parenthesis.
func ParseProcess(text string) (Process, bool) {
	open, end := strings.IndexByte(text, '('), strings.LastIndexByte(text, ')')
	if open < 0 || end < open {
		return Process{}, false
	}
	id, err := strconv.Atoi(strings.TrimSpace(text[:open]))
	if err != nil {
		return Process{}, false
	}
	p := Process{ID: id, Name: text[open+1 : end]}
	fields := strings.Fields(text[end+1:])
	ticks := func(field int) (int64, bool) {
		i := field - fieldState
		if i >= len(fields) {
			return 0, false
		}
		n, err := strconv.ParseInt(fields[i], 10, 64)
		return n * tickNS, err == nil
	}
	user, ok := ticks(fieldUser)
	system, ok2 := ticks(fieldSys)
	if !ok || !ok2 {
		return Process{}, false
	}
	p.CPU = user + system
	p.Start, _ = ticks(fieldStart)
	return p, true
}

// Self is this process.
func Self(fsys fs.FS) (Process, bool) { return ParseProcess(Text(fsys, "proc/self/stat")) }

// Processes are all that are seen, but for those that end meanwhile.
func Processes(fsys fs.FS) []Process {
	dirs, err := fs.ReadDir(fsys, "proc")
	if err != nil {
		return nil
	}
	var list []Process
	for _, d := range dirs {
		if _, err := strconv.Atoi(d.Name()); err != nil {
			continue
		}
		if p, ok := ParseProcess(Text(fsys, path.Join("proc", d.Name(), "stat"))); ok {
			list = append(list, p)
		}
	}
	return list
}

// ThreadTime is how long a thread ran, and how long it was ready to and waited for a CPU, in ns.
type ThreadTime struct{ Ran, Waited int64 }

// ParseThreadTime reads the text of /proc/PID/task/TID/schedstat: both times, and the number of time slices.
func ParseThreadTime(text string) (ThreadTime, bool) {
	fields := strings.Fields(text)
	if len(fields) != 3 {
		return ThreadTime{}, false
	}
	ran, err := strconv.ParseInt(fields[0], 10, 64)
	waited, err2 := strconv.ParseInt(fields[1], 10, 64)
	return ThreadTime{ran, waited}, err == nil && err2 == nil
}

// ThreadTimes are those of this process's threads, by their ids. Nil where the threads can't be listed; empty where the
// kernel was built without these times.
func ThreadTimes(fsys fs.FS) map[string]ThreadTime {
	const dir = "proc/self/task"
	threads, err := fs.ReadDir(fsys, dir)
	if err != nil {
		return nil
	}
	times := make(map[string]ThreadTime, len(threads))
	for _, t := range threads {
		if time, ok := ParseThreadTime(Text(fsys, path.Join(dir, t.Name(), "schedstat"))); ok {
			times[t.Name()] = time // else it ended just now, or there is no such file
		}
	}
	return times
}
