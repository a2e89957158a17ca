package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"kbench/broker"
	"kbench/broker/sink"
	"kbench/workload"
)

// holdFlags say how the sink holds its answers.
type holdFlags struct {
	models        []string
	seed          uint64
	log           string
	allowOverload bool           // where there is a load to compare with
	flags         *pflag.FlagSet // which of them were given
}

// holdSeed is the seed where none is given.
const holdSeed = 1

func (f *holdFlags) register(flags *pflag.FlagSet) {
	f.flags = flags
	flags.StringArrayVar(&f.models, "hold", nil, "hold the sink's answers by a `model` such as constant:5ms (several times; see kbench broker --help)")
	flags.Uint64Var(&f.seed, "hold-seed", holdSeed, "`seed` of what is random in --hold")
	flags.StringVar(&f.log, "hold-log", "", "write the sink's true arrivals and departures of Produce requests to this binary `file`, which must be new or empty")
}

// registerOverload is for the commands that know the load.
func (f *holdFlags) registerOverload(flags *pflag.FlagSet) {
	flags.BoolVar(&f.allowOverload, "allow-overload", false, "run although --hold lets through less than the load's rate")
}

// given are those of the flags that were given, by name.
func (f *holdFlags) given() []string {
	return slices.DeleteFunc([]string{"hold", "hold-seed", "hold-log"}, func(name string) bool { return !f.flags.Changed(name) })
}

// parse reads the models and refuses them where nothing can hold answers: kind is the target's.
func (f *holdFlags) parse(kind string) (*sink.Hold, error) {
	if given := f.given(); kind != broker.KindSink && len(given) > 0 {
		return nil, fmt.Errorf("--%s is for the sink; %s can't hold its answers", given[0], kind)
	}
	h, err := sink.ParseHold(f.models)
	if err != nil {
		return nil, fmt.Errorf("--hold %w", err)
	}
	if f.flags.Changed("hold-seed") && !h.Active() {
		return nil, fmt.Errorf("--hold-seed=%d without --hold: nothing is random", f.seed)
	}
	return h, nil
}

// apply puts the flags into what is to be started.
func (f *holdFlags) apply(spec *broker.Spec) error {
	h, err := f.parse(spec.Kind)
	if err != nil {
		return err
	}
	if h.Active() {
		spec.Hold, spec.HoldSeed = []string{h.String()}, f.seed
	}
	spec.TimingLog = f.log
	return nil
}

// checkLog refuses a log that can't be started. made is a folder that will be there by then; "": none.
func (f *holdFlags) checkLog(made string) error {
	if f.log == "" || made != "" && filepath.Dir(f.log) == filepath.Clean(made) {
		return nil
	}
	if err := sink.CheckLog(f.log); err != nil {
		return fmt.Errorf("--hold-log: %w", err)
	}
	return nil
}

// checkPlan refuses flags of the target that contradict each other, and a load that the hold doesn't let through.
// payloads may be nil.
func (f *targetFlags) checkPlan(plan *workload.Plan, payloads *workload.Payloads) error {
	bootstrap := plan.Producer.BootstrapServers
	if f.bootstrap != "" {
		bootstrap = f.bootstrap
	}
	if err := f.check(bootstrap); err != nil || bootstrap != "" {
		return err
	}
	spec, err := broker.ParseTarget(f.target)
	if err != nil {
		return fmt.Errorf("--target: %w", err)
	}
	h, err := f.hold.parse(spec.Kind)
	if err != nil {
		return err
	}
	if given := f.hold.given(); len(given) > 0 && sendsNothing(plan.Driver) {
		return fmt.Errorf("--%s contradicts driver %s, which sends nothing: there are no answers to hold", given[0], plan.Driver)
	}
	if !h.Active() || f.hold.allowOverload {
		return nil
	}
	if payloads == nil { // of a cell: made only now, when it matters
		if payloads, err = workload.NewSource(plan, workload.SourceOptions{}); err != nil {
			return err
		}
	}
	over := plan.Load.Duration
	if over <= 0 {
		over = time.Second // bounded by its records alone
	}
	return f.hold.checkLoad(h, plan.Load.MeanRate(payloads.MeanRecordBytes(), over))
}

// checkLoad refuses a load under which the hold's line would grow without bound.
func (f *holdFlags) checkLoad(h *sink.Hold, recordsPerSecond float64) error {
	rho, ok := h.Utilisation(recordsPerSecond)
	if rho < 1 {
		return nil
	}
	how, line := "", "the line grows without bound"
	if !ok {
		how, line = " if every record is a request", "the line grows without bound unless batches make fewer requests of them"
	}
	return fmt.Errorf("--hold %q: the utilisation ρ is %s at %s records/s%s: %s. Give less than %s/s, or --allow-overload",
		strings.Join(f.models, " + "), strconv.FormatFloat(rho, 'g', 3, 64), rateText(recordsPerSecond), how, line, rateText(recordsPerSecond/rho))
}

// rateText is a rate with at most four digits after the point.
func rateText(perSecond float64) string {
	text := strconv.FormatFloat(perSecond, 'f', 4, 64)
	return strings.TrimRight(strings.TrimRight(text, "0"), ".")
}
