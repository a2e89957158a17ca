package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// Exit codes, as the documentation promises them.
const (
	exitOK          = 0
	exitFailed      = 1   // the gate, an objective or a verification failed
	exitUsage       = 2   // bad usage or input
	exitInvalid     = 3   // inconclusive or invalid measurement
	exitTarget      = 4   // target or client failure, or a result that couldn't be written
	exitInterrupted = 130 // Ctrl-C
)

// exitError carries an exit code up to run. An error without one is bad usage: everything that a user can get wrong is
// found before anything starts.
type exitError struct {
	code int
	err  error // nil: said already
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit status %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// targetError marks a failure of the target, the client, or the disk that results go to.
func targetError(err error) error {
	if err == nil {
		return nil
	}
	return &exitError{exitTarget, err}
}

// outError is the error of a results folder that can't be used: bad usage where its name is to blame (it isn't a folder, or
// holds something), a failure where the disk is (full, read-only, not allowed).
func outError(err error) error {
	named := fmt.Errorf("--out: %w", err)
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.ENAMETOOLONG) || errors.Is(err, syscall.EINVAL):
		return named
	case errors.As(err, &path) || errors.As(err, &link):
		return targetError(named)
	}
	return named
}

// silent is an exit code whose reason has been printed already.
func silent(code int) error {
	if code == exitOK {
		return nil
	}
	return &exitError{code: code}
}

// isSilent says whether err is an exit code alone.
func isSilent(err error) bool {
	var e *exitError
	return errors.As(err, &e) && e.err == nil
}

// exitCode is the one place that maps errors to exit codes.
func exitCode(err error) int {
	if err == nil {
		return exitOK
	}
	var e *exitError
	if errors.As(err, &e) {
		return e.code
	}
	return exitUsage
}
