//go:build runtimes && linux

package runtimes_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
	"sigs.k8s.io/yaml"

	"refdeploy/app/contract"
	"refdeploy/internal/bundle"
	"refdeploy/internal/catalog"
	"refdeploy/internal/settings"
	"refdeploy/internal/synth"
	"refdeploy/tests/apps"
)

// variants are the apps that are not ours, as the tests of stacks synthesize them:
// each in one profile, and one in both.
var variants = []struct{ app, profile string }{
	{"python", "sandbox"}, {"python", "production"}, {"node", "sandbox"}, {"static", "production"},
}

// page is what each of them says at /, made of what the user gave it.
var page = map[string][]string{
	"python": {`"greeting": "Hello, you"`, `"token": "set"`},
	"node":   {`"title":"Visits"`, `"visits":`},
	"static": {"<h1>A page</h1>"},
}

// unrun are deployments that nothing here can run such an app as they do.
var unrun = map[string]string{
	"Lambda": "the AWS Lambda Web Adapter, which makes requests of its events, comes in an image, and the tests pull none",
}

// An ownRun is how deployments run an app that is not ours.
type ownRun struct {
	run
	check check
}

// Every deployment that runs a container, by the run that they have in common.
func TestEveryDeploymentRunsAppsThatAreNotOurs(t *testing.T) {
	type group struct {
		app         string
		run         ownRun
		deployments []string
	}
	var groups []*group
	for _, v := range variants {
		runs, err := ownRuns(t, v.app, v.profile)
		require.NoError(t, err)
		for _, d := range catalog.All() {
			r, ok := runs[d.ID]
			if !ok {
				require.Contains(t, unrun, d.ID, "no run of the %s app was found", v.app)
				continue
			}
			same := slices.IndexFunc(groups, func(g *group) bool { return g.app == v.app && fmt.Sprint(g.run) == fmt.Sprint(r) })
			if same < 0 {
				groups = append(groups, &group{app: v.app, run: r})
				same = len(groups) - 1
			}
			groups[same].deployments = append(groups[same].deployments, d.ID+" "+v.profile)
		}
	}
	fmt.Printf("%d ways to run apps that are not ours\n", len(groups))
	for id, why := range unrun {
		fmt.Printf("not run: apps that are not ours on %s: %s\n", id, why)
	}
	var mu sync.Mutex
	skipped := map[string]int{}
	t.Cleanup(func() {
		for why, number := range skipped {
			fmt.Printf("skipped: %d ways to run apps that are not ours: %s\n", number, why)
		}
	})
	for _, g := range groups {
		t.Run(g.app+": "+strings.Join(g.deployments, ", "), func(t *testing.T) {
			t.Parallel()
			image, why := ownImage(t, g.app)
			if why != "" {
				mu.Lock()
				skipped[why]++
				mu.Unlock()
				t.Skip(why)
			}
			runsOwn(t, g.app, image, g.run)
		})
	}
}

// read are the runs that [ownRuns] has found, by app and profile.
var read = map[[2]string]map[string]ownRun{}

// ownRuns synthesizes every stack with an app, once, and returns how it is run, by
// deployment.
func ownRuns(t *testing.T, app, profile string) (map[string]ownRun, error) {
	t.Helper()
	if runs, ok := read[[2]string{app, profile}]; ok {
		return runs, nil
	}
	given := maps.Clone(apps.Named(app).Settings)
	given["profile"] = profile
	runs := map[string]ownRun{}
	err := synth.Built(context.Background(), cdkApp(t), given, func(dir string) error {
		for _, d := range catalog.All() {
			template, err := os.ReadFile(filepath.Join(dir, d.ID+".template.json"))
			if err != nil {
				return err
			}
			found, err := runsIn(template)
			if err != nil {
				return fmt.Errorf("%s: %w", d.ID, err)
			}
			asks, err := checkIn(template)
			if err != nil {
				return fmt.Errorf("%s: %w", d.ID, err)
			}
			if d.ID == "EksAnywhere" {
				if found, asks, err = ownOnAnywhere(given); err != nil {
					return fmt.Errorf("%s: %w", d.ID, err)
				}
			}
			if len(found) > 1 {
				return fmt.Errorf("%s: found %d ways to run the app, expected one", d.ID, len(found))
			}
			for _, r := range found {
				runs[d.ID] = ownRun{r, asks}
			}
		}
		return nil
	})
	if err == nil {
		read[[2]string{app, profile}] = runs
	}
	return runs, err
}

