package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"refdeploy/internal/assembly"
)

func TestListPrintsOursInTheCatalogsOrderAndThenTheOthers(t *testing.T) {
	ours := map[string]any{"refdeploy:settings": map[string]any{"profile": "sandbox"}}
	var out bytes.Buffer
	require.NoError(t, list(&out, []assembly.Stack{
		{ID: "AppRunner"}, // the name alone makes it none of ours
		{ID: "Lambda", Template: assembly.Template{Metadata: ours, Resources: map[string]assembly.Resource{"A": {}, "B": {}}}},
		{ID: "EcsEc2", Template: assembly.Template{Metadata: ours}},
		{ID: "Stage/SomebodyElses"},
	}))
	assert.Equal(t, `STACK                 CONTROL PLANE   DATA PLANE                RESOURCES
EcsEc2                ECS             EC2 instances you patch   0
Lambda                none            Firecracker, from a zip   2
AppRunner             –               –                         0
Stage/SomebodyElses   –               –                         0
`, out.String())
}

func TestListWithoutAnAssemblySaysHowToMakeOne(t *testing.T) {
	cmd := newCommand()
	cmd.SetArgs([]string{"list", "--assembly", t.TempDir()})
	assert.ErrorContains(t, cmd.Execute(), "write one with `npx cdk synth --quiet`")
}
