package catalog

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"
)

// List writes a line for each deployment that resources counts, in the catalog's
// order, and one for each of others, stacks that are not in the catalog.
func List(out io.Writer, resources, others map[string]int) error {
	table := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "STACK\tCONTROL PLANE\tDATA PLANE\tRESOURCES")
	for _, d := range All() {
		if count, ok := resources[d.ID]; ok {
			fmt.Fprintf(table, "%s\t%s\t%s\t%d\n", d.ID, d.ControlPlane, d.DataPlane, count)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(others)) {
		fmt.Fprintf(table, "%s\t–\t–\t%d\n", id, others[id])
	}
	return table.Flush()
}
