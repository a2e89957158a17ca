package report

import (
	"bytes"
	"fmt"
	"io"

	"kbench/metrics"
)

// WriteMarkdown writes what WriteTable shows as GitHub Markdown, for pull requests and job summaries.
func WriteMarkdown(w io.Writer, r *metrics.Result) error {
	var out bytes.Buffer
	out.WriteString("### " + escapeMarkdown(oneLine(title(r))) + "\n")
	for _, b := range view(r) {
		if b.grid != nil {
			out.WriteByte('\n')
			if err := b.grid.markdown(&out); err != nil {
				return fmt.Errorf("draw the table: %w", err)
			}
		}
		if len(b.drawing) > 0 {
			out.WriteString("\n```\n")
			for _, n := range b.drawing {
				fmt.Fprintf(&out, "%-6s%s\n", n.label, n.text)
			}
			out.WriteString("```\n")
		}
		for i, n := range b.notes {
			if i == 0 {
				out.WriteByte('\n')
			}
			writeMarkdownNote(&out, n)
		}
	}
	return writeAll(w, &out)
}

func writeMarkdownNote(out *bytes.Buffer, n note) {
	out.WriteString("- ")
	if n.label != "" {
		out.WriteString("**" + escapeMarkdown(n.label) + "** ")
	}
	out.WriteString(escapeMarkdown(oneLine(n.text)) + "\n")
}
