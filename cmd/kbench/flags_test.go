package main

import (
	"testing"

	"github.com/spf13/pflag"
)

// TestNameVariables: a flag that came from the environment is told by its variable, others and longer names by their own.
func TestNameVariables(t *testing.T) {
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	for _, name := range []string{"hold", "hold-log", "set", "rate"} {
		flags.String(name, "", "")
	}
	flags.StringArrayP("property", "X", nil, "")
	if err := flags.Parse([]string{"--rate=1/s"}); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"KBENCH_HOLD": "x", "KBENCH_SET": "y", "KBENCH_PROPERTY": "a=1\nb=2", "KBENCH_RATE": "2/s"}
	if err := flagsFromEnvironment(flags, func(name string) (string, bool) { v, ok := env[name]; return v, ok }); err != nil {
		t.Fatal(err)
	}
	if got, _ := flags.GetStringArray("property"); len(got) != 2 || flags.Lookup("rate").Value.String() != "1/s" {
		t.Errorf("property %q, rate %s", got, flags.Lookup("rate").Value)
	}
	for text, want := range map[string]string{
		`--hold "x": bad`:                `KBENCH_HOLD "x": bad`,
		"--hold-log: --hold: --settle":   "--hold-log: KBENCH_HOLD: --settle",
		"cell a: --set":                  "cell a: KBENCH_SET",
		"-X: a; --property \"a\"; x-X y": "KBENCH_PROPERTY: a; KBENCH_PROPERTY \"a\"; x-X y",
		"--rate 1/s":                     "--rate 1/s",
	} {
		if got := nameVariables(flags, text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}
