package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"kbench/metrics"
	"kbench/workload"
)

// format is a way to write a result, under the name that --format takes.
type format struct {
	name  string
	write func(io.Writer, *metrics.Result) error
}

func formats() []format {
	return []format{
		{"table", WriteTable},
		{"json", WriteJSON},
		{"csv", WriteCSV},
		{"markdown", WriteMarkdown},
		{"gobench", WriteGoBench},
	}
}

// Formats are the names that Write knows.
func Formats() []string { return each(formats(), func(f format) string { return f.name }) }

// CheckFormat is the error that Write would return for an unknown format, or nil: so that it comes before the run.
func CheckFormat(name string) error {
	if !slices.Contains(Formats(), name) {
		return unknownFormat(name, Formats())
	}
	return nil
}

// Write writes the result in the named format, one of Formats.
func Write(w io.Writer, format string, r *metrics.Result) error {
	for _, f := range formats() {
		if f.name == format {
			return f.write(w, r)
		}
	}
	return unknownFormat(format, Formats())
}

// each is the list of what of gives for every item.
func each[T, U any](list []T, of func(T) U) []U {
	out := make([]U, len(list))
	for i, v := range list {
		out[i] = of(v)
	}
	return out
}

func unknownFormat(name string, allowed []string) error {
	err := fmt.Errorf("format %q is unknown: allowed are %s", name, strings.Join(allowed, ", "))
	if near := workload.Nearest(name, allowed); near != "" {
		err = fmt.Errorf("%w (did you mean %q?)", err, near)
	}
	return err
}
