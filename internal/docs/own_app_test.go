package docs_test

import (
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"refdeploy/internal/settings"
	"refdeploy/internal/size"
	"refdeploy/internal/versions"
)

const ownAppPage = "docs/how-to/bring-your-own-app.md"

func TestThePageShowsTheAdapterOfThisVersion(t *testing.T) {
	assert.Contains(t, read(t, ownAppPage), "```dockerfile\nCOPY --from=public.ecr.aws/awsguru/aws-lambda-adapter:"+versions.WebAdapter+" /lambda-adapter /opt/extensions/lambda-adapter\n```")
}

func TestThePageShowsWhatSynthesisSaysOfASize(t *testing.T) {
	says, err := size.Taken("EcsFargate", "arm64", size.Size{CPU: 600, MiB: 1500})
	require.NoError(t, err)
	assert.Contains(t, read(t, ownAppPage), "EcsFargate: info: "+says+" [ack: refdeploy:size]\n")
}

// Every pair that the page shows is one that the settings take.
func TestThePagesVariablesAndSecretsAreTaken(t *testing.T) {
	page := read(t, ownAppPage)
	given := map[string]any{"app": "tests/apps/static"}
	for key, shown := range map[string]*regexp.Regexp{
		"env":     regexp.MustCompile(`(?m)^-c env='(.+)'$`),
		"secrets": regexp.MustCompile(`(?m)^-c secrets=(.+)$`),
	} {
		match := shown.FindStringSubmatch(page)
		require.NotNil(t, match, key)
		given[key] = match[1]
	}
	parsed, err := settings.Parse(given, nil)
	require.NoError(t, err)
	assert.Contains(t, parsed.Env, settings.Variable{Name: "GREETING", Value: "Hello, you"})
	assert.Len(t, parsed.Secrets, 2)
}
