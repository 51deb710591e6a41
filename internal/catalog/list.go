package catalog

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// List writes a line for each deployment that resources counts, in the catalog's
// order.
func List(out io.Writer, resources map[string]int) error {
	table := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "STACK\tCONTROL PLANE\tDATA PLANE\tRESOURCES")
	for _, d := range All() {
		if count, ok := resources[d.ID]; ok {
			fmt.Fprintf(table, "%s\t%s\t%s\t%d\n", d.ID, d.ControlPlane, d.DataPlane, count)
		}
	}
	return table.Flush()
}
