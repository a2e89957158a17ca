package report

import (
	"bytes"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"
)

// grid is a table before it is drawn. The first left columns hold text, the others numbers. A cell may hold several
// lines.
type grid struct {
	left int
	head []string
	rows [][]string
}

// text draws the grid with a rule under its header and no other lines, so that it can be copied into a mail.
func (g *grid) text(w io.Writer) error {
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
	escaped := grid{left: g.left, head: escapeCells(g.head)}
	for _, row := range g.rows {
		escaped.rows = append(escaped.rows, escapeCells(row))
	}
	return escaped.draw(w, renderer.NewMarkdown())
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

func escapeCells(cells []string) []string {
	out := make([]string, len(cells))
	for i, c := range cells {
		out[i] = escapeMarkdown(c)
	}
	return out
}

// escapeMarkdown keeps text from a broker or a profile from being read as Markdown or HTML.
func escapeMarkdown(s string) string {
	return strings.NewReplacer(`\`, `\\`, "|", `\|`, "*", `\*`, "_", `\_`, "`", "\\`", "<", "&lt;", "\n", "<br>").Replace(s)
}

// printable replaces control characters, which a terminal would obey: texts come from brokers and profiles.
func printable(s string) string {
	return strings.Map(func(c rune) rune {
		if !unicode.IsPrint(c) && c != '\n' {
			return '�'
		}
		return c
	}, s)
}

// oneLine puts text on one line, control characters replaced.
func oneLine(s string) string { return printable(strings.Join(strings.Fields(s), " ")) }

// width is the number of columns that text output keeps to.
const width = 100

// wrap breaks text at spaces so that no line is over width: the first one starts at column start, the others are
// indented. A longer word stays whole.
func wrap(text string, start, indent int) string {
	var b strings.Builder
	column := start
	for i, word := range strings.Fields(oneLine(text)) {
		n := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case column+1+n > width:
			b.WriteString("\n" + strings.Repeat(" ", indent))
			column = indent
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += n
	}
	return b.String()
}
