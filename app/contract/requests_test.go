package contract_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"refdeploy/app/contract"
)

func TestAnAnswerThatDiffersIsSaidInWords(t *testing.T) {
	right := func() contract.Answer {
		return contract.Answer{
			Status: 404,
			Header: http.Header{"Content-Type": {"application/problem+json"}, "X-Request-Id": {"1"}, "Allow": {"GET"}},
			Body:   `{"status":404,"title":"Not Found","detail":"no such note","instance":"1"}`,
		}
	}
	request := contract.Request{Status: 404, Content: "application/problem+json", Want: "no such note", Absent: "stack trace", Answers: []string{"Allow", "GET"}}
	assert.Empty(t, request.Differs(right()))

	for want, change := range map[string]func(*contract.Answer){
		"expected status 404, got 200":                                     func(a *contract.Answer) { a.Status = 200 },
		`expected Content-Type application/problem+json, got "text/html"`:  func(a *contract.Answer) { a.Header.Set("Content-Type", "text/html") },
		`expected a body with "no such note"`:                              func(a *contract.Answer) { a.Body = strings.Replace(a.Body, "note", "page", 1) },
		`expected a body without "stack trace"`:                            func(a *contract.Answer) { a.Body = strings.Replace(a.Body, "note", "note: stack trace", 1) },
		`expected Allow: GET, got "PUT"`:                                   func(a *contract.Answer) { a.Header.Set("Allow", "PUT") },
		"expected status 404 in the problem document, got 500":             func(a *contract.Answer) { a.Body = strings.Replace(a.Body, "404", "500", 1) },
		"expected a title and a detail in the problem document":            func(a *contract.Answer) { a.Body = strings.Replace(a.Body, "Not Found", "", 1) },
		`expected the request's id "2" as the problem's instance, got "1"`: func(a *contract.Answer) { a.Header.Set("X-Request-Id", "2") },
		`expected a problem document, got "<html>no such note`:             func(a *contract.Answer) { a.Body = "<html>no such note" + strings.Repeat("x", 200) },
	} {
		got := right()
		change(&got)
		assert.Contains(t, strings.Join(request.Differs(got), "\n"), want)
	}
	whole := contract.Request{Status: 200, Want: "=as it is"}
	assert.Equal(t, []string{`expected the body "as it is", got "as it is not"`}, whole.Differs(contract.Answer{Status: 200, Body: "as it is not"}))
}

func TestNotesOfAPrefixMeetNobodyElses(t *testing.T) {
	const prefix = "mine-"
	for _, r := range contract.Requests(prefix) {
		if key, ok := strings.CutPrefix(r.Path, "/notes/"); ok && !strings.HasPrefix(key, ".") {
			assert.True(t, strings.HasPrefix(key, prefix), r.Name)
		}
		if strings.HasPrefix(r.Body, "key=") {
			assert.True(t, strings.HasPrefix(r.Body, "key="+prefix), r.Name)
		}
		if r.Name == "the longest key fits" {
			assert.Len(t, strings.TrimPrefix(r.Path, "/notes/"), contract.MaxKeyLength)
		}
	}
}
