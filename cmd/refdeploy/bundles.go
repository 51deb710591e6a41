package main

import (
	"errors"
	"fmt"
	"path"
	"path/filepath"

	"github.com/spf13/cobra"

	"refdeploy/internal/bundle"
	"refdeploy/internal/synth"
)

// newBundles writes the app for orchestrators that are not AWS's.
func newBundles() *cobra.Command {
	var in input
	var out, outputs string
	cmd := &cobra.Command{
		Use:   "bundles --out DIR [--outputs FILE]",
		Short: "Write the app's files for other clusters of Kubernetes, Docker Swarm, Compose and EKS Anywhere",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := bundle.Writable(out); err != nil {
				return err
			}
			overrides, err := in.context()
			if err != nil {
				return err
			}
			chosen, err := synth.Settings(overrides)
			if err != nil {
				return err
			}
			if chosen.DescribesApp() && outputs == "" {
				return errors.New("app: only the files for EKS Anywhere can be of your own app, and they need --outputs; those for other orchestrators are of the sample app: leave out app, port, healthPath, env, secrets and bucket for them")
			}
			var files []bundle.File
			if !chosen.DescribesApp() {
				if files, err = bundle.Elsewhere(chosen); err != nil {
					return err
				}
			}
			if outputs != "" {
				deployed, err := bundle.ReadOutputs(outputs, "EksAnywhere")
				if err != nil {
					return err
				}
				cluster, err := bundle.EKSAnywhere(chosen, deployed)
				if err != nil {
					return err
				}
				for _, file := range cluster {
					file.Path = path.Join("eks-anywhere", file.Path)
					files = append(files, file)
				}
			}
			if err := bundle.Write(out, files); err != nil {
				return err
			}
			for _, file := range files {
				fmt.Fprintln(cmd.OutOrStdout(), filepath.Join(out, file.Path))
			}
			if outputs == "" {
				fmt.Fprintln(cmd.ErrOrStderr(), "no files for EKS Anywhere: they need --outputs, the file that `npx cdk deploy EksAnywhere --outputs-file FILE` writes")
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&out, "out", "bundles", "a new or empty directory to write into")
	cmd.Flags().StringVar(&outputs, "outputs", "", "for EKS Anywhere: the file that `cdk deploy EksAnywhere --outputs-file` wrote")
	cmd.Flags().StringArrayVarP(&in.settings, "context", "c", nil, "a setting, as for cdk: key=value")
	return cmd
}
