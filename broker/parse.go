package broker

import (
	"errors"
	"fmt"
	"strings"

	"kbench/words"
)

// ParseTarget reads what --target takes: sink, fake, kafka or kafka:VERSION.
func ParseTarget(s string) (Spec, error) {
	kind, version, versioned := strings.Cut(s, ":")
	switch kind {
	case KindSink, KindFake:
		if versioned {
			return Spec{}, fmt.Errorf("target %q: %s has no versions; only kafka has", s, kind)
		}
	case KindKafka:
		if versioned && version == "" {
			return Spec{}, fmt.Errorf("target %q: the version after the colon is missing; known are %s", s, strings.Join(knownVersions(), ", "))
		}
		if _, err := resolveVersion(version); err != nil {
			return Spec{}, fmt.Errorf("target %q: %w", s, err)
		}
	default:
		return Spec{}, unknownKind(s)
	}
	return Spec{Kind: kind, Version: version}, nil
}

// unknownKind is the error for a target that doesn't exist.
func unknownKind(s string) error {
	const allowed = "allowed are sink, fake, kafka and kafka:VERSION"
	kind, _, _ := strings.Cut(s, ":")
	switch near := nearest(kind, []string{KindSink, KindFake, KindKafka}); {
	case s == "":
		return errors.New("empty target; " + allowed)
	case near != "":
		return fmt.Errorf("unknown target %q (did you mean %s?); %s", s, near, allowed)
	case strings.ContainsAny(s, ":."):
		return fmt.Errorf("unknown target %q; %s (for a cluster that is running, give --bootstrap-server)", s, allowed)
	}
	return fmt.Errorf("unknown target %q; %s", s, allowed)
}

// nearest is the name with the least edit distance to s, if that is small enough for a slip of the finger; else "".
func nearest(s string, names []string) string {
	best, bestDistance := "", 1+len(s)/3
	for _, name := range names {
		if d := words.Distance(strings.ToLower(s), name); d <= bestDistance && (best == "" || d < bestDistance) {
			best, bestDistance = name, d
		}
	}
	return best
}
