//go:build runtimes && linux

package runtimes_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"refdeploy/app/contract"
)

// A container is the app as runc runs it.
type container struct {
	run  run
	net  *network
	id   string
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
	base string
	http *http.Client

	mu  sync.Mutex
	log bytes.Buffer
}

func (c *container) Write(data []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.log.Write(data)
}

func (c *container) logged() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.log.String()
}

// started counts containers, for their names.
var started atomic.Int64

func newContainer(r run, n *network) (c *container, bundle string) {
	id := fmt.Sprintf("refdeploy-%d-%d", os.Getpid(), started.Add(1))
	return &container{run: r, net: n, id: id, done: make(chan struct{})}, filepath.Join(work, id)
}

// start runs the image, or Lambda's zip, as r says, with more in its environment.
func start(t testing.TB, r run, n *network, env ...string) *container {
	t.Helper()
	c, bundle := newContainer(r, n)
	output, err := exec.Command("umoci", "unpack", "--image", image+":app", bundle).CombinedOutput()
	require.NoError(t, err, "umoci unpack: %s", output)
	if r.Function {
		require.NoError(t, unzip(function, filepath.Join(bundle, "rootfs", "var", "task")))
		require.NoError(t, os.Mkdir(filepath.Join(bundle, "rootfs", "tmp"), 0o755))
	}
	c.launch(t, bundle, env)
	return c
}

// launch starts the container from a bundle, which goes away with it.
func (c *container) launch(t testing.TB, bundle string, env []string) {
	t.Helper()
	r, n := c.run, c.net
	err := configure(filepath.Join(bundle, "config.json"), r, env)
	require.NoError(t, err)

	c.cmd = exec.Command("runc", "--root", filepath.Join(work, "runc"), "run", "--bundle", bundle, c.id)
	c.cmd.Stdout, c.cmd.Stderr = c, c
	// When the tests are killed, runc gets the signal, hands it on, and cleans up.
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	n.do(func() { err = c.cmd.Start() })
	require.NoError(t, err)
	go func() {
		c.cmd.Wait()
		close(c.done)
	}()
	t.Cleanup(func() {
		select {
		case <-c.done:
		default:
			c.runc("kill", c.id, "KILL")
			<-c.done
		}
		c.runc("delete", "--force", c.id)
		os.RemoveAll(bundle)
	})
	c.base = fmt.Sprint("http://app:", r.Port)
	c.http = &http.Client{
		Transport:     &http.Transport{DialContext: n.dial, MaxIdleConnsPerHost: 2000},
		Timeout:       30 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	t.Cleanup(c.http.CloseIdleConnections)
}

// serve is start, and waits until the app answers.
func serve(t testing.TB, r run, n *network, env ...string) *container {
	t.Helper()
	c := start(t, r, n, env...)
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		response, err := c.http.Get(c.base + contract.HealthPath)
		if err == nil {
			response.Body.Close()
			require.Equal(t, http.StatusOK, response.StatusCode)
			return c
		}
		if !c.alive() || time.Now().After(end) {
			require.FailNow(t, "the app does not answer in its container", "%v; it said:\n%s", err, c.logged())
		}
	}
}

