package report

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
)

// Checksum is what a stored document's top-level checksum field has to be: "sha256:" and the SHA-256, in lower-case
// hexadecimal, of the document as it stands, but with an empty string for the field's value and without white space
// between tokens. So indentation and line ends may change on the way; any other byte may not. It finds edits and torn
// files; it is no proof against somebody who works it out anew. stored is the field's value in data.
//
// Note: hashing the values, whatever their order and notation, would want one notation of numbers that every language
// writes alike. There is none.
func Checksum(data []byte, stored string) (string, error) {
	var text bytes.Buffer
	if err := json.Compact(&text, data); err != nil {
		return "", fmt.Errorf("checksum: %w", err)
	}
	// The field comes before everything that holds text from outside, so that its first occurrence is the field.
	empty := bytes.Replace(text.Bytes(), []byte(`"checksum":"`+stored+`"`), []byte(`"checksum":""`), 1)
	return fmt.Sprintf("sha256:%x", sha256.Sum256(empty)), nil
}

// CheckChecksum refuses a document that isn't what its checksum was made of.
func CheckChecksum(data []byte) error {
	var probe struct {
		Checksum *string `json:"checksum"`
	}
	if err := json.Unmarshal(data, &probe); err != nil {
		return fmt.Errorf("field checksum is not a text: %w", err)
	}
	if probe.Checksum == nil {
		return fmt.Errorf("field checksum is missing: whether the file is as it was written can't be told")
	}
	want, err := Checksum(data, *probe.Checksum)
	if err != nil {
		return err
	}
	if *probe.Checksum != want {
		return fmt.Errorf("edited after it was written: its checksum is %s, its content has %s", brief(*probe.Checksum), brief(want))
	}
	return nil
}

// brief is enough of a checksum to tell two apart.
func brief(sum string) string {
	if len(sum) > len("sha256:")+12 {
		return sum[:len("sha256:")+12] + "…"
	}
	return fmt.Sprintf("%q", sum)
}
