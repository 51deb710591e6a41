package assembly_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"refdeploy/internal/assembly"
)

// place writes files, by path, into a new directory.
func place(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	}
	return dir
}

func TestNestedAssembliesAreReadToo(t *testing.T) {
	stacks, err := assembly.Read(place(t, map[string]string{
		"manifest.json": `{"artifacts":{
			"Top":{"type":"aws:cloudformation:stack","properties":{"templateFile":"t.json"}},
			"assembly-Dev":{"type":"cdk:cloud-assembly","properties":{"directoryName":"assembly-Dev"}}}}`,
		"t.json": `{"Resources":{}}`,
		"assembly-Dev/manifest.json": `{"artifacts":{
			"DevTop1234":{"type":"aws:cloudformation:stack","displayName":"Dev/Top","properties":{"templateFile":"t.json"}}}}`,
		"assembly-Dev/t.json": `{"Description":"inner","Resources":{}}`,
	}))
	require.NoError(t, err)
	require.Len(t, stacks, 2)
	assert.Equal(t, "Dev/Top", stacks[0].ID)
	assert.Equal(t, "inner", stacks[0].Template.Description)
	assert.Equal(t, "Top", stacks[1].ID)
}

func TestStacksOfOneNameAreToldApart(t *testing.T) {
	stacks, err := assembly.Read(place(t, map[string]string{
		"manifest.json": `{"artifacts":{
			"A":{"type":"aws:cloudformation:stack","displayName":"Same","properties":{"templateFile":"a.json"}},
			"B":{"type":"aws:cloudformation:stack","displayName":"Same","properties":{"templateFile":"b.json"}}}}`,
		"a.json": `{"Description":"a"}`,
		"b.json": `{"Description":"b"}`,
	}))
	require.NoError(t, err)
	require.Len(t, stacks, 2)
	assert.Equal(t, []string{"Same", "Same#2"}, []string{stacks[0].ID, stacks[1].ID})
	assert.Equal(t, []string{"a", "b"}, []string{stacks[0].Template.Description, stacks[1].Template.Description})
}

func TestMessagesStandInTheManifestOrBesideIt(t *testing.T) {
	stacks, err := assembly.Read(place(t, map[string]string{
		"manifest.json": `{"artifacts":{"A":{"type":"aws:cloudformation:stack","properties":{"templateFile":"a.json"},
			"metadata":{"/A":[{"type":"aws:cdk:warning","data":"careful"},{"type":"aws:cdk:logicalId","data":"X"}],
				"/A/B":[{"type":"aws:cdk:error","data":"no"},{"type":"aws:cdk:info","data":"so"},{"type":"aws:cdk:warning","data":"careful"}]}}}}`,
		"a.json": `{}`,
	}))
	require.NoError(t, err)
	assert.Equal(t, []assembly.Annotation{{"error", "no"}, {"warning", "careful"}, {"info", "so"}}, stacks[0].Annotations)
}

// What CloudFormation takes, and what it would refuse: neither hides the rest.
func TestTemplatesOfAnyShapeAreRead(t *testing.T) {
	var got assembly.Template
	require.NoError(t, json.Unmarshal([]byte(`{
		"Description": 7, "Metadata": [], "Transform": ["AWS::Serverless-2016-10-31", {"Name":"Mine"}, 7],
		"Parameters": {"P":{"Type":"Number","Default":80}, "Q":"x"},
		"Outputs": {"O":{"Description":{"Ref":"P"},"Value":1}, "N":null},
		"Resources": {
			"A":{"Type":"T","DependsOn":"B","Condition":"C","DeletionPolicy":{"Fn::If":[]},"Properties":{"x":1}},
			"B":{"Type":"T","DependsOn":["A",7],"Properties":[]},
			"C":null, "D":"text", "E":{"Type":["T"]},
			"Fn::ForEach::Loop":["i",["1","2"],{"R${i}":{"Type":"T"}}]
		}}`), &got))
	assert.Equal(t, []string{"AWS::Serverless-2016-10-31", "Mine"}, got.Transforms)
	assert.Equal(t, assembly.Parameter{Type: "Number", Default: "80"}, got.Parameters["P"])
	assert.Len(t, got.Outputs, 2)
	assert.Equal(t, assembly.Resource{Type: "T", Condition: "C", DependsOn: []string{"B"}, Properties: map[string]any{"x": 1.0}}, got.Resources["A"])
	assert.Equal(t, []string{"A"}, got.Resources["B"].DependsOn)
	for _, id := range []string{"C", "D", "E"} {
		assert.Equal(t, assembly.Broken, got.Resources[id].Type, id)
	}
	assert.Equal(t, assembly.Loop, got.Resources["Fn::ForEach::Loop"].Type)
}
