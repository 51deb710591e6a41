// Command refdeploy is the companion of the CDK app: it reads what `cdk synth`
// wrote and tells about it.
package main

import (
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"refdeploy/internal/assembly"
	"refdeploy/internal/catalog"
	"refdeploy/internal/kernel"
)

func main() {
	err := newCommand().Execute()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	kernel.Close()
	if err != nil {
		os.Exit(1)
	}
}

func newCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "refdeploy",
		Short:         "Tell about the deployments of the sample app",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(newCompare(), newDiff(), newPrices(), newList(), newBundles(), newAssemble())
	return root
}

func newList() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the synthesized stacks: id, control plane, data plane, number of resources",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			stacks, err := assembly.Read(dir)
			if err != nil {
				return err
			}
			return list(cmd.OutOrStdout(), stacks)
		},
	}
	cmd.Flags().StringVar(&dir, "assembly", "cdk.out", "directory that `cdk synth` wrote")
	return cmd
}

// list writes a line for each stack of the catalog, in its order.
func list(out io.Writer, stacks []assembly.Stack) error {
	byID := map[string]assembly.Stack{}
	for _, stack := range stacks {
		byID[stack.ID] = stack
	}
	table := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "STACK\tCONTROL PLANE\tDATA PLANE\tRESOURCES")
	for _, d := range catalog.All() {
		if stack, ok := byID[d.ID]; ok {
			fmt.Fprintf(table, "%s\t%s\t%s\t%d\n", d.ID, d.ControlPlane, d.DataPlane, len(stack.Template.Resources))
		}
	}
	return table.Flush()
}
