package workload

import (
	"errors"
	"fmt"
	"strings"
)

// ParseJAAS reads the value of sasl.jaas.config, `Module required name="value" …;`, as Kafka's JaasConfig does: one login
// module, a flag, options with or without quotes, a semicolon. Errors never show a value.
func ParseJAAS(text string) (module string, options map[string]string, err error) {
	l := jaasLexer{rest: text}
	if module, err = l.word("the name of a login module"); err != nil {
		return "", nil, err
	}
	flag, err := l.word("the word `required` after the login module")
	if err != nil {
		return "", nil, err
	}
	switch strings.ToLower(flag) {
	case "required", "requisite", "sufficient", "optional":
	default:
		return "", nil, errors.New("after the login module: allowed required, requisite, sufficient, optional")
	}
	options = map[string]string{}
	for {
		name, err := l.next()
		switch {
		case err != nil:
			return "", nil, err
		case name == (jaasToken{}):
			return "", nil, errors.New("it doesn't end in a semicolon")
		case name.sign == ';':
			if end, err := l.next(); err != nil || end != (jaasToken{}) {
				return "", nil, errors.New("more than one login module, or something else after the semicolon")
			}
			return module, options, nil
		case name.sign != 0 || name.quoted:
			return "", nil, fmt.Errorf(`option %d: want name="value"`, len(options)+1)
		}
		if sign, err := l.next(); err != nil || sign.sign != '=' {
			return "", nil, fmt.Errorf(`option %d: want name="value" (is a quote missing?)`, len(options)+1)
		}
		value, err := l.next()
		if err != nil {
			return "", nil, err
		}
		if value.sign != 0 || value == (jaasToken{}) {
			return "", nil, fmt.Errorf("option %d: no value", len(options)+1)
		}
		options[name.text] = value.text
	}
}

// jaasToken is a word, a text in quotes, or a sign; zero: the end.
type jaasToken struct {
	text   string
	quoted bool
	sign   byte
}

// jaasLexer cuts a text into tokens.
type jaasLexer struct{ rest string }

// word reads a word; what says what it stands for.
func (l *jaasLexer) word(what string) (string, error) {
	t, err := l.next()
	if err == nil && (t.sign != 0 || t.quoted || t.text == "") {
		err = fmt.Errorf("%s is missing", what)
	}
	return t.text, err
}

func (l *jaasLexer) next() (jaasToken, error) {
	l.rest = strings.TrimLeft(l.rest, " \t\r\n")
	if l.rest == "" {
		return jaasToken{}, nil
	}
	switch c := l.rest[0]; c {
	case '=', ';':
		l.rest = l.rest[1:]
		return jaasToken{sign: c}, nil
	case '"', '\'':
		return l.quoted(c)
	}
	n := strings.IndexAny(l.rest, " \t\r\n=;\"'")
	if n < 0 {
		n = len(l.rest)
	}
	t := jaasToken{text: l.rest[:n]}
	l.rest = l.rest[n:]
	return t, nil
}

// quoted reads up to the closing quote; a backslash takes the next character as it is, but n, r and t as in Java.
func (l *jaasLexer) quoted(quote byte) (jaasToken, error) {
	var b strings.Builder
	for i := 1; i < len(l.rest); i++ {
		c := l.rest[i]
		switch {
		case c == quote:
			l.rest = l.rest[i+1:]
			return jaasToken{text: b.String(), quoted: true}, nil
		case c == '\\' && i+1 < len(l.rest):
			i++
			if at := strings.IndexByte("nrt", l.rest[i]); at >= 0 {
				b.WriteByte("\n\r\t"[at])
			} else {
				b.WriteByte(l.rest[i])
			}
		default:
			b.WriteByte(c)
		}
	}
	return jaasToken{}, errors.New("a quote isn't closed")
}
