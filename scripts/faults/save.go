package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// save writes the results with their environment.
func save(o *options, found *findings, took time.Duration) error {
	if err := os.MkdirAll(o.out, 0o755); err != nil {
		return err
	}
	command := strings.TrimSpace("scripts/bench-faults " + strings.Join(slices.DeleteFunc(slices.Clone(o.args), func(a string) bool { return strings.HasPrefix(a, "--out=") }), " "))
	env := map[string]string{
		"command": command, "seed": strconv.FormatUint(o.seed, 10), "time": took.String(), "go": runtime.Version(), "cpu": cpu(),
		"cores": strconv.Itoa(runtime.NumCPU()), "kernel": firstLine(exec.Command("uname", "-sr")), "java": firstLine(exec.Command("java", "-version")),
	}
	raw, err := json.MarshalIndent(map[string]any{"environment": env, "rows": found.rows, "transactions": found.txns, "notes": found.notes}, "", "  ")
	if err != nil {
		return err
	}
	var b strings.Builder
	b.WriteString("# The native producer under faults on real Kafka\n\nMade by `" + command + "`; every count and the errors by text are in faults.json.\n\n")
	for _, f := range faults() {
		if slices.ContainsFunc(o.clusters, func(c clusterSpec) bool { return slices.Contains(o.names(c), f.name) }) {
			fmt.Fprintf(&b, "- **%s**: %s\n", f.name, f.what)
		}
	}
	b.WriteString("\nWhere:\n\n")
	for _, spec := range o.clusters {
		fmt.Fprintf(&b, "- Kafka %s, nodes: %d: %s\n", spec.version, spec.nodes, strings.Join(o.names(spec), ", "))
	}
	b.WriteString("\n" + strikeNote)
	if len(found.rows) > 0 {
		b.WriteString(plainNote)
	}
	if len(found.txns) > 0 {
		b.WriteString(txnNote)
	}
	if err := found.write(&b); err != nil {
		return err
	}
	b.WriteString("\n")
	for _, n := range found.notes {
		fmt.Fprintf(&b, "%s\n\n", n)
	}
	for _, k := range []string{"cpu", "cores", "kernel", "go", "java", "time", "seed"} {
		fmt.Fprintf(&b, "- %s: %s\n", k, env[k])
	}
	return errors.Join(os.WriteFile(filepath.Join(o.out, "faults.json"), append(raw, '\n'), 0o644),
		os.WriteFile(filepath.Join(o.out, "README.md"), []byte(b.String()), 0o644))
}

// strikeNote explains both tables.
const strikeNote = "A fault that nobody felt strikes again, for two minutes at most, until each producer that is given the time to get over it has sent something twice since (*seen* in faults.json says how often).\n\n"

// plainNote explains the first table.
const plainNote = "Each fault meets six producers at once, with acks=all idempotent, 1 and 0. acks “all” is idempotent, with delivery.timeout.ms 120 s; “expiring” has 3 s, so that records fail during a fault; “closing” are producers that live up to two seconds each, with little memory, and are closed in the middle of Produce or Flush or have its context cancelled. A record that failed may be there or not, unless its error proves that it was never sent. Under **recreate**, what was acknowledged before the topic was deleted went with it and isn't counted as lost (gone_with_deleted_topic in faults.json).\n\n"

// txnNote explains the second table.
const txnNote = "Under the faults whose names begin with **txn**, the producers are transactional, with a read_committed consumer: “expiring” have a delivery.timeout.ms of 3 s; “closing” live up to two seconds and are closed, or their calls cancelled, anywhere in a transaction; “twins” are two of one transactional.id, which fence each other; “overdue” let some transactions take longer than transaction.timeout.ms. *fenced* are producers that couldn't go on: with another error than PRODUCER_FENCED or INVALID_PRODUCER_EPOCH (or, of “closing”, “twins” and “overdue”, whose transactions others end, INVALID_TXN_STATE) that is a guarantee broken. *unknown* are transactions whose CommitTransaction gave no result (closed, cancelled or fenced meanwhile); each of them is there as a whole or not at all. Calls that ran into max.block.ms were made again, as Java documents. A broker that was killed may, once it is back, complete an end in __transaction_state without its marker in the partitions, so that the end of the next transaction holds for those records as well; that is looked up where something is wrong, and told in the verdict: no producer can cause it. Nor can one help it that a coordinator gives it a new epoch, ends before it has said so, and its successor refuses the same request again (PRODUCER_FENCED), because the epoch before the last one isn't in __transaction_state; that is looked up, too, and isn't counted against the producer.\n\n"

// cpu is the processor's name, where the system tells.
func cpu() string {
	raw, err := os.ReadFile("/proc/cpuinfo")
	if err == nil {
		for line := range strings.SplitSeq(string(raw), "\n") {
			if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == "model name" {
				return strings.TrimSpace(v)
			}
		}
	}
	return runtime.GOARCH
}

func firstLine(cmd *exec.Cmd) string {
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "unknown"
	}
	line, _, _ := strings.Cut(string(out), "\n")
	return strings.TrimSpace(line)
}
