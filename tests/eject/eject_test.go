//go:build eject

package eject_test

import (
	"encoding/json"
	"go/format"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"refdeploy/internal/catalog"
	"refdeploy/internal/project"
)

// A home is a deployment as somebody takes it home.
type home struct {
	id   string
	args []string // beside STACK and DIR

	own string // one of tests/apps in the place of the sample app

	// golden is the template that the project's has to be, or "" when the command
	// synthesizes it: then the project's own golden file is that.
	golden string
}

// homes are every deployment in both profiles, and some with settings.
func homes() map[string]home {
	all := map[string]home{
		"EcsFargate for x86_64":                 {id: "EcsFargate", args: []string{"-c", "architecture=x86_64"}},
		"EcsFargate with HTTPS and alarms":      {id: "EcsFargate", args: []string{"-c", "profile=production", "-c", "certificateArn=arn:aws:acm:us-east-1:111111111111:certificate/0123", "-c", "alarmEmail=on-call@example.com"}},
		"EcsEc2 with an app of one's own":       {id: "EcsEc2", own: "python", args: []string{"-c", "port=8000", "-c", "healthPath=/health", "-c", "bucket=none", "-c", "env=GREETING=Hello", "-c", "secrets=TOKEN"}},
		"EksEc2 with an app of one's own":       {id: "EksEc2", own: "node", args: []string{"-c", "port=3000"}},
		"Lambda with an app of one's own":       {id: "Lambda", own: "python", args: []string{"-c", "port=8000", "-c", "healthPath=/health", "-c", "bucket=none"}},
		"EcsFargate with an image and a budget": {id: "EcsFargate", args: []string{"-c", "image=public.ecr.aws/nginx/nginx:1.29", "-c", "port=80", "-c", "budgetUSD=20", "-c", "budgetEmail=who-pays@example.com"}},
		"AppRunner from GitHub":                 {id: "AppRunner", args: []string{"-c", "appRunnerConnectionArn=arn:aws:apprunner:us-east-1:111111111111:connection/mine/0123456789abcdef", "-c", "appRunnerRepository=https://github.com/example/app"}},
		"EcsFargate with its settings":          {id: "EcsFargate", args: []string{"--keep-settings"}, golden: "EcsFargate.sandbox"},
		"EksFargate with its settings":          {id: "EksFargate", args: []string{"--keep-settings", "-c", "profile=production"}, golden: "EksFargate.production"},
	}
	for _, d := range catalog.All() {
		for _, profile := range []string{"sandbox", "production"} {
			all[d.ID+" in "+profile] = home{
				id: d.ID, args: []string{"-c", "profile=" + profile}, golden: d.ID + "." + profile,
			}
		}
	}
	return all
}

// The commands that people run in the project, without this project beside it.
func TestEveryDeploymentIsAProjectOfItsOwn(t *testing.T) {
	command := filepath.Join(t.TempDir(), "refdeploy")
	succeed(t, project.Path(), "go", "build", "-o", command, "./cmd/refdeploy")
	for name, h := range homes() {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // of nothing that uses jsii: each project is a process of its own
			work := t.TempDir()
			dir, args := filepath.Join(work, "orders"), h.args
			if h.own != "" {
				shop := filepath.Join(work, "shop")
				require.NoError(t, os.CopyFS(shop, os.DirFS(project.Path("tests", "apps", h.own))))
				args = append([]string{"--app", shop}, args...)
			}
			start := time.Now()
			succeed(t, project.Path(), command, append([]string{"eject", h.id, dir, "--module", "example.com/me/orders", "--name", "Orders"}, args...)...)
			t.Logf("ejected in %.1f s", time.Since(start).Seconds())
			reads(t, dir)

			succeed(t, dir, "go", "mod", "tidy", "-diff")
			succeed(t, dir, "go", "vet", "./...")
			installed(t, dir)
			// The sample app's tests are the same in each: the README's example runs them.
			succeed(t, dir, "go", "test", "./stacks/...")

			out := filepath.Join(dir, "cdk.out")
			synthesize(t, dir, out)
			sameTemplate(t, dir, out, h)
			succeed(t, project.Path(), command, "compare", "--assembly", out)
			assert.NoFileExists(t, filepath.Join(dir, "go.work"))
		})
	}
}

// installed gives a project what `npm ci` would install there: the versions are
// those that are installed here.
func installed(t *testing.T, dir string) {
	t.Helper()
	modules := filepath.Join(dir, "node_modules")
	require.NoError(t, os.Mkdir(modules, 0o755))
	entries, err := os.ReadDir(project.Path("node_modules"))
	require.NoError(t, err)
	for _, entry := range entries {
		require.NoError(t, os.Symlink(project.Path("node_modules", entry.Name()), filepath.Join(modules, entry.Name())))
	}
}

var tested = regexp.MustCompile("(?s)<!-- tested: eject -->\n\n```console\n(.*?)```\n\n<!-- /tested -->")

