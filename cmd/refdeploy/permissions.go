package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"refdeploy/internal/permissions"
)

// allowed is what `permissions` tells of a stack.
type allowed struct {
	Stack    string              `json:"stack"`
	App      []permissions.Grant `json:"app"`
	Deployer permissions.Policy  `json:"deployer"`
	Services []string            `json:"services"`
}

func newPermissions() *cobra.Command {
	var in input
	var format string
	formats := []string{"text", "json", "policy"}
	cmd := &cobra.Command{
		Use:   "permissions STACK",
		Short: "Show what the app of a stack may do, and the policy that who deploys it needs",
		Long: "Show, from the template, what the app of a stack may do, and the policy that who deploys it needs beyond the\n" +
			"roles of the CDK's bootstrap. --format policy writes the policy alone, for `aws iam create-policy`.",
		Args: func(_ *cobra.Command, ids []string) error {
			if len(ids) != 1 {
				return fmt.Errorf("permissions: got %d stacks; it takes one", len(ids))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, ids []string) error {
			if !slices.Contains(formats, format) {
				return unknown("format", format, formats)
			}
			stacks, err := in.stacks(cmd, ids)
			if err != nil {
				return err
			}
			s := stacks[0]
			a := allowed{s.ID, permissions.App(s.Template), permissions.Deployer(s), permissions.Services(s.Template)}
			switch format {
			case "json":
				return writeJSON(cmd.OutOrStdout(), a)
			case "policy":
				return writeJSON(cmd.OutOrStdout(), a.Deployer)
			}
			return writePermissions(cmd.OutOrStdout(), a)
		},
	}
	in.sourceFlags(cmd)
	cmd.Flags().StringVar(&format, "format", "text", strings.Join(formats, ", "))
	return cmd
}

func writePermissions(w io.Writer, a allowed) error {
	if len(a.App) == 0 {
		fmt.Fprintf(w, "The app of %s has no role that the template tells of.\n", a.Stack)
	}
	for _, g := range a.App {
		fmt.Fprintf(w, "The app of %s, as %s (%s):\n\n", a.Stack, g.Role, g.By)
		table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		for _, s := range g.Statements {
			fmt.Fprintf(table, "  %s\t%s\ton %s\n", strings.ToLower(s.Effect), strings.Join(s.Actions, ", "), strings.Join(s.Resources, ", "))
		}
		for _, m := range g.Managed {
			fmt.Fprintf(table, "  allow\twhat %s allows\t\n", m)
		}
		if err := table.Flush(); err != nil {
			return err
		}
	}
	fmt.Fprint(w, "\nWho deploys it, beyond the roles of the bootstrap:\n\n")
	if err := writeJSON(w, a.Deployer); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\nCloudFormation creates the resources with the bootstrap's execution role, which is an administrator unless\nyou bootstrapped with --cloudformation-execution-policies. A narrower one has to manage: %s.\n", strings.Join(a.Services, ", "))
	return err
}
