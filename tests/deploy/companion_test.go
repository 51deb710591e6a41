//go:build deploy

package deploy_test

import (
	"encoding/json"
	"fmt"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"refdeploy/internal/catalog"
	"refdeploy/internal/doctor"
	"refdeploy/internal/smoke"
)

// examine asks doctor about the stacks of an assembly, and returns its checks by
// name.
func examine(t *testing.T, dir string, stacks ...string) (map[string]doctor.Check, error) {
	t.Helper()
	output, failed := refdeploy(nil, append([]string{"doctor", "--format", "json", "--assembly", dir}, stacks...)...)
	checks := map[string]doctor.Check{}
	for _, c := range parse[[]doctor.Check](t, output) {
		checks[c.Name] = c
	}
	return checks, failed
}

// failing returns the check that doctor fails, and only that, for the stack that
// the faults use.
func failing(t *testing.T, dir, name string) doctor.Check {
	t.Helper()
	checks, failed := examine(t, dir, quick)
	assert.ErrorContains(t, failed, "doctor: 1 of")
	assert.Equal(t, doctor.Fail, checks[name].Status, checks)
	return checks[name]
}

// parse reads JSON.
func parse[T any](t *testing.T, output string) (value T) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(output), &value), output)
	return value
}

func TestDoctorSaysWhatTheEmulatorAnswersAndWhatItDoesNot(t *testing.T) {
	if !pinned {
		t.Skip("what an emulator can be asked is only known of the pinned one")
	}
	bootstrap(t)
	checks, failed := examine(t, synth(t))
	assert.NoError(t, failed)
	outcome := map[string]doctor.Status{}
	for name, c := range checks {
		outcome[name] = c.Status
	}
	assert.Equal(t, map[string]doctor.Status{
		"credentials":                doctor.Pass,
		"CDK CLI":                    doctor.Pass,
		"container builder":          doctor.Pass,
		"CDK bootstrap":              doctor.Pass,
		"stacks":                     doctor.Pass,
		"VPCs":                       doctor.Unknown,
		"Elastic IPs":                doctor.Unknown,
		"availability zones for EKS": doctor.Pass,
		"service-linked roles":       doctor.Warn,
		"App Runner":                 doctor.Unknown,
		"default VPC":                doctor.Pass,
		"Lambda concurrency":         doctor.Pass,
		"cost":                       doctor.Pass,
	}, outcome)
	assert.Contains(t, checks["credentials"].Says, account)
	assert.Equal(t, "none of them is deployed yet", checks["stacks"].Says)
	assert.Contains(t, checks["service-linked roles"].Mend, "aws iam create-service-linked-role --aws-service-name eks.amazonaws.com")
	for name, asked := range map[string]string{
		"VPCs": "servicequotas:GetServiceQuota", "Elastic IPs": "servicequotas:GetServiceQuota", "App Runner": "apprunner:ListServices",
	} {
		assert.Equal(t, "not checked: "+asked+": the endpoint answers status 400 without a reason, as an emulator does for what it does not have", checks[name].Says)
	}
}

// smokes asks smoke about the stacks, or all, and returns its results by stack.
func smokes(t *testing.T, stacks ...string) (map[string]smoke.Result, error) {
	t.Helper()
	output, failed := refdeploy(internet(t), append([]string{"smoke", "--wait", "0s", "--format", "json"}, stacks...)...)
	results := map[string]smoke.Result{}
	for _, r := range parse[[]smoke.Result](t, output) {
		results[r.Name] = r
	}
	return results, failed
}

// native is the architecture of the machine, whose programs the emulator can run.
func native() string {
	if runtime.GOARCH == "arm64" {
		return "arm64"
	}
	return "x86_64"
}

func TestTheFunctionPassesTheSmokeTest(t *testing.T) {
	if !pinned {
		t.Skip("only of the pinned emulator it is known that a function URL answers")
	}
	bootstrap(t)
	before := must(t, exists)
	dir := synth(t, "stacks="+quick, "architecture="+native())
	output, err := try(dir, deployIt...)
	require.NoError(t, err, tail(output))

	results, failed := smokes(t)
	assert.NoError(t, failed)
	got := results[quick]
	assert.Empty(t, got.Failures)
	assert.Greater(t, got.Passed, 20)
	assert.Equal(t, smoke.Info{Platform: "Lambda", DataPlane: "Firecracker", Region: region, Architecture: native(), Version: got.RunsOn.Version}, got.RunsOn)
	assert.NotZero(t, got.P50)
	assert.Empty(t, keys(t, notes(t, quick)), "a note that smoke wrote stays")
	fmt.Printf("smoke: %s passed %d of %d checks\n", quick, got.Passed, got.Checks)

	output, err = try(dir, "destroy", "--force")
	require.NoError(t, err, tail(output))
	assert.Empty(t, left(t, before))
}

// silent holds that smoke says of each deployment with an address that nothing
// answers there, and that it wrote nothing. The function is left out: whether it
// answers depends on the machine's architecture.
func silent(t *testing.T) {
	t.Helper()
	if !pinned {
		return // on another emulator, something may answer
	}
	var asked []string
	for _, id := range catalog.IDs() {
		if id != quick && address(t, id) != "" {
			asked = append(asked, id)
		}
	}
	require.NotEmpty(t, asked)
	results, failed := smokes(t, asked...)
	assert.Error(t, failed)
	for _, id := range asked {
		require.Len(t, results[id].Failures, 1, id)
		failure := results[id].Failures[0]
		assert.Equal(t, "GET /readyz", failure.Request, id)
		assert.Regexp(t, `^expected status 200 within 0s, got (503|Bad Gateway)$`, failure.Differs[0], id)
		assert.Equal(t, []string{written}, keys(t, notes(t, id)), "%s: smoke wrote", id)
	}
}
