package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"kbench/driver"
	"kbench/driver/franz"
	"kbench/driver/native"
	"kbench/driver/null"
	"kbench/driver/sarama"
	"kbench/report"
)

// allDrivers is the table of drivers.
func allDrivers() []driver.Driver {
	return []driver.Driver{native.Driver(), native.Replay(), franz.Driver(), sarama.Driver(), null.Driver(), null.Single()}
}

// noClient is the client of the drivers that measure the harness alone.
const noClient = "none"

// findDriver returns the driver of that name, or an error that lists the names.
func findDriver(name string) (driver.Driver, error) {
	var names []string
	for _, d := range allDrivers() {
		if d.Name == name {
			return d, nil
		}
		names = append(names, d.Name)
	}
	return driver.Driver{}, fmt.Errorf("driver: unknown %q: allowed are %s%s", name, joined(names), didYouMean(name, names))
}

// sendsNothing says whether a driver's records stay within this process.
func sendsNothing(name string) bool {
	d, err := findDriver(name)
	return err == nil && d.Client == noClient
}

func newDrivers(s streams) *cobra.Command {
	return &cobra.Command{
		Use: "drivers [NAME]", Short: "List the clients that can be measured, and what each does with every producer setting",
		Long: `Without a name, lists the drivers. With one, prints its capability table: how the client carries out each producer
setting. Settings that aren't listed have Kafka's own meaning. A setting that a client can't express is refused.`,
		Example: "  kbench drivers\n  kbench drivers sarama",
		Args:    wantArgs(0, 1, "the NAME of one driver"),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 {
				d, err := findDriver(args[0])
				if err != nil {
					return err
				}
				return printDriver(s, d)
			}
			var rows [][]string
			for _, d := range allDrivers() {
				rows = append(rows, []string{d.Name, strings.TrimSpace(d.Client + " " + d.Version), d.About})
			}
			return report.WriteGrid(s.out, []string{"driver", "client", "about"}, rows)
		},
	}
}

func printDriver(s streams, d driver.Driver) error {
	fmt.Fprintf(s.out, "%s: %s\n%s\n", d.Name, strings.TrimSpace(d.Client+" "+d.Version), d.About)
	if len(d.Capabilities) == 0 {
		return nil
	}
	rows := make([][]string, 0, len(d.Capabilities))
	for _, c := range d.Capabilities {
		rows = append(rows, []string{c.Setting, c.Support.String(), strings.Join(c.Values, ", "), c.How})
	}
	slices.SortFunc(rows, func(a, b []string) int { return strings.Compare(a[0], b[0]) })
	return report.WriteGrid(s.out, []string{"setting", "support", "values", "how"}, rows)
}
