package report

import "io"

// WriteGrid writes a table of text: for lists of drivers, profiles and settings.
func WriteGrid(w io.Writer, header []string, rows [][]string) error {
	g := grid{left: len(header), head: header, rows: rows}
	return g.text(w)
}
