package settings_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"refdeploy/internal/settings"
)

// directory returns a directory that an app can be built from.
func directory(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte("FROM scratch\n"), 0o600))
	return dir
}

func TestAnAppsSettings(t *testing.T) {
	dir := directory(t)
	port := settings.Variable{Name: "PORT", Value: "8080"}
	for name, tt := range map[string]struct {
		context map[string]any
		change  func(*settings.Settings)
	}{
		"an app is told the port": {object{"app": dir}, func(s *settings.Settings) { s.App = dir; s.Env = []settings.Variable{port} }},
		"a directory from the project's root": {object{"app": "tests/apps/static"}, func(s *settings.Settings) {
			s.App, s.Env = "tests/apps/static", []settings.Variable{port}
		}},
		"an image alone is told nothing": {object{"image": "nginx"}, func(s *settings.Settings) { s.Image = "nginx" }},
		"an image with a port is told it": {object{"image": "nginx", "port": "80", "healthPath": "/"}, func(s *settings.Settings) {
			s.Image, s.Port, s.HealthPath, s.Env = "nginx", 80, "/", []settings.Variable{{Name: "PORT", Value: "80"}}
		}},
		"a size goes with the sample app too": {object{"cpu": "512", "memory": "1024"}, func(s *settings.Settings) { s.CPU, s.Memory = 512, 1024 }},
		"env in its order, then the port": {object{"app": dir, "env": "BB=2, AA=x=y,EMPTY="}, func(s *settings.Settings) {
			s.App, s.Env = dir, []settings.Variable{{Name: "BB", Value: "2"}, {Name: "AA", Value: "x=y"}, {Name: "EMPTY"}, port}
		}},
		"a comma in double quotes": {object{"app": dir, "env": `"GREETING=Hello, you",JSON={"a":1},"PAIRS={""a"":1,""b"":2}"`}, func(s *settings.Settings) {
			s.App, s.Env = dir, []settings.Variable{
				{Name: "GREETING", Value: "Hello, you"}, {Name: "JSON", Value: `{"a":1}`}, {Name: "PAIRS", Value: `{"a":1,"b":2}`}, port,
			}
		}},
		"secrets by name, by path and by ARN": {
			object{"app": dir, "secrets": "TOKEN,KEY=prod/key,PASSWORD=/db/password,CERT=arn:aws:secretsmanager:us-east-1:111111111111:secret:cert-AbCd12"},
			func(s *settings.Settings) {
				s.App, s.Env = dir, []settings.Variable{port}
				s.Secrets = []settings.Secret{
					{Name: "TOKEN", Reference: "TOKEN"}, {Name: "KEY", Reference: "prod/key"}, {Name: "PASSWORD", Reference: "/db/password"},
					{Name: "CERT", Reference: "arn:aws:secretsmanager:us-east-1:111111111111:secret:cert-AbCd12"},
				}
			},
		},
		"no bucket": {object{"app": dir, "bucket": "none"}, func(s *settings.Settings) {
			s.App, s.Env, s.Bucket = dir, []settings.Variable{port}, settings.NoBucket
		}},
	} {
		t.Run(name, func(t *testing.T) {
			want := settings.Default()
			tt.change(&want)
			got, err := settings.Parse(tt.context, ids)
			require.NoError(t, err)
			assert.Equal(t, want, got)
		})
	}
}

