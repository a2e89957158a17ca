package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"kbench/report"
)

func newReport(s streams) *cobra.Command {
	format := "table"
	cmd := &cobra.Command{
		Use: "report RESULT…", Short: "Print stored results again, in any form",
		Long: `Prints results that run has stored: each RESULT is a result.json or the folder it is in.`,
		Example: `  kbench run --out results/first
  kbench report results/first --format markdown`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := report.CheckFormat(format); err != nil {
				return fmt.Errorf("--format: %w", err)
			}
			for i, path := range args {
				r, err := report.ReadResult(path)
				if err != nil {
					return err
				}
				if i > 0 && format != "json" {
					fmt.Fprintln(s.out)
				}
				if err := report.Write(s.out, format, r); err != nil {
					return err
				}
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&format, "format", format, "`form` of what is printed: "+joined(report.Formats()))
	mustRegister(completeFlags(cmd, map[string][]string{"format": report.Formats()}))
	return cmd
}
