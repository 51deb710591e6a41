package main_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"refdeploy/app/contract"
)

// Every platform answers the same. The requests run in order against one store
// that is empty at first.
var expectations = []struct {
	name               string
	method, path, body string
	header             []string

	status  int
	content string // of the Content-Type header
	want    string // part of the body, or all of it when it begins with =
	absent  string // no part of the body
	headers []string
}{
	{name: "the start page is HTML", method: "GET", path: "/", status: 200, content: "text/html; charset=utf-8", want: "None yet. Write the first one."},
	{name: "the app is alive", method: "GET", path: "/healthz", status: 200, content: "application/json", want: `{"status":"alive"}`},
	{name: "the store answers", method: "GET", path: "/readyz", status: 200, content: "application/json", want: `{"status":"ready"}`},
	{name: "HEAD is GET without the body", method: "HEAD", path: "/healthz", status: 200, want: "="},
	{name: "info is JSON", method: "GET", path: "/info", status: 200, content: "application/json", want: `"platform":`},

	{name: "no notes are an empty list", method: "GET", path: "/notes", status: 200, content: "application/json", want: "={\"notes\":[]}\n"},
	{name: "a missing note is a problem", method: "GET", path: "/notes/hello", status: 404, content: problem, want: `"status":404`},
	{name: "a new note is created", method: "PUT", path: "/notes/hello", body: "Grüße <b>&", status: 201, want: "=", headers: []string{"Location", "/notes/hello"}},
	{name: "a note comes back as it was, as text", method: "GET", path: "/notes/hello", status: 200, content: "text/plain; charset=utf-8", want: "=Grüße <b>&"},
	{name: "browsers do not guess a note's type", method: "GET", path: "/notes/hello", status: 200, headers: []string{"X-Content-Type-Options", "nosniff"}},
	{name: "a note is replaced", method: "PUT", path: "/notes/hello", body: "second", status: 204, want: "="},
	{name: "the replaced note reads new", method: "GET", path: "/notes/hello", status: 200, want: "=second"},
	{name: "an empty note is a note", method: "PUT", path: "/notes/empty", status: 201},
	{name: "the list is sorted", method: "GET", path: "/notes", status: 200, want: `{"notes":[{"key":"empty","bytes":0,`},
	{name: "a note is deleted", method: "DELETE", path: "/notes/empty", status: 204, want: "="},
	{name: "deleting it again finds none", method: "DELETE", path: "/notes/empty", status: 404, content: problem, want: "no such note"},

	{name: "a key that is none names nothing to delete", method: "DELETE", path: "/notes/Hello", status: 400, content: problem, want: "lower-case"},

	{name: "the largest note fits", method: "PUT", path: "/notes/large", body: strings.Repeat("x", 4096), status: 201},
	{name: "the largest note comes back whole", method: "GET", path: "/notes/large", status: 200, want: "=" + strings.Repeat("x", 4096)},
	{name: "one byte more is too large", method: "PUT", path: "/notes/large", body: strings.Repeat("y", 4097), status: 413, content: problem, want: "4096 bytes"},
	{name: "and leaves the old note", method: "GET", path: "/notes/large", status: 200, want: "=" + strings.Repeat("x", 4096)},
	{name: "a much larger body is too large", method: "PUT", path: "/notes/large", body: strings.Repeat("y", 1<<20), status: 413, content: problem},
	{name: "a note is UTF-8", method: "PUT", path: "/notes/binary", body: "\xff\xfe", status: 400, content: problem, want: "UTF-8"},
	{name: "the longest key fits", method: "PUT", path: "/notes/" + strings.Repeat("k", 64), body: "x", status: 201},
	{name: "a longer key is refused", method: "PUT", path: "/notes/" + strings.Repeat("k", 65), body: "x", status: 400, content: problem, want: "1 to 64"},
	{name: "capitals are refused", method: "PUT", path: "/notes/Hello", body: "x", status: 400, content: problem, want: "lower-case"},
	{name: "a key cannot leave the store", method: "GET", path: "/notes/..%2Fsecret", status: 404, content: problem, want: "no such page"},
	{name: "nor by a plain path", method: "PUT", path: "/notes/../secret", body: "x", status: 404, content: problem},
	{name: "an escaped slash is a slash", method: "PUT", path: "/notes/a%2Fb", body: "x", status: 404, content: problem, want: "no such page"},
	{name: "an escaped letter is a letter", method: "GET", path: "/notes/h%65llo", status: 200, want: "=second"},
	{name: "an escaped escape is no key", method: "GET", path: "/notes/h%2565llo", status: 400, content: problem},
	{name: "long headers are read", method: "GET", path: "/healthz", header: []string{"X-Long", strings.Repeat("x", 15<<10)}, status: 200},
	{name: "longer ones are refused", method: "GET", path: "/healthz", header: []string{"X-Long", strings.Repeat("x", 16<<10)}, status: 431, content: problem, want: "16384 bytes"},
	{name: "and so is a long path", method: "GET", path: "/" + strings.Repeat("x", 16<<10), status: 431, content: problem},
	{name: "a doubled slash is no page", method: "GET", path: "//notes", status: 404, content: problem},
	{name: "half an escape is a bad request", method: "GET", path: "/notes/%zz", status: 400},
	{name: "a key with a slash is no route", method: "GET", path: "/notes/a/b", status: 404, content: problem, want: "no such page"},

	{name: "the page's form writes a note", method: "POST", path: "/notes", body: "key=form&text=from+a%0D%0Aform", header: form, status: 303, headers: []string{"Location", "/"}},
	{name: "with plain line ends", method: "GET", path: "/notes/form", status: 200, want: "=from a\nform"},
	{name: "the page lists it", method: "GET", path: "/", status: 200, want: `href="/notes/form"`},
	{name: "the page's form deletes a note", method: "POST", path: "/notes", body: "key=form&delete=yes", header: form, status: 303},
	{name: "and it is gone", method: "GET", path: "/notes/form", status: 404, content: problem},
	{name: "the form takes an empty note", method: "POST", path: "/notes", body: "key=form&text=", header: form, status: 303},
	{name: "the form takes a note of line ends", method: "POST", path: "/notes", body: "key=form&text=" + strings.Repeat("%0D%0A", 4096), header: form, status: 303},
	{name: "whole", method: "GET", path: "/notes/form", status: 200, want: "=" + strings.Repeat("\n", 4096)},
	{name: "the form takes a note in any script", method: "POST", path: "/notes", body: "key=form&text=" + url.QueryEscape(strings.Repeat("字", 1365)), header: form, status: 303},
	{name: "whole as well", method: "GET", path: "/notes/form", status: 200, want: "=" + strings.Repeat("字", 1365)},
	{name: "the page asks before it deletes", method: "GET", path: "/", status: 200, want: "Sure? Everyone loses it."},
	{name: "a key the form does not take is said on the page", method: "POST", path: "/notes", body: "key=No&text=%0D%0Atyped+%3Cb%3E", header: form, status: 400, content: page, want: "1 to 64 lower-case letters", absent: "typed <b>"},
	{name: "beside what was typed", method: "POST", path: "/notes", body: "key=No&text=%0D%0Atyped+%3Cb%3E", header: form, status: 400, content: page, want: ">\n\ntyped &lt;b&gt;</textarea>"},
	{name: "a text that is too large is said on the page", method: "POST", path: "/notes", body: "key=a&text=" + strings.Repeat("x", 4097), header: form, status: 413, content: page, want: "4096 bytes at most."},
	{name: "beside the longest that a browser sends", method: "POST", path: "/notes", body: "key=a&text=" + url.QueryEscape(strings.Repeat("字", 4096)), header: form, status: 413, content: page, want: "字</textarea>"},
	{name: "a form without end is too large", method: "POST", path: "/notes", body: "key=a&text=" + strings.Repeat("x", 1<<20), header: form, status: 413, content: page, want: "4096 bytes at most."},
	{name: "a note that is gone is said on the page", method: "POST", path: "/notes", body: "key=gone&delete=yes", header: form, status: 404, content: page, want: "no such note"},
	{name: "the form's note goes", method: "POST", path: "/notes", body: "key=form&delete=yes", header: form, status: 303},
	{name: "another site's form is refused", method: "POST", path: "/notes", body: "key=a&text=x", header: append(form, "Sec-Fetch-Site", "cross-site"), status: 403, content: problem},
	{name: "another site's script is refused", method: "DELETE", path: "/notes/hello", header: []string{"Origin", "https://example.com"}, status: 403, content: problem},

	{name: "work works", method: "POST", path: "/work?ms=5", status: 200, content: "application/json", want: `"ms":5`},
	{name: "work has a bound", method: "POST", path: "/work?ms=2001", status: 400, content: problem, want: "1 to 2000"},
	{name: "work needs a number", method: "POST", path: "/work?ms=long", status: 400, content: problem, want: "/work?ms=100"},
	{name: "work needs to be told how long", method: "POST", path: "/work", status: 400, content: problem},

	{name: "an unknown page is a problem", method: "GET", path: "/admin", status: 404, content: problem, want: `"title":"Not Found"`},
	{name: "a wrong method is a problem that names the right ones", method: "DELETE", path: "/notes", status: 405, content: problem, headers: []string{"Allow", "GET, HEAD, POST"}},
	{name: "the start page takes no PUT", method: "PUT", path: "/", status: 405, content: problem, headers: []string{"Allow", "GET, HEAD"}},
	{name: "a caller's request id comes back", method: "GET", path: "/admin", header: []string{"X-Request-Id", "abc-123"}, status: 404, want: `"instance":"abc-123"`, headers: []string{"X-Request-Id", "abc-123"}},
	{name: "a load balancer's trace id serves as one", method: "GET", path: "/admin", header: []string{"X-Amzn-Trace-Id", "Root=1-67891233-abcdef"}, status: 404, headers: []string{"X-Request-Id", "Root=1-67891233-abcdef"}},
	{name: "an id that could forge a log line is replaced", method: "GET", path: "/admin", header: []string{"X-Request-Id", `"},{"`}, status: 404, absent: `"},{"`},
	{name: "nothing is cached", method: "GET", path: "/notes", status: 200, headers: []string{"Cache-Control", "no-store"}},
	{name: "the page says that notes stay", method: "GET", path: "/", status: 200, want: "it stays until somebody deletes it", absent: "expires"},
	{name: "scripts do not run", method: "GET", path: "/", status: 200, absent: "<script"},
}

