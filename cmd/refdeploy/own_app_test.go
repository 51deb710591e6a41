package main

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"refdeploy/internal/assembly"
	"refdeploy/internal/catalog"
	"refdeploy/internal/permissions"
	"refdeploy/internal/project"
	"refdeploy/internal/report"
	"refdeploy/tests/apps"
)

// asContext returns an app's settings as flags, with others behind them.
func asContext(own apps.App, more ...string) []string {
	var args []string
	all := own.KeyValues()
	for i := 0; i < len(all); i += 2 {
		args = append(args, "-c", all[i]+"="+all[i+1])
	}
	return append(args, more...)
}

// The other two profiles of these apps are synthesized by the tests of stacks.
func TestCompareTakesAnAppThatIsNotOurs(t *testing.T) {
	for name, profile := range map[string]string{"node": "production", "static": "sandbox"} {
		t.Run(name, func(t *testing.T) {
			stdout, stderr, err := run(append([]string{"compare", "--format", "json", "--include-closed"}, asContext(apps.Named(name), "-c", "profile="+profile)...)...)
			require.NoError(t, err, stderr)
			var r report.Report
			require.NoError(t, json.Unmarshal([]byte(stdout), &r))
			assert.Len(t, r.Deployments, len(catalog.All()))
			assert.Equal(t, "own", r.Settings["app"])
			for _, d := range r.Deployments {
				assert.Empty(t, d.MonthlyUSD.Unpriced, d.ID)
				assert.Positive(t, d.MonthlyUSD.Idle, d.ID)
				assert.NotContains(t, d.Limits.LargestRequest, "the app takes", "that is the sample app")
				assert.True(t, strings.HasPrefix(d.Duties.Image, "you"), "%s: %s", d.ID, d.Duties.Image)
				assert.NotContains(t, d.DataPlane, "zip", d.ID)
				if name == "node" {
					assert.Contains(t, stderr, d.ID+": info: asked for 600 CPU units and 1500 MiB; ")
				}
			}
		})
	}
}

func TestACompareOfAnAppThatIsNotOursSaysSo(t *testing.T) {
	stdout, stderr, err := run(append([]string{"compare", "Lambda"}, asContext(apps.Named("node"))...)...)
	require.NoError(t, err, stderr)
	assert.Contains(t, stdout, "sandbox · arm64 · your own app · 600 CPU units · 1500 MiB · us-east-1 ·")
}

func TestBadSettingsOfAnAppAreOneLine(t *testing.T) {
	for name, tt := range map[string]struct {
		args []string
		want string
	}{
		"no such directory": {[]string{"compare", "-c", "app=tests/apps/ruby"}, "tests/apps/ruby is no directory"},
		"no Dockerfile":     {[]string{"compare", "-c", "app=docs"}, "docs has no file Dockerfile"},
		"both":              {[]string{"compare", "-c", "app=tests/apps/node", "-c", "image=nginx"}, "app and image: got both"},
		"none":              {[]string{"compare", "-c", "port=3000"}, "port: describes your own app, and this is the sample app"},
		"bundles elsewhere": {[]string{"bundles", "--out", filepath.Join(t.TempDir(), "b"), "-c", "app=tests/apps/node"}, "app: only the files for EKS Anywhere can be of your own app"},
		"health path":       {[]string{"smoke", "--url", "http://127.0.0.1:1", "--health-path", "health"}, `health-path: got "health"; allowed: a path such as /health`},
	} {
		t.Run(name, func(t *testing.T) {
			_, stderr, err := run(tt.args...)
			require.Error(t, err)
			assert.Contains(t, stderr, tt.want)
			assert.Equal(t, 1, strings.Count(stderr, "\n"), stderr)
		})
	}
}

func TestBundlesForEKSAnywhereHoldTheAppThatIsNotOurs(t *testing.T) {
	outputs := filepath.Join(t.TempDir(), "outputs.json")
	require.NoError(t, os.WriteFile(outputs, []byte(`{"EksAnywhere": {
		"Region": "eu-west-1", "ImageUri": "my/image:1", "IssuerUrl": "https://issuer.example", "AppRoleArn": "arn:aws:iam::111111111111:role/my"
	}}`), 0o600))
	dir := filepath.Join(t.TempDir(), "bundles")
	stdout, stderr, err := run(append([]string{"bundles", "--out", dir, "--outputs", outputs}, asContext(apps.Named("python"))...)...)
	require.NoError(t, err, stderr)
	files := written(t, dir, stdout)
	app := files["eks-anywhere/app.yaml"]
	require.NotEmpty(t, app)
	for _, want := range []string{
		"containerPort: 8000", "path: /health\n", "value: Hello, you\n", "kind: HorizontalPodAutoscaler", "name: app-secrets\n", "mountPath: /tmp\n", "enableServiceLinks: false\n",
	} {
		assert.Contains(t, app, want)
	}
	assert.NotContains(t, app, "NOTES_")
	for path := range files {
		assert.True(t, strings.HasPrefix(path, "eks-anywhere/"), path)
	}
}

