package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// findings are what was found.
type findings struct {
	rows  []row
	txns  []txnRow
	notes []string // what couldn't be done
}

// Exit codes besides 2, for wrong arguments.
const (
	exitHolds    = 0
	exitBroken   = 1 // or the run failed
	exitUntested = 3
)

// exit is the code that the program ends with.
func (f *findings) exit() int {
	code := exitHolds
	if len(f.notes) > 0 {
		code = exitUntested
	}
	for _, v := range f.verdicts() {
		switch {
		case strings.HasPrefix(v, broken):
			return exitBroken
		case strings.HasPrefix(v, untested):
			code = exitUntested
		}
	}
	return code
}

func (f *findings) verdicts() (all []string) {
	for i := range f.rows {
		all = append(all, f.rows[i].Verdict)
	}
	for i := range f.txns {
		all = append(all, f.txns[i].Verdict)
	}
	return all
}

// write writes the tables.
func (f *findings) write(w io.Writer) error {
	err := writeTable(w, f.rows)
	if len(f.rows) > 0 && len(f.txns) > 0 {
		_, wErr := fmt.Fprintln(w)
		err = errors.Join(err, wErr)
	}
	return errors.Join(err, writeTxnTable(w, f.txns))
}
