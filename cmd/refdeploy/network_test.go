package main

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"refdeploy/internal/report"
)

// What a deployment costs does not depend on whose stack holds its network: the
// NAT gateways, their addresses and what goes through them stay in its bill.
func TestAStackInASharedNetworkCostsWhatItCostsAlone(t *testing.T) {
	compare := func(network string) report.Report {
		stdout, stderr, err := run("compare", "EcsEc2", "EcsFargate", "EksEc2", "--usage", "medium", "--format", "json", "-c", "profile=production", "-c", "network="+network)
		require.NoError(t, err, stderr)
		var r report.Report
		require.NoError(t, json.Unmarshal([]byte(stdout), &r))
		require.Len(t, r.Deployments, 3)
		return r
	}
	own, shared := compare("own"), compare("shared")
	assert.Equal(t, "shared", shared.Settings["network"])
	assert.Contains(t, shared.Header(), "in a shared network, which is whole in each bill and paid once")
	assert.NotContains(t, own.Header(), "network")
	for i, d := range shared.Deployments {
		was := own.Deployments[i]
		assert.InDelta(t, was.MonthlyUSD.Total, d.MonthlyUSD.Total, 0.001, d.ID)
		assert.Equal(t, amounts(was), amounts(d), d.ID)
		assert.Equal(t, was.MonthlyUSD.Unpriced, d.MonthlyUSD.Unpriced, d.ID)
		assert.Equal(t, was.Exposure, d.Exposure, d.ID)
	}
}

// amounts returns what each item costs.
func amounts(d report.Deployment) map[string]float64 {
	byItem := map[string]float64{}
	for _, line := range d.MonthlyUSD.Lines {
		byItem[line.Item] += line.USD
	}
	return byItem
}

func TestTheBudgetIsNoDeployment(t *testing.T) {
	stdout, stderr, err := run("compare", "--format", "json", "-c", "stacks=Lambda", "-c", "budgetUSD=20", "-c", "budgetEmail=me@example.com")
	require.NoError(t, err, stderr)
	var r report.Report
	require.NoError(t, json.Unmarshal([]byte(stdout), &r))
	require.Len(t, r.Deployments, 1)
	assert.Equal(t, "Lambda", r.Deployments[0].ID)
}
