// Package cdktest synthesizes stacks in tests the way `cdk synth` does and
// reports mismatches as test failures. It imports testing; only tests use it.
//
// Two rules come from jsii, which serves a whole test binary from one process
// that takes one request at a time. Tests must not call t.Parallel: concurrent
// requests crash. Tests must not call jsii.Close: it races with jsii's own
// cleanup under `go test -race`, and the process stops with the binary anyway.
package cdktest

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	"github.com/aws/jsii-runtime-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"refdeploy/internal/assembly"
	"refdeploy/internal/project"
	"refdeploy/internal/settings"
)

var update = flag.Bool("update", false, "rewrite golden files")

// NewApp returns an app with the feature flags of cdk.json and the settings
// given as context. The CDK CLI passes the flags to a deployed app but not to a
// test, so awscdk.NewApp(nil) would test another template than the one that
// ships.
func NewApp(t testing.TB, context map[string]any) awscdk.App {
	t.Helper()
	all, err := project.Context()
	require.NoError(t, err)
	maps.Copy(all, context)
	all["aws:cdk:disable-asset-staging"] = true // no copies: tests deploy nothing
	return awscdk.NewApp(&awscdk.AppProps{
		Context:            &all,
		AnalyticsReporting: jsii.Bool(false), // as cdk.json's versionReporting
		Outdir:             jsii.String(t.TempDir()),
	})
}

// NewStack returns an empty stack in an app of its own.
func NewStack(t testing.TB) awscdk.Stack {
	t.Helper()
	return awscdk.NewStack(NewApp(t, nil), jsii.String("Test"), nil)
}

// A Stack is a synthesized stack.
type Stack struct {
	assembly.Stack
	cdk assertions.Template
	raw []byte
}

// Synth synthesizes everything in app, validation included, and returns its
// stacks by id. They stay readable after the test.
func Synth(t testing.TB, app awscdk.App) map[string]*Stack {
	t.Helper()
	var dir string
	if msg := Panic(func() { dir = *app.Synth(nil).Directory() }); msg != "" {
		require.Fail(t, "synthesis failed", msg)
	}
	return Read(t, dir)
}

// Read returns the stacks of the cloud assembly in dir by id.
func Read(t testing.TB, dir string) map[string]*Stack {
	t.Helper()
	read, err := assembly.Read(dir)
	require.NoError(t, err)
	stacks := map[string]*Stack{}
	for _, stack := range read {
		raw, err := os.ReadFile(filepath.Join(dir, stack.ID+".template.json"))
		require.NoError(t, err)
		stacks[stack.ID] = &Stack{Stack: stack, raw: raw, cdk: assertions.Template_FromString(jsii.String(string(raw)), nil)}
	}
	return stacks
}

// Whole returns the stacks, those that stand in the shared network with what
// they share as [assembly.Whole] does, for [Stack.Of] and what builds on it. Has
// and Golden still see the template alone.
func Whole(stacks map[string]*Stack) map[string]*Stack {
	var alone []assembly.Stack
	for _, stack := range stacks {
		alone = append(alone, stack.Stack)
	}
	whole := maps.Clone(stacks)
	for _, stack := range assembly.Whole(alone, settings.NetworkID) {
		whole[stack.ID] = &Stack{Stack: stack, raw: stacks[stack.ID].raw, cdk: stacks[stack.ID].cdk}
	}
	return whole
}

// SynthStack synthesizes the app of one stack and returns that stack.
func SynthStack(t testing.TB, stack awscdk.Stack) *Stack {
	t.Helper()
	return Synth(t, stack.Node().Root().(awscdk.App))[*stack.StackName()]
}

// JSON returns the template as it is deployed.
func (s *Stack) JSON() string { return string(s.raw) }

// Has reports an error unless some resource of the type has at least props.
func (s *Stack) Has(t testing.TB, resource string, props map[string]any) {
	t.Helper()
	if msg := Panic(func() { s.cdk.HasResourceProperties(&resource, props) }); msg != "" {
		assert.Fail(t, "no such resource", msg)
	}
}

