//go:build deploy

package deploy_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"

	"refdeploy/internal/project"
)

// The place that the tests deploy to, made once.
var (
	work      string // a directory that goes away with the tests
	app       string // the CDK app, compiled
	companion string // the companion command, compiled
	endpoint  string // where AWS's APIs are
	pinned    bool   // whether that is the emulator that tests/deploy pins
	account   string // which account is there

	// signer is what requests are signed with. The emulator takes any.
	signer = aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}
)

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	if work, err = os.MkdirTemp("", "refdeploy-deploy-"); err != nil {
		return 1, err
	}
	defer os.RemoveAll(work)
	app, companion = filepath.Join(work, "app"), filepath.Join(work, "refdeploy")
	for binary, source := range map[string]string{app: ".", companion: "./cmd/refdeploy"} {
		build := exec.Command("go", "build", "-o", binary, source)
		build.Dir = project.Path()
		if output, err := build.CombinedOutput(); err != nil {
			return 1, fmt.Errorf("go build: %w\n%s", err, output)
		}
	}
	builder := "#!/bin/sh\n" +
		"echo \"$@\" >>" + filepath.Join(work, "builder.log") + "\n" +
		"[ \"$1\" != inspect ]\n" // nothing was built before
	if err := os.WriteFile(filepath.Join(work, "builder"), []byte(builder), 0o755); err != nil {
		return 1, err
	}
	stop, err := choose()
	if err != nil {
		return 1, err
	}
	defer stop()
	return m.Run(), nil
}

// choose finds what to deploy to: an endpoint that the user set, or the pinned
// emulator, which it starts.
func choose() (stop func(), err error) {
	if endpoint = strings.TrimSuffix(os.Getenv("AWS_ENDPOINT_URL"), "/"); endpoint != "" {
		if err := theirs(); err != nil {
			return nil, fmt.Errorf("AWS_ENDPOINT_URL=%s: %w", endpoint, err)
		}
		fmt.Printf("deploys to AWS_ENDPOINT_URL: %s, account %s\n", endpoint, account)
		return func() {}, nil
	}
	if program, err := exec.LookPath("aws-emulator"); err == nil {
		fmt.Printf("aws-emulator: installed as %s, not tried; start it and set AWS_ENDPOINT_URL, AWS_CA_BUNDLE and NODE_EXTRA_CA_CERTS\n", program)
	} else {
		fmt.Println("aws-emulator: not installed, skipped")
	}
	pinned, account = true, "000000000000"
	return start()
}

// theirs takes the user's own credentials, if there are any, and asks the endpoint
// whose account they lead to.
func theirs() error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := os.Setenv("AWS_EC2_METADATA_DISABLED", "true"); err != nil { // or it is waited for
		return err
	}
	cfg, err := config.LoadDefaultConfig(ctx, config.WithRegion(region))
	if err != nil {
		return err
	}
	if own, err := cfg.Credentials.Retrieve(ctx); err == nil {
		signer = own
	} else if set := os.Getenv("AWS_PROFILE"); set != "" {
		return fmt.Errorf("AWS_PROFILE=%s: %w", set, err)
	}
	text, err := call("sts", "GetCallerIdentity")
	if err != nil {
		return err
	}
	if account = between(text, "<Account>", "</Account>"); account == "" {
		return fmt.Errorf("sts:GetCallerIdentity names no account: %s", text)
	}
	return nil
}

// start runs the pinned emulator on a free port of this machine only.
func start() (stop func(), err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	port := listener.Addr().(*net.TCPAddr).Port
	listener.Close()
	endpoint = fmt.Sprintf("http://127.0.0.1:%d", port)

	sdk := project.Path("tests", "deploy", "emulator")
	python := project.Path("bin", "emulator", "bin", "python")
	if _, err := os.Stat(python); err != nil {
		return nil, fmt.Errorf("%s: not installed; run the tests through `make test-deploy`, which installs it", python)
	}
	log, err := os.Create(filepath.Join(work, "emulator.log"))
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(python, filepath.Join(sdk, "emulator.py"))
	cmd.Env = append(environment(),
		"BIND_HOST=127.0.0.1", fmt.Sprintf("GATEWAY_PORT=%d", port), "LOG_LEVEL=WARNING",
		"SDK="+filepath.Join(sdk, "node_modules"), "TMPDIR="+work, "PYTHONDONTWRITEBYTECODE=1")
	cmd.Stdout, cmd.Stderr = log, log
	// Its functions are processes of their own, and go with it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	stop = func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
		log.Close()
	}
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		if _, err = exists(); err == nil {
			fmt.Println("deploys to MiniStack, as tests/deploy/emulator pins and extends it")
			return stop, nil
		}
	}
	stop()
	text, _ := os.ReadFile(log.Name())
	return nil, fmt.Errorf("the emulator does not answer: %w\n%s", err, text)
}

// environment is the machine's without anything that leads to an account but the
// one that is tried.
func environment() []string {
	var env []string
	for _, entry := range os.Environ() {
		if !strings.HasPrefix(entry, "AWS_") && !strings.HasPrefix(entry, "CDK_") || strings.HasPrefix(entry, "AWS_CA_BUNDLE=") {
			env = append(env, entry)
		}
	}
	if signer.SessionToken != "" {
		env = append(env, "AWS_SESSION_TOKEN="+signer.SessionToken)
	}
	return append(env,
		"AWS_ENDPOINT_URL="+endpoint, "AWS_REGION="+region, "AWS_DEFAULT_REGION="+region,
		"AWS_ACCESS_KEY_ID="+signer.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+signer.SecretAccessKey, "AWS_EC2_METADATA_DISABLED=true",
		"AWS_CONFIG_FILE="+os.DevNull, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull,
		"CDK_HOME="+filepath.Join(work, "cdk"), "CDK_DISABLE_CLI_TELEMETRY=true", "CDK_VALIDATION=false",
		"CDK_DOCKER="+filepath.Join(work, "builder"), "NO_COLOR=1",
		"PATH="+project.Path("node_modules", ".bin")+":"+os.Getenv("PATH"))
}

var region = "us-east-1"

// cdk runs the pinned CDK CLI. A custom resource that never answers keeps
// CloudFormation waiting for an hour, so the run has a limit.
func cdk(args ...string) (output string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, project.Path("node_modules", ".bin", "cdk"), args...)
	cmd.Dir = project.Path()
	cmd.Env = environment()
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		err = fmt.Errorf("no end after 4 minutes: %w", err)
	}
	return string(out), err
}

// refdeploy runs the companion command, with more environment if that is given.
// It returns what went to standard output; the error tells the rest.
func refdeploy(env []string, args ...string) (output string, err error) {
	cmd := exec.Command(companion, args...)
	cmd.Dir = project.Path()
	cmd.Env = append(environment(), env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err = cmd.Run(); err != nil {
		err = fmt.Errorf("%w: %s", err, &stderr)
	}
	return stdout.String(), err
}

// sweep runs the command that looks for what was left.
func sweep() (output string, err error) { return refdeploy(nil, "sweep") }

// exists lists what the emulator holds, however it came about.
func exists() ([]string, error) {
	found, err := inventory()
	return found.Exists, err
}

type found struct{ Exists, Recorded []string }

func inventory() (f found, err error) {
	if !pinned {
		return foreign()
	}
	answer, err := http.Get(endpoint + "/_inventory")
	if err != nil {
		return f, err
	}
	defer answer.Body.Close()
	return f, json.NewDecoder(answer.Body).Decode(&f)
}
