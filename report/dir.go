package report

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"kbench/metrics"
)

// The files of a results folder.
const (
	ResultFile = "result.json"
	HlogFile   = "latency.hlog"
	SeriesFile = "series.csv"
	ClientFile = "client.csv"
)

// CreateDir makes the folder for results, with its parents, or takes an existing empty one. It refuses a file, a folder
// that holds something, and one that can't be written to.
func CreateDir(dir string) error {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, os.ErrNotExist):
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("create the results folder %q: %w", dir, err)
		}
	case err != nil:
		return fmt.Errorf("use %q as the results folder: %w", dir, err)
	case len(entries) > 0:
		return fmt.Errorf("results folder %q exists and holds %s (such as %q): name another one, or one that is empty",
			dir, plural(uint64(len(entries)), "file"), entries[0].Name())
	}
	probe, err := os.CreateTemp(dir, ".writable-*")
	if err != nil {
		return fmt.Errorf("results folder %q can't be written to: %w", dir, err)
	}
	return errors.Join(probe.Close(), os.Remove(probe.Name()))
}

// WriteDir writes result.json, latency.hlog, series.csv and, where the client told of itself, client.csv into an existing
// folder and returns the paths written.
// Each file is written aside, synced and then renamed, so that under its name it is whole or absent. One that fails
// doesn't keep the others from being written; the error names every file that is missing.
func WriteDir(dir string, r *metrics.Result) ([]string, error) {
	var files []string
	var errs []error
	type file struct {
		name  string
		write func(io.Writer, *metrics.Result) error
	}
	all := []file{{ResultFile, WriteJSON}, {HlogFile, WriteHlog}, {SeriesFile, WriteSeries}}
	if r.Client != nil && r.Client.Distributions != (metrics.ClientDistributions{}) {
		all = append(all, file{ClientFile, WriteClient})
	}
	for _, f := range all {
		path := filepath.Join(dir, f.name)
		if err := writeFile(path, func(w io.Writer) error { return f.write(w, r) }); err != nil {
			errs = append(errs, err)
		} else {
			files = append(files, path)
		}
	}
	return files, errors.Join(errs...)
}

// writeFile gives path the content that write produces, or leaves what was there.
func writeFile(path string, write func(io.Writer) error) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("write %s: %w", path, err)
		}
	}()
	aside, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			// The first error is the one to tell; closing twice is harmless.
			_ = aside.Close()
			_ = os.Remove(aside.Name())
		}
	}()
	buffered := bufio.NewWriterSize(aside, 64<<10)
	if err := write(buffered); err != nil {
		return err
	}
	if err := buffered.Flush(); err != nil {
		return err
	}
	if err := aside.Chmod(0o644); err != nil {
		return err
	}
	if err := aside.Sync(); err != nil {
		return err
	}
	if err := aside.Close(); err != nil {
		return err
	}
	if err := os.Rename(aside.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// syncDir makes a rename last through a power cut, where the system can sync folders.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	syncErr := d.Sync()
	if errors.Is(syncErr, errors.ErrUnsupported) || errors.Is(syncErr, os.ErrInvalid) {
		syncErr = nil
	}
	return errors.Join(syncErr, d.Close())
}
