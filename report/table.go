// Package report turns results into what people and programs read: tables, Markdown, JSON, CSV, Go benchmark lines,
// histogram logs, and the files of a results folder.
package report

import (
	"bytes"
	"fmt"
	"io"

	"kbench/metrics"
)

// labelWidth is the room for the labels of notes.
const labelWidth = 12

// WriteTable writes the result as kbench run prints it: plain text without colour, 100 columns where its parts allow.
func WriteTable(w io.Writer, r *metrics.Result) error {
	var out bytes.Buffer
	out.WriteString(wrap(title(r), 0, 2) + "\n")
	for _, b := range view(r) {
		if b.grid == nil && len(b.drawing) == 0 && len(b.notes) == 0 {
			continue
		}
		out.WriteByte('\n')
		if b.grid != nil {
			if err := b.grid.text(&out); err != nil {
				return fmt.Errorf("draw the table: %w", err)
			}
		}
		for _, n := range b.drawing {
			fmt.Fprintf(&out, " %-*s%s\n", labelWidth, n.label, n.text)
		}
		for _, n := range b.notes {
			writeNote(&out, n)
		}
	}
	return writeAll(w, &out)
}

// writeNote writes a label and its text, which wraps beside the label.
func writeNote(out *bytes.Buffer, n note) {
	lead := " "
	if n.label != "" {
		lead = fmt.Sprintf(" %-*s", labelWidth, n.label)
	}
	out.WriteString(lead + wrap(n.text, len(lead), len(lead)) + "\n")
}

// writeAll writes what was put together, in one call.
func writeAll(w io.Writer, out *bytes.Buffer) error {
	if _, err := w.Write(out.Bytes()); err != nil {
		return fmt.Errorf("write the result: %w", err)
	}
	return nil
}
