package broker

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestDataDirRemovesStaleOnes(t *testing.T) {
	parent := t.TempDir()
	old := time.Now().Add(-2 * newDirGrace)
	mk := func(name string, age time.Time, files ...string) string {
		dir := filepath.Join(parent, name)
		if err := os.MkdirAll(filepath.Join(dir, "node-1", "data"), 0o755); err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if err := os.WriteFile(filepath.Join(dir, f), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Chtimes(dir, age, age); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	orphan := mk(dataPrefix+"1-orphan", time.Now(), ownerFile) // has a lock that nobody holds
	unlocked := mk(dataPrefix+"2-unlocked", old)               // its owner died before it took the lock
	fresh := mk(dataPrefix+"3-fresh", time.Now())              // its owner is about to take the lock
	foreign := mk("other-4", old, ownerFile)                   // not ours

	var said []string
	log := func(l string) { said = append(said, l) }
	first, err := newDataDir(parent, 1, log)
	if err != nil {
		t.Fatal(err)
	}
	second, err := newDataDir(parent, 1, log) // must not take first for stale, though the owner is this very process
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]bool{orphan: false, unlocked: false, fresh: true, foreign: true, first.path: true, second.path: true} {
		if _, err := os.Stat(path); (err == nil) != want {
			t.Errorf("%s is there: %v, want %v", filepath.Base(path), err == nil, want)
		}
	}
	if len(said) != 2 || !strings.Contains(said[0], "left behind") {
		t.Errorf("said %q", said)
	}
	for range 2 {
		if err := errors.Join(first.remove(), second.remove()); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(first.path); !os.IsNotExist(err) {
		t.Errorf("the folder is left: %v", err)
	}
}

func TestDataDirErrors(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	ignore := func(string) {}
	_, err := newDataDir(filepath.Join(dir, "missing"), 1, ignore)
	mustContain(t, err, "missing")
	_, err = newDataDir(file, 1, ignore)
	mustContain(t, err, file, "isn't a folder")
	_, err = newDataDir(dir, 1<<30, ignore)
	mustContain(t, err, "GiB are free", dir)
}
