package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// release is the version of this program.
const release = "0.1.0"

// version is the release and, where the build knows it, the commit.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return release
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return release + "+" + s.Value[:12]
		}
	}
	return release
}

func newVersion(s streams) *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the versions of kbench, Go and the clients built in", Args: cobra.NoArgs,
		Example: "  kbench version",
		RunE: func(*cobra.Command, []string) error {
			fmt.Fprintf(s.out, "kbench %s (%s, %s/%s)\n", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
			for _, d := range allDrivers() {
				if d.Client != "none" {
					fmt.Fprintf(s.out, "  %-12s %s %s\n", d.Name, d.Client, d.Version)
				}
			}
			return nil
		},
	}
}
