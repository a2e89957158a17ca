package profiles_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"kbench/profiles"
	"kbench/workload"
)

// compileSchema returns the schema for editors.
func compileSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := fs.ReadFile(profiles.FS, profiles.Schema)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource(profiles.Schema, doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile(profiles.Schema)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// holds validates YAML against the schema.
func holds(t *testing.T, schema *jsonschema.Schema, src []byte) error {
	t.Helper()
	text, err := yaml.YAMLToJSON(src)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return schema.Validate(doc)
}

func TestNames(t *testing.T) {
	want := []string{"acks", "clickstream", "compression-by-payload", "headers", "in-flight-order", "keyed-skew", "linger-vs-batch",
		"logs", "metrics", "orders", "quickstart", "ramp", "send-modes", "spike", "steps", "sticky-vs-roundrobin"}
	if diff := cmp.Diff(want, profiles.Names()); diff != "" {
		t.Error(diff)
	}
	if _, err := profiles.Read("order"); err == nil || !strings.Contains(err.Error(), `"order": allowed acks, `) {
		t.Error(err)
	}
}

// TestShippedProfiles: each resolves to a plan and to a sweep, explains itself, and passes the schema, as does its plan.
func TestShippedProfiles(t *testing.T) {
	schema := compileSchema(t)
	for _, name := range profiles.Names() {
		src, err := profiles.Read(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := holds(t, schema, src); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		p, err := workload.ParseProfile(name+".yaml", src)
		if err != nil {
			t.Error(err)
			continue
		}
		plan, err := p.Plan()
		if err != nil {
			t.Error(err)
			continue
		}
		if plan.Profile != name || !strings.HasSuffix(plan.About, "?") && !strings.Contains(plan.About, "? ") {
			t.Errorf("%s: is named %q and asks %q", name, plan.Profile, plan.About)
		}
		text, err := json.Marshal(plan)
		if err != nil {
			t.Fatal(err)
		}
		if err := holds(t, schema, text); err != nil {
			t.Errorf("%s: its plan: %v", name, err)
		}
		if !bytes.Contains(src, []byte("$schema=profile.schema.json")) || src[0] != '#' {
			t.Errorf("%s: has no comment or no schema line", name)
		}
		if name != "quickstart" {
			checkSweep(t, name, p)
		}
	}
}

// checkSweep: a shipped sweep has no refused cells and ends within a coffee break or two.
func checkSweep(t *testing.T, name string, p *workload.Profile) {
	t.Helper()
	s, err := workload.Cells(p, nil, workload.SweepOptions{ReferenceEvery: workload.DefaultReferenceEvery})
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	if len(s.Refused) > 0 || s.Total > 20*time.Minute {
		t.Errorf("%s: %d cells refused, takes %v", name, len(s.Refused), s.Total)
	}
}

// TestQuickstartIsQuick guards the first impression.
func TestQuickstartIsQuick(t *testing.T) {
	src, err := profiles.Read("quickstart")
	if err != nil {
		t.Fatal(err)
	}
	p, err := workload.ParseProfile("quickstart.yaml", src)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := p.Plan()
	if err != nil {
		t.Fatal(err)
	}
	if d, ok := plan.Estimate(); !ok || d > 6*time.Second {
		t.Errorf("quickstart takes %v", d)
	}
}

// TestSchemaKnowsEverySetting: the schema's lists are those of package workload.
func TestSchemaKnowsEverySetting(t *testing.T) {
	text, err := fs.ReadFile(profiles.FS, profiles.Schema)
	if err != nil {
		t.Fatal(err)
	}
	type properties struct {
		Properties map[string]json.RawMessage `json:"properties"`
	}
	var schema struct {
		Properties struct {
			Producer, Objectives properties
		} `json:"properties"`
		Defs struct {
			Topic struct {
				AnyOf []struct {
					Properties struct{ Config properties } `json:"properties"`
				} `json:"anyOf"`
			} `json:"topic"`
		} `json:"$defs"`
	}
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	var settings []string
	for _, s := range workload.Settings() {
		if s.Use != workload.SettingRefused {
			settings = append(settings, s.Name)
		}
	}
	for _, c := range []struct {
		what string
		want []string
		got  map[string]json.RawMessage
	}{
		{"producer settings", settings, schema.Properties.Producer.Properties},
		{"objectives", workload.ObjectiveMetrics(), schema.Properties.Objectives.Properties},
		{"topic settings", workload.TopicSettings(), schema.Defs.Topic.AnyOf[1].Properties.Config.Properties},
	} {
		var got []string
		for name := range c.got {
			got = append(got, name)
		}
		slices.Sort(got)
		slices.Sort(c.want)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", c.what, diff)
		}
	}
}

// TestSchemaRefuses: an editor underlines what kbench would refuse.
func TestSchemaRefuses(t *testing.T) {
	schema := compileSchema(t)
	for _, src := range []string{
		"lod: {rate: 5/s}", "load: {rate: abc}", "load: {rate: 0}", "load: {duration: 30}", "load: {arrivals: poison}", "load: {producers: 0}",
		"load: {arrivals: ramp, ramp: {from: 5/s}}", "load: {ramp: {from: 5/s, to: max}}", "load: {ramp: {from: 0, to: 5/s}}", "load: {ramp: 5/s}",
		"load: {steps: []}", "load: {steps: [{rate: 5/s}]}", "load: {steps: {rate: 5/s, duration: 1s}}", "load: {steps: [{rate: 5/s, duration: 5}]}",
		"load: {burst: {base: 5/s, rate: 6/s, every: 10s}}", "load: {burst: {base: -1, rate: 6/s, every: 10s, for: 1s}}", "load: {trace: {factor: 2}}",
		"load: {trace: {file: x, factor: 0}}", "load: {trace: {file: x, repeat: true}}", "load: {steps: [{rate: 5/s, duration: 1s}], repeat: often}",
		"load: {ramp: {from: 1/s, to: 5/s}, process: poison}",
		"topics: []", "topics: [{partitions: 0}]", "topics: [{name: a, config: {retention.mss: 5}}]",
		"records: {value: {size: 1KiBB}}", "records: {value: {size: 5, file: x}}", "records: {value: {compressibility: 0.99}}",
		"records: {value: {size: {uniform: {max: 2}, fixed: 1}}}", "records: {key: zip}", "records: {key: {cardinality: 5}}",
		"records: {headers: {a: {random: 1, value: x}}}",
		"producer: {acks: 2}", "producer: {liner.ms: 5}", "producer: {compression.type: lz5}", "producer: {ssl.key.password: x}",
		"objectives: {response.p98: 5ms}", "objectives: {response.p99.999: 5ms}", "objectives: {response.p99.9: 5}", "sweep: {linger.ms: 5}", "driver: 'A!'", "seed: -1",
	} {
		if err := holds(t, schema, []byte(src)); err == nil {
			t.Errorf("the schema lets through: %s", src)
		}
		if p, err := workload.ParseProfile("bad.yaml", []byte(src)); err == nil {
			if _, err = p.Plan(); err == nil {
				t.Errorf("kbench lets through: %s", src)
			}
		}
	}
	for _, src := range []string{
		"{}", "records: {value: 1.5KiB, key: uniform}", "load: {rate: max, warmup: auto}", "load: {rate: 0.5 MiB/s, warmup: 1500ms}", "load: {rate: 90/m}",
		"load: {arrivals: ramp, ramp: {from: 5, to: 1MiB/s, over: 10s}, process: poisson}", "load: {steps: [{rate: 5/s, duration: 1s}, {rate: 90/m, duration: 1h}], repeat: true}",
		"load: {burst: {base: 0, rate: 5/s, every: 10s, for: 100ms}}", "load: {burst: {rate: 5/s, every: 10s, for: 100ms}}", "load: {burst: {base: 0/s, rate: 5/s, every: 10s, for: 100ms}}",
		"load: {trace: ../workload/testdata/traces/times.txt}", "load: {trace: {file: ../workload/testdata/traces/small.csv.gz, factor: 0.5}, repeat: true, duration: 1m}",
		"topics: [a, {name: b, config: {redpanda.remote.read: true}}]", "producer: {acks: 1, enable.idempotence: false, batch.size: 16KiB}",
		"records: {value: {size: {weighted: {100: 0.8, 10KiB: 0.2}}}, headers: {a: random, b: {random: 16}, c: {value: random}, d: 5}}",
		"objectives: {response.p99.9: 5ms, service.p99.99: 1s, response.p9999: 2s}",
	} {
		if err := holds(t, schema, []byte(src)); err != nil {
			t.Errorf("the schema refuses %s: %v", src, err)
		}
		p, err := workload.ParseProfile("good.yaml", []byte(src))
		if err == nil {
			_, err = p.Plan()
		}
		if err != nil {
			t.Errorf("kbench refuses %s: %v", src, err)
		}
	}
}
