// Package workflows_test holds what GitHub runs to what the project is.
// `make lint-workflows` checks the workflows' syntax.
package workflows_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"refdeploy/internal/catalog"
	"refdeploy/internal/project"
)

type workflow struct {
	// On is true for YAML 1.1, in which the key `on` is a boolean.
	On          map[string]trigger `json:"true"`
	Permissions map[string]string  `json:"permissions"`
	Jobs        map[string]job     `json:"jobs"`
}

type trigger struct {
	Inputs map[string]struct {
		Type    string   `json:"type"`
		Options []string `json:"options"`
	} `json:"inputs"`
}

type job struct {
	Needs       string            `json:"needs"`
	If          string            `json:"if"`
	Permissions map[string]string `json:"permissions"`
	Steps       []step            `json:"steps"`
}

type step struct {
	Uses string         `json:"uses"`
	Run  string         `json:"run"`
	If   string         `json:"if"`
	With map[string]any `json:"with"`
}

// workflows returns all of them by file name, and their text.
func workflows(t *testing.T) (map[string]workflow, map[string]string) {
	t.Helper()
	paths, err := filepath.Glob(project.Path(".github", "workflows", "*.y*ml"))
	require.NoError(t, err)
	parsed, texts := map[string]workflow{}, map[string]string{}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		var w workflow
		require.NoError(t, yaml.Unmarshal(data, &w), path)
		parsed[filepath.Base(path)], texts[filepath.Base(path)] = w, string(data)
	}
	require.Contains(t, parsed, "ci.yml")
	require.Contains(t, parsed, "sandbox.yml")
	return parsed, texts
}

func TestTheSandboxOffersEveryDeployment(t *testing.T) {
	all, _ := workflows(t)
	stack := all["sandbox.yml"].On["workflow_dispatch"].Inputs["stack"]
	assert.Equal(t, "choice", stack.Type)
	assert.Equal(t, catalog.IDs(), stack.Options, "the options of .github/workflows/sandbox.yml are the catalog's ids, in its order")
}

// Where a deploy or a smoke test fails, something bills. The job that removes it
// runs all the same, and looks for leftovers when the removal fails too.
func TestTheSandboxAlwaysRemovesAndSweeps(t *testing.T) {
	all, _ := workflows(t)
	jobs := all["sandbox.yml"].Jobs

	deploy, smoke := running(jobs["deploy"], `npx cdk deploy "$STACK"`), running(jobs["deploy"], `refdeploy smoke "$STACK"`)
	require.GreaterOrEqual(t, deploy, 0)
	require.Greater(t, smoke, deploy)

	removes := jobs["remove"]
	assert.Equal(t, "deploy", removes.Needs)
	assert.True(t, strings.HasPrefix(removes.If, "always()"), removes.If)
	destroy, sweep := running(removes, `npx cdk destroy "$STACK" --force`), running(removes, `refdeploy sweep "$STACK"`)
	require.GreaterOrEqual(t, destroy, 0)
	require.Greater(t, sweep, destroy)
	assert.Equal(t, "always()", removes.Steps[sweep].If)
}

// running returns the first of a job's steps that runs a command, else -1.
func running(j job, command string) int {
	return slices.IndexFunc(j.Steps, func(s step) bool { return strings.Contains(s.Run, command) })
}

// A change is judged by the same commands on GitHub and before it is sent.
func TestCIRunsWhatPeopleRun(t *testing.T) {
	all, _ := workflows(t)
	check := all["ci.yml"].Jobs["check"]
	require.GreaterOrEqual(t, running(check, ".ci/run"), 0)
	assert.GreaterOrEqual(t, running(check, `refdeploy compare --format markdown >> "$GITHUB_STEP_SUMMARY"`), 0)

	require.GreaterOrEqual(t, running(all["ci.yml"].Jobs["kubernetes"], "make test-kubernetes"), 0)

	commands, err := os.ReadFile(project.Path(".ci", "run"))
	require.NoError(t, err)
	assert.Contains(t, string(commands), "\nmake lint\n", "which lints the workflows")
	makefile, err := os.ReadFile(project.Path("Makefile"))
	require.NoError(t, err)
	assert.Regexp(t, `(?m)^lint:.* lint-workflows\b`, string(makefile))
	assert.Regexp(t, `(?m)^\tgo run github\.com/rhysd/actionlint/cmd/actionlint@v\d+\.\d+\.\d+ `, string(makefile))
}