// ownOnAnywhere reads the files that `refdeploy bundles` writes: the app is in no
// template.
func ownOnAnywhere(given map[string]string) (runs []run, asks check, err error) {
	chosen, err := synth.Settings(given)
	if err != nil {
		return nil, check{}, err
	}
	outputs := map[string]string{"Region": "eu-west-1", "ImageUri": "some/image"}
	if chosen.Bucket != settings.NoBucket {
		outputs["NotesBucket"], outputs["AppRoleArn"] = "some-bucket", "some-role"
	}
	for _, object := range bundle.App(chosen, outputs).Objects() {
		document, err := yaml.Marshal(object)
		if err != nil {
			return nil, check{}, err
		}
		found, err := ofManifest(document)
		if err != nil {
			return nil, check{}, err
		}
		runs = append(runs, found...)
		probes, err := checkOf(document)
		if err := asks.add(probes, err); err != nil {
			return nil, check{}, err
		}
	}
	return runs, asks, nil
}

// compiled is this project's CDK app, compiled once.
var compiled struct {
	once sync.Once
	path string
	err  error
}

func cdkApp(t *testing.T) string {
	t.Helper()
	compiled.once.Do(func() {
		dir := work
		if dir == "" {
			dir = t.TempDir()
		}
		compiled.path = filepath.Join(dir, "cdk-app")
		compiled.err = synth.Build(context.Background(), compiled.path)
	})
	require.NoError(t, compiled.err)
	return compiled.path
}

// startOwn runs an app that is not ours.
func startOwn(t testing.TB, image string, r run) *container {
	t.Helper()
	c, bundle := newContainer(r, newNetwork(t))
	require.NoError(t, os.Mkdir(bundle, 0o755))
	root := filepath.Join(image, "rootfs")
	if !r.ReadOnlyRoot { // a tree of its own, to which it may add
		root = filepath.Join(bundle, "rootfs")
		output, err := exec.Command("cp", "-al", filepath.Join(image, "rootfs"), root).CombinedOutput()
		require.NoError(t, err, "%s", output)
	}
	data, err := os.ReadFile(filepath.Join(image, "config.json"))
	require.NoError(t, err)
	var config map[string]any
	require.NoError(t, json.Unmarshal(data, &config))
	config["root"].(map[string]any)["path"] = root
	data, err = json.Marshal(config)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(bundle, "config.json"), data, 0o600))
	c.launch(t, bundle, []string{"AWS_REGION=eu-west-1"})
	return c
}

// well asks for the app's health as the platform does, until it answers, and
// says what is not well after the time that the platform gives.
func (c *container) well(asks check) error {
	path := asks.Path
	if path == "" {
		path = "/" // nobody asks
	}
	last := errors.New("it has ended")
	for end := time.Now().Add(asks.Within); time.Now().Before(end) && c.alive(); time.Sleep(20 * time.Millisecond) {
		got, err := c.call("GET", path, "")
		switch {
		case err != nil:
			last = err
		case got.Status != http.StatusOK:
			last = fmt.Errorf("GET %s answers with %d", path, got.Status)
		default:
			return nil
		}
	}
	return fmt.Errorf("not well within %s: %w; it said:\n%s", asks.Within, last, tail(c.logged()))
}

// runsOwn tries an app that is not ours as it is run, and reports what the run was.
func runsOwn(t *testing.T, app, image string, r ownRun) {
	begin := time.Now()
	c := startOwn(t, image, r.run)
	require.NoError(t, c.well(r.check))
	ready := time.Since(begin)

	got, err := c.call("GET", "/", "")
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, got.Status)
	for _, want := range page[app] {
		assert.Contains(t, got.Body, want)
	}
	if app == "python" {
		got, err := c.call("GET", "/scratch", "")
		require.NoError(t, err)
		assert.Equal(t, http.StatusOK, got.Status, "a file in /tmp: %s", got.Body)
	}
	assert.Empty(t, differs(t, c, c.imageUser(t, image)), "what the kernel says of the container, against the template")
	assert.Empty(t, c.writes(t), "where the app may write, against the template")
	used := c.stats(t).Memory.Usage.Max >> 20
	assert.True(t, c.alive(), "the app has ended; it said:\n%s", tail(c.logged()))

	stop := time.Now()
	_, err = c.runc("kill", c.id, "TERM")
	require.NoError(t, err)
	assert.Zero(t, c.ended(t, r.Stop), "exit code after SIGTERM; it said:\n%s", tail(c.logged()))
	t.Logf("%s: well after %.1f of %v, %d of %d MiB used, CPU %d/1000, stopped after %.1f of %v",
		r.On, ready.Seconds(), r.check.Within, used, r.MemoryMiB, r.MilliCPU, time.Since(stop).Seconds(), r.Stop)
}

