package main

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"refdeploy/internal/report"
)

// The assemblies in testdata were written by the CDK 2.270.0: `stages` by an app
// with a stage in a stage and a stack that is called as one of ours, `mine` by
// one with a service of ecs-patterns, a nested stack, a condition and an empty
// stack, `nested` by one whose stack is a network and a service in nested stacks,
// with a log group nested in the latter.
const stages, parts, nested = "testdata/stages", "testdata/mine", "testdata/nested"

// compared returns the JSON of a comparison, as Go and as anybody reads it.
func compared(t *testing.T, args ...string) (r report.Report, raw map[string]map[string]any, stderr string) {
	t.Helper()
	stdout, stderr, err := run(append([]string{"compare", "--format", "json"}, args...)...)
	require.NoError(t, err, stderr)
	require.NoError(t, json.Unmarshal([]byte(stdout), &r))
	var decoded struct{ Deployments []map[string]any }
	require.NoError(t, json.Unmarshal([]byte(stdout), &decoded))
	raw = map[string]map[string]any{}
	for _, d := range decoded.Deployments {
		raw[d["id"].(string)] = d
	}
	return r, raw, stderr
}

func TestYourStackStandsBesideOurs(t *testing.T) {
	r, raw, _ := compared(t, "EcsFargate", "--assembly", parts, "MyService", "--rps", "20")
	require.Len(t, r.Deployments, 2)
	ours, yours := r.Deployments[0], r.Deployments[1]
	assert.Equal(t, "EcsFargate", ours.ID)
	assert.Equal(t, "MyService", yours.ID)
	assert.Equal(t, "sandbox", r.Settings["profile"], "ours was synthesized")

	// What the template tells.
	assert.Equal(t, 25, yours.Resources.Total)
	assert.Equal(t, 2, yours.IAM.Roles)
	assert.Equal(t, []report.Exposure{{Port: 80, ToPort: 80, CIDR: "0.0.0.0/0", Resource: "ServiceLBE9A1ADBC"}}, yours.Exposure)
	assert.Equal(t, "speaks HTTP", yours.Storage[0].Says)
	assert.Equal(t, "kept for ever", yours.Logs[0].Says)
	// Two tasks of 0.5 vCPU and 1 GB, on x86.
	items := map[string]float64{}
	for _, line := range yours.MonthlyUSD.Lines {
		items[line.Item] += line.Quantity
	}
	assert.InDelta(t, 2*0.5*730, items["Fargate vCPU"], 0.01)
	assert.InDelta(t, 2*1*730, items["Fargate memory"], 0.01)
	assert.Empty(t, yours.MonthlyUSD.Unpriced)
	assert.Empty(t, r.NotRanked, "its bill is complete")

	// What only the catalog knows.
	assert.True(t, ours.InCatalog)
	assert.False(t, yours.InCatalog)
	for _, key := range []string{"status", "controlPlane", "dataPlane", "outside", "identity", "duties", "limits", "needs", "leftovers"} {
		assert.NotNil(t, raw["EcsFargate"][key], key)
		value, ok := raw["MyService"][key]
		assert.True(t, ok, "%s is there", key)
		assert.Nil(t, value, key)
	}

	table, _, err := run("diff", "MyService", "EcsFargate", "--assembly", parts)
	require.NoError(t, err)
	assert.Contains(t, table, "~ control plane\n      from –\n      to   ECS\n")
	assert.NotContains(t, table, "To learn")
}

// script is a program of the HTML page, whose letters spell anything.
var script = regexp.MustCompile(`(?s)<script.*?</script>`)

func TestEveryFormatTakesYourStacks(t *testing.T) {
	for _, format := range report.Formats() {
		for _, dir := range []string{stages, parts} {
			stdout, stderr, err := run("compare", "--assembly", dir, "--format", format)
			require.NoError(t, err, stderr)
			assert.NotEmpty(t, stdout)
			assert.False(t, strings.Contains(script.ReplaceAllString(stdout, ""), "NaN"), format)
		}
	}
}

