package main

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A cloud serves the APIs of AWS as far as the commands ask. Answers are by
// operation, such as DescribeStacks: a value for JSON, a string as it is, a
// refusal, or a status without a reason.
type cloud struct {
	answers map[string]any

	mu      sync.Mutex
	asked   []string // operations
	actions []string // the same as IAM names them
}

// refusal is an error as AWS answers it.
type refusal struct {
	status int
	code   string
}

// newCloud serves an account with the answers, and lets the commands ask it.
func newCloud(t *testing.T, answers map[string]any) *cloud {
	t.Helper()
	c := &cloud{answers: map[string]any{
		"GetCallerIdentity": `<GetCallerIdentityResponse><GetCallerIdentityResult><Account>111122223333</Account><Arn>arn:aws:iam::111122223333:user/someone</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>`,
	}}
	for operation, answer := range answers {
		c.answers[operation] = answer
	}
	withoutAccount(t)
	t.Setenv("AWS_ACCESS_KEY_ID", "test")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "test")
	t.Setenv("AWS_REGION", "us-east-1")
	t.Setenv("AWS_ENDPOINT_URL", serve(t, c).URL)
	return c
}

// withoutAccount takes away what leads to an account.
func withoutAccount(t *testing.T) {
	t.Helper()
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_MAX_ATTEMPTS", "1")
	t.Setenv("AWS_CONFIG_FILE", "/dev/null")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_WEB_IDENTITY_TOKEN_FILE"} {
		t.Setenv(name, "")
	}
}

