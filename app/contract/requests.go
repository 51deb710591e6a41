package contract

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// A Request is one that callers send, and what they may rely on to get back.
type Request struct {
	Name, Method, Path, Body string
	Header                   []string // name, value, …

	// Holds is where the app alone decides the answer.
	Holds Where

	Status  int
	Content string   // of the Content-Type header
	Want    string   // part of the body, or all of it when it begins with =
	Absent  string   // no part of the body
	Answers []string // headers: name, value, …
}

// Where an expectation holds.
type Where int

const (
	Everywhere        Where = iota
	InAnEmptyStore          // nobody else has written a note
	WithNothingBefore       // no load balancer and no service rewrites or refuses the request
	WithoutExpiry           // NOTES_TTL is not set
)

// An Answer is what a client sees, whatever carried it.
type Answer struct {
	Status int
	Header http.Header
	Body   string
}

const (
	problem = "application/problem+json"
	page    = "text/html; charset=utf-8"
)

var form = []string{"Content-Type", "application/x-www-form-urlencoded"}

// Requests returns every request, to be sent in this order against one store.
// The keys of the notes that they write begin with prefix, so that they meet
// nobody else's.
func Requests(prefix string) []Request {
	note := func(key string) string { return "/notes/" + prefix + key }
	field := func(key string) string { return "key=" + prefix + key }
	longest := strings.Repeat("k", MaxKeyLength-len(prefix))
	return []Request{
		{Name: "the start page is HTML", Holds: InAnEmptyStore, Method: "GET", Path: "/", Status: 200, Content: "text/html; charset=utf-8", Want: "None yet. Write the first one."},
		{Name: "the app is alive", Method: "GET", Path: "/healthz", Status: 200, Content: "application/json", Want: `{"status":"alive"}`},
		{Name: "the store answers", Method: "GET", Path: "/readyz", Status: 200, Content: "application/json", Want: `{"status":"ready"}`},
		{Name: "HEAD is GET without the body", Method: "HEAD", Path: "/healthz", Status: 200, Want: "="},
		{Name: "info is JSON", Method: "GET", Path: "/info", Status: 200, Content: "application/json", Want: `"platform":`},

		{Name: "no notes are an empty list", Holds: InAnEmptyStore, Method: "GET", Path: "/notes", Status: 200, Content: "application/json", Want: "={\"notes\":[]}\n"},
		{Name: "a missing note is a problem", Method: "GET", Path: note("hello"), Status: 404, Content: problem, Want: `"status":404`},
		{Name: "a new note is created", Method: "PUT", Path: note("hello"), Body: "Grüße <b>&", Status: 201, Want: "=", Answers: []string{"Location", note("hello")}},
		{Name: "a note comes back as it was, as text", Method: "GET", Path: note("hello"), Status: 200, Content: "text/plain; charset=utf-8", Want: "=Grüße <b>&"},
		{Name: "browsers do not guess a note's type", Method: "GET", Path: note("hello"), Status: 200, Answers: []string{"X-Content-Type-Options", "nosniff"}},
		{Name: "a note is replaced", Method: "PUT", Path: note("hello"), Body: "second", Status: 204, Want: "="},
		{Name: "the replaced note reads new", Method: "GET", Path: note("hello"), Status: 200, Want: "=second"},
		{Name: "an empty note is a note", Method: "PUT", Path: note("empty"), Status: 201},
		{Name: "the list is sorted", Holds: InAnEmptyStore, Method: "GET", Path: "/notes", Status: 200, Want: `{"notes":[{"key":"empty","bytes":0,`},
		{Name: "a note is listed", Method: "GET", Path: "/notes", Status: 200, Content: "application/json", Want: `{"key":"` + prefix + `empty","bytes":0,`},
		{Name: "a note is deleted", Method: "DELETE", Path: note("empty"), Status: 204, Want: "="},
		{Name: "deleting it again finds none", Method: "DELETE", Path: note("empty"), Status: 404, Content: problem, Want: "no such note"},

		{Name: "a key that is none names nothing to delete", Method: "DELETE", Path: note("Hello"), Status: 400, Content: problem, Want: "lower-case"},

		{Name: "the largest note fits", Method: "PUT", Path: note("large"), Body: strings.Repeat("x", 4096), Status: 201},
		{Name: "the largest note comes back whole", Method: "GET", Path: note("large"), Status: 200, Want: "=" + strings.Repeat("x", 4096)},
		{Name: "one byte more is too large", Method: "PUT", Path: note("large"), Body: strings.Repeat("y", 4097), Status: 413, Content: problem, Want: "4096 bytes"},
		{Name: "and leaves the old note", Method: "GET", Path: note("large"), Status: 200, Want: "=" + strings.Repeat("x", 4096)},
		{Name: "a much larger body is too large", Holds: WithNothingBefore, Method: "PUT", Path: note("large"), Body: strings.Repeat("y", 1<<20), Status: 413, Content: problem},
		{Name: "a note is UTF-8", Method: "PUT", Path: note("binary"), Body: "\xff\xfe", Status: 400, Content: problem, Want: "UTF-8"},
		{Name: "the longest key fits", Method: "PUT", Path: note(longest), Body: "x", Status: 201},
		{Name: "a longer key is refused", Method: "PUT", Path: note(longest + "k"), Body: "x", Status: 400, Content: problem, Want: "1 to 64"},
		{Name: "capitals are refused", Method: "PUT", Path: note("Hello"), Body: "x", Status: 400, Content: problem, Want: "lower-case"},
		{Name: "a key cannot leave the store", Holds: WithNothingBefore, Method: "GET", Path: "/notes/..%2Fsecret", Status: 404, Content: problem, Want: "no such page"},
		{Name: "nor by a plain path", Holds: WithNothingBefore, Method: "PUT", Path: "/notes/../secret", Body: "x", Status: 404, Content: problem},
		{Name: "an escaped slash is a slash", Holds: WithNothingBefore, Method: "PUT", Path: note("a%2Fb"), Body: "x", Status: 404, Content: problem, Want: "no such page"},
		{Name: "an escaped letter is a letter", Holds: WithNothingBefore, Method: "GET", Path: note("h%65llo"), Status: 200, Want: "=second"},
		{Name: "an escaped escape is no key", Holds: WithNothingBefore, Method: "GET", Path: note("h%2565llo"), Status: 400, Content: problem},
		{Name: "long headers are read", Holds: WithNothingBefore, Method: "GET", Path: "/healthz", Header: []string{"X-Long", strings.Repeat("x", 15<<10)}, Status: 200},
		{Name: "longer ones are refused", Holds: WithNothingBefore, Method: "GET", Path: "/healthz", Header: []string{"X-Long", strings.Repeat("x", 16<<10)}, Status: 431, Content: problem, Want: "16384 bytes"},
		{Name: "and so is a long path", Holds: WithNothingBefore, Method: "GET", Path: "/" + strings.Repeat("x", 16<<10), Status: 431, Content: problem},
		{Name: "a doubled slash is no page", Holds: WithNothingBefore, Method: "GET", Path: "//notes", Status: 404, Content: problem},
		{Name: "half an escape is a bad request", Holds: WithNothingBefore, Method: "GET", Path: note("%zz"), Status: 400},
		{Name: "a key with a slash is no route", Method: "GET", Path: note("a/b"), Status: 404, Content: problem, Want: "no such page"},

		{Name: "the page's form writes a note", Method: "POST", Path: "/notes", Body: field("form") + "&text=from+a%0D%0Aform", Header: form, Status: 303, Answers: []string{"Location", "/"}},
		{Name: "with plain line ends", Method: "GET", Path: note("form"), Status: 200, Want: "=from a\nform"},
		{Name: "the page lists it", Method: "GET", Path: "/", Status: 200, Want: `href="` + note("form") + `"`},
		{Name: "the page's form deletes a note", Method: "POST", Path: "/notes", Body: field("form") + "&delete=yes", Header: form, Status: 303},
		{Name: "and it is gone", Method: "GET", Path: note("form"), Status: 404, Content: problem},
		{Name: "the form takes an empty note", Method: "POST", Path: "/notes", Body: field("form") + "&text=", Header: form, Status: 303},
		{Name: "the form takes a note of line ends", Method: "POST", Path: "/notes", Body: field("form") + "&text=" + strings.Repeat("%0D%0A", 4096), Header: form, Status: 303},
		{Name: "whole", Method: "GET", Path: note("form"), Status: 200, Want: "=" + strings.Repeat("\n", 4096)},
		{Name: "the form takes a note in any script", Method: "POST", Path: "/notes", Body: field("form") + "&text=" + url.QueryEscape(strings.Repeat("字", 1365)), Header: form, Status: 303},
		{Name: "whole as well", Method: "GET", Path: note("form"), Status: 200, Want: "=" + strings.Repeat("字", 1365)},
		{Name: "the page asks before it deletes", Method: "GET", Path: "/", Status: 200, Want: "Sure? Everyone loses it."},
		{Name: "a key the form does not take is said on the page", Method: "POST", Path: "/notes", Body: field("No") + "&text=%0D%0Atyped+%3Cb%3E", Header: form, Status: 400, Content: page, Want: "1 to 64 lower-case letters", Absent: "typed <b>"},
		{Name: "beside what was typed", Method: "POST", Path: "/notes", Body: field("No") + "&text=%0D%0Atyped+%3Cb%3E", Header: form, Status: 400, Content: page, Want: ">\n\ntyped &lt;b&gt;</textarea>"},
		{Name: "a text that is too large is said on the page", Method: "POST", Path: "/notes", Body: field("a") + "&text=" + strings.Repeat("x", 4097), Header: form, Status: 413, Content: page, Want: "4096 bytes at most."},
		{Name: "beside the longest that a browser sends", Method: "POST", Path: "/notes", Body: field("a") + "&text=" + url.QueryEscape(strings.Repeat("字", 4096)), Header: form, Status: 413, Content: page, Want: "字</textarea>"},
		{Name: "a form without end is too large", Holds: WithNothingBefore, Method: "POST", Path: "/notes", Body: field("a") + "&text=" + strings.Repeat("x", 1<<20), Header: form, Status: 413, Content: page, Want: "4096 bytes at most."},
		{Name: "a note that is gone is said on the page", Method: "POST", Path: "/notes", Body: field("gone") + "&delete=yes", Header: form, Status: 404, Content: page, Want: "no such note"},
		{Name: "the form's note goes", Method: "POST", Path: "/notes", Body: field("form") + "&delete=yes", Header: form, Status: 303},
		{Name: "another site's form is refused", Method: "POST", Path: "/notes", Body: field("a") + "&text=x", Header: append(form, "Sec-Fetch-Site", "cross-site"), Status: 403, Content: problem},
		{Name: "another site's script is refused", Method: "DELETE", Path: note("hello"), Header: []string{"Origin", "https://example.com"}, Status: 403, Content: problem},

		{Name: "work works", Method: "POST", Path: "/work?ms=5", Status: 200, Content: "application/json", Want: `"ms":5`},
		{Name: "work has a bound", Method: "POST", Path: "/work?ms=2001", Status: 400, Content: problem, Want: "1 to 2000"},
		{Name: "work needs a number", Method: "POST", Path: "/work?ms=long", Status: 400, Content: problem, Want: "/work?ms=100"},
		{Name: "work needs to be told how long", Method: "POST", Path: "/work", Status: 400, Content: problem},

		{Name: "an unknown page is a problem", Method: "GET", Path: "/admin", Status: 404, Content: problem, Want: `"title":"Not Found"`},
		{Name: "a wrong method is a problem that names the right ones", Method: "DELETE", Path: "/notes", Status: 405, Content: problem, Answers: []string{"Allow", "GET, HEAD, POST"}},
		{Name: "the start page takes no PUT", Method: "PUT", Path: "/", Status: 405, Content: problem, Answers: []string{"Allow", "GET, HEAD"}},
		{Name: "a caller's request id comes back", Method: "GET", Path: "/admin", Header: []string{"X-Request-Id", "abc-123"}, Status: 404, Want: `"instance":"abc-123"`, Answers: []string{"X-Request-Id", "abc-123"}},
		{Name: "a load balancer's trace id serves as one", Holds: WithNothingBefore, Method: "GET", Path: "/admin", Header: []string{"X-Amzn-Trace-Id", "Root=1-67891233-abcdef"}, Status: 404, Answers: []string{"X-Request-Id", "Root=1-67891233-abcdef"}},
		{Name: "an id that could forge a log line is replaced", Holds: WithNothingBefore, Method: "GET", Path: "/admin", Header: []string{"X-Request-Id", `"},{"`}, Status: 404, Absent: `"},{"`},
		{Name: "nothing is cached", Method: "GET", Path: "/notes", Status: 200, Answers: []string{"Cache-Control", "no-store"}},
		{Name: "the page says that notes stay", Holds: WithoutExpiry, Method: "GET", Path: "/", Status: 200, Want: "it stays until somebody deletes it", Absent: "expires"},
		{Name: "scripts do not run", Method: "GET", Path: "/", Status: 200, Absent: "<script"},
	}
}

