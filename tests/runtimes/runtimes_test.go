//go:build runtimes && linux

package runtimes_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"refdeploy/app/apptest"
	"refdeploy/app/contract"
	"refdeploy/internal/catalog"
	"refdeploy/internal/project"
)

// Every deployment in both profiles, by the run that they have in common.
func TestEveryDeploymentRunsTheApp(t *testing.T) {
	type group struct {
		run         run
		deployments []string
	}
	var groups []*group
	for _, d := range catalog.All() {
		for _, profile := range []string{"sandbox", "production"} {
			r, err := runOf(d.ID, profile)
			require.NoError(t, err)
			name := d.ID + " " + profile
			same := slices.IndexFunc(groups, func(g *group) bool { return fmt.Sprint(g.run) == fmt.Sprint(r) })
			if same < 0 {
				groups = append(groups, &group{run: r})
				same = len(groups) - 1
			}
			groups[same].deployments = append(groups[same].deployments, name)
		}
	}
	skipped := 0
	t.Cleanup(func() {
		if skipped > 0 {
			fmt.Printf("skipped: %d ways to run the app, of all deployments: %s\n", skipped, missing)
		}
	})
	for _, g := range groups {
		t.Run(strings.Join(g.deployments, ", "), func(t *testing.T) {
			if missing != "" {
				skipped++
				t.Skip(missing)
			}
			t.Parallel()
			if g.run.Function {
				runsFunction(t, g.run)
			} else {
				runsContainer(t, g.run)
			}
		})
	}
}

// runsContainer tries the image in one container that a thousand callers and a
// signal meet, and reports what the run was.
func runsContainer(t *testing.T, r run) {
	n := newNetwork(t)
	store := apptest.NewS3(t, n.listen(t))
	c := serve(t, r, n, store.Env()...)
	begin := time.Now()

	assert.Empty(t, differs(t, c, r), "what the kernel says of the container, against the template")
	assert.Empty(t, keeps(t, r, func(_ testing.TB, method, path, body string, header ...string) contract.Answer {
		got, err := c.call(method, path, body, header...)
		require.NoError(t, err, "%s %s", method, path)
		return got
	}))

	answered := fill(c, store)
	require.True(t, c.alive(), "killed with a thousand callers in %d MiB; it said:\n%s", r.MemoryMiB, tail(c.logged()))
	assert.Greater(t, answered, callers/2, "callers who got an answer")
	used := c.stats(t).Memory.Usage.Max >> 20

	lost := drain(t, c, store, syscall.SIGTERM)
	assert.Empty(t, lost[:min(len(lost), 10)], "lost by SIGTERM during load; the app said:\n%s", tail(c.logged()))
	t.Logf("%s: read-only root %t, capabilities to gain %d, no new privileges %t, %d of %d MiB used, CPU %d/1000, %d of %d callers answered, %v to stop; %.1f s",
		r.On, r.ReadOnlyRoot, len(r.Capabilities), r.NoNewPrivileges, used, r.MemoryMiB, r.MilliCPU, answered, callers, r.Stop, time.Since(begin).Seconds())
}

// runsFunction tries the zip in an execution environment like Lambda's. Lambda
// sends no signal to a function without extensions.
func runsFunction(t *testing.T, r run) {
	n := newNetwork(t)
	store, api := apptest.NewS3(t, n.listen(t)), apptest.NewLambda(t, n.listen(t))
	c := start(t, r, n, store.Env(api.Env(fmt.Sprint("AWS_LAMBDA_FUNCTION_MEMORY_SIZE=", r.MemoryMiB))...)...)
	begin := time.Now()
	assert.Empty(t, keeps(t, r, api.Call))
	require.True(t, c.alive(), "killed in %d MiB; it said:\n%s", r.MemoryMiB, c.logged())
	assert.Empty(t, differs(t, c, r), "what the kernel says of the container, against the template")
	after := c.stats(t)
	t.Logf("%s: %d of %d MiB used, CPU %d/1000; %.1f s", r.On, after.Memory.Usage.Max>>20, r.MemoryMiB, r.MilliCPU, time.Since(begin).Seconds())
}

// keeps sends the contract's requests and returns what is not as promised.
func keeps(t testing.TB, r run, call func(t testing.TB, method, path, body string, header ...string) contract.Answer) (broken []string) {
	t.Helper()
	sent := 0
	for _, request := range contract.Requests("") {
		if request.Holds == contract.WithoutExpiry && r.Env["NOTES_TTL"] != "" {
			continue
		}
		sent++
		got := call(t, request.Method, request.Path, request.Body, request.Header...)
		for _, differs := range request.Differs(got) {
			broken = append(broken, request.Name+": "+differs)
		}
	}
	require.Greater(t, sent, 50, "requests of the contract")
	return broken
}

