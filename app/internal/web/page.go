package web

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	g "maragu.dev/gomponents"
	. "maragu.dev/gomponents/html"

	"refdeploy/app/internal/notes"
)

//go:embed page.css
var style string

const icon = `data:image/svg+xml,<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect x="2" y="2" width="12" height="12" rx="3" fill="%23d9772b"/></svg>`

// page shows where the app runs and what notes there are. A store that fails
// leaves the rest of the page as it is.
//
// It is made of components and not of html/template, which calls methods by
// name: the linker would have to keep every method of the AWS SDK, and the
// binary would be 8 MB larger.
func (a *App) page(w http.ResponseWriter, r *http.Request) {
	list, err := ask(r.Context(), a.store, func(ctx context.Context) ([]notes.Note, error) { return a.Store.List(ctx) })
	if err != nil && gone(w, r) {
		return
	}
	if err != nil && !errors.Is(err, errBusy) {
		a.Log.Error("store", "id", requestID(r), "error", err.Error())
	}
	info := a.describe()
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	Doctype(HTML(Lang("en"),
		Head(
			Meta(Charset("utf-8")),
			Meta(Name("viewport"), Content("width=device-width, initial-scale=1")),
			Meta(Name("color-scheme"), Content("light dark")),
			TitleEl(g.Text(title(info))),
			Link(Rel("icon"), Href(icon)),
			StyleEl(g.Raw(style)),
		),
		Body(Main(
			H1(g.Text(title(info))),
			P(Class("lead"), g.Group(lead(info))),
			Div(Class("columns"), where(info), shelf(list, err != nil)),
			Footer(
				A(Href("/info"), g.Text("Where this runs, as JSON")),
				A(Href("/notes"), g.Text("Notes, as JSON")),
				A(Href("/healthz"), g.Text("Alive?")),
				A(Href("/readyz"), g.Text("Ready?")),
			),
		)),
	)).Render(w)
}

func title(info Info) string {
	if info.Platform == "local" {
		return "Running locally"
	}
	return "Running on " + info.Platform
}

// lead is the sentence under the title.
func lead(info Info) []g.Node {
	var nodes []g.Node
	if info.DataPlane != "" {
		nodes = append(nodes, g.Text("on "), B(g.Text(info.DataPlane)))
		if info.ControlPlane != "none" {
			nodes = append(nodes, g.Text(", controlled by "), B(g.Text(info.ControlPlane)))
		}
		nodes = append(nodes, g.Text(", "))
	}
	return append(nodes, g.Text("for "), B(g.Text(info.Uptime)))
}

// where lists what is known of the place.
func where(info Info) g.Node {
	var rows []g.Node
	row := func(name, value string) {
		if value != "" && value != "0" {
			rows = append(rows, Dt(g.Text(name)), Dd(g.Text(value)))
		}
	}
	row("Region", info.Region)
	row("Zone", info.Zone)
	row("Instance", info.Instance)
	row("Architecture", info.Architecture)
	row("vCPU", strconv.FormatFloat(info.Limits.VCPU, 'g', 3, 64))
	if info.Limits.MemoryMiB > 0 {
		row("Memory", fmt.Sprintf("%d MiB", info.Limits.MemoryMiB))
	}
	rows = append(rows, Dt(g.Text("Since")), Dd(Time(DateTime(info.Started.Format(time.RFC3339)),
		g.Text(info.Started.Format("2 January 2006, 15:04:05 MST")))))
	row("Requests", strconv.FormatInt(info.Requests, 10))
	row("Version", info.Version)
	return Section(Aria("labelledby", "where"), H2(ID("where"), g.Text("Where")), Dl(rows...))
}

// shelf shows the notes and a form to write one.
func shelf(list []notes.Note, failed bool) g.Node {
	var shown g.Node
	switch {
	case failed:
		shown = P(Class("bad"), Role("alert"), g.Text("The store does not answer. Reload in a few seconds."))
	case len(list) == 0:
		shown = P(Class("none"), g.Text("None yet. Write the first one."))
	default:
		shown = Ul(g.Map(list, item))
	}
	return Section(Aria("labelledby", "notes"), H2(ID("notes"), g.Text("Notes")), shown,
		Form(Method("post"), Action("/notes"),
			Label(For("key"), g.Text("Name: lower-case letters, digits and hyphens")),
			Input(ID("key"), Name("key"), Required(), MaxLength("64"), Pattern(`[a-z0-9\-]+`), Placeholder("hello"),
				AutoComplete("off"), g.Attr("autocapitalize", "none")),
			Label(For("text"), g.Textf("Text: %d bytes at most; everyone can read it, and it is gone after a day", notes.MaxBytes)),
			Textarea(ID("text"), Name("text"), Required(), MaxLength(strconv.Itoa(notes.MaxBytes))),
			Button(g.Text("Keep the note")),
		),
	)
}

func item(n notes.Note) g.Node {
	return Li(
		A(Href("/notes/"+n.Key), g.Text(n.Key)),
		Small(g.Textf("%d bytes, %s UTC", n.Bytes, n.Modified.Format("15:04"))),
		Form(Method("post"), Action("/notes"),
			Input(Type("hidden"), Name("key"), Value(n.Key)),
			Button(Class("quiet"), Name("delete"), Value("yes"), Aria("label", "Delete "+n.Key), g.Text("Delete")),
		),
	)
}
