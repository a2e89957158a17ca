package selftest

import (
	"time"

	"kbench/metrics"
)

// Schema is the version of Result's JSON form.
const Schema = 1

// Result is a whole self-test as it is stored.
type Result struct {
	Schema      int               `json:"schema"`
	Started     time.Time         `json:"started"`
	Kbench      string            `json:"kbench"`  // version of this program
	Clients     map[string]string `json:"clients"` // driver → client and version
	Command     string            `json:"command"`
	Size        Size              `json:"size"`
	Host        metrics.Host      `json:"host"`
	Interrupted bool              `json:"interrupted"` // Checks holds what was done until then
	State       State             `json:"state"`
	Checks      []Finding         `json:"checks"`
}