// What a change brings runs before anyone has read it.
func TestWorkflowsMayOnlyRead(t *testing.T) {
	all, texts := workflows(t)
	for name, w := range all {
		assert.Equal(t, map[string]string{"contents": "read"}, w.Permissions, name)
		assert.NotContains(t, texts[name], "pull_request_target", name)
		assert.NotContains(t, texts[name], "secrets.", name)
		for id, j := range w.Jobs {
			for permission, access := range j.Permissions {
				if permission == "id-token" {
					assert.Equal(t, []string{"workflow_dispatch"}, slices.Collect(maps.Keys(w.On)), "%s, %s: only a person starts what gets credentials", name, id)
					continue
				}
				assert.Equal(t, "read", access, "%s, %s: %s", name, id, permission)
			}
			for _, s := range j.Steps {
				assert.NotContains(t, s.Run, "${{", "%s, %s: an expression in a script can be code", name, id)
				if strings.HasPrefix(s.Uses, "actions/checkout@") {
					assert.Equal(t, false, s.With["persist-credentials"], "%s, %s: the token stays on the disk", name, id)
				}
			}
		}
	}
}

// A tag can be moved to other code; a commit cannot.
func TestActionsArePinnedByCommit(t *testing.T) {
	_, texts := workflows(t)
	uses := regexp.MustCompile(`(?m)\buses:(.*)$`)
	pinned := regexp.MustCompile(`^ ([\w.-]+/[\w.-]+)@([0-9a-f]{40} # v\d+\.\d+\.\d+)$`)
	pins := map[string]string{}
	for name, text := range texts {
		for _, use := range uses.FindAllStringSubmatch(text, -1) {
			match := pinned.FindStringSubmatch(use[1])
			if !assert.NotNil(t, match, "%s uses%s; write OWNER/ACTION@COMMIT # vX.Y.Z", name, use[1]) {
				continue
			}
			if earlier, ok := pins[match[1]]; ok {
				assert.Equal(t, earlier, match[2], "%s: %s has one version everywhere", name, match[1])
			}
			pins[match[1]] = match[2]
		}
	}
	assert.Contains(t, pins, "actions/checkout")
}

func TestWorkflowsRunOnTheProjectsVersions(t *testing.T) {
	data, err := os.ReadFile(project.Path("go.mod"))
	require.NoError(t, err)
	language := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindSubmatch(data)
	require.NotNil(t, language)

	data, err = os.ReadFile(project.Path("package.json"))
	require.NoError(t, err)
	var packages struct {
		DevDependencies map[string]string `json:"devDependencies"`
	}
	require.NoError(t, json.Unmarshal(data, &packages))
	node, _, _ := strings.Cut(packages.DevDependencies["node"], ".")
	require.NotEmpty(t, node)

	all, _ := workflows(t)
	checked := 0
	for name, w := range all {
		for id, j := range w.Jobs {
			for _, s := range j.Steps {
				switch action, _, _ := strings.Cut(s.Uses, "@"); action {
				case "actions/setup-go":
					assert.Equal(t, string(language[1]), s.With["go-version"], "%s, %s", name, id)
					checked++
				case "actions/setup-node":
					assert.Equal(t, node, s.With["node-version"], "%s, %s", name, id)
					checked++
				}
			}
		}
	}
	assert.GreaterOrEqual(t, checked, 6)
}
