package driver

import (
	"slices"
	"strconv"
	"time"

	"kbench/workload"
)

// Effective collects what a client says about its own configuration, in Kafka's names and Kafka's way of writing values.
type Effective map[string]string

// Text notes a setting as it is written.
func (e Effective) Text(name, value string) { e[name] = value }

// Int notes a number.
func (e Effective) Int(name string, v int64) { e[name] = strconv.FormatInt(v, 10) }

// Bool notes a truth value.
func (e Effective) Bool(name string, v bool) { e[name] = strconv.FormatBool(v) }

// Millis notes a time in milliseconds, as Kafka's …ms settings do.
func (e Effective) Millis(name string, d time.Duration) { e.Int(name, d.Milliseconds()) }

// Acks notes the setting acks: all, 0 or 1.
func (e Effective) Acks(acks int16) {
	if acks == -1 {
		e.Text("acks", "all")
		return
	}
	e.Int("acks", int64(acks))
}

// Settings lists the settings that a driver has to carry out or to refuse: those of workload.Settings with a field in
// workload.ProducerConfig, each under one name.
func Settings() []workload.Setting {
	return slices.DeleteFunc(workload.Settings(), func(s workload.Setting) bool {
		return s.Use != workload.SettingCarried || s.Alias != ""
	})
}

// Difference is a setting whose effective value isn't the asked one.
type Difference struct {
	Setting   string // Kafka's name
	Asked     string
	Effective string // "" when the client has no such thing
	Why       string // the capability row's How, or ""
}

// Differences lists, in the order of workload.Settings, the settings of which effective says something else than cfg asks.
// A setting that a driver has no knob for and says nothing about differs too, unless its row allows the value.
func Differences(cfg *workload.ProducerConfig, effective map[string]string, caps []Capability) []Difference {
	var diffs []Difference
	for _, s := range Settings() {
		if s.Name == "bootstrap.servers" {
			continue // the command line may have replaced it
		}
		row := capability(caps, s.Name)
		asked := cfg.Get(s.Name)
		got, said := effective[s.Name]
		switch {
		case said && sameValue(s.Name, asked, got):
			continue
		case !said && (row.Support != Unsupported || row.allows(cfg)):
			continue
		}
		diffs = append(diffs, Difference{Setting: s.Name, Asked: asked, Effective: got, Why: row.How})
	}
	return diffs
}

// sameValue compares two ways to write a value: −1 and all, 1000 and 1e3 are the same to Kafka.
func sameValue(name, a, b string) bool {
	if a == b {
		return true
	}
	x, y := workload.DefaultProducerConfig(), workload.DefaultProducerConfig()
	return x.Set(name, a) == nil && y.Set(name, b) == nil && x.Get(name) == y.Get(name)
}

// capability returns the row of a setting; a setting without one is Full.
func capability(caps []Capability, name string) Capability {
	if i := slices.IndexFunc(caps, func(c Capability) bool { return c.Setting == name }); i >= 0 {
		return caps[i]
	}
	return Capability{Setting: name}
}
