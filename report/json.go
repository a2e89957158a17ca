package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"reflect"
	"strings"

	"kbench/metrics"
)

// WriteJSON writes the result in the form that result.schema.json describes. Lists and maps without content are written
// as [] and {}, never null. A number that isn't finite is an error that names its field. The checksum is that of what is
// written, whatever the result says.
func WriteJSON(w io.Writer, r *metrics.Result) error {
	full, err := complete(r)
	if err != nil {
		return err
	}
	full.Checksum = ""
	unsealed, err := encodeJSON(full)
	if err != nil {
		return err
	}
	if full.Checksum, err = Checksum(unsealed.Bytes(), ""); err != nil {
		return err
	}
	out, err := encodeJSON(full)
	if err != nil {
		return err
	}
	return writeAll(w, out)
}

// encodeJSON is v indented, with <, > and & as they are.
func encodeJSON(v any) (*bytes.Buffer, error) {
	out := new(bytes.Buffer)
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("encode the result: %w", err)
	}
	return out, nil
}

// complete copies the result with every nil list and map replaced by an empty one. The caller's stays as it is.
func complete(r *metrics.Result) (*metrics.Result, error) {
	out := *r
	out.Intervals = nil // not part of the JSON
	if p := string(out.Plan); p == "" || p == "null" {
		out.Plan = json.RawMessage("{}")
	}
	if err := fill(reflect.ValueOf(&out).Elem(), ""); err != nil {
		return nil, err
	}
	return &out, nil
}

// fill replaces nil lists and maps in v, copying each list and what pointers point to before it changes anything in it, and
// looks for numbers that aren't finite. path is v's name.
func fill(v reflect.Value, path string) error {
	switch v.Kind() {
	case reflect.Struct:
		if v.Type().PkgPath() == "time" {
			return nil
		}
		for i := range v.NumField() {
			name := jsonName(v.Type().Field(i))
			if name == "" {
				continue
			}
			if err := fill(v.Field(i), strings.TrimPrefix(path+"."+name, ".")); err != nil {
				return err
			}
		}
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		own := reflect.New(v.Type().Elem())
		own.Elem().Set(v.Elem())
		v.Set(own)
		return fill(own.Elem(), path)
	case reflect.Slice:
		own := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		reflect.Copy(own, v)
		v.Set(own)
		if v.Type().Elem().Kind() != reflect.Struct {
			return nil
		}
		for i := range v.Len() {
			if err := fill(v.Index(i), fmt.Sprintf("%s[%d]", path, i)); err != nil {
				return err
			}
		}
	case reflect.Map:
		if v.IsNil() {
			v.Set(reflect.MakeMap(v.Type()))
		}
		if v.Type().Elem().Kind() != reflect.Float64 {
			return nil // its values stay as they are: they can't be set in place
		}
		for _, key := range v.MapKeys() {
			if err := fill(v.MapIndex(key), fmt.Sprintf("%s.%s", path, key)); err != nil {
				return err
			}
		}
	case reflect.Float64:
		if f := v.Float(); math.IsNaN(f) || math.IsInf(f, 0) {
			return fmt.Errorf("encode the result: %s is %v: only finite numbers can be stored", path, f)
		}
	}
	return nil
}

// jsonName is a field's name in JSON; "" where it has none.
func jsonName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	if name == "-" {
		return ""
	}
	return name
}

// optional says whether a field may be absent in JSON.
func optional(f reflect.StructField) bool {
	_, options, _ := strings.Cut(f.Tag.Get("json"), ",")
	return options == "omitempty"
}
