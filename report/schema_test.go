package report

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"kbench/metrics"
)

func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("urn:kbench:result:2", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("urn:kbench:result:2")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func validate(t *testing.T, s *jsonschema.Schema, data []byte) error {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return s.Validate(doc)
}

func TestResultsFollowTheSchema(t *testing.T) {
	s := compiled(t)
	for name, r := range variants(t) {
		var out bytes.Buffer
		if err := WriteJSON(&out, r); err != nil {
			t.Fatal(err)
		}
		if err := validate(t, s, out.Bytes()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	stored, err := filepath.Glob("testdata/*.json")
	if err != nil || len(stored) == 0 {
		t.Fatalf("no golden results: %v", err)
	}
	for _, path := range stored {
		if strings.Contains(path, "sweep") {
			continue
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := validate(t, s, data); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// TestSchemaRefuses keeps the schema from allowing everything.
func TestSchemaRefuses(t *testing.T) {
	s := compiled(t)
	var out bytes.Buffer
	if err := WriteJSON(&out, fixture(t)); err != nil {
		t.Fatal(err)
	}
	for _, c := range [][2]string{
		{`"schema": 2`, `"schema": 3`},
		{`"acked": 25000,`, `"acked": -1,`},
		{`"acked": 25000,`, `"acked": "25000",`},
		{`"acked": 25000,`, ``},
		{`"acked": 25000,`, `"acked": 25000, "more": 1,`},
		{`"state": "valid"`, `"state": "fine"`},
		{`"kind": "kafka"`, `"kind": "pulsar"`},
		{`"2026-03-14T`, `"14 March `},
		{`"p9999"`, `"p42"`},
		{`"batch_fill_permille"`, `"batch_fill"`},
		{`"batches_split": 0`, `"batches_split": -1`},
	} {
		changed := strings.Replace(out.String(), c[0], c[1], 1)
		if changed == out.String() {
			t.Fatalf("the fixture has no %s", c[0])
		}
		if validate(t, s, []byte(changed)) == nil {
			t.Errorf("%s instead of %s passes", c[1], c[0])
		}
	}
}

// node is as much of a JSON Schema as the comparison with metrics.Result needs.
type node struct {
	Ref                  string          `json:"$ref"`
	Type                 string          `json:"type"`
	Description          string          `json:"description"`
	Enum                 []any           `json:"enum"`
	Const                any             `json:"const"`
	Items                *node           `json:"items"`
	Properties           map[string]node `json:"properties"`
	Required             []string        `json:"required"`
	AdditionalProperties json.RawMessage `json:"additionalProperties"`
	Defs                 map[string]node `json:"$defs"`
}

// TestSchemaIsTheResult compares the schema with metrics.Result, name by name and type by type.
func TestSchemaIsTheResult(t *testing.T) {
	var root node
	if err := json.Unmarshal(Schema(), &root); err != nil {
		t.Fatal(err)
	}
	allowed := []any{""}
	for _, c := range causes() {
		allowed = append(allowed, c)
	}
	if diff := cmp.Diff(allowed, root.Defs["verdict"].Properties["cause"].Enum); diff != "" {
		t.Errorf("causes differ (-go +schema):\n%s", diff)
	}
	compareSchema(t, &root, root.Defs, reflect.TypeFor[metrics.Result](), "result")
}

func compareSchema(t *testing.T, n *node, defs map[string]node, typ reflect.Type, path string) {
	t.Helper()
	if n.Ref != "" {
		def, ok := defs[strings.TrimPrefix(n.Ref, "#/$defs/")]
		if !ok {
			t.Errorf("%s: %s is nowhere", path, n.Ref)
			return
		}
		n = &def
	}
	if typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	if want := schemaType(typ); n.Type != want && n.Enum == nil && n.Const == nil {
		t.Errorf("%s: type %q, want %q for %v", path, n.Type, want, typ)
	}
	switch {
	case typ.Kind() == reflect.Slice && typ != reflect.TypeFor[json.RawMessage]():
		if n.Items == nil {
			t.Errorf("%s: no items", path)
			return
		}
		compareSchema(t, n.Items, defs, typ.Elem(), path+"[]")
	case typ.Kind() == reflect.Struct && typ.PkgPath() != "time":
		var names, must []string
		for i := range typ.NumField() {
			f := typ.Field(i)
			name := jsonName(f)
			if name == "" {
				continue
			}
			names = append(names, name)
			if !optional(f) {
				must = append(must, name)
			}
			if p, ok := n.Properties[name]; ok {
				if p.Description == "" && p.Ref == "" {
					t.Errorf("%s.%s has no description", path, name)
				}
				compareSchema(t, &p, defs, f.Type, path+"."+name)
			}
		}
		slices.Sort(names)
		properties := []string{}
		for name := range n.Properties {
			properties = append(properties, name)
		}
		slices.Sort(properties)
		if diff := cmp.Diff(names, properties); diff != "" {
			t.Errorf("%s: names of the Go type and properties differ (-go +schema):\n%s", path, diff)
		}
		slices.Sort(must)
		required := slices.Sorted(slices.Values(n.Required))
		if diff := cmp.Diff(must, required); diff != "" {
			t.Errorf("%s: names that the Go type always has and required differ (-go +schema):\n%s", path, diff)
		}
		if string(n.AdditionalProperties) != "false" {
			t.Errorf("%s: additionalProperties is %s, want false", path, n.AdditionalProperties)
		}
	}
}

func schemaType(typ reflect.Type) string {
	switch {
	case typ == reflect.TypeFor[json.RawMessage]():
		return "object"
	case typ.PkgPath() == "time":
		return "string"
	}
	switch typ.Kind() {
	case reflect.Struct, reflect.Map:
		return "object"
	case reflect.Slice, reflect.Array:
		return "array"
	case reflect.String:
		return "string"
	case reflect.Bool:
		return "boolean"
	case reflect.Float64:
		return "number"
	}
	return "integer"
}
