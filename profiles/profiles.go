// Package profiles holds the workload profiles that kbench ships, embedded, and their JSON Schema.
package profiles

import (
	"embed"
	"fmt"
	"io/fs"
	"strings"
)

// FS holds the profiles as <name>.yaml, and profile.schema.json.
//
//go:embed *.yaml profile.schema.json
var FS embed.FS

// Schema is the name of the JSON Schema in FS.
const Schema = "profile.schema.json"

// Names returns the names of the profiles, without .yaml, in the order of the alphabet.
func Names() []string {
	files, err := fs.Glob(FS, "*.yaml")
	if err != nil {
		return nil // a bad pattern alone makes an error
	}
	for i := range files {
		files[i] = strings.TrimSuffix(files[i], ".yaml")
	}
	return files
}

// Read returns the text of a profile by its name.
func Read(name string) ([]byte, error) {
	src, err := fs.ReadFile(FS, name+".yaml")
	if err != nil {
		return nil, fmt.Errorf("profile %q: allowed %s", name, strings.Join(Names(), ", "))
	}
	return src, nil
}
