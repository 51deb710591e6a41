package kubernetes_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/envtest"
	nodestages "sigs.k8s.io/kwok/kustomize/stage/node/fast"
	heartbeat "sigs.k8s.io/kwok/kustomize/stage/node/heartbeat-with-lease"
	podstages "sigs.k8s.io/kwok/kustomize/stage/pod/fast"
	"sigs.k8s.io/yaml"
)

// broken is an image that never becomes ready here. Every other one is ready at
// once: kwok says so in place of a kubelet, and no container runs.
const broken = "registry.example/broken:1"

// A plane is a control plane of Kubernetes on 127.0.0.1.
type plane struct {
	dir, kubeconfig string
	temporary       string // where dir is
	environment     envtest.Environment
	controllers     []*exec.Cmd
}

// start runs etcd and the API server and, where all programs are there, the
// controllers, the scheduler and a stand-in for the kubelets.
func start(programs programs) (_ *plane, err error) {
	p := &plane{temporary: os.TempDir()}
	if p.dir, err = os.MkdirTemp("", "refdeploy-kubernetes-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			p.keepLogs()
			p.stop()
		}
	}()
	// What fails to start leaves its files behind. Here they go with the rest.
	if err = os.Setenv("TMPDIR", p.dir); err != nil {
		return nil, err
	}
	log, err := os.Create(filepath.Join(p.dir, "etcd-and-kube-apiserver.log"))
	if err != nil {
		return nil, err
	}
	defer log.Close() // the servers have a copy
	p.environment.ControlPlane.Etcd = &envtest.Etcd{Out: log, Err: log}
	p.environment.BinaryAssetsDirectory = programs.dir
	server := p.environment.ControlPlane.GetAPIServer()
	server.Out, server.Err = log, log
	server.StartTimeout, server.StopTimeout = time.Minute, time.Minute
	if programs.complete {
		// envtest turns the plugin off, because without controllers no
		// namespace has an account for its pods.
		server.Configure().Disable("disable-admission-plugins")
	}
	if _, err = p.environment.Start(); err != nil {
		return nil, fmt.Errorf("the programs in %q: %w", programs.dir, err)
	}
	admin, err := p.environment.AddUser(envtest.User{Name: "admin", Groups: []string{"system:masters"}}, nil)
	if err != nil {
		return nil, err
	}
	config, err := admin.KubeConfig()
	if err != nil {
		return nil, err
	}
	p.kubeconfig = filepath.Join(p.dir, "kubeconfig")
	if err := os.WriteFile(p.kubeconfig, config, 0o600); err != nil {
		return nil, err
	}
	if !programs.complete {
		return p, nil
	}
	authority := filepath.Join(p.dir, "ca.crt")
	if err := os.WriteFile(authority, server.SecureServing.CA, 0o600); err != nil {
		return nil, err
	}
	stages := filepath.Join(p.dir, "stages.yaml")
	text, err := kubeletStages()
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(stages, text, 0o600); err != nil {
		return nil, err
	}
	for _, command := range [][]string{
		{"kube-controller-manager", "--leader-elect=false", "--secure-port=0", "--root-ca-file=" + authority,
			"--service-account-private-key-file=" + filepath.Join(server.CertDir, "sa-signer.key"),
			"--horizontal-pod-autoscaler-sync-period=1s"}, // 15 s by default
		{"kube-scheduler", "--leader-elect=false", "--secure-port=0"},
		// Without leases, nodes would count as lost after some seconds.
		{"kwok", "--manage-all-nodes", "--node-lease-duration-seconds=40", "--node-port=0", "--config=" + stages},
	} {
		if err := p.run(programs.path(command[0]), append(command[1:], "--kubeconfig="+p.kubeconfig)...); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func (p *plane) run(program string, args ...string) error {
	log, err := os.Create(filepath.Join(p.dir, filepath.Base(program)+".log"))
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(program, args...)
	cmd.Stdout, cmd.Stderr = log, log
	// A group of its own: Ctrl-C reaches only the process that stops it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	p.controllers = append(p.controllers, cmd)
	return nil
}

// stop ends every server, the API server last.
func (p *plane) stop() {
	for _, cmd := range p.controllers {
		_ = cmd.Process.Signal(syscall.SIGTERM)
	}
	for _, cmd := range p.controllers {
		kill := time.AfterFunc(20*time.Second, func() { _ = cmd.Process.Kill() })
		_ = cmd.Wait()
		kill.Stop()
	}
	if err := p.environment.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	_ = os.RemoveAll(p.dir)
}

// keepLogs moves the servers' logs to where they survive the tests.
func (p *plane) keepLogs() {
	dir, err := os.MkdirTemp(p.temporary, "refdeploy-kubernetes-logs-")
	if err != nil {
		return
	}
	logs, _ := filepath.Glob(filepath.Join(p.dir, "*.log"))
	for _, log := range logs {
		_ = os.Rename(log, filepath.Join(dir, filepath.Base(log)))
	}
	fmt.Println("the servers' logs are in", dir)
}

// kubeletStages says what kwok does to nodes and pods in place of kubelets: its
// own defaults, except that a broken image never becomes ready.
func kubeletStages() ([]byte, error) {
	var ready map[string]any
	if err := yaml.Unmarshal([]byte(podstages.DefaultPodReady), &ready); err != nil {
		return nil, err
	}
	selector := ready["spec"].(map[string]any)["selector"].(map[string]any)
	selector["matchExpressions"] = append(selector["matchExpressions"].([]any), map[string]any{
		"key": ".spec.containers.[].image", "operator": "NotIn", "values": []any{broken},
	})
	changed, err := yaml.Marshal(ready)
	if err != nil {
		return nil, err
	}
	return bytes.Join([][]byte{
		[]byte(nodestages.DefaultNodeInit), []byte(heartbeat.DefaultNodeHeartbeatWithLease), []byte(podstages.DefaultPodDelete), changed,
	}, []byte("\n---\n")), nil
}
