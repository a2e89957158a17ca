package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"kbench/driver"
	"kbench/profiles"
	"kbench/workload"
)

// planFlags turn a profile and the flags over it into a plan.
type planFlags struct {
	commandConfig string
	properties    []string
	sets          []string
	driver        string
	rate          string
	duration      string
	warmup        string
	producers     string
	records       string
	seed          string
	topic         string
	keepTopics    bool
	flags         *pflag.FlagSet // which of them came from the environment
}

func (f *planFlags) register(flags *pflag.FlagSet) {
	f.flags = flags
	flags.StringVar(&f.commandConfig, "command-config", "", "properties `file` with Kafka's producer settings")
	flags.StringArrayVarP(&f.properties, "property", "X", nil, "a Kafka producer setting, `key=value` (several times)")
	flags.StringArrayVar(&f.sets, "set", nil, "any field of the profile, `path=value` (several times)")
	flags.StringVar(&f.driver, "driver", "", "`client` to measure (see kbench drivers)")
	flags.StringVar(&f.rate, "rate", "", "arrival `rate`: 5000/s, 20MiB/s or max")
	flags.StringVar(&f.duration, "duration", "", "`length` of the measured part, such as 30s")
	flags.StringVar(&f.warmup, "warmup", "", "`length` of the warm-up, or auto")
	flags.StringVar(&f.producers, "producers", "", "`number` of producers")
	flags.StringVar(&f.records, "num-records", "", "stop after this `number` of records, warm-up included")
	flags.StringVar(&f.seed, "seed", "", "`seed` of everything random")
	flags.StringVar(&f.topic, "topic", "", "write to this existing `topic`, which is never altered or deleted")
	flags.BoolVar(&f.keepTopics, "keep-topics", false, "leave the run's own topics on the cluster")
}

// profile reads the named profile and puts the flags over it, the strongest last.
func (f *planFlags) profile(args []string) (*workload.Profile, error) {
	if f.topic != "" {
		if err := checkTopicName(f.topic); err != nil {
			return nil, fmt.Errorf("--topic: %w", err)
		}
	}
	name := "quickstart"
	if len(args) > 0 {
		name = args[0]
	}
	p, err := readProfile(name)
	if err != nil {
		return nil, err
	}
	if f.commandConfig != "" {
		list, err := workload.ReadProperties(f.commandConfig)
		if err != nil {
			return nil, fmt.Errorf("--command-config: %w", err)
		}
		for _, kv := range list {
			if err := p.SetProducer(kv.Name, kv.Value, fmt.Sprintf("%s:%d", f.commandConfig, kv.Line)); err != nil {
				return nil, err
			}
		}
	}
	if f.records != "" && f.warmup == "" {
		// So many records are all there are: a warm-up that the profile has for longer runs would take them.
		f.warmup = "0s"
	}
	for _, variables := range []bool{true, false} { // first what flags then win over
		if err := f.override(p, variables); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// override puts over the profile what came from variables, or what was given itself. The error tells all that is wrong.
func (f *planFlags) override(p *workload.Profile, variables bool) error {
	source := func(flag, name string) string {
		if v := variableOf(f.flags.Lookup(name)); v != "" {
			return v
		}
		return flag
	}
	wanted := func(name string) bool { return (variableOf(f.flags.Lookup(name)) != "") == variables }
	var errs []error
	if wanted("set") {
		for _, set := range f.sets {
			if path, value, ok := strings.Cut(set, "="); ok && path != "" {
				errs = append(errs, p.Override(source("--set", "set"), path, value))
			} else {
				errs = append(errs, fmt.Errorf("--set %q: want path=value", set))
			}
		}
	}
	for _, o := range []struct{ name, path, value string }{
		{"driver", "driver", f.driver}, {"rate", "load.rate", f.rate}, {"duration", "load.duration", f.duration},
		{"warmup", "load.warmup", f.warmup}, {"producers", "load.producers", f.producers}, {"num-records", "load.records", f.records}, {"seed", "seed", f.seed}} {
		if o.value != "" && wanted(o.name) {
			errs = append(errs, p.Override(source("--"+o.name, o.name), o.path, o.value))
		}
	}
	if wanted("property") {
		for _, x := range f.properties {
			if kv, err := workload.ParseKV(x); err != nil {
				errs = append(errs, fmt.Errorf("-X: %w", err))
			} else {
				errs = append(errs, p.SetProducer(kv.Name, kv.Value, source("-X", "property")))
			}
		}
	}
	return errors.Join(errs...)
}

// readProfile reads a shipped profile by its name, or a file by its path.
func readProfile(name string) (*workload.Profile, error) {
	src, err := profileSource(name)
	if err != nil {
		return nil, err
	}
	if shippedName(name) {
		name += ".yaml"
	}
	return workload.ParseProfile(name, src)
}

// shippedName says whether name can only be a shipped profile's: a file's has a / or an extension.
func shippedName(name string) bool {
	return !strings.ContainsAny(name, `/\`) && filepath.Ext(name) == ""
}

// profileSource is the text of a profile.
func profileSource(name string) ([]byte, error) {
	if !shippedName(name) {
		src, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("profile: %w", err)
		}
		return src, nil
	}
	src, err := profiles.Read(name)
	if err != nil {
		return nil, fmt.Errorf("profile %q: neither a shipped profile (%s) nor a file, whose name has a / or ends in .yaml%s",
			name, joined(profiles.Names()), didYouMean(name, profiles.Names()))
	}
	return src, nil
}

// resolve returns the plan and its driver, checked against each other.
func resolve(p *workload.Profile) (*workload.Plan, driver.Driver, error) {
	plan, err := p.Plan()
	if err != nil {
		return nil, driver.Driver{}, err
	}
	d, err := checkedDriver(&plan)
	return &plan, d, err
}

// checkedDriver finds the plan's driver and refuses what it can't express.
func checkedDriver(plan *workload.Plan) (driver.Driver, error) {
	d, err := findDriver(plan.Driver)
	if err != nil {
		return d, err
	}
	return d, driver.Check(d, &plan.Producer)
}

// profileNames completes the first argument.
func profileNames(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return profiles.Names(), cobra.ShellCompDirectiveDefault
}

// completeFlags makes the flags with a fixed set of values complete.
func completeFlags(cmd *cobra.Command, lists map[string][]string) error {
	var errs []error
	for flag, values := range lists {
		errs = append(errs, cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)))
	}
	return errors.Join(errs...)
}
