package doctor

import (
	"os"
	"os/exec"

	"golang.org/x/sys/unix"
)

// thisMachine is the one that we run on.
func thisMachine() *machine {
	return &machine{files: os.DirFS("/"), disk: freeSpace, look: exec.LookPath, env: os.Getenv}
}

// freeSpace is what this user may still write below dir, in bytes.
func freeSpace(dir string) (int64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, err
	}
	return int64(s.Bavail) * s.Bsize, nil
}