func TestSmokeAsksAnAppThatIsNotOursForItsHealthAndItsPageOnly(t *testing.T) {
	var others atomic.Int32
	address := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodGet && r.URL.Path == "/status":
		case r.Method == http.MethodGet && r.URL.Path == "/":
			w.WriteHeader(http.StatusNotFound) // it has none
		default:
			others.Add(1)
		}
	})).URL
	results, stderr, err := smoked(t, "--url", address, "--health-path", "/status")
	require.NoError(t, err, stderr)
	require.Len(t, results, 1)
	assert.Empty(t, results[0].Failures)
	assert.Equal(t, results[0].Checks, results[0].Passed)
	assert.Positive(t, results[0].P50)
	assert.Zero(t, others.Load())
}

func TestSmokeNamesAPageThatFails(t *testing.T) {
	address := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			w.WriteHeader(http.StatusBadGateway)
		}
	})).URL
	results, _, err := smoked(t, "--url", address, "--health-path", "/status")
	require.Error(t, err)
	require.Len(t, results[0].Failures, 1)
	assert.Equal(t, "GET / (the first page is there, or at least no error of the server): expected a status below 500, got 502", results[0].Failures[0].String())
}

// Who deploys may read what the app is given, and no other secret of the account.
func TestWhoDeploysMayReadTheAppsSecretsOnly(t *testing.T) {
	var template assembly.Template
	require.NoError(t, json.Unmarshal([]byte(`{"Outputs": {"MakeSecrets": {"Value": {"Fn::Join": ["", [
		"kubectl create secret generic x --from-file=A=<(printf %s \"$(aws secretsmanager get-secret-value --region ", {"Ref": "AWS::Region"},
		" --secret-id prod/key --query SecretString --output text)\") --from-file=B=<(printf %s \"$(aws ssm get-parameter --region ", {"Ref": "AWS::Region"},
		" --with-decryption --name /db/password --query Parameter.Value --output text)\")"]]}}}}`), &template))
	for _, s := range permissions.Deployer(assembly.Stack{ID: "EksEc2", Template: template}).Statement {
		if s.Sid == "ReadTheSecretsOfMakeSecrets" {
			assert.Equal(t, []string{"secretsmanager:GetSecretValue", "ssm:GetParameter"}, s.Action)
			assert.Equal(t, []string{"arn:aws:secretsmanager:*:*:secret:prod/key-??????", "arn:aws:ssm:*:*:parameter/db/password"}, s.Resource)
			continue
		}
		assert.NotContains(t, s.Action, "secretsmanager:GetSecretValue")
		if s.Sid == "RunWhatTheOutputsSay" {
			assert.NotContains(t, s.Action, "ssm:GetParameter") // which doctor asks for the bootstrap's version
		}
	}
}

// The two commands of docs/how-to/bring-your-own-app.md.
func TestAnAppThatIsNotOursIsMeasuredAndThenCompared(t *testing.T) {
	t.Setenv("HOST", "127.0.0.1") // Node's app asks; Python's listens there
	for name, command := range map[string][]string{
		"node":   {"node", project.Path("tests", "apps", "node", "server.js")},
		"python": {"python3", project.Path("tests", "apps", "python", "quotes.py")},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := exec.LookPath(command[0]); err != nil {
				t.Skip(err)
			}
			own := apps.Named(name)
			file := filepath.Join(t.TempDir(), "usage.json")
			_, stderr, err := run(append([]string{"measure", "--health-path", own.Settings["healthPath"], "--requests", "20", "--out", file, "--"}, command...)...)
			require.NoError(t, err, stderr)
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			var figures map[string]float64
			require.NoError(t, json.Unmarshal(data, &figures))
			assert.InDelta(t, 0.06, figures["response-kb"], 0.06, "a line of JSON")

			stdout, stderr, err := run(append([]string{"compare", "EcsFargate", "--format", "json", "--usage", file, "--rps", "20"}, asContext(own, "-c", "stacks=EcsFargate")...)...)
			require.NoError(t, err, stderr)
			var r report.Report
			require.NoError(t, json.Unmarshal([]byte(stdout), &r))
			assert.Equal(t, "own", r.Settings["app"])
			require.Len(t, r.Deployments, 1)
			assert.Positive(t, r.Deployments[0].MonthlyUSD.Idle)
			assert.Equal(t, 20.0, r.Usage.RequestsPerSecond)
			assert.Equal(t, figures, map[string]float64{
				"cpu-ms": r.Usage.CPUMs, "wait-ms": r.Usage.WaitMs, "request-kb": r.Usage.RequestKB, "response-kb": r.Usage.ResponseKB, "log-bytes": r.Usage.LogBytesPerRequest,
			}, "what the comparison assumes is what was measured")
		})
	}
}
