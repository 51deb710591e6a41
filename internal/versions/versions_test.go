package versions_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"refdeploy/internal/assembly"
	"refdeploy/internal/project"
	"refdeploy/internal/versions"
)

func listed(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, v := range versions.All() {
		require.NotContains(t, all, v.Name)
		all[v.Name] = v.Version
	}
	return all
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(project.Path(path))
	require.NoError(t, err)
	return string(data)
}

func TestTheListAndTheManifestsAgree(t *testing.T) {
	all := listed(t)
	var npm struct{ DevDependencies map[string]string }
	require.NoError(t, json.Unmarshal([]byte(read(t, "package.json")), &npm))
	delete(npm.DevDependencies, "axe-core") // rules for the browser's tests, which nothing here deploys
	assert.Equal(t, map[string]string{
		fmt.Sprintf("@aws-cdk/lambda-layer-kubectl-v%d", versions.KubernetesMinor): all["kubectl layer"],
		"aws-cdk": all["CDK CLI"],
		"node":    all["Node.js"],
	}, npm.DevDependencies)

	found := func(path, pattern string) string {
		match := regexp.MustCompile(pattern).FindStringSubmatch(read(t, path))
		require.NotNil(t, match, "%s: no %s", path, pattern)
		return match[1]
	}
	assert.Equal(t, all["aws-cdk-go"], found("go.mod", `aws-cdk-go/awscdk/v2 v(\S+)`))
	assert.Equal(t, all["Go"], found("go.mod", `(?m)^go (\d+\.\d+)`))
	assert.Equal(t, all["Go"], found("app/Dockerfile", `golang:(\d+\.\d+)\.`))
}

// The reviewed templates hold no version that is not in the list, whichever
// deployment they are of.
func TestTheListAndTheTemplatesAgree(t *testing.T) {
	all := listed(t)
	paths, err := filepath.Glob(project.Path("stacks", "testdata", "*.golden.json"))
	require.NoError(t, err)
	found := map[string][]string{}
	see := func(name, version string) {
		if !slices.Contains(found[name], version) {
			found[name] = append(found[name], version)
		}
	}
	inText := map[string]*regexp.Regexp{
		"AWS Load Balancer Controller": regexp.MustCompile(`aws-load-balancer-controller\\*","tag\\*":\\*"v([^"\\]+)`),
		"AWS for Fluent Bit":           regexp.MustCompile(`aws-for-fluent-bit:([^"\\]+)`),
		"AMI of ECS instances":         regexp.MustCompile(`/aws/service/ecs/optimized-ami/([^/]+)/`),
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		for name, pattern := range inText {
			for _, match := range pattern.FindAllStringSubmatch(string(data), -1) {
				see(name, match[1])
			}
		}
		var template assembly.Template
		require.NoError(t, json.Unmarshal(data, &template))
		for _, r := range template.Resources {
			switch r.Type {
			case "AWS::EKS::Cluster":
				see("Kubernetes", r.Properties["Version"].(string))
			case "AWS::EKS::Nodegroup":
				family, _, _ := strings.Cut(r.Properties["AmiType"].(string), "_")
				see("AMI of EKS nodes", family)
			case "AWS::EKS::Addon":
				require.NotContains(t, r.Properties, "AddonVersion", path)
				see("EKS add-ons", all["EKS add-ons"])
			case "Custom::AWSCDK-EKS-HelmChart":
				see("AWS Load Balancer Controller", r.Properties["Version"].(string))
			case "AWS::Lambda::Function":
				runtime := r.Properties["Runtime"].(string)
				name := "a Lambda runtime"
				for _, v := range versions.All() {
					if v.Version == runtime {
						name = v.Name
					}
				}
				see(name, runtime)
			}
		}
	}
	for name, of := range found {
		assert.Equal(t, []string{all[name]}, of, name)
	}
	for _, name := range []string{
		"Kubernetes", "AMI of EKS nodes", "EKS add-ons", "AWS Load Balancer Controller", "AWS for Fluent Bit", "AMI of ECS instances",
		"Lambda runtime of the app", "Lambda runtime of the CDK's functions", "Lambda runtime of the CDK's kubectl function",
	} {
		assert.Contains(t, found, name, "no template has one: take it out of the list")
	}
}

func TestEveryEntrySaysWhereItIsSetAndWhereItsDateIsFrom(t *testing.T) {
	for _, v := range versions.All() {
		t.Run(v.Name, func(t *testing.T) {
			require.NotEmpty(t, v.SetIn)
			for _, path := range v.SetIn {
				assert.FileExists(t, project.Path(path))
			}
			assert.NotEmpty(t, v.Then)
			assert.NotEmpty(t, v.Update)
			assert.Equal(t, v.Ends == "", v.Source == "", "a date without a source, or the reverse")
			if v.Ends == "" {
				assert.False(t, v.Unverified)
				return
			}
			_, err := time.Parse(time.DateOnly, v.Ends)
			assert.NoError(t, err)
			read, err := time.Parse(time.DateOnly, v.Read)
			require.NoError(t, err)
			assert.False(t, read.After(time.Now()), "read in the future")
		})
	}
}

// When this fails, what runs is no longer patched, or costs more: do what the
// message says.
func TestNothingIsPastTheEndOfItsSupport(t *testing.T) {
	for _, v := range versions.All() {
		assert.False(t, v.Past(time.Now()), v.String())
	}
}

func TestDaysLeftCountWholeDaysOfUTC(t *testing.T) {
	v := versions.Version{Name: "Kubernetes", Version: "1.30", SetIn: []string{"go.mod"}, Ends: "2026-07-23", Then: "standard support", Update: "raise it"}
	for _, tt := range []struct {
		now       string
		left      int
		due, past bool
	}{
		{"2026-04-23T23:59:59Z", 91, false, false},
		{"2026-04-24T00:00:00Z", 90, true, false},
		{"2026-07-22T23:59:59Z", 1, true, false},
		{"2026-07-23T00:00:00Z", 0, true, true},
		{"2026-07-23T23:00:00-05:00", -1, true, true},
	} {
		now, err := time.Parse(time.RFC3339, tt.now)
		require.NoError(t, err)
		left, known := v.DaysLeft(now)
		assert.True(t, known)
		assert.Equal(t, tt.left, left, tt.now)
		assert.Equal(t, tt.due, v.Due(now), tt.now)
		assert.Equal(t, tt.past, v.Past(now), tt.now)
	}
	assert.Equal(t, "Kubernetes 1.30: until 2026-07-23, standard support. It is set in go.mod: raise it", v.String())

	v.Ends = ""
	_, known := v.DaysLeft(time.Now())
	assert.False(t, known)
	assert.False(t, v.Due(time.Now()))
	assert.False(t, v.Past(time.Now()))
}
