//go:build !linux

package main

import "errors"

func mountMemory(string) error { return errors.ErrUnsupported }

func mountLoop(string) error { return errors.ErrUnsupported }

func spoil(string) error { return errors.ErrUnsupported }

func unmount(string) error { return errors.ErrUnsupported }

func isFull(error) bool { return false }
