package main

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"refdeploy/internal/bundle"
	"refdeploy/internal/synth"
)

// newBundles writes the app for clusters that are not on AWS.
func newBundles() *cobra.Command {
	var out, outputs string
	var overrides map[string]string
	cmd := &cobra.Command{
		Use:   "bundles --out DIR --outputs FILE",
		Short: "Write the files of the app for a cluster of EKS Anywhere",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			chosen, err := synth.Settings(overrides)
			if err != nil {
				return err
			}
			deployed, err := bundle.ReadOutputs(outputs, "EksAnywhere")
			if err != nil {
				return err
			}
			files, err := bundle.EKSAnywhere(chosen, deployed)
			if err != nil {
				return err
			}
			dir := filepath.Join(out, "eks-anywhere")
			if err := bundle.Write(dir, files); err != nil {
				return err
			}
			for _, file := range files {
				fmt.Fprintln(cmd.OutOrStdout(), filepath.Join(dir, file.Path))
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&out, "out", "bundles", "directory to write into")
	cmd.Flags().StringVar(&outputs, "outputs", "outputs.json", "file that `cdk deploy EksAnywhere --outputs-file` wrote")
	cmd.Flags().StringToStringVarP(&overrides, "context", "c", nil, "a setting, as for cdk: key=value")
	return cmd
}
