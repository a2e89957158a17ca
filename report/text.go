package report

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

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
func wrap(text string, start, indent int) string { return wrapTo(width, text, start, indent) }

// glue stands for a space that a line doesn't end at. It is none of the characters that oneLine lets through.
const glue = "\x00"

// wrapTo is wrap to another width.
func wrapTo(width int, text string, start, indent int) string {
	var b strings.Builder
	column := start
	// A percent sign stays with its number.
	for i, word := range strings.Fields(strings.ReplaceAll(oneLine(text), " %", glue+"%")) {
		word = strings.ReplaceAll(word, glue, " ")
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
