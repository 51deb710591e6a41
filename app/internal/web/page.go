package web

import (
	_ "embed"
	"fmt"
	"net/http"
	"strconv"
	"time"

	g "maragu.dev/gomponents"
	. "maragu.dev/gomponents/html"

	"refdeploy/app/contract"
	"refdeploy/app/internal/notes"
)

//go:embed page.css
var style string

const icon = `data:image/svg+xml,<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect x="2" y="2" width="12" height="12" rx="3" fill="%23d9772b"/></svg>`

// A draft is what a visitor has written into the form.
type draft struct{ key, text string }

// page shows where the app runs and what notes there are.
func (a *App) page(w http.ResponseWriter, r *http.Request) { a.show(w, r, draft{}, nil) }

// show is the page, with what was wrong about d, if anything was. A store that
// fails leaves the rest of the page as it is.
//
// It is made of components and not of html/template, which calls methods by
// name: the linker would have to keep every method of the AWS SDK, and the
// binary would be 8 MB larger.
func (a *App) show(w http.ResponseWriter, r *http.Request, d draft, wrong *refusal) {
	s := shelf{draft: d, wrong: wrong, ttl: a.TTL}
	if wrong == nil || wrong.status < 500 { // else it would fail again
		s.list, s.failed = a.notes(r)
	}
	for _, refused := range []*refusal{wrong, s.failed} {
		if refused != nil && refused.status == statusGone {
			refused.write(w, r)
			return
		}
	}
	info := a.describe()
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if wrong != nil {
		wrong.header(w)
		w.WriteHeader(wrong.status)
	}
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
			Div(Class("columns"), where(info), s.node()),
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

// A shelf shows the notes and, before them, a form to write one.
type shelf struct {
	draft  draft
	wrong  *refusal // with the form
	list   []notes.Note
	failed *refusal // to list them
	ttl    notes.TTL
}

func (s shelf) node() g.Node {
	kept := "it stays until somebody deletes it"
	if s.ttl > 0 {
		kept = "it expires after " + lifetime(s.ttl)
	}
	return Section(Aria("labelledby", "notes"), H2(ID("notes"), g.Text("Notes")),
		// The focus brings it into view: on a phone it is below the first screen.
		g.Iff(s.wrong != nil, func() g.Node { return alert(s.wrong.detail, TabIndex("-1"), AutoFocus()) }),
		Form(Method("post"), Action("/notes"),
			Label(For("key"), g.Text("Name: lower-case letters, digits and hyphens")),
			Input(ID("key"), Name("key"), Required(), MaxLength(strconv.Itoa(contract.MaxKeyLength)), Pattern(`[a-z0-9\-]+`), Placeholder("hello"),
				AutoComplete("off"), g.Attr("autocapitalize", "none"), g.If(s.draft.key != "", Value(s.draft.key))),
			Label(For("text"), g.Textf("Text: %d bytes at most; everyone can read it, and %s", contract.MaxNoteBytes, kept)),
			// Browsers leave out the first line end of a text area.
			Textarea(ID("text"), Name("text"), MaxLength(strconv.Itoa(contract.MaxNoteBytes)), g.Text("\n"+s.draft.text)),
			Button(g.Text("Keep the note")),
		),
		s.notes(),
	)
}

func (s shelf) notes() g.Node {
	switch {
	case s.failed != nil:
		return alert(s.failed.detail)
	case s.wrong != nil && s.wrong.status >= 500:
		return nil // said above
	case len(s.list) == 0:
		return P(Class("none"), g.Text("None yet. Write the first one."))
	default:
		return Ul(g.Map(s.list, item))
	}
}

func alert(text string, more ...g.Node) g.Node {
	return P(Class("bad"), Role("alert"), g.Group(more), g.Text(text))
}

// item is a note, and a second click before it is deleted.
func item(n notes.Note) g.Node {
	return Li(
		A(Href("/notes/"+n.Key), g.Text(n.Key)),
		Small(g.Textf("%d bytes, ", n.Bytes), Time(DateTime(n.Modified.Format(time.RFC3339)), g.Text(n.Modified.Format("2 Jan 15:04 MST")))),
		Details(Name("delete"),
			Summary(Aria("label", "Delete "+n.Key), g.Text("Delete")),
			Form(Method("post"), Action("/notes"),
				Input(Type("hidden"), Name("key"), Value(n.Key)),
				Span(g.Text("Sure? Everyone loses it.")),
				Button(Class("danger"), Name("delete"), Value("yes"), Aria("label", "Delete it: "+n.Key), g.Text("Delete it")),
			),
		),
	)
}
