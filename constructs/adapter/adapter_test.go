package adapter_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"refdeploy/constructs/adapter"
	"refdeploy/internal/versions"
)

const line = "COPY --from=public.ecr.aws/awsguru/aws-lambda-adapter:" + versions.WebAdapter + " /lambda-adapter /opt/extensions/lambda-adapter"

func TestTheAdaptersLineIsTheLastInstruction(t *testing.T) {
	for name, tt := range map[string]struct{ dockerfile, want string }{
		"a plain one":                {"FROM x\nCMD [\"a\"]\n", "FROM x\nCMD [\"a\"]\n" + line + "\n"},
		"no line break at the end":   {"FROM x", "FROM x\n" + line + "\n"},
		"blank lines at the end":     {"FROM x\n\n\n", "FROM x\n" + line + "\n"},
		"a continuation at the end":  {"FROM x\nRUN a \\\n", "FROM x\nRUN a\n" + line + "\n"},
		"and a blank line behind it": {"FROM x\nRUN a \\\n\n", "FROM x\nRUN a\n" + line + "\n"},
		"another escape sign":        {"# escape=`\nFROM x\nRUN a `\n", "# escape=`\nFROM x\nRUN a\n" + line + "\n"},
		"a user that is not root":    {"FROM x\nUSER 1000\n", "FROM x\nUSER 1000\n" + line + "\n"},
		"stages: the last is made":   {"FROM x AS a\nFROM y\nCOPY --from=a /b /b\n", "FROM x AS a\nFROM y\nCOPY --from=a /b /b\n" + line + "\n"},
		"a heredoc":                  {"FROM x\nRUN <<EOF\na\nEOF\n", "FROM x\nRUN <<EOF\na\nEOF\n" + line + "\n"},
		"a comment at the end":       {"FROM x\n# the end \\\n", "FROM x\n# the end\n" + line + "\n"},
		"Windows' line breaks":       {"FROM x\r\nCMD a\r\n", "FROM x\r\nCMD a\n" + line + "\n"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := adapter.Adapt([]byte(tt.dockerfile))
			require.NoError(t, err)
			assert.Equal(t, tt.want, string(got))
		})
	}
}

func TestADockerfileThatCannotGoOnIsRefused(t *testing.T) {
	for name, dockerfile := range map[string]string{
		"nothing in it":          "",
		"comments only":          "# nothing\n",
		"a heredoc without end":  "FROM x\nRUN <<EOF\na\n",
		"an unknown instruction": "FROM x\n[]\n",
	} {
		t.Run(name, func(t *testing.T) {
			got, err := adapter.Adapt([]byte(dockerfile))
			if err == nil {
				assert.Equal(t, 1, strings.Count(string(got), "\n"+line+"\n"))
			}
			if name != "an unknown instruction" { // which BuildKit names when it builds
				require.Error(t, err)
				assert.NotContains(t, err.Error(), "\n")
			}
		})
	}
}

func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(content), 0o644))
	}
}

// tree returns the files and links below dir.
func tree(t *testing.T, dir string) []string {
	t.Helper()
	var names []string
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			name, _ := filepath.Rel(dir, path) // path is below dir
			names = append(names, filepath.ToSlash(name))
		}
		return err
	}))
	return names
}

func TestACopyIsStagedOfWhatTheBuildTakes(t *testing.T) {
	dir, staged := t.TempDir(), t.TempDir()
	write(t, dir, map[string]string{
		"Dockerfile": "FROM x\nCOPY . .\n", ".dockerignore": "*.log\nnode_modules\n.env\ndocs\n!docs/kept.md\n",
		"main.py": "1", "run.sh": "2", "a.log": "3", "node_modules/x/y.js": "4", ".env": "TOKEN=1", "docs/left.md": "5", "docs/kept.md": "6", "cdk.out/x": "7",
	})
	require.NoError(t, os.Chmod(filepath.Join(dir, "run.sh"), 0o755))
	require.NoError(t, os.Symlink("main.py", filepath.Join(dir, "link.py")))
	before := tree(t, dir)

	require.NoError(t, adapter.Stage(dir, staged))
	assert.Equal(t, []string{".dockerignore", "Dockerfile", "docs/kept.md", "link.py", "main.py", "run.sh"}, tree(t, staged))
	dockerfile, err := os.ReadFile(filepath.Join(staged, "Dockerfile"))
	require.NoError(t, err)
	assert.Equal(t, "FROM x\nCOPY . .\n"+line+"\n", string(dockerfile))
	info, err := os.Stat(filepath.Join(staged, "run.sh"))
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o755), info.Mode().Perm())
	link, err := os.Readlink(filepath.Join(staged, "link.py"))
	require.NoError(t, err)
	assert.Equal(t, "main.py", link)

	assert.Equal(t, before, tree(t, dir), "the user's own directory stays as it is")
	own, err := os.ReadFile(filepath.Join(dir, "Dockerfile"))
	require.NoError(t, err)
	assert.Equal(t, "FROM x\nCOPY . .\n", string(own))
}

func TestADirectoryAndADockerfileMayBeLinks(t *testing.T) {
	dir, staged := t.TempDir(), t.TempDir()
	write(t, dir, map[string]string{"docker/prod": "FROM x\n", "main.py": "1"})
	require.NoError(t, os.Symlink("docker/prod", filepath.Join(dir, "Dockerfile")))
	link := filepath.Join(t.TempDir(), "link")
	require.NoError(t, os.Symlink(dir, link))
	require.NoError(t, adapter.Stage(link, staged))
	assert.Equal(t, []string{"Dockerfile", "docker/prod", "main.py"}, tree(t, staged))
	own, err := os.ReadFile(filepath.Join(dir, "docker", "prod"))
	require.NoError(t, err)
	assert.Equal(t, "FROM x\n", string(own))
	adapted, err := os.ReadFile(filepath.Join(staged, "Dockerfile"))
	require.NoError(t, err)
	assert.Equal(t, "FROM x\n"+line+"\n", string(adapted))
}

// A Dockerfile that .dockerignore leaves out of the context is still the one to
// build with.
func TestAnIgnoredDockerfileIsStaged(t *testing.T) {
	dir, staged := t.TempDir(), t.TempDir()
	write(t, dir, map[string]string{"Dockerfile": "FROM x\n", ".dockerignore": "Dockerfile\n.dockerignore\n", "main.py": "1"})
	require.NoError(t, adapter.Stage(dir, staged))
	assert.Equal(t, []string{"Dockerfile", "main.py"}, tree(t, staged))
}

func TestADockerfileThatCannotBeReadIsNamed(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"Dockerfile": "# nothing\n"})
	err := adapter.Stage(dir, t.TempDir())
	require.Error(t, err)
	assert.Contains(t, err.Error(), filepath.Join(dir, "Dockerfile")+": ")
}
