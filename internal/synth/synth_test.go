package synth_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"refdeploy/internal/settings"
	"refdeploy/internal/synth"
)

// checkout makes the working directory one that has the given files, and a home
// without any.
func checkout(t *testing.T, files map[string]string) string {
	t.Helper()
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Chdir(t.TempDir())
	for name, content := range files {
		require.NoError(t, os.WriteFile(strings.Replace(name, "~", home, 1), []byte(content), 0o600))
	}
	return home
}

// What the CDK CLI 2.1148.1 writes to cdk.context.json on `cdk acknowledge 12345`
// and `cdk cli-telemetry --disable`.
const written = `{"acknowledged-issue-numbers":[12345],"cli-telemetry":false}`

func TestWhatTheCLIWritesBreaksNoSynthesis(t *testing.T) {
	checkout(t, map[string]string{
		"cdk.json":         `{"context":{"profile":"production"}}`,
		"cdk.context.json": written,
		"~/.cdk.json":      `{"context":{"of-another-project":"x"}}`,
	})
	// As the CLI hands it over, all in one.
	chosen, err := synth.Parse(map[string]any{
		"profile": "production", "acknowledged-issue-numbers": []any{12345.0}, "cli-telemetry": false, "of-another-project": "x",
	})
	require.NoError(t, err)
	assert.Equal(t, settings.Production, chosen.Profile)
	chosen, err = synth.Settings(nil)
	require.NoError(t, err)
	assert.Equal(t, settings.Production, chosen.Profile)
}

func TestAMistakeIsStillOne(t *testing.T) {
	for name, tt := range map[string]struct {
		cdkJSON, cliFile string
		overrides        map[string]string
		want             string
	}{
		"in cdk.json":                   {`{"context":{"profil":"production"}}`, `{}`, nil, "profil: not a setting (did you mean profile?)"},
		"in cdk.json, repeated":         {`{"context":{"profil":"x"}}`, `{"profil":"x"}`, nil, "profil: not a setting (did you mean profile?)"},
		"in -c":                         {`{"context":{}}`, `{}`, map[string]string{"stack": "Lambda"}, "stack: not a setting (did you mean stacks?)"},
		"in -c, of a name the CLI uses": {`{"context":{}}`, written, map[string]string{"cli-telemetry": "off"}, "cli-telemetry: not a setting"},
		"the CLI's key in cdk.json":     {`{"context":{"cli-telemetry":true}}`, `{}`, nil, "cli-telemetry: not a setting"},
		"a bad value in the CLI's file": {`{"context":{}}`, `{"profile":"prod"}`, nil, `profile: got "prod"`},
	} {
		t.Run(name, func(t *testing.T) {
			checkout(t, map[string]string{"cdk.json": tt.cdkJSON, "cdk.context.json": tt.cliFile})
			_, err := synth.Settings(tt.overrides)
			require.ErrorContains(t, err, tt.want)
			assert.NotContains(t, err.Error(), "\n")
		})
	}
}

func TestCDKJSONGoesBeforeTheCLIsFileAndTheUsersFile(t *testing.T) {
	checkout(t, map[string]string{
		"cdk.json":         `{"context":{"profile":"sandbox"}}`,
		"cdk.context.json": `{"profile":"production","architecture":"x86_64"}`,
		"~/.cdk.json":      `{"context":{"architecture":"arm64","allowCidr":"203.0.113.0/24"}}`,
	})
	chosen, err := synth.Settings(nil)
	require.NoError(t, err)
	assert.Equal(t, settings.Sandbox, chosen.Profile)
	assert.Equal(t, settings.X86_64, chosen.Architecture)
	assert.Equal(t, "203.0.113.0/24", chosen.AllowCIDR)
}

func TestFilesThatCannotBeReadAreNamed(t *testing.T) {
	for name, tt := range map[string]struct {
		files map[string]string
		want  string
	}{
		"no context":              {map[string]string{"cdk.json": `{"app":"go run ."}`}, "cdk.json: got no context; it holds the CDK's feature flags"},
		"context null":            {map[string]string{"cdk.json": `{"context":null}`}, "cdk.json: got no context"},
		"cdk.json broken":         {map[string]string{"cdk.json": `{`}, "cdk.json: "},
		"cdk.context.json broken": {map[string]string{"cdk.json": `{"context":{}}`, "cdk.context.json": `[]`}, "cdk.context.json: "},
		"~/.cdk.json broken":      {map[string]string{"cdk.json": `{"context":{}}`, "~/.cdk.json": `x`}, ".cdk.json: "},
	} {
		t.Run(name, func(t *testing.T) {
			checkout(t, tt.files)
			_, err := synth.Settings(nil)
			require.ErrorContains(t, err, tt.want)
			assert.NotContains(t, err.Error(), "\n")
		})
	}
}

func TestATemporaryDirectoryThatDoesNotExistIsNamed(t *testing.T) {
	checkout(t, map[string]string{"cdk.json": `{"context":{}}`})
	missing := filepath.Join(t.TempDir(), "missing")
	t.Setenv("TMPDIR", missing)
	err := synth.Quick(context.Background(), nil, func(string) error { return nil })
	require.ErrorContains(t, err, "TMPDIR: cannot write to the directory for temporary files")
	assert.ErrorContains(t, err, missing)
}