// The README's three lines, as they stand there.
func TestTheReadmesExampleWorks(t *testing.T) {
	readme, err := os.ReadFile(project.Path("README.md"))
	require.NoError(t, err)
	match := tested.FindStringSubmatch(string(readme))
	require.NotNil(t, match, "the README has no example of eject")
	lines := strings.Split(strings.TrimSpace(match[1]), "\n")
	require.Len(t, lines, 3)
	// Only the place is another: a test leaves nothing beside the checkout.
	home := filepath.Join(t.TempDir(), "orders")
	dir := project.Path()
	for _, line := range lines {
		command := strings.ReplaceAll(strings.TrimPrefix(line, "$ "), "../orders", home)
		if to, ok := strings.CutPrefix(command, "cd "); ok {
			dir = to
			installed(t, dir)
			continue
		}
		succeed(t, dir, "sh", "-c", command)
	}
}

// succeed runs a program as a user of the project does, whose modules are in Go's
// cache and who may be offline.
func succeed(t *testing.T, dir, program string, args ...string) string {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOPROXY=off", "GOWORK=off", "GOFLAGS=-mod=mod", "PATH="+project.Path("node_modules", ".bin")+":"+os.Getenv("PATH"))
	output, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s %s\n%s", program, strings.Join(args, " "), output)
	return string(output)
}

var word = regexp.MustCompile(`(?i)\brefdeploy`)

// reads looks at the files: formatted, and with no word of where they come from
// but in one line.
func reads(t *testing.T, dir string) {
	t.Helper()
	mentions := 0
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		for line := range strings.Lines(string(text)) {
			if word.MatchString(line) {
				mentions++
				assert.Equal(t, "README.md", filepath.Base(path), "%s: %s", path, line)
			}
		}
		if strings.HasSuffix(path, ".go") {
			formatted, err := format.Source(text)
			require.NoError(t, err, path)
			assert.Equal(t, string(formatted), string(text), path)
			assert.NotContains(t, string(text), "replace =>")
		}
		return nil
	}))
	assert.Equal(t, 1, mentions, "the line of provenance")
}

// synthesize does as the CDK CLI does.
func synthesize(t *testing.T, dir, out string) {
	t.Helper()
	var manifest struct {
		Context map[string]any
	}
	text, err := os.ReadFile(filepath.Join(dir, "cdk.json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &manifest))
	manifest.Context["aws:cdk:disable-asset-staging"] = true
	encoded, err := json.Marshal(manifest.Context)
	require.NoError(t, err)
	cmd := exec.Command("go", "run", ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CDK_OUTDIR="+out, "CDK_CONTEXT_JSON="+string(encoded), "CDK_VALIDATION=false", // the tests have validated it
		"GOWORK=off", "GOPROXY=off",
		"PATH="+project.Path("node_modules", ".bin")+":"+os.Getenv("PATH"))
	output, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", output)
}

// sameTemplate compares what the project synthesizes with the reference: the same
// but for the keys of its tags, and for the mark of the reference's own stacks.
func sameTemplate(t *testing.T, dir, out string, h home) {
	t.Helper()
	is := template(t, filepath.Join(out, h.id+".template.json"), h.id)
	want := filepath.Join(dir, "stacks", "testdata", h.id+".golden.json")
	if h.golden != "" {
		want = project.Path("stacks", "testdata", h.golden+".golden.json")
	}
	assert.Equal(t, template(t, want, h.id), is)
}

var (
	digest  = regexp.MustCompile(`[0-9a-f]{64}`)
	version = regexp.MustCompile(`(CurrentVersion[0-9A-F]{8})[0-9a-f]{32}`)
	// The name of the stack, in a command that its outputs give.
	activation = regexp.MustCompile(`Key=(?:refdeploy|orders):stack,Value=\w+`)

	tag = regexp.MustCompile(`"(?:refdeploy|orders):(stack|profile|architecture)"`)
)

// template reads a template without what may differ: digests, tags, the mark, and
// the names that the CDK makes of the stack's.
func template(t *testing.T, path, id string) map[string]any {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	text = digest.ReplaceAll(text, []byte("ASSET"))
	text = version.ReplaceAll(text, []byte("${1}VERSION"))
	text = tag.ReplaceAll(text, []byte(`"mine:$1"`))
	text = activation.ReplaceAll(text, []byte("Key=mine:stack,Value=NAME"))
	named := regexp.MustCompile(`"(?:` + id + `|Orders)([A-Za-z0-9]+)[0-9A-F]{8}"`)
	text = named.ReplaceAll(text, []byte(`"NAME$1"`))
	text = regexp.MustCompile(`"(?:`+id+`|Orders)"`).ReplaceAll(text, []byte(`"NAME"`)) // of metrics
	var all map[string]any
	require.NoError(t, json.Unmarshal(text, &all), path)
	if metadata, ok := all["Metadata"].(map[string]any); ok {
		delete(metadata, "refdeploy:settings")
		if len(metadata) == 0 {
			delete(all, "Metadata")
		}
	}
	return all
}
