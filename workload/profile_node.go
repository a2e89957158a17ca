package workload

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A profile is kept as a tree of nodes, each knowing where it was written, until a Plan is made of it: so overrides and
// sweep cells are changes to the tree, and every error can name a line or a flag.

type nodeKind uint8

const (
	nullNode nodeKind = iota
	scalarNode
	mapNode
	listNode
)

// Ranks of origins: a value of higher rank displaces what contradicts it in lower ones.
const (
	rankProfile = iota
	rankEnv
	rankFlag
	rankAxis
)

// origin is where a node was written: a place in a file, or a flag.
type origin struct {
	name      string // file or flag
	line, col int    // from 1; 0: a flag
	rank      int
}

func (o origin) String() string {
	if o.line == 0 {
		return o.name
	}
	return fmt.Sprintf("%s:%d:%d", o.name, o.line, o.col)
}

// node is one value of a profile.
type node struct {
	kind   nodeKind
	text   string      // scalar, as written without quotes
	fields []nodeField // map, in the order written
	items  []*node     // list
	at     origin
}

type nodeField struct {
	key   string
	at    origin
	value *node
}

// field returns the field of that name, nil if there is none.
func (n *node) field(key string) *nodeField {
	if n == nil || n.kind != mapNode {
		return nil
	}
	i := slices.IndexFunc(n.fields, func(f nodeField) bool { return f.key == key })
	if i < 0 {
		return nil
	}
	return &n.fields[i]
}

// get returns the value of a field, nil if there is none.
func (n *node) get(key string) *node {
	if f := n.field(key); f != nil {
		return f.value
	}
	return nil
}

// put sets a field.
func (n *node) put(key string, value *node) {
	if f := n.field(key); f != nil {
		f.value, f.at = value, value.at
		return
	}
	n.fields = append(n.fields, nodeField{key: key, at: value.at, value: value})
}

// drop removes a field whose rank is below rank.
func (n *node) drop(key string, rank int) {
	if f := n.field(key); f != nil && f.value.at.rank < rank {
		n.fields = slices.DeleteFunc(n.fields, func(f nodeField) bool { return f.key == key })
	}
}

// clone copies the tree.
func (n *node) clone() *node {
	if n == nil {
		return nil
	}
	c := *n
	c.fields, c.items = slices.Clone(n.fields), slices.Clone(n.items)
	for i := range c.fields {
		c.fields[i].value = c.fields[i].value.clone()
	}
	for i := range c.items {
		c.items[i] = c.items[i].clone()
	}
	return &c
}

// locate returns the deepest node on the way to path and where it was written, and whether it is path itself.
func (n *node) locate(path string) (found *node, at origin, whole bool) {
	at = n.at
	for path != "" {
		next, nextAt, rest, ok := n.step(path)
		if !ok {
			return n, at, false
		}
		n, at, path = next, nextAt, rest
	}
	return n, at, true
}

// step follows the first part of path: the longest key that fits, since keys may contain dots.
func (n *node) step(path string) (next *node, at origin, rest string, ok bool) {
	longest := -1
	switch n.kind {
	case mapNode:
		for _, f := range n.fields {
			tail, fits := cutKey(path, f.key)
			if fits && len(f.key) > longest {
				next, at, rest, ok, longest = f.value, f.at, tail, true, len(f.key)
				if f.value.kind == scalarNode {
					at = f.value.at
				}
			}
		}
	case listNode:
		index, tail, _ := strings.Cut(path, ".")
		if i, err := strconv.Atoi(index); err == nil && i >= 0 && i < len(n.items) {
			return n.items[i], n.items[i].at, tail, true
		}
	}
	return next, at, rest, ok
}

// cutKey takes key off the front of a path.
func cutKey(path, key string) (rest string, ok bool) {
	if path == key {
		return "", true
	}
	return strings.CutPrefix(path, key+".")
}

// flow writes the node as YAML in one line.
func (n *node) flow() string {
	switch n.kind {
	case scalarNode:
		return n.text
	case mapNode:
		parts := make([]string, len(n.fields))
		for i, f := range n.fields {
			parts[i] = f.key + ": " + f.value.flow()
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case listNode:
		parts := make([]string, len(n.items))
		for i, item := range n.items {
			parts[i] = item.flow()
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	return ""
}

// kindName says what a node is, for errors.
func (n *node) kindName() string {
	switch {
	case n.kind == scalarNode:
		return "a single value"
	case n.kind == mapNode && len(n.fields) == 0:
		return "an empty map"
	case n.kind == mapNode:
		return "a map"
	case n.kind == listNode && len(n.items) == 0:
		return "an empty list"
	case n.kind == listNode:
		return "a list"
	}
	return "nothing"
}