const (
	problem = "application/problem+json"
	page    = "text/html; charset=utf-8"
)

var form = []string{"Content-Type", "application/x-www-form-urlencoded"}

func TestContract(t *testing.T) {
	platforms := []struct {
		name string
		call func(*testing.T) caller
	}{
		{"HTTP with a directory", func(t *testing.T) caller { return overHTTP(serve(t, "NOTES_DIR="+t.TempDir())) }},
		{"HTTP with S3", func(t *testing.T) caller { return overHTTP(serve(t, newS3(t).env()...)) }},
		{"Lambda with S3", func(t *testing.T) caller {
			l := newLambda(t)
			start(t, newS3(t).env(l.env()...)...)
			return throughFunctionURL(l)
		}},
	}
	for _, platform := range platforms {
		t.Run(platform.name, func(t *testing.T) {
			seen := map[string]map[int]bool{} // statuses by route
			call := noting(seen, platform.call(t))
			for _, c := range expectations {
				t.Run(c.name, func(t *testing.T) {
					got := call(t, c.method, c.path, c.body, c.header...)
					assert.Equal(t, c.status, got.status, got.body)
					if c.content != "" {
						assert.Equal(t, c.content, got.header.Get("Content-Type"))
					}
					if whole, ok := strings.CutPrefix(c.want, "="); ok {
						assert.Equal(t, whole, got.body)
					} else {
						assert.Contains(t, got.body, c.want)
					}
					if c.absent != "" {
						assert.NotContains(t, got.body, c.absent)
					}
					for i := 0; i < len(c.headers); i += 2 {
						assert.Equal(t, c.headers[i+1], got.header.Get(c.headers[i]), c.headers[i])
					}
					if c.content == problem {
						var document map[string]any
						require.NoError(t, json.Unmarshal([]byte(got.body), &document))
						assert.EqualValues(t, c.status, document["status"])
						assert.NotEmpty(t, document["title"])
						assert.NotEmpty(t, document["detail"])
						assert.Equal(t, got.header.Get("X-Request-Id"), document["instance"])
					}
				})
			}
			t.Run("the hundredth note is the last", func(t *testing.T) {
				for _, key := range []string{"hello", "large", strings.Repeat("k", 64)} {
					require.Equal(t, 204, call(t, "DELETE", "/notes/"+key, "").status)
				}
				for i := range 100 {
					require.Equal(t, 201, call(t, "PUT", fmt.Sprintf("/notes/n%d", i), "x").status, i)
				}
				full := call(t, "PUT", "/notes/n100", "x")
				assert.Equal(t, 409, full.status)
				assert.Equal(t, problem, full.header.Get("Content-Type"))
				assert.Contains(t, full.body, "Delete one first")
				assert.Equal(t, 204, call(t, "PUT", "/notes/n99", "replaced").status, "replacing needs no room")
				require.Equal(t, 204, call(t, "DELETE", "/notes/n0", "").status)
				assert.Equal(t, 201, call(t, "PUT", "/notes/n100", "x").status, "deleting makes room")

				onPage := call(t, "POST", "/notes", "key=n101&text=typed", form...)
				assert.Equal(t, 409, onPage.status)
				assert.Equal(t, page, onPage.header.Get("Content-Type"))
				assert.Contains(t, onPage.body, "Delete one first.")
				assert.Contains(t, onPage.body, `value="n101"`)
			})
			t.Run("the form stands before the list", func(t *testing.T) {
				shown := call(t, "GET", "/", "").body
				assert.Less(t, strings.Index(shown, "Keep the note"), strings.Index(shown, `href="/notes/n1"`))
			})
			t.Run("each route answers what the contract lists", func(t *testing.T) {
				for _, route := range contract.Routes {
					name := route.Method + " " + route.Path
					// Stores that fail and CPUs that are busy have tests of their own.
					want := slices.DeleteFunc(slices.Clone(route.Statuses), func(status int) bool { return status == 429 || status >= 500 })
					assert.Equal(t, want, slices.Sorted(maps.Keys(seen[name])), name)
				}
			})
		})
	}
}

