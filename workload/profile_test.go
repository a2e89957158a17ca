package workload

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

func TestShippedProfilesRoundTrip(t *testing.T) {
	files, err := filepath.Glob("../profiles/*.yaml")
	if err != nil || len(files) < 2 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		p, err := ParseProfile(file, src)
		if err != nil {
			t.Fatal(err)
		}
		plan, err := p.Plan()
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(plan)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s", text)
		p2, err := ParseProfile("plan.json", text)
		if err != nil {
			t.Fatal(err)
		}
		plan2, err := p2.Plan()
		if err != nil {
			t.Fatal(err)
		}
		again, err := json.Marshal(plan2)
		if err != nil {
			t.Fatal(err)
		}
		if string(again) != string(text) {
			t.Errorf("%s: read back:\n%s\nwant:\n%s", file, again, text)
		}
	}
}
