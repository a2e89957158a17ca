package main

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// variableNote is the annotation of a flag that got its value from an environment variable: the variable's name.
const variableNote = "kbench-variable"

// variableOf is the environment variable that a flag got its value from; "": it was given itself, or isn't set.
func variableOf(f *pflag.Flag) string {
	if f == nil || len(f.Annotations[variableNote]) == 0 {
		return ""
	}
	return f.Annotations[variableNote][0]
}

// flagsFromEnvironment sets every flag that wasn't given from its variable, KBENCH_ and the flag's name in capitals with
// _ for -. A flag that can be given several times takes one value a line. An empty variable counts as none; an empty value of
// a flag is refused, because it is mostly a variable of the caller's that isn't set.
func flagsFromEnvironment(flags *pflag.FlagSet, lookup func(string) (string, bool)) error {
	var failed error
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Changed || failed != nil {
			if f.Changed && f.Value.Type() == "string" && f.Value.String() == "" && failed == nil {
				failed = fmt.Errorf("--%s \"\": the value is empty", f.Name)
			}
			return
		}
		name := "KBENCH_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		value, ok := lookup(name)
		if !ok || value == "" {
			return
		}
		values := []string{value}
		if _, many := f.Value.(pflag.SliceValue); many {
			values = strings.Split(value, "\n")
		}
		if f.Annotations == nil {
			f.Annotations = map[string][]string{}
		}
		f.Annotations[variableNote] = []string{name}
		for _, v := range values {
			if err := flags.Set(f.Name, v); err != nil && failed == nil {
				failed = flagError(flags, err)
			}
		}
	})
	return failed
}

// nameVariables puts the environment variable into an error in place of the flag that it stood for.
func nameVariables(flags *pflag.FlagSet, text string) string {
	flags.VisitAll(func(f *pflag.Flag) {
		name := variableOf(f)
		if name == "" {
			return
		}
		words := "--" + regexp.QuoteMeta(f.Name)
		if f.Shorthand != "" {
			words += "|-" + regexp.QuoteMeta(f.Shorthand)
		}
		text = regexp.MustCompile(`(^|[^\w-])(?:`+words+`)($|[^\w-])`).ReplaceAllString(text, "${1}"+name+"${2}")
	})
	return text
}

// flagError says what is wrong with a flag in words of its own: pflag's are those of Go.
func flagError(flags *pflag.FlagSet, err error) error {
	var value *pflag.InvalidValueError
	var unknown *pflag.NotExistError
	switch {
	case errors.As(err, &value):
		want := map[string]string{"int": "a whole number", "uint64": "a whole number from 0 to 18446744073709551615", "bool": "true or false"}
		f := value.GetFlag()
		if text := want[f.Value.Type()]; text != "" {
			return fmt.Errorf("--%s %q: allowed is %s", f.Name, value.GetValue(), text)
		}
	case errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() == "":
		var names []string
		flags.VisitAll(func(f *pflag.Flag) {
			if !f.Hidden {
				names = append(names, "--"+f.Name)
			}
		})
		name := "--" + unknown.GetSpecifiedName()
		return fmt.Errorf("unknown flag %s%s", name, didYouMean(name, names))
	}
	return err
}

// wantArgs takes least to most arguments, and says otherwise what they are.
func wantArgs(least, most int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < least {
			return fmt.Errorf("nothing is given: want %s (see %s --help)", what, cmd.CommandPath())
		}
		if most >= 0 && len(args) > most {
			return fmt.Errorf("%q: one argument too many: want %s (see %s --help)", args[most], what, cmd.CommandPath())
		}
		return nil
	}
}
