// Package kbench_test holds the checks that belong to the whole module.
package kbench_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// arrows lists, for every package, the packages of this module that it may import (test files excepted).
// The order is the order of the data's flow; an arrow points only upwards, so the graph can't have a cycle.
var arrows = []struct {
	pkg string
	to  []string
}{
	{"words", nil},
	{"native/wire", nil},
	{"metrics/stat", nil},
	{"metrics/procfs", nil},
	{"metrics/stat/simulate", []string{"metrics/stat"}},
	{"profiles", nil},
	{"native/hist", nil},
	{"native/auth", []string{"native/wire"}},
	{"native/auth/authtest", nil}, // certificates, for tests alone
	{"native", []string{"native/wire", "native/auth", "native/hist"}},
	{"workload", []string{"words"}},
	{"driver", []string{"workload", "native/auth", "native/hist"}},
	{"driver/null", []string{"workload", "driver"}},
	{"driver/franz", []string{"native/auth", "native/hist", "workload", "driver"}},
	{"driver/sarama", []string{"native/auth", "workload", "driver"}},
	{"driver/native", []string{"native", "native/wire", "native/auth", "workload", "driver"}},
	{"driver/drivertest", []string{"native/hist", "workload", "driver"}},
	{"metrics", []string{"metrics/stat", "metrics/procfs", "workload"}},
	{"bench", []string{"native/hist", "workload", "driver", "metrics", "metrics/stat", "words"}},
	{"report", []string{"metrics/stat", "workload", "metrics"}},
	{"broker/sink", []string{"words"}},
	{"broker", []string{"broker/sink", "native/auth", "words"}},
	{"selftest", []string{"workload", "driver", "metrics", "metrics/procfs", "metrics/stat", "metrics/stat/simulate", "bench", "broker", "broker/sink"}},
	{"doctor", []string{"workload", "driver", "metrics", "metrics/procfs", "metrics/stat", "bench", "broker", "words"}},
	{"cmd/kbench", []string{"profiles", "workload", "driver", "driver/null", "driver/franz", "driver/sarama", "driver/native",
		"metrics", "metrics/stat", "bench", "report", "broker", "broker/sink", "selftest", "doctor", "native/auth", "words"}},
	{"scripts/checksweep", nil}, // shares nothing with what it checks
	{"scripts/faults", []string{"native", "broker"}},
	{"scripts/benchnative", []string{"native", "native/wire", "metrics", "metrics/stat", "broker"}},
}

// clients may be imported by these packages alone: one client per adapter, and admin and kfake under broker.
var clients = map[string][]string{
	"github.com/IBM/sarama":             {"driver/sarama"},
	"github.com/twmb/franz-go/pkg/kgo":  {"driver/franz", "driver/drivertest", "broker", "scripts/checksweep", "scripts/faults", "scripts/benchnative"},
	"github.com/twmb/franz-go/pkg/kadm": {"broker", "scripts/faults"},
	"golang.org/x/oauth2":               {"native/auth"},
}

func TestImportArrows(t *testing.T) {
	allowed := map[string][]string{}
	for i, a := range arrows {
		allowed[a.pkg] = a.to
		for _, to := range a.to {
			if !slices.ContainsFunc(arrows[:i], func(b struct {
				pkg string
				to  []string
			}) bool {
				return b.pkg == to
			}) {
				t.Errorf("arrow %s → %s doesn't point upwards", a.pkg, to)
			}
		}
	}
	seen := map[string]bool{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); name != "." && (strings.HasPrefix(name, ".") || name == "testdata") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		pkg := filepath.ToSlash(filepath.Dir(path))
		if pkg == "." {
			return nil
		}
		seen[pkg] = true
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, imp := range file.Imports {
			to, err := strconv.Unquote(imp.Path.Value)
			if err != nil {
				return err
			}
			if err := arrowError(allowed, pkg, to); err != "" {
				t.Errorf("%s: %s", path, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for pkg := range seen {
		if _, ok := allowed[pkg]; !ok {
			t.Errorf("package %s isn't listed in arrows", pkg)
		}
	}
}

// arrowError says what is wrong with an import of to by pkg, or "".
func arrowError(allowed map[string][]string, pkg, to string) string {
	if inner, ok := strings.CutPrefix(to, "kbench/"); ok {
		if !slices.Contains(allowed[pkg], inner) {
			return "imports kbench/" + inner + ", which isn't among " + strings.Join(allowed[pkg], ", ")
		}
		return ""
	}
	if only, ok := clients[to]; ok && !slices.Contains(only, pkg) {
		return "imports " + to + ", which only " + strings.Join(only, ", ") + " may"
	}
	return ""
}

// TestArrowErrorFinds keeps the check itself honest.
func TestArrowErrorFinds(t *testing.T) {
	allowed := map[string][]string{"report": {"metrics"}}
	for _, to := range []string{"kbench/bench", "kbench/driver", "github.com/IBM/sarama"} {
		if arrowError(allowed, "report", to) == "" {
			t.Errorf("report → %s passes", to)
		}
	}
	if err := arrowError(allowed, "report", "kbench/metrics"); err != "" {
		t.Error(err)
	}
}
