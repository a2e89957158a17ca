package metrics

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestDoubt: the cause is that of the first reason, and each reason keeps its own.
func TestDoubt(t *testing.T) {
	v := Verdict{State: "valid"}
	v.Doubt(CauseClient, "late")
	v.Doubt(CauseUnsteady, "it drifts")
	want := Verdict{State: "invalid", Cause: CauseClient, Reasons: []string{"late", "it drifts"}, Causes: []string{CauseClient, CauseUnsteady}}
	if diff := cmp.Diff(want, v); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
