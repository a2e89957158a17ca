package workload

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Bounds of a profile: what a person writes is far below them.
const (
	maxProfileBytes = 1 << 18
	maxProfileDepth = 100
)

// parseYAML turns one YAML document into a tree. at gives file or flag and rank; its line and column are the offset.
func parseYAML(at origin, src []byte) (*node, error) {
	if len(src) > maxProfileBytes {
		return nil, &fieldError{at: at.name, msg: fmt.Sprintf("%d bytes are too much for a profile: allowed %d", len(src), maxProfileBytes)}
	}
	if deepest(src) > maxProfileDepth {
		return nil, &fieldError{at: at.name, msg: fmt.Sprintf("nested more than %d deep", maxProfileDepth)}
	}
	file, err := parseFile(src)
	if err != nil {
		return nil, syntaxError(at, err)
	}
	var body ast.Node
	for _, doc := range file.Docs {
		if doc.Body == nil {
			continue
		}
		if body != nil {
			return nil, &fieldError{at: place(at, doc.Body).String(), msg: "a second YAML document: a profile is one"}
		}
		body = doc.Body
	}
	if body == nil {
		return nil, &fieldError{at: at.name, msg: "the profile is empty"}
	}
	t := treeBuilder{at: at}
	root := t.build(body, "")
	return root, t.errs.orNil()
}

// parseFile calls the YAML parser; a panic in there is a syntax error to us.
func parseFile(src []byte) (file *ast.File, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = errors.New("not YAML")
		}
	}()
	return parser.ParseBytes(src, 0, parser.AllowDuplicateMapKey())
}

// deepest counts how deep brackets, and lists begun in one line, are nested, quotes and comments not considered. The
// parser recurses on them, at a cost that grows with the square of the depth.
func deepest(src []byte) int {
	depth, most := 0, 0
	for line := range bytes.Lines(src) {
		for _, c := range line {
			switch c {
			case '{', '[':
				depth++
				most = max(most, depth)
			case '}', ']':
				depth--
			}
		}
		most = max(most, bytes.Count(line, []byte("- "))+bytes.Count(line, []byte("? ")))
	}
	return most
}

// syntaxError takes place and message out of the parser's error. Its own text quotes whole lines, secrets with them.
func syntaxError(at origin, err error) error {
	e := &fieldError{at: at.name, msg: "not YAML"}
	var detail interface {
		GetToken() *token.Token
		GetMessage() string
	}
	if errors.As(err, &detail) {
		e.msg = "not YAML: " + detail.GetMessage()
		if tk := detail.GetToken(); tk != nil && tk.Position != nil && at.line > 0 {
			e.at = origin{name: at.name, line: tk.Position.Line, col: tk.Position.Column}.String()
		}
	}
	return e
}

// place returns where a YAML node was written.
func place(at origin, n ast.Node) origin {
	tk := n.GetToken()
	if m, ok := n.(*ast.MappingNode); ok && len(m.Values) > 0 && !m.IsFlowStyle {
		tk = m.Values[0].Key.GetToken() // the node's own token is the first colon
	}
	if at.line > 0 && tk != nil && tk.Position != nil {
		at.line, at.col = tk.Position.Line, tk.Position.Column
	}
	return at
}

// treeBuilder turns the parser's tree into ours.
type treeBuilder struct {
	at    origin
	errs  problems
	depth int
}

func (t *treeBuilder) fail(n ast.Node, path, format string, args ...any) {
	t.errs = append(t.errs, &fieldError{at: place(t.at, n).String(), path: path, msg: fmt.Sprintf(format, args...)})
}

// build turns the node at path into ours.
func (t *treeBuilder) build(n ast.Node, path string) *node {
	if n == nil {
		return &node{at: t.at}
	}
	t.depth++
	defer func() { t.depth-- }()
	out := &node{at: place(t.at, n)}
	if t.depth > maxProfileDepth {
		t.fail(n, path, "nested more than %d deep", maxProfileDepth)
		return out
	}
	switch n := n.(type) {
	case *ast.MappingNode:
		out.kind = mapNode
		for _, v := range n.Values {
			t.addField(out, path, v)
		}
	case *ast.MappingValueNode:
		out.kind = mapNode
		t.addField(out, path, n)
	case *ast.SequenceNode:
		out.kind = listNode
		for i, v := range n.Values {
			out.items = append(out.items, t.build(v, join(path, strconv.Itoa(i))))
		}
	case *ast.NullNode:
	case *ast.LiteralNode:
		out.kind, out.text = scalarNode, strings.TrimRight(n.Value.Value, "\n")
	case *ast.StringNode:
		out.kind, out.text = scalarNode, n.Value
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		out.kind, out.text = scalarNode, strings.TrimSpace(n.GetToken().Value)
	case *ast.AnchorNode, *ast.AliasNode:
		t.fail(n, path, "anchors and aliases (& and *) aren't for profiles: write the value out, or quote it")
	case *ast.TagNode:
		t.fail(n, path, "tags (!) aren't for profiles: leave it out, or quote the value")
	default:
		t.fail(n, path, "YAML of this kind (%s) isn't for profiles", strings.ToLower(n.Type().String()))
	}
	return out
}

// addField adds one key and its value to a map; a key that is there already is an error.
func (t *treeBuilder) addField(m *node, path string, v *ast.MappingValueNode) {
	switch v.Key.(type) {
	case *ast.StringNode, *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.NullNode:
	case *ast.MergeKeyNode:
		t.fail(v.Key, path, "merge keys (<<) aren't for profiles: write the fields out")
		return
	default:
		t.fail(v.Key, path, "a key must be a plain word")
		return
	}
	key := v.Key.GetToken().Value
	at := place(t.at, v.Key)
	if first := m.field(key); first != nil {
		t.fail(v.Key, join(path, key), "given twice, first at %s", first.at)
		return
	}
	m.fields = append(m.fields, nodeField{key: key, at: at, value: t.build(v.Value, join(path, key))})
}
