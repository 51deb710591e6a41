package answer

import (
	"fmt"
	"strings"

	"refdeploy/internal/bill"
)

// Cheapest says who is the cheapest over which load, a sentence for each range.
// Remarks are what has to be known of a deployment before it is called cheap, by
// id.
func Cheapest(ranges []bill.Range, remarks map[string][]string) []string {
	all := []string{}
	for i, r := range ranges {
		where := fmt.Sprintf("from %s to %s", loadNumber(r.From), loadText(r.To))
		switch {
		case len(ranges) == 1:
			where = "at every load up to " + loadText(r.To)
		case i == 0:
			where = "up to " + loadText(r.To)
		case i == len(ranges)-1:
			where = "from " + loadText(r.From) + " on"
		}
		names := make([]string, len(r.IDs))
		for j, id := range r.IDs {
			names[j] = id
			if said := remarks[id]; len(said) > 0 {
				names[j] += " (" + strings.Join(said, "; ") + ")"
			}
		}
		switch n := len(names); n {
		case 0:
			all = append(all, "No template here takes the load "+where+".")
		case 1:
			all = append(all, fmt.Sprintf("%s is the cheapest %s.", names[0], where))
		default:
			all = append(all, fmt.Sprintf("%s and %s cost about the same %s.", strings.Join(names[:n-1], ", "), names[n-1], where))
		}
	}
	return all
}
