package sink

import (
	"errors"
	"reflect"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// fill puts something into every field, and tagged fields into every structure.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		if tags, ok := v.Addr().Interface().(*kmsg.Tags); ok {
			tags.Set(77, []byte("seventy-seven"))
			return
		}
		for i := range v.NumField() {
			if v.Type().Field(i).Name != "Version" {
				fill(v.Field(i))
			}
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			fill(v.Index(i))
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i))
		}
	case reflect.String:
		v.SetString("some")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Uint8:
		v.SetUint(0xff)
	default:
		v.SetInt(-1)
	}
}

// TestShapes: every flexible version of every request as kmsg writes it has its shape, and no part of it has.
func TestShapes(t *testing.T) {
	for _, a := range apis() {
		for version := a.lowest; version <= a.highest; version++ {
			req := kmsg.RequestForKey(a.key)
			if req.SetVersion(version); !req.IsFlexible() || a.key == produceKey {
				continue
			}
			for _, full := range []bool{false, true} {
				if full {
					fill(reflect.ValueOf(req).Elem())
				}
				body := req.AppendTo(nil)
				if err := checkShape(a.key, version, body); err != nil {
					t.Errorf("%s v%d, filled %t: %v\n%x", keyName(a.key), version, full, err, body)
				}
				for n := range body {
					if err := checkShape(a.key, version, body[:n]); !errors.Is(err, errShape) {
						t.Errorf("%s v%d, filled %t: %d of %d bytes: %v", keyName(a.key), version, full, n, len(body), err)
					}
				}
				if err := checkShape(a.key, version, append(body[:len(body)-1], 0xff, 0xff, 0xff, 0xff, 0x0f)); !full && !errors.Is(err, errShape) {
					t.Errorf("%s v%d: 4 billion tagged fields: %v", keyName(a.key), version, err)
				}
			}
		}
	}
	// ReplicaState, tag 1 of Fetch, with tagged fields that aren't there.
	req := kmsg.NewPtrFetchRequest()
	req.Version = 17
	body := req.AppendTo(nil)
	state := append(make([]byte, 12), 0xff, 0xff, 0xff, 0xff, 0x0f)
	body = append(body[:len(body)-1], 1, 1, byte(len(state)))
	if err := checkShape(1, 17, append(body, state...)); !errors.Is(err, errShape) {
		t.Errorf("4 billion tagged fields of ReplicaState: %v", err)
	}
}