func (c *cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	query := false
	operation := r.Header.Get("X-Amz-Target")
	operation = operation[strings.LastIndex(operation, ".")+1:]
	if operation == "" {
		form, _ := url.ParseQuery(string(body))
		operation, query = form.Get("Action"), form.Get("Action") != ""
	}
	if operation == "" { // an API of paths
		operation = r.Method + " " + r.URL.Path
	}
	c.mu.Lock()
	c.asked = append(c.asked, operation)
	c.actions = append(c.actions, action(r.Header.Get("Authorization"), operation))
	c.mu.Unlock()
	answer, ok := c.answers[operation]
	if f, is := answer.(func(body string) any); is {
		answer = f(string(body))
	}
	if !ok {
		answer = refusal{400, "NotServed"}
	}
	switch answer := answer.(type) {
	case refusal:
		if query {
			w.Header().Set("Content-Type", "text/xml")
			w.WriteHeader(answer.status)
			if strings.Contains(r.Header.Get("Authorization"), "/ec2/aws4_request") {
				fmt.Fprintf(w, `<Response><Errors><Error><Code>%s</Code><Message>no %s</Message></Error></Errors><RequestID>1</RequestID></Response>`, answer.code, operation)
				return
			}
			fmt.Fprintf(w, `<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>no %s</Message></Error><RequestId>1</RequestId></ErrorResponse>`, answer.code, operation)
			return
		}
		if strings.Contains(r.Header.Get("Authorization"), "/s3/aws4_request") {
			w.WriteHeader(answer.status)
			fmt.Fprintf(w, `<Error><Code>%s</Code><Message>no %s</Message></Error>`, answer.code, operation)
			return
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		w.Header().Set("X-Amzn-Errortype", answer.code)
		w.WriteHeader(answer.status)
		fmt.Fprintf(w, `{"__type":%q,"message":"no %s"}`, answer.code, operation)
	case int: // a status without a reason
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(answer)
		fmt.Fprintf(w, `{"error":"Unsupported service"}`)
	case string:
		w.Header().Set("Content-Type", "text/xml")
		io.WriteString(w, answer)
	default:
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		json.NewEncoder(w).Encode(answer)
	}
}

// architecture is this machine's, as AWS calls it.
var architecture = strings.NewReplacer("amd64", "x86_64").Replace(runtime.GOARCH)

// action is what IAM has to allow for an operation of the service that a request
// was signed for.
func action(authorization, operation string) string {
	_, scope, _ := strings.Cut(authorization, "Credential=")
	parts := strings.Split(scope, "/")
	if len(parts) < 4 {
		return "not signed: " + operation
	}
	service := strings.NewReplacer("tagging", "tag").Replace(parts[3])
	switch {
	case service == "s3":
		operation = "ListBucket"
	case service == "lambda":
		operation = "GetAccountSettings"
	}
	return service + ":" + operation
}

// standing is a stack that CloudFormation has.
type standing struct {
	id, status string
	outputs    map[string]string
	template   string
}

// cloudFormation answers for the stacks, in pages of one.
func cloudFormation(stacks ...standing) map[string]any {
	escape := func(s string) string {
		var b strings.Builder
		_ = xml.EscapeText(&b, []byte(s))
		return b.String()
	}
	return map[string]any{
		"DescribeStacks": func(body string) any {
			form, _ := url.ParseQuery(body)
			at := 0
			fmt.Sscan(form.Get("NextToken"), &at)
			var b strings.Builder
			b.WriteString(`<DescribeStacksResponse><DescribeStacksResult><Stacks>`)
			if at < len(stacks) {
				s := stacks[at]
				fmt.Fprintf(&b, `<member><StackName>%s</StackName><StackId>arn:aws:cloudformation:us-east-1:111122223333:stack/%[1]s/1</StackId><StackStatus>%s</StackStatus><CreationTime>2026-11-27T00:00:00Z</CreationTime><Tags><member><Key>refdeploy:stack</Key><Value>%[1]s</Value></member><member><Key>refdeploy:architecture</Key><Value>%[3]s</Value></member></Tags><Outputs>`, s.id, s.status, architecture)
				for key, value := range s.outputs {
					fmt.Fprintf(&b, `<member><OutputKey>%s</OutputKey><OutputValue>%s</OutputValue></member>`, key, escape(value))
				}
				b.WriteString(`</Outputs></member>`)
			}
			b.WriteString(`</Stacks>`)
			if at+1 < len(stacks) {
				fmt.Fprintf(&b, `<NextToken>%d</NextToken>`, at+1)
			}
			b.WriteString(`</DescribeStacksResult></DescribeStacksResponse>`)
			return b.String()
		},
		"GetTemplate": func(body string) any {
			form, _ := url.ParseQuery(body)
			for _, s := range stacks {
				if s.id == form.Get("StackName") {
					return `<GetTemplateResponse><GetTemplateResult><TemplateBody>` + escape(s.template) + `</TemplateBody></GetTemplateResult></GetTemplateResponse>`
				}
			}
			return refusal{400, "ValidationError"}
		},
	}
}

// What an account answers when it does not work is one line that says what to
// do, for every command that asks it.
func TestAnAccountThatDoesNotAnswerIsOneLine(t *testing.T) {
	for name, tt := range map[string]struct {
		set  func(t *testing.T)
		want string
	}{
		"no credentials":  {withoutAccount, "credentials: found none that work ("},
		"no region":       {func(t *testing.T) { newCloud(t, nil); t.Setenv("AWS_REGION", "") }, "region: none is set; say --region, for example --region us-east-1, or set AWS_REGION"},
		"no such profile": {func(t *testing.T) { newCloud(t, nil); t.Setenv("AWS_PROFILE", "nobody") }, "credentials: failed to get shared config profile, nobody"},
		"expired":         {func(t *testing.T) { newCloud(t, map[string]any{"GetCallerIdentity": refusal{403, "ExpiredToken"}}) }, "credentials: the session's token has expired; sign in again, for example with `aws sso login`"},
		"invalid": {func(t *testing.T) {
			newCloud(t, map[string]any{"GetCallerIdentity": refusal{403, "InvalidClientTokenId"}})
		}, "credentials: AWS does not take them (InvalidClientTokenId)"},
		"throttled":     {func(t *testing.T) { newCloud(t, map[string]any{"DescribeStacks": refusal{400, "Throttling"}}) }, "throttled: AWS answers cloudformation:DescribeStacks too rarely just now (Throttling); wait a minute"},
		"refused":       {func(t *testing.T) { newCloud(t, map[string]any{"DescribeStacks": refusal{403, "AccessDenied"}}) }, "permission: AWS refuses cloudformation:DescribeStacks"},
		"unreachable":   {func(t *testing.T) { newCloud(t, nil); t.Setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1") }, "network: sts:GetCallerIdentity cannot be reached: connect"},
		"another error": {func(t *testing.T) { newCloud(t, map[string]any{"DescribeStacks": refusal{400, "ValidationError"}}) }, "cloudformation:DescribeStacks: ValidationError: no DescribeStacks"},
	} {
		t.Run(name, func(t *testing.T) {
			tt.set(t)
			if name == "no credentials" {
				t.Setenv("AWS_REGION", "us-east-1")
			}
			for _, command := range askingCommands {
				stdout, stderr, err := run(command...)
				require.Error(t, err)
				assert.Empty(t, stdout, command)
				assert.Contains(t, stderr, tt.want, command)
				assert.Equal(t, 1, strings.Count(stderr, "\n"), "%v: %s", command, stderr)
				assert.NotContains(t, stderr, "RequestID", command)
			}
		})
	}
}

// askingCommands need an account for everything that they do.
var askingCommands = [][]string{{"smoke"}, {"sweep"}}