// imageUser is the container's run with the image's user where the template names
// none. One of root has what capabilities it may have.
func (c *container) imageUser(t testing.TB, image string) run {
	t.Helper()
	r := c.run
	if r.User >= 0 {
		return r
	}
	data, err := os.ReadFile(filepath.Join(image, "config.json"))
	require.NoError(t, err)
	var config struct {
		Process struct{ User struct{ UID, GID int } }
	}
	require.NoError(t, json.Unmarshal(data, &config))
	r.User, r.Group = config.Process.User.UID, config.Process.User.GID
	return r
}

// writes tries to write in the container and compares with what the run says.
func (c *container) writes(t testing.TB) (wrong []string) {
	t.Helper()
	try := func(path string) string {
		output, _ := exec.Command("runc", "--root", filepath.Join(work, "runc"), "exec", c.id, "/bin/sh", "-c", "echo written > "+path+" && echo written").CombinedOutput()
		return strings.TrimSpace(string(output))
	}
	if got := try("/tmp/file"); got != "written" {
		wrong = append(wrong, "/tmp: expected that it can be written, got "+got)
	}
	for _, path := range []string{"/file", "/etc/file", "/var/log/file"} {
		got := try(path)
		if refused := strings.Contains(got, "Read-only file system"); refused != c.run.ReadOnlyRoot {
			wrong = append(wrong, fmt.Sprintf("%s: expected a read-only root %t, got %s", path, c.run.ReadOnlyRoot, got))
		}
	}
	if c.run.Tmp.MiB > 0 {
		wrong = append(wrong, c.tmpDiffers(t)...)
	}
	return wrong
}

// tmpDiffers compares /tmp with the template: what it is and how much it may hold,
// if it is to be in memory, and otherwise how much the app has put there.
func (c *container) tmpDiffers(t testing.TB) (wrong []string) {
	t.Helper()
	var is unix.Statfs_t
	tmp := fmt.Sprintf("/proc/%d/root/tmp/.", c.pid(t))
	require.NoError(t, unix.Statfs(tmp, &is))
	if c.run.Tmp.InMemory {
		if is.Type != unix.TMPFS_MAGIC {
			wrong = append(wrong, "/tmp: expected that it is in memory, the kernel says that it is not")
		}
		if size := is.Blocks * uint64(is.Bsize) >> 20; size != uint64(c.run.Tmp.MiB) {
			wrong = append(wrong, fmt.Sprintf("/tmp: expected %d MiB, the kernel says %d", c.run.Tmp.MiB, size))
		}
		return wrong
	}
	// Kubernetes evicts a pod that has put more there.
	held := int64(0)
	require.NoError(t, filepath.WalkDir(tmp, func(_ string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if errors.Is(err, os.ErrNotExist) {
			return nil // a temporary file that has gone meanwhile
		}
		if err == nil {
			held += info.Size()
		}
		return err
	}))
	if held > int64(c.run.Tmp.MiB)<<20 {
		wrong = append(wrong, fmt.Sprintf("/tmp: the app has put %d bytes there, where %d MiB are allowed", held, c.run.Tmp.MiB))
	}
	return wrong
}

// The tests above would pass if nobody looked. Here each app is not as it says.

func TestAnAppThatIsNotWellIsNoticed(t *testing.T) {
	image, why := ownImage(t, "python")
	if why != "" {
		t.Skip(why)
	}
	runs, err := ownRuns(t, "python", "sandbox")
	require.NoError(t, err)
	right := runs["EksEc2"]
	asks := right.check
	asks.Within = 3 * time.Second

	t.Run("on another path", func(t *testing.T) {
		c := startOwn(t, image, right.run)
		require.NoError(t, c.well(right.check))
		asks := asks
		asks.Path = contract.HealthPath
		assert.ErrorContains(t, c.well(asks), "GET "+contract.HealthPath+" answers with 404")
	})
	t.Run("on another port", func(t *testing.T) {
		r := right
		r.Port = 8080
		c := startOwn(t, image, r.run)
		assert.ErrorContains(t, c.well(asks), "connection refused")
	})
	t.Run("where it may not write at all", func(t *testing.T) {
		r := right
		r.Tmp = tmp{}
		c := startOwn(t, image, r.run)
		assert.ErrorContains(t, c.well(asks), "No usable temporary directory found")
	})
	t.Run("where it may write everywhere", func(t *testing.T) {
		r := right
		r.ReadOnlyRoot, r.User, r.Group = false, 0, 0
		c := startOwn(t, image, r.run)
		require.NoError(t, c.well(right.check))
		c.run.ReadOnlyRoot = true
		assert.Len(t, c.writes(t), 3)
	})
}
