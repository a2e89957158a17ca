package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"kbench/report"
	"kbench/selftest"
	"kbench/words"
)

// writeJSON writes v, indented.
func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// verdictWord is how a state is printed.
func verdictWord(s selftest.State) string {
	if s == selftest.Unable {
		return "not tried validly"
	}
	return string(s)
}

// writeSelftest prints the table and, for what didn't pass, why and on which figures.
func writeSelftest(w io.Writer, res *selftest.Result) error {
	var rows [][]string
	for _, f := range res.Checks {
		rows = append(rows, []string{f.Name, verdictWord(f.State), f.Claim + "\n→ " + f.Measured})
	}
	if err := report.WriteGrid(w, []string{"check", "result", "claim → measured"}, rows); err != nil {
		return err
	}
	for _, f := range res.Checks {
		if f.State == selftest.Pass {
			continue
		}
		if _, err := fmt.Fprintf(w, "\n%s: %s: %s\n", f.Name, verdictWord(f.State), f.Reason); err != nil {
			return err
		}
		if err := writeFailed(w, f.Rows); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "\n%s\n", selftestSummary(res))
	return err
}

// failedShown is how many figures are printed of a check that failed; the files have all.
const failedShown = 8

// writeFailed prints the figures that don't hold.
func writeFailed(w io.Writer, rows []selftest.Row) error {
	n := 0
	for _, r := range rows {
		if r.State != selftest.Fail {
			continue
		}
		if n++; n > failedShown {
			continue
		}
		if _, err := fmt.Fprintf(w, "  %s\n", rowText(r)); err != nil {
			return err
		}
	}
	if n > failedShown {
		_, err := fmt.Fprintf(w, "  and %d more, in the result's files\n", n-failedShown)
		return err
	}
	return nil
}

// rowText is one figure with its bounds.
func rowText(r selftest.Row) string {
	text := fmt.Sprintf("%s: %s, truth %s, allowed %s to %s", r.What, r.Unit.Text(r.Measured), r.Unit.Text(r.Truth), r.Unit.Text(r.Low), r.Unit.Text(r.High))
	if r.Note != "" {
		text += " (" + r.Note + ")"
	}
	return text
}

func selftestSummary(res *selftest.Result) string {
	count := map[selftest.State]int{}
	for _, f := range res.Checks {
		count[f.State]++
	}
	pass, hold := count[selftest.Pass], "hold"
	if pass == 1 {
		hold = "holds"
	}
	text := fmt.Sprintf("%d of %s %s on this machine", pass, words.Count(len(res.Checks), "claim"), hold)
	switch n := count[selftest.Fail]; n {
	case 0:
	case 1:
		text += ", 1 doesn't"
	default:
		text += fmt.Sprintf(", %d don't", n)
	}
	if n := count[selftest.Unable]; n > 0 {
		text += fmt.Sprintf(", %d couldn't be tried validly", n)
	}
	if res.Interrupted {
		text += "; interrupted before the others"
	}
	return text
}

// writeSelftestMarkdown writes the table that documents link, with every figure below it.
func writeSelftestMarkdown(w io.Writer, res *selftest.Result) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# kbench selftest (%s)\n\n%s.\n\n", res.Size, selftestSummary(res))
	fmt.Fprintf(&b, "`%s`, kbench %s, %s, %s, %d CPUs, %s %s, %s.\n\n", res.Command, res.Kbench, res.Started.UTC().Format("2006-01-02 15:04 UTC"),
		res.Host.CPU, res.Host.CPUs, res.Host.OS, res.Host.Kernel, res.Host.Go)
	fmt.Fprintf(&b, "| check | claim | measured | result |\n|---|---|---|---|\n")
	for _, f := range res.Checks {
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", f.Name, cell(f.Claim), cell(f.Measured), verdictWord(f.State))
	}
	for _, f := range res.Checks {
		fmt.Fprintf(&b, "\n## %s\n\n", f.Name)
		if f.Reason != "" {
			fmt.Fprintf(&b, "%s: %s\n\n", verdictWord(f.State), f.Reason)
		}
		fmt.Fprintf(&b, "| figure | measured | truth | allowed | |\n|---|---:|---:|---:|---|\n")
		for _, r := range f.Rows {
			if r.State == selftest.Unable {
				r.Note = "" // the notes below the table tell it, attempt by attempt
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s – %s | %s |\n", cell(r.What+noteText(r.Note)), r.Unit.Text(r.Measured), r.Unit.Text(r.Truth),
				r.Unit.Text(r.Low), r.Unit.Text(r.High), verdictWord(r.State))
		}
		for i, n := range f.Notes {
			if i == 0 {
				b.WriteByte('\n')
			}
			fmt.Fprintf(&b, "- %s\n", n)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func noteText(note string) string {
	if note == "" {
		return ""
	}
	return " (" + note + ")"
}

// cell keeps a text within a cell of a Markdown table.
func cell(s string) string { return strings.ReplaceAll(strings.ReplaceAll(s, "|", "\\|"), "\n", " ") }
