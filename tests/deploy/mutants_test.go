//go:build deploy

package deploy_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestMutants deploys the broken templates of tests/mutations, one after the
// other, and removes them again. It writes which of them went another way than
// the template as it is: to the file "deployed.json" in their directory.
func TestMutants(t *testing.T) {
	dir := os.Getenv("REFDEPLOY_MUTANTS")
	if dir == "" || !pinned {
		t.Skip("`make mutations` runs it, on the pinned emulator")
	}
	bootstrap(t)
	paths, err := filepath.Glob(filepath.Join(dir, "*", "profile-*", "*.template.json"))
	require.NoError(t, err)
	slices.SortFunc(paths, func(a, b string) int { // what is as it is, first
		return strings.Compare(strings.Replace(a, "/untouched/", "/!/", 1), strings.Replace(b, "/untouched/", "/!/", 1))
	})
	concerned := map[string][]string{} // stacks, by profile
	for _, path := range paths {
		profile, stack := kind(path)
		if !untouched(path) && changed(t, dir, path) && !slices.Contains(concerned[profile], stack) {
			concerned[profile] = append(concerned[profile], stack)
		}
	}
	// A function whose code is not uploaded never answers.
	for profile, stacks := range concerned {
		args := []string{"publish-assets", "--unstable", "publish-assets", "--app", synth(t, "profile="+profile)}
		output, err := cdk(append(args, stacks...)...)
		require.NoError(t, err, tail(output))
	}

	usual, noticed := map[string]string{}, map[string]string{}
	for _, path := range paths {
		profile, stack := kind(path)
		if !slices.Contains(concerned[profile], stack) || !untouched(path) && !changed(t, dir, path) {
			continue
		}
		body, err := json.Marshal(decoded(t, path)) // CloudFormation counts the spaces too
		require.NoError(t, err)
		mutant := filepath.Base(filepath.Dir(filepath.Dir(path)))
		// A name of its own, because what one leaves would be in the next one's way.
		got := live(t, stack+"-"+profile+"-"+mutant, string(body))
		if untouched(path) {
			usual[profile+stack] = got
			fmt.Println(profile, stack, got)
		} else if got != usual[profile+stack] {
			noticed[mutant] = got
			fmt.Println(mutant, profile, stack, got)
		}
	}
	result, err := json.Marshal(noticed)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "deployed.json"), result, 0o644))
}

// kind tells which profile and stack a template is of.
func kind(path string) (profile, stack string) {
	return strings.TrimPrefix(filepath.Base(filepath.Dir(path)), "profile-"), strings.TrimSuffix(filepath.Base(path), ".template.json")
}

func untouched(path string) bool { return strings.Contains(path, "/untouched/") }

// changed reports whether a template differs from that of the stack as it is.
func changed(t *testing.T, dir, path string) bool {
	t.Helper()
	profile, stack := kind(path)
	was, is := decoded(t, filepath.Join(dir, "untouched", "profile-"+profile, stack+".template.json")), decoded(t, path)
	return !reflect.DeepEqual(was, is)
}

func decoded(t *testing.T, path string) (template any) {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &template))
	return template
}

// live creates a stack from a template, writes a note and deletes the stack. It
// tells how that went, and of which kinds something is left.
func live(t *testing.T, stack, template string) string {
	t.Helper()
	before := must(t, exists)
	_, err := call("cloudformation", "CreateStack", "StackName", stack, "TemplateBody", template, "Capabilities.member.1", "CAPABILITY_NAMED_IAM")
	if err != nil {
		return "refused"
	}
	tale := []string{settled(t, stack)}
	if tale[0] == "CREATE_COMPLETE" {
		all, err := resources(stack)
		require.NoError(t, err)
		for _, r := range all {
			switch {
			case r.Type == "AWS::S3::Bucket" && strings.HasPrefix(r.Logical, "Notes"):
				require.NoError(t, write(r.Physical, written))
			case r.Type == balancer: // as its page says under "Tear down"
				_, err := call("elasticloadbalancing", "ModifyLoadBalancerAttributes", "LoadBalancerArn", r.Physical,
					"Attributes.member.1.Key", "deletion_protection.enabled", "Attributes.member.1.Value", "false")
				require.NoError(t, err)
			}
		}
	}
	_, err = call("cloudformation", "DeleteStack", "StackName", stack)
	require.NoError(t, err)
	tale = append(tale, settled(t, stack))
	for _, item := range left(t, before) {
		kind, _, _ := strings.Cut(item, " ")
		tale = append(tale, kind)
	}
	slices.Sort(tale[2:])
	return strings.Join(tale, " ")
}

// settled waits until CloudFormation is done with a stack, and returns its
// status, "" when it is gone.
func settled(t *testing.T, stack string) string {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(100 * time.Millisecond) {
		got := status(stack)
		if !strings.HasSuffix(got, "_IN_PROGRESS") {
			return got
		}
		if time.Now().After(end) {
			return got // it waits for an answer that does not come
		}
	}
}
