package workload

import (
	"regexp"
	"slices"
	"strings"
)

// SettingUse says what kbench does with a producer setting of Kafka.
type SettingUse uint8

// Uses of a setting.
const (
	SettingCarried SettingUse = iota // it has a field in ProducerConfig
	SettingIgnored                   // accepted where it changes nothing for kbench, refused otherwise
	SettingRefused                   // known, but not carried out in this version: giving it is an error
)

// Setting describes one producer setting.
type Setting struct {
	Name    string
	Type    string // boolean, int, size, ms, text or choice
	Default string // in Kafka's text form
	Allowed string // values or range, in words
	Doc     string // one line
	Secret  bool   // its value is never shown
	Use     SettingUse
	Alias   string // not "": another way to write the setting of this name
}

// Settings lists every producer setting of Kafka 4.x that kbench knows: first those it carries out.
func Settings() []Setting {
	all := make([]Setting, len(settingRows))
	defaults := DefaultProducerConfig()
	for i := range settingRows {
		all[i] = settingRows[i].Setting
		if row := &settingRows[i]; row.text != nil {
			all[i].Default = row.text(&defaults)
		}
	}
	return all
}

// settingRow is a Setting and how it is read and written.
type settingRow struct {
	Setting
	// parse puts value into c and returns the names of the settings that are explicit by that.
	parse func(c *ProducerConfig, value string) ([]string, *fieldError)
	// text is the setting's value in Kafka's form.
	text func(c *ProducerConfig) string
	// harmless holds the values of an ignored setting that change nothing; nil: every value.
	harmless []string
	// why ends the error for a refused value.
	why string
}

// findSetting returns the row of a name, nil if there is none.
func findSetting(name string) *settingRow {
	i := slices.IndexFunc(settingRows, func(r settingRow) bool { return r.Name == name })
	if i < 0 {
		return nil
	}
	return &settingRows[i]
}

// settingNames returns the names of the settings for which use tells true.
func settingNames(use func(SettingUse) bool) []string {
	var names []string
	for i := range settingRows {
		if use(settingRows[i].Use) {
			names = append(names, settingRows[i].Name)
		}
	}
	return names
}

// unknownSetting is the error for a name that isn't a producer setting of Kafka.
func unknownSetting(name string) *fieldError {
	near := Nearest(name, settingNames(func(u SettingUse) bool { return u == SettingCarried }))
	if near == "" || SecuritySetting(name) {
		near = Nearest(name, settingNames(func(SettingUse) bool { return true }))
	}
	e := &fieldError{path: name, msg: "not a producer setting", near: near}
	if near == "" {
		e.msg = "not a producer setting (see `kbench drivers` for all of them)"
	}
	return e
}

// refuse returns the error for a setting that isn't carried out, or nil if it is ignored with this value.
func (r *settingRow) refuse(value string) *fieldError {
	if r.Use == SettingIgnored {
		if r.harmless == nil || slices.Contains(r.harmless, value) {
			return nil
		}
		e := badValue(value, strings.Join(r.harmless, ", "))
		if e.allowed == "" {
			e.allowed = "only to leave it out"
		}
		e.path, e.msg = r.Name, r.why+"; value"
		return e
	}
	return &fieldError{path: r.Name, msg: "kbench doesn't carry out this setting yet: " + r.why}
}

// secretWords marks names whose values are secret even if the name is misspelt.
var secretWords = regexp.MustCompile(`(?i)pass?w|secret|jaas|credential|token|\.key$|private`)

// secretName tells whether the value of a producer setting must never be shown, also if its name is misspelt.
func secretName(name string) bool {
	if row := findSetting(name); row != nil {
		return row.Secret
	}
	return secretWords.MatchString(name)
}

// Hide returns value, or *** if name is a setting whose value is secret.
func Hide(name, value string) string {
	if secretName(name) {
		return hidden
	}
	return value
}