// Differs returns how an answer is not what the contract promises, a line each.
func (r Request) Differs(got Answer) []string {
	var all []string
	differ := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	if got.Status != r.Status {
		differ("expected status %d, got %d", r.Status, got.Status)
	}
	if content := got.Header.Get("Content-Type"); r.Content != "" && content != r.Content {
		differ("expected Content-Type %s, got %q", r.Content, content)
	}
	if whole, ok := strings.CutPrefix(r.Want, "="); ok && got.Body != whole {
		differ("expected the body %s, got %s", short(whole), short(got.Body))
	} else if !ok && !strings.Contains(got.Body, r.Want) {
		differ("expected a body with %s, got %s", short(r.Want), short(got.Body))
	}
	if r.Absent != "" && strings.Contains(got.Body, r.Absent) {
		differ("expected a body without %s, got %s", short(r.Absent), short(got.Body))
	}
	for i := 0; i < len(r.Answers); i += 2 {
		if value := got.Header.Get(r.Answers[i]); value != r.Answers[i+1] {
			differ("expected %s: %s, got %q", r.Answers[i], r.Answers[i+1], value)
		}
	}
	if r.Content == problem {
		all = append(all, r.differsFromProblem(got)...)
	}
	return all
}

// differsFromProblem reads an answer as an RFC 9457 problem document.
func (r Request) differsFromProblem(got Answer) []string {
	var document struct {
		Status                  int
		Title, Detail, Instance string
	}
	if err := json.Unmarshal([]byte(got.Body), &document); err != nil {
		return []string{fmt.Sprintf("expected a problem document, got %s", short(got.Body))}
	}
	var all []string
	if document.Status != r.Status {
		all = append(all, fmt.Sprintf("expected status %d in the problem document, got %d", r.Status, document.Status))
	}
	if document.Title == "" || document.Detail == "" {
		all = append(all, fmt.Sprintf("expected a title and a detail in the problem document, got %s", short(got.Body)))
	}
	if id := got.Header.Get("X-Request-Id"); document.Instance != id {
		all = append(all, fmt.Sprintf("expected the request's id %q as the problem's instance, got %q", id, document.Instance))
	}
	return all
}

// short quotes a text, cut to what fits in a line.
func short(text string) string {
	const most = 120
	if len(text) > most {
		return fmt.Sprintf("%q… (%d bytes)", strings.ToValidUTF8(text[:most], ""), len(text))
	}
	return fmt.Sprintf("%q", text)
}