// configure writes what the platform and the template say into the bundle that
// umoci made of the image.
func configure(path string, r run, env []string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var config map[string]any
	if err := json.Unmarshal(data, &config); err != nil {
		return err
	}
	config["hostname"] = "app"
	config["root"].(map[string]any)["readonly"] = r.ReadOnlyRoot

	process := config["process"].(map[string]any)
	process["terminal"] = false
	process["noNewPrivileges"] = r.NoNewPrivileges
	sets := map[string]any{"bounding": r.Capabilities}
	user := process["user"].(map[string]any)
	if r.User >= 0 {
		user["uid"], user["gid"] = r.User, max(r.Group, 0)
	}
	if number := fmt.Sprint(user["uid"]); number == "0" { // only root has them at hand
		sets["permitted"], sets["effective"] = r.Capabilities, r.Capabilities
	}
	process["capabilities"] = sets
	// What Fargate allows, or all that this machine does. umoci's 1,024 would be
	// less than the connections that the app takes.
	var files syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err != nil {
		return err
	}
	most := min(files.Max, 65535)
	process["rlimits"] = []any{map[string]any{"type": "RLIMIT_NOFILE", "soft": most, "hard": most}}
	// What the template says goes before what the image says. A name that is there
	// twice would have either value, depending on who reads it.
	variables := map[string]string{}
	keep := func(pair string) {
		name, value, _ := strings.Cut(pair, "=")
		variables[name] = value
	}
	for _, pair := range process["env"].([]any) {
		keep(pair.(string))
	}
	maps.Copy(variables, r.Env)
	for _, pair := range env {
		keep(pair)
	}
	var all []string
	for name, value := range variables {
		all = append(all, name+"="+value)
	}
	process["env"] = all

	linux := config["linux"].(map[string]any)
	// runc starts in the network that the app is to be in.
	linux["namespaces"] = []any{
		map[string]any{"type": "pid"}, map[string]any{"type": "ipc"}, map[string]any{"type": "uts"}, map[string]any{"type": "mount"},
	}
	cpu := map[string]any{}
	if r.Shares > 0 {
		cpu["shares"] = r.Shares
	}
	if r.MilliCPU > 0 {
		cpu["quota"], cpu["period"] = r.MilliCPU*100, 100_000
	}
	bytes := r.MemoryMiB << 20
	linux["resources"] = map[string]any{
		"memory": map[string]any{"limit": bytes, "swap": bytes}, // no swap beside it
		"cpu":    cpu,
	}
	if r.Function {
		process["args"], process["cwd"] = []string{"/var/task/bootstrap"}, "/var/task"
		config["mounts"] = append(config["mounts"].([]any), map[string]any{
			"destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": []string{"size=512m", "mode=1777"},
		})
	}
	if r.Tmp.MiB > 0 {
		mount, err := r.Tmp.mount(filepath.Dir(path))
		if err != nil {
			return err
		}
		config["mounts"] = append(config["mounts"].([]any), mount)
	}
	if data, err = json.Marshal(config); err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o600)
}

func (c *container) alive() bool {
	select {
	case <-c.done:
		return false
	default:
		return true
	}
}

// runc asks runc about its container. It says nothing when that is gone.
func (c *container) runc(args ...string) ([]byte, error) {
	return exec.Command("runc", append([]string{"--root", filepath.Join(work, "runc")}, args...)...).Output()
}

// ended waits until the container has ended and says how: an exit code of 128
// and above is that of a signal.
func (c *container) ended(t testing.TB, within time.Duration) (code int) {
	t.Helper()
	select {
	case <-c.done:
		return c.cmd.ProcessState.ExitCode()
	case <-time.After(within):
		require.FailNow(t, "the app still runs", "%s after the signal, when the platform would kill it; it said:\n%s", within, c.logged())
		return 0
	}
}

// stats is what the kernel counts of a container.
type stats struct {
	Memory struct {
		Usage struct{ Limit, Max int64 }
	}
}

func (c *container) stats(t testing.TB) (s stats) {
	t.Helper()
	output, err := c.runc("events", "--stats", c.id)
	require.NoError(t, err, "runc events")
	require.NoError(t, json.Unmarshal(output, &struct{ Data *stats }{&s}), "%s", output)
	return s
}

// A process is what the kernel says of the app's process.
type process struct {
	UID, GID        int
	Capabilities    map[string]string // by set: CapBnd, CapEff
	NoNewPrivileges bool
	ReadOnlyRoot    bool
	MilliCPU        int // at most, or 0
}

// pid is the app's process, as this machine numbers it.
func (c *container) pid(t testing.TB) int {
	t.Helper()
	output, err := c.runc("state", c.id)
	require.NoError(t, err, "runc state")
	var state struct{ Pid int }
	require.NoError(t, json.Unmarshal(output, &state))
	return state.Pid
}

