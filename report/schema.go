package report

import (
	_ "embed" // for the schema
	"slices"
)

//go:embed result.schema.json
var schema string

// Schema is the JSON Schema (2020-12) of result.json. The caller owns the bytes.
func Schema() []byte { return slices.Clone([]byte(schema)) }