func TestBadSettingsOfAnAppGetOneLine(t *testing.T) {
	dir := directory(t)
	empty := t.TempDir()
	for name, tt := range map[string]struct {
		context map[string]any
		want    string
	}{
		"nowhere":                     {object{"app": filepath.Join(empty, "nowhere")}, "nowhere is no directory"},
		"a file":                      {object{"app": filepath.Join(dir, "Dockerfile")}, "Dockerfile is no directory"},
		"no Dockerfile":               {object{"app": empty}, empty + " has no file Dockerfile"},
		"an empty app":                {object{"app": ""}, `app: got ""; allowed: a directory with a Dockerfile`},
		"app and image":               {object{"app": dir, "image": "nginx"}, "app and image: got both; set one of them"},
		"app and GitHub":              {object{"app": dir, "appRunnerRepository": "https://github.com/example/app", "appRunnerConnectionArn": "arn:aws:apprunner:us-east-1:111111111111:connection/a/b"}, "app and appRunnerRepository: got both"},
		"a port of the sample app":    {object{"port": "3000"}, "port: describes your own app, and this is the sample app; set app or image as well"},
		"no bucket of the sample app": {object{"bucket": "none"}, "bucket: describes your own app"},
		"port 0":                      {object{"app": dir, "port": "0"}, `port: got "0"; allowed: 1 to 65535`},
		"port 65536":                  {object{"app": dir, "port": "65536"}, `port: got "65536"`},
		"a port with a sign":          {object{"app": dir, "port": "+80"}, `port: got "+80"`},
		"a relative path":             {object{"app": dir, "healthPath": "health"}, `healthPath: got "health"; allowed: a path such as /health`},
		"a query":                     {object{"app": dir, "healthPath": "/health?x=1"}, `healthPath: got "/health?x=1"`},
		"vCPUs":                       {object{"app": dir, "cpu": "0.5"}, `cpu: got "0.5"; allowed: CPU units, 1024 to a vCPU, 128 to 16384`},
		"little memory":               {object{"app": dir, "memory": "64"}, `memory: got "64"; allowed: MiB, 128 to 122880`},
		"memory with a unit":          {object{"app": dir, "memory": "1GB"}, `memory: got "1GB"`},
		"empty env":                   {object{"app": dir, "env": ""}, `env: got ""; allowed: NAME=value`},
		"env without a value":         {object{"app": dir, "env": "A1=1,DEBUG"}, `"DEBUG" has no =`},
		"a name with a dash":          {object{"app": dir, "env": "LOG-LEVEL=1"}, `"LOG-LEVEL" is no name: a letter, and then one or more letters, digits or underscores`},
		"a name that Lambda refuses":  {object{"app": dir, "env": "_X=1"}, `"_X" is no name`},
		"twice":                       {object{"app": dir, "env": "AB=1,AB=2"}, "AB is there twice"},
		"the port's name":             {object{"app": dir, "env": "PORT=1"}, "PORT is the platform's to set, or the deployment's"},
		"AWS's names":                 {object{"app": dir, "env": "AWS_PROFILE=x"}, "AWS_PROFILE is the platform's to set"},
		"the bucket's name":           {object{"app": dir, "env": "NOTES_BUCKET=x"}, "NOTES_BUCKET is the platform's to set"},
		"a line break":                {object{"app": dir, "env": "AB=1\nCD=2"}, "a value with a line break goes in double quotes"},
		"a secret in env":             {object{"app": dir, "env": "AB={{resolve:secretsmanager:x}}"}, "the value of AB refers to a secret: give it as secrets"},
		"a secret's name":             {object{"app": dir, "secrets": "PASS-WORD=x"}, `"PASS-WORD" is no name`},
		"a secret's reserved name":    {object{"app": dir, "secrets": "AWS_KEY=x"}, "AWS_KEY is the platform's to set"},
		"no reference":                {object{"app": dir, "secrets": "KEY=a b"}, `"a b" is no reference`},
		"another service's ARN":       {object{"app": dir, "secrets": "KEY=arn:aws:s3:us-east-1:111111111111:secret:x-AbCd12"}, "an ARN is of Secrets Manager"},
		"half an ARN":                 {object{"app": dir, "secrets": "KEY=arn:aws:secretsmanager:us-east-1:111111111111:secret:prod/key"}, "ends in a hyphen and six characters"},
		"a name like the end of one":  {object{"app": dir, "secrets": "KEY=db-secret"}, "a name that ends in a hyphen and six characters is taken for an ARN; give the whole ARN"},
		"env and secrets":             {object{"app": dir, "env": "KEY=1", "secrets": "KEY"}, "env and secrets: both have KEY"},
		"a bucket's name as bucket":   {object{"app": dir, "bucket": "mine"}, `bucket: got "mine"; allowed: own or none`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := settings.Parse(tt.context, ids)
			require.Error(t, err)
			assert.Zero(t, got)
			assert.Contains(t, err.Error(), tt.want)
			assert.Equal(t, 1, len(strings.Split(strings.ReplaceAll(err.Error(), `\n`, ""), "\n")), "more than one line: %s", err)
		})
	}
}

func TestATemplateTellsWhatItsReadersNeed(t *testing.T) {
	want, err := settings.Parse(object{
		"app": "tests/apps/static", "port": "3000", "healthPath": "/up", "cpu": "300", "memory": "700", "bucket": "none", "profile": "production",
	}, ids)
	require.NoError(t, err)
	told := want.Metadata()
	got := settings.FromMetadata(func(name string) string { value, _ := told[name].(string); return value })
	want.App = "own" // and not where it is on this machine
	assert.Equal(t, want, got)
	assert.Equal(t, map[string]any{"profile": "sandbox", "architecture": "arm64"}, settings.Default().Metadata())
}

func TestAnOwnAppGetsTheLeastOfFargateEverywhere(t *testing.T) {
	own, err := settings.Parse(object{"app": "tests/apps/static"}, ids)
	require.NoError(t, err)
	sizes := func(cpu, memory int) [2]int { return [2]int{cpu, memory} }
	assert.Equal(t, [2]int{256, 512}, sizes(own.FargateSize()))
	assert.Equal(t, [2]int{256, 512}, sizes(own.TaskSize()))
	assert.Equal(t, [2]int{256, 512}, sizes(own.ContainerSize()))
	assert.Equal(t, [2]int{256, 512}, sizes(own.PodSize()))
	assert.Equal(t, [2]int{256, 512}, sizes(own.AppRunnerSize()))
	assert.Equal(t, [2]int{256, 768}, sizes(own.FargatePodSize()), "1 GB without what Kubernetes takes")
	assert.Equal(t, 512, own.LambdaMemory())
	assert.Equal(t, "t4g.small", own.ECSInstance())
	assert.Equal(t, "t4g.medium", own.EKSInstance())
	assert.Equal(t, "m7g.medium", own.ManagedInstance())
}