func TestStagesAreReadAsTheCDKNamesTheirStacks(t *testing.T) {
	r, _, stderr := compared(t, "--assembly", stages)
	var ids []string
	for _, d := range r.Deployments {
		ids = append(ids, d.ID)
		assert.False(t, d.InCatalog, d.ID)
	}
	assert.Equal(t, []string{"Dev/Inner/Jobs", "Dev/Web", "Lambda"}, ids)
	assert.Contains(t, stderr, "Lambda: the stack of this name in testdata/stages is not refdeploy's")
	one, _, _ := compared(t, "Dev/Web", "--assembly", stages)
	require.Len(t, one.Deployments, 1)
	assert.Equal(t, "Dev/Web", one.Deployments[0].ID)
}

func TestABillWithPartsMissingIsNotCalledCheap(t *testing.T) {
	r, _, _ := compared(t, "--assembly", stages)
	assert.Equal(t, []string{"Dev/Inner/Jobs", "Lambda"}, r.NotRanked)
	for _, c := range r.Cheapest {
		assert.NotContains(t, c.IDs, "Lambda")
	}
	for _, d := range r.Deployments {
		if d.ID == "Lambda" {
			assert.Contains(t, d.MonthlyUSD.Unpriced, "AWS::ApiGateway::RestApi")
			assert.Contains(t, d.MonthlyUSD.Unpriced, "AWS::DynamoDB::GlobalTable")
			assert.Equal(t, []report.Exposure{{Port: 443, ToPort: 443, CIDR: "0.0.0.0/0", Resource: "ApiF70053CD"}}, d.Exposure)
		}
	}
}

func TestWhatIsKnownOnDeployOnlyIsNamed(t *testing.T) {
	r, _, _ := compared(t, "Parts", "--assembly", parts)
	d := r.Deployments[0]
	assert.Empty(t, d.Unread, "the nested stack is read")
	assert.Equal(t, 1, d.Resources.ByType["AWS::SNS::Topic"], "of the nested stack")
	assert.Equal(t, []report.Exposure{{Port: 8000, ToPort: 8999, CIDR: "0.0.0.0/0", Resource: "Balancer71DDC9D9"}}, d.Exposure, "what a condition may open is open")
}

func TestNestedStacksAreCountedAndBilledWithTheirStack(t *testing.T) {
	r, _, _ := compared(t, "--assembly", nested)
	require.Len(t, r.Deployments, 1)
	d := r.Deployments[0]
	assert.Equal(t, "Web", d.ID)
	assert.Empty(t, d.Unread)
	assert.Equal(t, 3, d.Resources.ByType["AWS::CloudFormation::Stack"])
	assert.Equal(t, 1, d.Resources.ByType["AWS::EC2::NatGateway"])
	assert.Equal(t, 1, d.Resources.ByType["AWS::Logs::LogGroup"], "also of one that is nested in a nested one")
	items := map[string]float64{}
	for _, line := range d.MonthlyUSD.Lines {
		items[line.Item] += line.Quantity
	}
	assert.InDelta(t, 2*0.5*730, items["Fargate vCPU"], 0.01)
	assert.InDelta(t, 730, items["NAT gateway"], 0.01, items)
	assert.Equal(t, []string{"Web"}, r.Cheapest[0].IDs, "its bill is complete")
}

func TestAnnotationsReachTheUserALineEach(t *testing.T) {
	_, _, stderr := compared(t, "--assembly", parts)
	lines := strings.Split(strings.TrimSpace(stderr), "\n")
	require.Len(t, lines, 3, stderr)
	assert.Equal(t, "Empty: its template has no resources, so there is nothing to compare", lines[0])
	assert.True(t, strings.HasPrefix(lines[1], "MyService: warning: Enable the 'circuitBreaker' property"), lines[1])
	assert.Equal(t, "Parts: error: no such thing", lines[2])

	_, _, stderr = compared(t, "Dev/Web", "--assembly", stages)
	assert.Contains(t, stderr, "Dev/Web: warning: one zone would do\n", "also when it has two lines")
	_, _, stderr = compared(t, "Parts", "--assembly", parts)
	assert.Equal(t, "Parts: error: no such thing\n", stderr, "of the stacks that were named only")
}