func (c *container) process(t testing.TB) (p process) {
	t.Helper()
	pid := c.pid(t)
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	require.NoError(t, err)
	p.Capabilities = map[string]string{}
	for line := range strings.Lines(string(status)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		switch fields := strings.Fields(value); {
		case name == "Uid":
			p.UID, err = strconv.Atoi(fields[1]) // the effective one
		case name == "Gid":
			p.GID, err = strconv.Atoi(fields[1])
		case strings.HasPrefix(name, "Cap"):
			p.Capabilities[name] = fields[0]
		case name == "NoNewPrivs":
			p.NoNewPrivileges = fields[0] == "1"
		}
		require.NoError(t, err)
	}
	mounts, err := os.ReadFile(fmt.Sprintf("/proc/%d/mountinfo", pid))
	require.NoError(t, err)
	for line := range strings.Lines(string(mounts)) {
		if fields := strings.Fields(line); fields[4] == "/" {
			p.ReadOnlyRoot = slices.Contains(strings.Split(fields[5], ","), "ro")
		}
	}
	p.MilliCPU = milliCPU(t, pid)
	return p
}

// milliCPU reads the CPU limit of a process's control group, of either version.
func milliCPU(t testing.TB, pid int) int {
	t.Helper()
	groups, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	require.NoError(t, err)
	var limit []byte
	for line := range strings.Lines(string(groups)) {
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3)
		switch {
		case slices.Contains(strings.Split(fields[1], ","), "cpu"):
			dir := filepath.Join("/sys/fs/cgroup", "cpu", fields[2])
			quota, err := os.ReadFile(filepath.Join(dir, "cpu.cfs_quota_us"))
			require.NoError(t, err)
			period, err := os.ReadFile(filepath.Join(dir, "cpu.cfs_period_us"))
			require.NoError(t, err)
			limit = append(append(quota, ' '), period...)
		case fields[1] == "" && limit == nil:
			// On a machine with both versions, this one has no limit of the CPU.
			limit, _ = os.ReadFile(filepath.Join("/sys/fs/cgroup", fields[2], "cpu.max"))
		}
	}
	var quota, period int
	if n, _ := fmt.Sscan(string(limit), &quota, &period); n < 2 || quota < 0 {
		return 0 // "max", or -1
	}
	return quota * 1000 / period
}

// call sends a request and returns the whole answer.
func (c *container) call(method, path, body string, header ...string) (contract.Answer, error) {
	request, err := http.NewRequest(method, c.base+path, strings.NewReader(body))
	if err != nil { // no URL: it is sent as it is
		if request, err = http.NewRequest(method, c.base, strings.NewReader(body)); err != nil {
			return contract.Answer{}, err
		}
		request.URL.Opaque = strings.TrimPrefix(c.base, "http:") + path
	}
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := c.http.Do(request)
	if err != nil {
		return contract.Answer{}, err
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	return contract.Answer{Status: response.StatusCode, Header: response.Header, Body: string(data)}, err
}

// mount is the directory as runc mounts it, with the files below bundle if they
// are on disk.
func (m tmp) mount(bundle string) (map[string]any, error) {
	if m.InMemory { // with the options of a container engine
		return map[string]any{
			"destination": "/tmp", "type": "tmpfs", "source": "tmpfs",
			"options": []string{"nosuid", "nodev", "noexec", "mode=1777", fmt.Sprintf("size=%dm", m.MiB)},
		}, nil
	}
	dir := filepath.Join(bundle, "tmp")
	if err := os.Mkdir(dir, 0o777); err != nil {
		return nil, err
	}
	// As the kubelet makes an emptyDir, whatever the umask of the tests.
	return map[string]any{"destination": "/tmp", "type": "bind", "source": dir, "options": []string{"bind", "rw"}}, os.Chmod(dir, 0o777)
}
