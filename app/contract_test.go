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

// What the tests of this package say in the contract's words.
const (
	problem = "application/problem+json"
	page    = "text/html; charset=utf-8"
)

var form = []string{"Content-Type", "application/x-www-form-urlencoded"}

// Every platform answers the same. The requests run in order against one store
// that is empty at first.
func TestContract(t *testing.T) {
	platforms := []struct {
		name string
		call func(*testing.T) caller
	}{
		{"HTTP with a directory", func(t *testing.T) caller { return overHTTP(serve(t, "NOTES_DIR="+t.TempDir())) }},
		{"HTTP with S3", func(t *testing.T) caller { return overHTTP(serve(t, newS3(t).Env()...)) }},
		{"Lambda with S3", func(t *testing.T) caller {
			l := newLambda(t)
			start(t, newS3(t).Env(l.Env()...)...)
			return l.Call
		}},
	}
	for _, platform := range platforms {
		t.Run(platform.name, func(t *testing.T) {
			seen := map[string]map[int]bool{} // statuses by route
			call := noting(seen, platform.call(t))
			for _, r := range contract.Requests("") {
				t.Run(r.Name, func(t *testing.T) {
					got := call(t, r.Method, r.Path, r.Body, r.Header...)
					assert.Empty(t, r.Differs(got))
				})
			}
			t.Run("the hundredth note is the last", func(t *testing.T) {
				for _, key := range []string{"hello", "large", strings.Repeat("k", 64)} {
					require.Equal(t, 204, call(t, "DELETE", "/notes/"+key, "").Status)
				}
				for i := range 100 {
					require.Equal(t, 201, call(t, "PUT", fmt.Sprintf("/notes/n%d", i), "x").Status, i)
				}
				full := call(t, "PUT", "/notes/n100", "x")
				assert.Equal(t, 409, full.Status)
				assert.Equal(t, problem, full.Header.Get("Content-Type"))
				assert.Contains(t, full.Body, "Delete one first")
				assert.Equal(t, 204, call(t, "PUT", "/notes/n99", "replaced").Status, "replacing needs no room")
				require.Equal(t, 204, call(t, "DELETE", "/notes/n0", "").Status)
				assert.Equal(t, 201, call(t, "PUT", "/notes/n100", "x").Status, "deleting makes room")

				onPage := call(t, "POST", "/notes", "key=n101&text=typed", form...)
				assert.Equal(t, 409, onPage.Status)
				assert.Equal(t, page, onPage.Header.Get("Content-Type"))
				assert.Contains(t, onPage.Body, "Delete one first.")
				assert.Contains(t, onPage.Body, `value="n101"`)
			})
			t.Run("the form stands before the list", func(t *testing.T) {
				shown := call(t, "GET", "/", "").Body
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
		if err != nil || slices.Contains([]int{403, 405, 431}, got.Status) {
			return got
		}
		if _, route := mux.Handler(&http.Request{Method: method, URL: &url.URL{Path: target.Path}}); route != "" && !strings.Contains(got.Body, "no such page") {
			if seen[route] == nil {
				seen[route] = map[int]bool{}
			}
			seen[route][got.Status] = true
		}
		return got
	}
}

func TestInfoTellsWhereTheAppRuns(t *testing.T) {
	keys := []string{"platform", "controlPlane", "dataPlane", "region", "zone", "instance", "architecture", "limits", "version", "started", "uptime", "requests"}

	decode := func(t *testing.T, a answer) map[string]any {
		var info map[string]any
		require.NoError(t, json.Unmarshal([]byte(a.Body), &info))
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
		start(t, l.Env("NOTES_DIR="+t.TempDir())...)
		info := decode(t, l.Call(t, "GET", "/info", ""))
		assert.Equal(t, "Lambda", info["platform"])
		assert.Equal(t, "Firecracker", info["dataPlane"])
		assert.Equal(t, "us-east-1", info["region"])
		assert.EqualValues(t, 256, info["limits"].(map[string]any)["memoryMiB"])
	})
}
