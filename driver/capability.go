package driver

import "kbench/workload"

// Support says how far a client carries out a setting.
type Support uint8

// Levels of support. A setting without a Capability row is Full.
const (
	// Full: same meaning, every value.
	Full Support = iota
	// Mapped: the same effect through another knob of the client; Capability.How says which.
	Mapped
	// Limited: only Capability.Values; any other value is refused when set explicitly, else what differs is flagged.
	Limited
	// Unsupported: the client has no such knob. Refused when the user set it explicitly to anything but what the
	// client does anyway (Values), else what differs is flagged in the result.
	Unsupported
)

// Capability is one row of a driver's table: what it does with one setting.
type Capability struct {
	Setting string // Kafka's name
	Support Support
	Values  []string // Limited, Unsupported: the values that are (in effect) carried out
	How     string   // one line for the user

	// Allows, when not nil, decides instead of Values whether the configuration's value is carried out: for ranges and for
	// settings that depend on another one. Values then tells the user about it in words.
	Allows func(cfg *workload.ProducerConfig) bool `json:"-"`
}

// String is the level's name as the tables print it.
func (s Support) String() string {
	switch s {
	case Full:
		return "full"
	case Mapped:
		return "mapped"
	case Limited:
		return "limited"
	case Unsupported:
		return "unsupported"
	}
	return "?"
}