// Count reports an error unless exactly n resources have the type.
func (s *Stack) Count(t testing.TB, resource string, n int) {
	t.Helper()
	assert.Len(t, s.Of(resource), n, resource)
}

// Of returns the resources of a type by logical id.
func (s *Stack) Of(resource string) map[string]assembly.Resource {
	found := map[string]assembly.Resource{}
	for id, r := range s.Template.Resources {
		if r.Type == resource {
			found[id] = r
		}
	}
	return found
}

// Only returns the one resource of a type.
func (s *Stack) Only(t testing.TB, resource string) assembly.Resource {
	t.Helper()
	found := s.Of(resource)
	require.Len(t, found, 1, resource)
	for _, r := range found {
		return r
	}
	return assembly.Resource{}
}

// Needs returns the logical ids of all that CloudFormation creates before the
// resource id and deletes after it: what it depends on or refers to, and what
// that does.
func (s *Stack) Needs(id string) map[string]bool {
	needs := map[string]bool{}
	var visit func(string)
	visit = func(id string) {
		r, ok := s.Template.Resources[id]
		if !ok || needs[id] {
			return // a parameter, a pseudo parameter, or seen before
		}
		needs[id] = true
		for _, other := range append(referred(r.Properties), r.DependsOn...) {
			visit(other)
		}
	}
	visit(id)
	delete(needs, id)
	return needs
}

// inSub matches a reference in Fn::Sub, with or without an attribute.
var inSub = regexp.MustCompile(`\$\{([A-Za-z0-9]+)(?:\.[A-Za-z0-9.]+)?\}`)

// referred returns the names that Ref, Fn::GetAtt and Fn::Sub name in a value.
func referred(value any) []string {
	var names []string
	switch v := value.(type) {
	case []any:
		for _, element := range v {
			names = append(names, referred(element)...)
		}
	case map[string]any:
		for key, element := range v {
			name, isString := element.(string)
			path, isList := element.([]any)
			switch {
			case key == "Ref" && isString:
				names = append(names, name)
			case key == "Fn::GetAtt" && isList:
				names = append(names, path[0].(string))
			case key == "Fn::Sub" && isString:
				for _, match := range inSub.FindAllStringSubmatch(name, -1) {
					names = append(names, match[1])
				}
			default:
				names = append(names, referred(element)...)
			}
		}
	}
	return names
}

// HasError reports an error unless some construct in stack is annotated with an
// error matching the regular expression.
func HasError(t testing.TB, stack awscdk.Stack, re string) {
	t.Helper()
	match := assertions.Match_StringLikeRegexp(&re)
	if msg := Panic(func() { assertions.Annotations_FromStack(stack).HasError(jsii.String("*"), match) }); msg != "" {
		assert.Fail(t, "no such annotation", msg)
	}
}

// Digests change whenever the app's source or the Go version does: of an asset,
// and of the function version that carries it. Golden files record that they
// are there, not which build it was.
var digests = []*regexp.Regexp{
	regexp.MustCompile(`[0-9a-f]{64}`),
	regexp.MustCompile(`(CurrentVersion[0-9A-F]{8})[0-9a-f]{32}`),
}

// Golden compares the template with the file at path, or rewrites the file when
// the test runs with -update.
func (s *Stack) Golden(t testing.TB, path string) {
	t.Helper()
	var indented bytes.Buffer
	require.NoError(t, json.Indent(&indented, s.raw, "", "  "))
	got := digests[0].ReplaceAllString(indented.String(), "ASSET")
	got = digests[1].ReplaceAllString(got, "${1}VERSION") + "\n"
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
		return
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "create it with -update")
	assert.Equal(t, string(want), got, "%s differs; run with -update and review `git diff`", path)
}

// Panic calls f and returns the message it panicked with, or "". The CDK
// reports every failure by panicking, failed assertions included, and an
// unrecovered panic would end the whole test binary.
func Panic(f func()) (msg string) {
	defer func() {
		if r := recover(); r != nil {
			msg = fmt.Sprint(r)
		}
	}()
	f()
	return ""
}
