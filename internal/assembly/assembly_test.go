package assembly_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"refdeploy/internal/assembly"
)

// files is a small cloud assembly: one stack, an artifact that is none, a
// warning and an image.
var files = map[string]string{
	"manifest.json": `{"artifacts":{
		"B":{"type":"aws:cloudformation:stack","dependencies":["B.assets"],"additionalMetadataFile":"B.metadata.json","properties":{"templateFile":"B.template.json","terminationProtection":true,"tags":{"k":"v"}}},
		"B.assets":{"type":"cdk:asset-manifest"}
	}}`,
	"B.template.json": `{"Description":"d","Resources":{"Bucket":{"Type":"AWS::S3::Bucket","DeletionPolicy":"Delete","DependsOn":["X"],
		"Metadata":{"cdk_nag":{"rules_to_suppress":[{"id":"AwsSolutions-S1","reason":"because"}]}},"Properties":{"A":1}}},
		"Outputs":{"Url":{"Value":"u"}},"Parameters":{"P":{"Type":"String","Default":"p"}}}`,
	"B.assets.json":   `{"dockerImages":{"x":{"source":{"platform":"linux/arm64"}}}}`,
	"B.metadata.json": `{"/B":[{"type":"aws:cdk:warning","data":"careful"},{"type":"aws:cdk:info","data":"fine"}]}`,
}

func write(t *testing.T, change map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		if changed, ok := change[name]; ok {
			content = changed
		}
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
	}
	return dir
}

func TestReadReturnsWhatTheTemplatesSay(t *testing.T) {
	stacks, err := assembly.Read(write(t, nil))
	require.NoError(t, err)
	require.Len(t, stacks, 1)
	got := stacks[0]
	assert.Equal(t, "B", got.ID)
	assert.Equal(t, map[string]string{"k": "v"}, got.Tags)
	assert.True(t, got.TerminationProtection)
	assert.Equal(t, []string{"linux/arm64"}, got.ImagePlatforms)
	assert.Equal(t, []string{"careful"}, got.Warnings())
	assert.Empty(t, got.DependsOn, "an artifact that is no stack")
	bucket := got.Template.Resources["Bucket"]
	assert.Equal(t, "AWS::S3::Bucket", bucket.Type)
	assert.Equal(t, "Delete", bucket.DeletionPolicy)
	assert.Equal(t, []string{"X"}, bucket.DependsOn)
	assert.Equal(t, []assembly.Suppression{{Rule: "AwsSolutions-S1", Reason: "because"}}, bucket.Suppressions())
	assert.Equal(t, "u", got.Template.Outputs["Url"].Value)
	assert.Equal(t, "p", got.Template.Parameters["P"].Default)
}

func TestADirectoryThatIsNoAssemblySaysHowToMakeOne(t *testing.T) {
	_, err := assembly.Read(t.TempDir())
	assert.ErrorContains(t, err, "no cloud assembly (manifest.json) there; write one with `npx cdk synth --quiet`")
}

func TestABrokenFileIsNamed(t *testing.T) {
	for name := range files {
		t.Run(name, func(t *testing.T) {
			_, err := assembly.Read(write(t, map[string]string{name: "{"}))
			assert.ErrorContains(t, err, name+": ")
		})
	}
}
