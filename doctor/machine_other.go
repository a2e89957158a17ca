//go:build !linux

package doctor

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
)

// thisMachine is the one that we run on. It has none of Linux's files, so what they would tell is unknown.
func thisMachine() *machine {
	return &machine{files: noFiles{}, disk: unknownSpace, look: exec.LookPath, env: os.Getenv}
}

// noFiles is an empty file system.
type noFiles struct{}

// Open implements fs.FS.
func (noFiles) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

func unknownSpace(string) (int64, error) { return 0, errors.ErrUnsupported }
