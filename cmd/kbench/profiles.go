package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"kbench/profiles"
	"kbench/report"
	"kbench/workload"
)

func newProfiles(s streams) *cobra.Command {
	list := func(*cobra.Command, []string) error { return listProfiles(s) }
	cmd := &cobra.Command{
		Use: "profiles", Short: "List, show and validate workload profiles",
		Example: "  kbench profiles\n  kbench profiles show orders\n  kbench profiles validate orders",
		Args:    cobra.NoArgs, RunE: list,
	}
	cmd.AddCommand(
		&cobra.Command{Use: "list", Short: "List the shipped profiles", Example: "  kbench profiles list", Args: cobra.NoArgs, RunE: list},
		newProfilesShow(s),
		&cobra.Command{Use: "validate PROFILE…", Short: "Check profiles without running them",
			Example: "  kbench profiles validate quickstart orders", Args: wantArgs(1, -1, "a PROFILE"), ValidArgsFunction: profileNames,
			RunE: func(_ *cobra.Command, args []string) error { return validateProfiles(s, args) }})
	return cmd
}

func newProfilesShow(s streams) *cobra.Command {
	resolved := false
	cmd := &cobra.Command{Use: "show PROFILE", Short: "Print a profile as it is written, or resolved with all defaults",
		Example: "  kbench profiles show orders > my.yaml\n  kbench profiles show orders --resolved",
		Args:    wantArgs(1, 1, "a PROFILE"), ValidArgsFunction: profileNames,
		RunE: func(_ *cobra.Command, args []string) error {
			if resolved {
				return showResolved(s, args[0])
			}
			src, err := profileSource(args[0])
			if err == nil {
				_, err = s.out.Write(src)
			}
			return err
		}}
	cmd.Flags().BoolVar(&resolved, "resolved", false, "as JSON, with every default filled in")
	return cmd
}

func listProfiles(s streams) error {
	var rows [][]string
	for _, name := range profiles.Names() {
		plan, err := readPlan(name)
		if err != nil {
			return err
		}
		rows = append(rows, []string{name, plan.About})
	}
	return report.WriteGrid(s.out, []string{"profile", "about"}, rows)
}

func showResolved(s streams, name string) error {
	plan, err := readPlan(name)
	if err != nil {
		return err
	}
	out, err := json.MarshalIndent(plan, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "%s\n", out)
	return err
}

func validateProfiles(s streams, names []string) error {
	var bad []string
	for _, name := range names {
		p, err := readProfile(name)
		if err == nil {
			_, _, err = resolve(p)
		}
		if err != nil {
			bad = append(bad, err.Error())
			continue
		}
		fmt.Fprintf(s.out, "%s: ok\n", name)
	}
	if len(bad) > 0 {
		return fmt.Errorf("%s", strings.Join(bad, "\nkbench: "))
	}
	return nil
}

// readPlan is a profile by itself, resolved.
func readPlan(name string) (workload.Plan, error) {
	p, err := readProfile(name)
	if err != nil {
		return workload.Plan{}, err
	}
	return p.Plan()
}
