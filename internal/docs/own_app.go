package docs

import (
	"fmt"
	"strings"

	"refdeploy/internal/catalog"
	"refdeploy/internal/settings"
	"refdeploy/internal/size"
)

// least is what an own app gets without cpu and memory.
var least = func() size.Size {
	asked, _ := settings.Settings{App: "any"}.AskedSize()
	return asked
}()

// taken is what a deployment takes for a size, without what was asked for.
func taken(id string, asked size.Size) string {
	says, err := size.Taken(id, string(settings.ARM64), asked)
	if err != nil {
		return "no: " + most(err)
	}
	_, says, _ = strings.Cut(says, "; ")
	return says
}

// most is what an error of [size.Taken] says that there is.
func most(err error) string {
	_, says, _ := strings.Cut(err.Error(), "; ")
	says, _, _ = strings.Cut(says, ": ask")
	return says
}

// ownApp tells what somebody's own app finds in a deployment.
func ownApp(d catalog.Deployment) string {
	one := size.Size{CPU: 1024, MiB: 2048}
	all := []catalog.Field{
		{Label: "Size, without `cpu` and `memory`", Value: taken(d.ID, least)},
		{Label: fmt.Sprintf("Size, for `cpu=%d` and `memory=%d`", one.CPU, one.MiB), Value: taken(d.ID, one)},
	}
	if _, err := size.Taken(d.ID, string(settings.ARM64), size.Size{CPU: 16384, MiB: 122880}); err != nil {
		all = append(all, catalog.Field{Label: "The most", Value: most(err)})
	}
	return fields(append(all, d.OwnApp().Fields()...))
}

// ownApps puts what differs between the deployments beside each other.
func ownApps() string {
	rows := [][]string{{"Deployment", "Runs as", "May write"}}
	for _, d := range catalog.All() {
		rows = append(rows, []string{aside(d), d.OwnApp().RunsAs, d.OwnApp().Writes})
	}
	return table(rows...)
}

// sizes shows what some sizes become.
func sizes() string {
	asked := []size.Size{least, {CPU: 1024, MiB: 2048}, {CPU: 2048, MiB: 8192}}
	rows := [][]string{{"Deployment"}}
	for _, a := range asked {
		rows[0] = append(rows[0], fmt.Sprintf("cpu=%d, memory=%d", a.CPU, a.MiB))
	}
	for _, d := range catalog.All() {
		row := []string{aside(d)}
		for _, a := range asked {
			row = append(row, taken(d.ID, a))
		}
		rows = append(rows, row)
	}
	return table(rows...)
}

// aside is a link to a deployment's page from a how-to.
func aside(d catalog.Deployment) string {
	return strings.Replace(linked("docs/")(d.ID), "](", "](../", 1)
}
