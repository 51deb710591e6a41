package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"refdeploy/internal/project"
)

var (
	shown      = regexp.MustCompile("(?:go run \\./cmd/refdeploy|`refdeploy)((?: [^\\n`|>;&#]+)?)")
	subcommand = regexp.MustCompile(`^ ([a-z][a-z-]*)`)
	flagged    = regexp.MustCompile(` --?([a-z][a-z-]*)`)
	made       = regexp.MustCompile("(?m)(?:^(?:\\$ )?|`|run: )make ([a-z][a-z/-]*)")
	targeted   = regexp.MustCompile(`(?m)^([a-z][a-z/-]*):`)
)

// A reader types what a page shows, and a workflow runs it.
func TestPagesAndWorkflowsShowCommandsThatExist(t *testing.T) {
	makefile, err := os.ReadFile(project.Path("Makefile"))
	require.NoError(t, err)
	targets := map[string]bool{}
	for _, match := range targeted.FindAllStringSubmatch(string(makefile), -1) {
		targets[match[1]] = true
	}

	commands, makes := 0, 0
	for page, text := range showing(t) {
		for _, match := range shown.FindAllStringSubmatch(text, -1) {
			name := subcommand.FindStringSubmatch(match[1])
			if name == nil {
				continue // the command as such
			}
			cmd, _, err := newCommand().Find([]string{name[1]})
			if !assert.NoError(t, err, "%s shows %q", page, match[0]) {
				continue
			}
			for _, flag := range flagged.FindAllStringSubmatch(match[1], -1) {
				found := cmd.Flags().Lookup(flag[1])
				if len(flag[1]) == 1 {
					found = cmd.Flags().ShorthandLookup(flag[1])
				}
				assert.NotNil(t, found, "%s shows %q; %s has no flag %s", page, match[0], name[1], flag[1])
			}
			commands++
		}
		for _, match := range made.FindAllStringSubmatch(text, -1) {
			assert.True(t, targets[match[1]], "%s shows make %s, which the Makefile lacks", page, match[1])
			makes++
		}
	}
	assert.Greater(t, commands, 30)
	assert.Greater(t, makes, 20)
}

// showing returns the text of every page and workflow by path.
func showing(t *testing.T) map[string]string {
	t.Helper()
	paths, err := filepath.Glob(project.Path("*.md"))
	require.NoError(t, err)
	paths = append(paths, project.Path(".ci", "run"))
	for _, dir := range []string{"docs", ".github"} {
		require.NoError(t, filepath.WalkDir(project.Path(dir), func(path string, _ fs.DirEntry, err error) error {
			if strings.HasSuffix(path, ".md") || strings.HasSuffix(path, ".yml") {
				paths = append(paths, path)
			}
			return err
		}))
	}
	texts := map[string]string{}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		texts[path] = string(data)
	}
	return texts
}

func TestTheReferenceListsTheFlagsOfMeasure(t *testing.T) {
	data, err := os.ReadFile(project.Path("docs", "reference.md"))
	require.NoError(t, err)
	_, section, ok := strings.Cut(string(data), "\n### Flags of measure\n")
	require.True(t, ok)
	section, _, _ = strings.Cut(section, "\n### ")
	newMeasure().Flags().VisitAll(func(f *pflag.Flag) {
		assert.Regexp(t, "`--"+f.Name+"[` ]", section)
	})
	for _, figure := range []string{"cpu-ms", "wait-ms", "request-kb", "response-kb", "log-bytes"} {
		assert.Contains(t, section, "`"+figure+"`")
	}
}
