package main

import (
	"fmt"
	"strings"

	"kbench/workload"
)

func joined(words []string) string { return strings.Join(words, ", ") }

func driverNames() []string {
	var names []string
	for _, d := range allDrivers() {
		names = append(names, d.Name)
	}
	return names
}

// mustRegister is for mistakes in the program's own tables, which every test of the command line finds.
func mustRegister(err error) {
	if err != nil {
		panic(err)
	}
}

// didYouMean is the end of an error about an unknown word: "; did you mean …?", or "".
func didYouMean(word string, known []string) string {
	if near := workload.Nearest(word, known); near != "" {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	return ""
}