// noting returns call, and notes which route answered what. It leaves out what
// every route answers.
func noting(seen map[string]map[int]bool, call caller) caller {
	mux := http.NewServeMux()
	for _, route := range contract.Routes {
		mux.HandleFunc(route.Method+" "+route.Path, func(http.ResponseWriter, *http.Request) {})
	}
	return func(t testing.TB, method, path, body string, header ...string) answer {
		t.Helper()
		got := call(t, method, path, body, header...)
		target, err := url.Parse(path)
		if err != nil || slices.Contains([]int{403, 405, 431}, got.status) {
			return got
		}
		if _, route := mux.Handler(&http.Request{Method: method, URL: &url.URL{Path: target.Path}}); route != "" && !strings.Contains(got.body, "no such page") {
			if seen[route] == nil {
				seen[route] = map[int]bool{}
			}
			seen[route][got.status] = true
		}
		return got
	}
}

func TestInfoTellsWhereTheAppRuns(t *testing.T) {
	keys := []string{"platform", "controlPlane", "dataPlane", "region", "zone", "instance", "architecture", "limits", "version", "started", "uptime", "requests"}

	decode := func(t *testing.T, a answer) map[string]any {
		var info map[string]any
		require.NoError(t, json.Unmarshal([]byte(a.body), &info))
		for _, key := range keys {
			assert.Contains(t, info, key)
		}
		assert.Len(t, info, len(keys))
		return info
	}
	t.Run("locally", func(t *testing.T) {
		info := decode(t, overHTTP(serve(t, "NOTES_DIR="+t.TempDir()))(t, "GET", "/info", ""))
		assert.Equal(t, "local", info["platform"])
		assert.EqualValues(t, 2, info["requests"], "the health check that waited for the start, and this")
	})
	t.Run("on Lambda", func(t *testing.T) {
		l := newLambda(t)
		start(t, l.env("NOTES_DIR="+t.TempDir())...)
		info := decode(t, throughFunctionURL(l)(t, "GET", "/info", ""))
		assert.Equal(t, "Lambda", info["platform"])
		assert.Equal(t, "Firecracker", info["dataPlane"])
		assert.Equal(t, "us-east-1", info["region"])
		assert.EqualValues(t, 256, info["limits"].(map[string]any)["memoryMiB"])
	})
}
