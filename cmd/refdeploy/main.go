// Command refdeploy is the companion of the CDK app: it reads what `cdk synth`
// wrote and tells about it.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"refdeploy/internal/assembly"
	"refdeploy/internal/catalog"
)

func main() {
	ctx, stop := interrupts()
	err := newCommand().ExecuteContext(ctx)
	stop(err)
	var status exitStatus
	if errors.As(err, &status) {
		os.Exit(int(status))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// An exitStatus ends the program with that status, and without a message: the
// answer is written.
type exitStatus int

func (s exitStatus) Error() string { return fmt.Sprintf("status %d", int(s)) }

func newCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "refdeploy",
		Short:         "Tell about the deployments of the sample app",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(newCompare(), newDiff(), newPrices(), newList(), newVersions(time.Now), newWatch(), newBundles(),
		newDoctor(), newSmoke(), newSweep(), newPermissions(), newEject(), newMeasure())
	return root
}

func newList() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the synthesized stacks: id, control plane, data plane, number of resources",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			stacks, err := readAssembly(dir)
			if err != nil {
				return err
			}
			return list(cmd.OutOrStdout(), stacks)
		},
	}
	cmd.Flags().StringVar(&dir, "assembly", "cdk.out", "directory that `cdk synth` wrote")
	return cmd
}

// list writes a line for each stack: those of the catalog in its order, and then
// everybody else's.
func list(out io.Writer, stacks []assembly.Stack) error {
	table := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "STACK\tCONTROL PLANE\tDATA PLANE\tRESOURCES")
	ours := func(s assembly.Stack) bool { return s.Ours() && slices.Contains(catalog.IDs(), s.ID) }
	for _, d := range catalog.All() {
		for _, stack := range stacks {
			if stack.ID == d.ID && ours(stack) {
				fmt.Fprintf(table, "%s\t%s\t%s\t%d\n", d.ID, d.ControlPlane, d.DataPlane, len(stack.Template.Resources))
			}
		}
	}
	for _, stack := range stacks {
		if !ours(stack) {
			fmt.Fprintf(table, "%s\t–\t–\t%d\n", stack.ID, len(stack.Template.Resources))
		}
	}
	return table.Flush()
}
