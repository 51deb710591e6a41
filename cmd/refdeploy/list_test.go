package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"refdeploy/internal/assembly"
)

func TestListPrintsALineAStackInTheCatalogsOrder(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, list(&out, []assembly.Stack{
		{ID: "Lambda", Template: assembly.Template{Resources: map[string]assembly.Resource{"A": {}, "B": {}}}},
		{ID: "EcsEc2"},
		{ID: "SomebodyElses"},
	}))
	assert.Equal(t, `STACK    CONTROL PLANE   DATA PLANE                RESOURCES
EcsEc2   ECS             EC2 instances you patch   0
Lambda   none            Firecracker, from a zip   2
`, out.String())
}

func TestListWithoutAnAssemblySaysHowToMakeOne(t *testing.T) {
	cmd := newCommand()
	cmd.SetArgs([]string{"list", "--assembly", t.TempDir()})
	assert.ErrorContains(t, cmd.Execute(), "write one with `npx cdk synth --quiet`")
}