// differs compares what a container is with what a run says.
func differs(t testing.TB, c *container, r run) (all []string) {
	t.Helper()
	is, limits := c.process(t), c.stats(t)
	check := func(what string, want, got any) {
		if fmt.Sprint(want) != fmt.Sprint(got) {
			all = append(all, fmt.Sprintf("%s: expected %v, the kernel says %v", what, want, got))
		}
	}
	user, group := r.User, r.Group
	if user < 0 {
		user, group = 65532, 65532 // the Dockerfile's
	}
	check("user", user, is.UID)
	check("group", max(group, 0), is.GID)
	check("read-only root", r.ReadOnlyRoot, is.ReadOnlyRoot)
	check("no new privileges", r.NoNewPrivileges, is.NoNewPrivileges)
	check("capabilities to gain", mask(r.Capabilities), is.Capabilities["CapBnd"])
	var atHand []string
	if user == 0 { // only root has them
		atHand = r.Capabilities
	}
	for set, want := range map[string][]string{"CapInh": nil, "CapPrm": atHand, "CapEff": atHand, "CapAmb": nil} {
		check("capabilities, "+set, mask(want), is.Capabilities[set])
	}
	check("memory limit in MiB", r.MemoryMiB, limits.Memory.Usage.Limit>>20)
	check("CPU limit in thousandths", r.MilliCPU, is.MilliCPU)
	return all
}

// numbers of the capabilities in <linux/capability.h>.
var numbers = map[string]int{
	"CAP_CHOWN": 0, "CAP_DAC_OVERRIDE": 1, "CAP_FOWNER": 3, "CAP_FSETID": 4, "CAP_KILL": 5, "CAP_SETGID": 6, "CAP_SETUID": 7,
	"CAP_SETPCAP": 8, "CAP_NET_BIND_SERVICE": 10, "CAP_NET_RAW": 13, "CAP_SYS_CHROOT": 18, "CAP_MKNOD": 27, "CAP_AUDIT_WRITE": 29, "CAP_SETFCAP": 31,
}

// mask is a set of capabilities as the kernel shows it.
func mask(capabilities []string) string {
	bits := uint64(0)
	for _, name := range capabilities {
		number, ok := numbers[name]
		if !ok {
			panic(fmt.Errorf("%s has no number in tests/runtimes; add it", name))
		}
		bits |= 1 << number
	}
	return fmt.Sprintf("%016x", bits)
}

func tail(log string) string {
	return log[max(0, len(log)-2000):]
}

// sample is a run that a template gives, for tests that change something of it.
func sample(t *testing.T) run {
	t.Helper()
	if missing != "" {
		t.Skip(missing)
	}
	r, err := runOf("EksEc2", "sandbox")
	require.NoError(t, err)
	return r
}

// The tests above would pass if nothing were limited, or if nobody looked. Here
// each looks at a container in which it is wrong.

func TestAContainerThatIsNotAsTheTemplateSaysIsNoticed(t *testing.T) {
	right := sample(t)
	wrong := right
	wrong.User, wrong.ReadOnlyRoot, wrong.NoNewPrivileges, wrong.Capabilities = 1000, false, false, docker
	wrong.MemoryMiB, wrong.MilliCPU = right.MemoryMiB*2, 0
	n := newNetwork(t)
	c := serve(t, wrong, n, apptest.NewS3(t, n.listen(t)).Env()...)
	noticed := strings.Join(differs(t, c, right), "\n")
	for _, what := range []string{"user:", "read-only root:", "no new privileges:", "capabilities to gain:", "memory limit in MiB:", "CPU limit in thousandths:"} {
		assert.Contains(t, noticed, what)
	}
}

func TestAMemoryLimitThatIsTooSmallKills(t *testing.T) {
	r := sample(t)
	r.MemoryMiB = 24
	n := newNetwork(t)
	store := apptest.NewS3(t, n.listen(t))
	c := serve(t, r, n, store.Env()...)
	fill(c, store)
	assert.Equal(t, 128+int(syscall.SIGKILL), c.ended(t, 10*time.Second), "exit code of a process that the kernel killed")
}

func TestWhatASignalLosesIsNoticed(t *testing.T) {
	r := sample(t)
	n := newNetwork(t)
	store := apptest.NewS3(t, n.listen(t))
	c := serve(t, r, n, store.Env()...)
	lost := strings.Join(drain(t, c, store, syscall.SIGKILL), "\n")
	assert.Contains(t, lost, "exit code 137")
	assert.Contains(t, lost, "was on its way to the store when the signal came, and got no answer")
}

func TestWhatATemplateSaysAndNoRunKnowsIsAnError(t *testing.T) {
	data, err := os.ReadFile(project.Path("stacks", "testdata", "EcsFargate.sandbox.golden.json"))
	require.NoError(t, err)
	changed := strings.Replace(string(data), `"ReadonlyRootFilesystem": true`, `"Privileged": true`, 1)
	require.NotEqual(t, string(data), changed)
	_, err = runsIn([]byte(changed))
	assert.ErrorContains(t, err, `unknown field "Privileged"; teach tests/runtimes`)
}

func TestTheDockerfileIsReadAndNotGuessed(t *testing.T) {
	for want, dockerfile := range map[string]string{
		"teach tests/runtimes how to make it": "FROM golang AS build\nRUN go build -o /app ./app\nFROM scratch\nCOPY --from=build /other /other\n",
		"copies nothing from the one":         "FROM golang AS build\nRUN go build \\\n  -o /app ./app\nFROM scratch\nCOPY app /app\n",
		"expected one stage":                  "FROM golang AS build\nFROM scratch\nCOPY --from=build /etc/ssl/certs/a /a\nCOPY --from=base /etc/ssl/certs/b /b\n",
		"exit status":                         "FROM golang AS build\nRUN --mount=type=cache,target=/x go build -no-such-flag -o /app ./app\nFROM scratch\nCOPY --from=build /app /app\n",
	} {
		_, err := stage(dockerfile, filepath.Join(t.TempDir(), "stage"))
		assert.ErrorContains(t, err, want)
	}
}
