package report

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"
)

// grid is a table before it is drawn. The first left columns hold text, the others numbers. A cell may hold several
// lines, and softBreaks.
type grid struct {
	left int
	head []string
	rows [][]string
}

// softBreak stands in cells where text goes on in a new line, to keep the table narrow, and Markdown doesn't. A space
// before it is the one that a line end replaces.
const softBreak = "\v"

// text draws the grid with a rule under its header and no other lines, so that it can be copied into a mail.
// Where all columns are text, the last one wraps.
func (g *grid) text(w io.Writer) error {
	if len(g.head) > 0 && g.left == len(g.head) {
		g = g.wrapped()
	}
	g = g.with(func(cell string) string {
		return strings.ReplaceAll(strings.ReplaceAll(cell, " "+softBreak, "\n"), softBreak, "\n")
	})
	none := tw.Settings{Separators: tw.SeparatorsNone,
		Lines: tw.Lines{ShowTop: tw.Off, ShowBottom: tw.Off, ShowHeaderLine: tw.On, ShowFooterLine: tw.Off}}
	var out bytes.Buffer
	err := g.draw(&out, renderer.NewBlueprint(tw.Rendition{Borders: tw.BorderNone, Symbols: tw.NewSymbols(tw.StyleLight), Settings: none}))
	if err != nil {
		return err
	}
	for line := range strings.Lines(out.String()) {
		if _, err := io.WriteString(w, strings.TrimRight(line, " \n")+"\n"); err != nil {
			return err
		}
	}
	return nil
}

// markdown draws the grid as a GitHub table.
func (g *grid) markdown(w io.Writer) error {
	escaped := g.with(func(cell string) string { return escapeMarkdown(strings.ReplaceAll(cell, softBreak, "")) })
	return escaped.draw(w, renderer.NewMarkdown())
}

// with is the grid with every cell changed.
func (g *grid) with(change func(string) string) *grid {
	out := &grid{left: g.left, head: each(g.head, change)}
	for _, row := range g.rows {
		out.rows = append(out.rows, each(row, change))
	}
	return out
}

func (g *grid) draw(w io.Writer, r tw.Renderer) error {
	align := make(tw.Alignment, len(g.head))
	for i := range align {
		align[i] = tw.AlignRight
		if i < g.left {
			align[i] = tw.AlignLeft
		}
	}
	t := tablewriter.NewTable(w,
		tablewriter.WithRenderer(r),
		tablewriter.WithHeaderAutoFormat(tw.Off),
		tablewriter.WithHeaderAutoWrap(tw.WrapNone),
		tablewriter.WithRowAutoWrap(tw.WrapNone),
		tablewriter.WithAlignment(align))
	t.Header(each(g.head, printable))
	for _, row := range g.rows {
		if err := t.Append(each(row, printable)); err != nil {
			return err
		}
	}
	return t.Render()
}

// wrapped is the grid with the last column broken so that a line keeps to width. It is for grids of text alone: numbers
// don't wrap.
func (g *grid) wrapped() *grid {
	last := len(g.head) - 1
	before := 2 // every column has a space on both sides
	for column := range last {
		widest := utf8.RuneCountInString(g.head[column])
		for _, row := range g.rows {
			if column < len(row) {
				widest = max(widest, utf8.RuneCountInString(row[column]))
			}
		}
		before += widest + 2
	}
	out := &grid{left: g.left, head: g.head}
	for _, row := range g.rows {
		row = slices.Clone(row)
		if len(row) == len(g.head) {
			row[last] = wrapTo(max(width-before, width/3), row[last], 0, 0)
		}
		out.rows = append(out.rows, row)
	}
	return out
}
