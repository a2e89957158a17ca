package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"kbench/metrics"
	"kbench/workload"
)

// ReadResult reads a stored result: a result.json, or a folder that holds one. What isn't a whole result of a known
// schema is refused with the place of the fault. The histograms behind it (Intervals) are not read.
func ReadResult(path string) (*metrics.Result, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no file or folder %q: give a %s, or the folder it is in", path, ResultFile)
	}
	if err != nil {
		return nil, fmt.Errorf("read a result: %w", err)
	}
	if info.IsDir() {
		folder := path
		path = filepath.Join(path, ResultFile)
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("folder %q holds no %s", folder, ResultFile)
		}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read a result: %w", err)
	}
	r, err := parseResult(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

func parseResult(data []byte) (*metrics.Result, error) {
	if err := CheckJSON(data); err != nil {
		return nil, err
	}
	if err := checkSchema(data); err != nil {
		return nil, err
	}
	if err := CheckChecksum(data); err != nil {
		return nil, err
	}
	if err := checkFields(data, reflect.TypeFor[metrics.Result](), ""); err != nil {
		return nil, err
	}
	r := new(metrics.Result)
	if err := json.Unmarshal(data, r); err != nil {
		return nil, typeError(err)
	}
	if states := []string{metrics.StateValid, metrics.StateInvalid}; !slices.Contains(states, r.Verdict.State) {
		return nil, fmt.Errorf("verdict.state %q is unknown: allowed are %s", r.Verdict.State, strings.Join(states, ", "))
	}
	if c := r.Verdict.Cause; c != "" && !slices.Contains(causes(), c) {
		return nil, fmt.Errorf("verdict.cause %q is unknown: allowed are none (\"\") and %s", c, strings.Join(causes(), ", "))
	}
	if len(r.Verdict.Causes) != len(r.Verdict.Reasons) {
		return nil, fmt.Errorf("verdict.causes has %d causes of %d reasons", len(r.Verdict.Causes), len(r.Verdict.Reasons))
	}
	for _, c := range r.Verdict.Causes {
		if !slices.Contains(causes(), c) {
			return nil, fmt.Errorf("verdict.causes names %q, which is unknown: allowed are %s", c, strings.Join(causes(), ", "))
		}
	}
	return r, nil
}

// CheckJSON says whether data is one JSON value, and if not, at which byte it stops being one.
func CheckJSON(data []byte) error {
	if len(bytes.TrimSpace(data)) == 0 {
		return errors.New("the file is empty: the run that should have written it didn't end")
	}
	var value json.RawMessage
	err := json.Unmarshal(data, &value)
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) {
		return err
	}
	if syntax.Offset >= int64(len(data)) {
		return fmt.Errorf("cut off at byte %d: %w", syntax.Offset, err)
	}
	line := 1 + bytes.Count(data[:syntax.Offset], []byte("\n"))
	return fmt.Errorf("not JSON at byte %d (line %d): %w", syntax.Offset, line, err)
}

func checkSchema(data []byte) error {
	var probe struct {
		Schema json.RawMessage `json:"schema"`
	}
	if first := bytes.TrimSpace(data)[0]; first != '{' {
		return fmt.Errorf("not a kbench result: it is %s, where an object begins with {", jsonKind(first))
	}
	if err := json.Unmarshal(data, &probe); err != nil {
		return fmt.Errorf("not a kbench result: %w", err)
	}
	if probe.Schema == nil {
		return errors.New(`not a kbench result: it has no "schema" field`)
	}
	var version int
	if err := json.Unmarshal(probe.Schema, &version); err != nil || version < 1 {
		return fmt.Errorf("schema %s is wrong: it has to be a whole number, and this kbench knows %d", probe.Schema, metrics.Schema)
	}
	switch {
	case version > metrics.Schema:
		return fmt.Errorf("schema %d is newer than this kbench knows (up to %d): a newer kbench wrote it and can read it", version, metrics.Schema)
	case version < metrics.Schema:
		return fmt.Errorf("schema %d is older: this kbench knows %d; an older kbench wrote it and can read it; or run it again", version, metrics.Schema)
	}
	return nil
}

// jsonKind names a JSON value by its first byte.
func jsonKind(first byte) string {
	switch first {
	case '[':
		return "a list"
	case '"':
		return "a text"
	case 't', 'f':
		return "a truth value"
	case 'n':
		return "null"
	}
	return "a number"
}

// checkFields holds raw against the JSON names of type t: none may be null or unknown, and only optional ones missing.
func checkFields(raw json.RawMessage, t reflect.Type, path string) error {
	if string(raw) == "null" {
		return fmt.Errorf("field %s is null", path)
	}
	switch {
	case t.Kind() == reflect.Pointer:
		return checkFields(raw, t.Elem(), path)
	case t.Kind() == reflect.Struct && t.PkgPath() != "time":
		return checkStruct(raw, t, path)
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct:
		var items []json.RawMessage
		if err := json.Unmarshal(raw, &items); err != nil {
			return fmt.Errorf("field %s is not a list", path)
		}
		for i, item := range items {
			if err := checkFields(item, t.Elem(), fmt.Sprintf("%s[%d]", path, i)); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkStruct(raw json.RawMessage, t reflect.Type, path string) error {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil {
		return fmt.Errorf("field %s is not an object", path)
	}
	var known []string
	for i := range t.NumField() {
		name := jsonName(t.Field(i))
		if name == "" {
			continue
		}
		known = append(known, name)
		value, ok := fields[name]
		if !ok && optional(t.Field(i)) {
			continue
		}
		if !ok {
			return fmt.Errorf("field %s is missing", join(path, name))
		}
		if err := checkFields(value, t.Field(i).Type, join(path, name)); err != nil {
			return err
		}
		delete(fields, name)
	}
	if len(fields) == 0 {
		return nil
	}
	name := slices.Min(slices.Collect(maps.Keys(fields))) // the same one every time
	err := fmt.Errorf("field %s is unknown", join(path, name))
	if near := workload.Nearest(name, known); near != "" {
		err = fmt.Errorf("%w (did you mean %q?)", err, near)
	}
	return err
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// typeError says which field has a value of the wrong type.
func typeError(err error) error {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return fmt.Errorf("field %s at byte %d: a %s where %s belongs", wrong.Field, wrong.Offset, wrong.Value, wrong.Type)
	}
	return err
}
