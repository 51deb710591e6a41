package eject

import (
	"context"
	"go/types"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"refdeploy/internal/settings"
)

// becomes returns what becomes of a package of stacks with a function New, for
// the sandbox.
func becomes(t *testing.T, source string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range map[string]string{
		"internal/settings/settings.go": "package settings\n\ntype Profile string\n\ntype Settings struct{ Profile Profile }\n\nfunc (s Settings) IsProduction() bool { return false }\n\nfunc (s Settings) Replicas() int { return 1 }\n",
		"stacks/x.go":                   "package stacks\n\nimport (\n\t\"github.com/aws/aws-cdk-go/awscdk/v2\"\n\n\t\"refdeploy/internal/settings\"\n)\n\n" + source,
	} {
		path := filepath.Join(root, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
	p, err := load(root, stacksPath)
	require.NoError(t, err)
	_, err = p.specialize(context.Background(), func() map[types.Object]bool { return p.lookup(stacksPath, "New") },
		settings.Default(), []string{stacksPath}, false, true)
	require.NoError(t, err)
	text := string(p.sources()["stacks/x.go"])
	_, text, _ = strings.Cut(text, "func New")
	return "func New" + text
}

func TestWhatTheSettingsDecideIsFoldedAway(t *testing.T) {
	for name, tt := range map[string]struct{ is, becomes string }{
		"a condition, and the variable that held it": {
			"func New(s settings.Settings) {\n\tproduction := s.IsProduction()\n\t// Always.\n\tawscdk.A()\n\tif production {\n\t\tawscdk.B()\n\t}\n}\n",
			"func New(s settings.Settings) {\n\t// Always.\n\tawscdk.A()\n}\n",
		},
		"the other branch, with the comments of both": {
			"func New(s settings.Settings) {\n\t// Either.\n\tif s.IsProduction() {\n\t\tawscdk.B()\n\t} else {\n\t\t// Or.\n\t\tawscdk.C()\n\t}\n}\n",
			"func New(s settings.Settings) {\n\t// Either.\n\t// Or.\n\tawscdk.C()\n}\n",
		},
		"a number, and what is computed with it": {
			"func New(s settings.Settings) { awscdk.A(4 * s.Replicas()) }\n",
			"func New(s settings.Settings) { awscdk.A(4) }\n",
		},
		"a value that is replaced before anybody reads it": {
			"func New(s settings.Settings) {\n\t// Which.\n\tx := awscdk.X_ONE()\n\tif !s.IsProduction() {\n\t\tx = awscdk.X_TWO()\n\t}\n\tawscdk.A(x)\n}\n",
			"func New(s settings.Settings) {\n\t// Which.\n\tx := awscdk.X_TWO()\n\tawscdk.A(x)\n}\n",
		},
		"a switch": {
			"func New(s settings.Settings) {\n\tswitch {\n\tcase s.IsProduction():\n\t\tawscdk.A()\n\tcase !s.IsProduction():\n\t\tawscdk.B()\n\t}\n}\n",
			"func New(s settings.Settings) {\n\tawscdk.B()\n}\n",
		},
		"a helper that then does nothing, and one that returns at once": {
			"func New(s settings.Settings) {\n\twarn(s)\n\tawscdk.A(pick(s))\n}\n\nfunc warn(s settings.Settings) {\n\tif s.IsProduction() {\n\t\tawscdk.B()\n\t}\n}\n\nfunc pick(s settings.Settings) any {\n\tif s.IsProduction() {\n\t\treturn awscdk.C()\n\t}\n\treturn awscdk.D()\n}\n",
			"func New(s settings.Settings) {\n\tawscdk.A(awscdk.D())\n}\n",
		},
		"a property that is the same everywhere, and the parameter that held it": {
			"type props struct{ Keep bool }\n\nfunc New(s settings.Settings) { part(&props{Keep: s.IsProduction()}) }\n\nfunc part(p *props) {\n\tif p != nil && p.Keep {\n\t\tawscdk.B()\n\t}\n\tawscdk.C()\n\tawscdk.D()\n}\n",
			"func New(s settings.Settings) { part() }\n\nfunc part() {\n\tawscdk.C()\n\tawscdk.D()\n}\n",
		},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, tt.becomes, becomes(t, tt.is)) })
	}
}

// What somebody outside may ask for stays.
func TestWhatNobodyCanSeeThroughStays(t *testing.T) {
	for name, source := range map[string]string{
		"a property that differs":                 "func New(s settings.Settings) {\n\tpart(&props{Keep: true})\n\tpart(&props{Keep: false})\n}\n\ntype props struct{ Keep bool }\n\nfunc part(p *props) {\n\tif p.Keep {\n\t\tawscdk.B()\n\t}\n\tawscdk.C()\n}\n",
		"a method that an interface asks for":     "func New(s settings.Settings) { awscdk.A(&aspect{}) }\n\ntype aspect struct{}\n\nfunc (a *aspect) Visit() { awscdk.B() }\n",
		"a call that does something":              "func New(s settings.Settings) {\n\t_ = awscdk.NewThing()\n}\n",
		"a property that an encoder reads":        "func New(s settings.Settings) { awscdk.A(object{Name: \"x\"}) }\n\ntype object struct {\n\tName string `json:\"name\"`\n}\n",
		"a function that is handed to somebody":   "func New(s settings.Settings) { awscdk.A(part) }\n\nfunc part(on bool) {\n\tif on {\n\t\tawscdk.B()\n\t}\n}\n",
		"a variable that a closure writes":        "func New(s settings.Settings) {\n\tdone := false\n\tawscdk.A(func() { done = true })\n\tif done {\n\t\tawscdk.B()\n\t}\n}\n",
		"a result with a name, written when late": "func New(s settings.Settings) (err error) {\n\tdefer func() { err = awscdk.B() }()\n\treturn awscdk.A()\n}\n",
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, source, becomes(t, source)) })
	}
}
