package page_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"refdeploy/internal/assembly"
	"refdeploy/internal/bill"
	"refdeploy/internal/catalog"
	"refdeploy/internal/cost"
	"refdeploy/internal/price"
	"refdeploy/internal/project"
	"refdeploy/internal/report/page"
	"refdeploy/internal/report/page/answer"
)

// eleven are the names of all deployments, standing and to come, with the
// reviewed template whose plan stands in for each here.
var eleven = [][2]string{
	{"EcsEc2", "EcsEc2"}, {"EcsFargate", "EcsFargate"}, {"EcsManagedInstances", "EcsEc2"}, {"EcsExpress", "EcsFargate"},
	{"EcsAnywhere", "EcsEc2"}, {"EksEc2", "EksEc2"}, {"EksAuto", "EksEc2"}, {"EksFargate", "EksEc2"}, {"EksAnywhere", "EcsEc2"},
	{"Lambda", "Lambda"}, {"AppRunner", "AppRunner"},
}

// five are the deployments that stand.
var five = [][2]string{{"EcsEc2", "EcsEc2"}, {"EcsFargate", "EcsFargate"}, {"EksEc2", "EksEc2"}, {"Lambda", "Lambda"}, {"AppRunner", "AppRunner"}}

// of compares the plans of the reviewed templates, under names of the test's.
// The bills of what repeats a template differ by a tenth, so that no two lines
// of the chart are one.
func of(t testing.TB, names [][2]string, usage bill.Usage) page.Page {
	t.Helper()
	prices, err := price.Embedded()
	require.NoError(t, err)
	p := page.Page{
		Facts: []page.Fact{{"Profile", "sandbox"}, {"Region", "us-east-1"}}, Prices: cost.Prices(prices), Usage: usage,
		Sections: []page.Section{{Title: "What it is"}, {Title: "Who runs what"}, {Title: "Limits"}},
	}
	row := func(section int, label, cell string) {
		rows := &p.Sections[section].Rows
		for i := range *rows {
			if (*rows)[i].Label == label {
				(*rows)[i].Cells = append((*rows)[i].Cells, cell)
				return
			}
		}
		*rows = append(*rows, page.Row{Label: label, Cells: []string{cell}})
	}
	for i, name := range names {
		data, err := os.ReadFile(project.Path("stacks", "testdata", name[1]+".sandbox.golden.json"))
		require.NoError(t, err)
		stack := assembly.Stack{ID: name[1]}
		require.NoError(t, json.Unmarshal(data, &stack.Template))
		plan := cost.PlanOf(stack)
		plan.ID = name[0]
		if name[0] != name[1] {
			plan.Charges = append(plan.Charges, bill.Charge{Item: "what else it takes", Key: "ipv4", Driver: bill.Month, Quantity: float64(i) * 1000, Source: "catalog"})
		}
		for _, d := range catalog.All() {
			if d.ID != name[1] {
				continue
			}
			p.Deployments = append(p.Deployments, answer.Deployment{ID: name[0], Status: d.Status(), Closed: d.ClosedSince != "", Plan: plan})
			row(0, "Control plane", d.ControlPlane)
			row(0, "Data plane", d.DataPlane)
			row(0, "Status", d.Status())
			row(0, "Identity of the app", d.Identity)
			for _, f := range d.Duties.Fields() {
				row(1, f.Label, f.Value)
			}
			for _, f := range d.Limits.Fields() {
				row(2, f.Label, f.Value)
			}
		}
	}
	return p
}

func small() bill.Usage { return bill.Profiles()[1] }

func written(t testing.TB, p page.Page) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, p.Write(&b))
	return b.String()
}

func TestWriteSamples(t *testing.T) {
	for n, names := range map[int][][2]string{2: five[1:4:4], 5: five, 11: eleven} {
		if n == 2 {
			names = [][2]string{five[1], five[3]}
		}
		require.NoError(t, os.WriteFile(fmt.Sprintf("/tmp/w/p%d.html", n), []byte(written(t, of(t, names, bill.Profiles()[2]))), 0o644))
	}
}
