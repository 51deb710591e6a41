package stacks_test

import (
	"fmt"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"refdeploy/constructs/cdktest"
	"refdeploy/internal/catalog"
	"refdeploy/internal/cost"
	"refdeploy/internal/settings"
	"refdeploy/stacks"
	"refdeploy/tests/apps"
)

// A variant is an app that is not ours in a profile. Synthesis is most of a test's
// time: the two that are missing are synthesized by the tests of cmd/refdeploy.
type variant struct {
	own     apps.App
	profile settings.Profile
}

var variants = []variant{
	{apps.Named("python"), settings.Sandbox},
	{apps.Named("python"), settings.Production},
	{apps.Named("node"), settings.Sandbox},
	{apps.Named("static"), settings.Production},
}

func (v variant) synth(t *testing.T) map[string]*cdktest.Stack {
	return synth(t, append(v.own.KeyValues(), "profile", string(v.profile))...)
}

// What holds for the sample app holds for any that takes its place.
func TestRulesForAppsThatAreNotOurs(t *testing.T) {
	for _, v := range variants {
		for id, stack := range v.synth(t) {
			checkRules(t, fmt.Sprintf("%s, the %s app, in %s", id, v.own.Name, v.profile), v.profile, stack)
		}
	}
}

func TestNothingOfAnAppThatIsNotOursIsWithoutAPrice(t *testing.T) {
	for _, v := range variants {
		for id, stack := range v.synth(t) {
			plan := cost.PlanOf(stack.Stack)
			assert.Empty(t, plan.Unpriced, id)
			if v.own.Settings["bucket"] == "none" {
				for _, charge := range plan.Charges {
					assert.NotContains(t, charge.Item, "S3", id)
				}
			}
		}
	}
}

// python and node are the stacks of two of the apps in a sandbox.
func python(t *testing.T) map[string]*cdktest.Stack { return variants[0].synth(t) }

func node(t *testing.T) map[string]*cdktest.Stack { return variants[2].synth(t) }

func TestAnAppIsToldItsPortAndWhatTheUserGaveIt(t *testing.T) {
	for _, v := range variants {
		for id, stack := range v.synth(t) {
			t.Run(id+" of "+v.own.Name, func(t *testing.T) {
				app := appOf(t, stack)
				assert.Equal(t, v.own.Settings["port"], app.variable(t, "PORT"))
				for path := range healthPaths(stack) {
					assert.Equal(t, v.own.Settings["healthPath"], healthPaths(stack)[path])
				}
				assert.Equal(t, v.own.Settings["bucket"] != "none", app.hasBucket())
				if clusterElsewhere(stack) {
					return // the files have the rest: internal/bundle
				}
				if v.own.Name == "python" {
					assert.Equal(t, "Hello, you", app.variable(t, "GREETING"))
				}
			})
		}
	}
}

func TestWithoutABucketNothingIsLeftOfIt(t *testing.T) {
	for id, stack := range python(t) {
		if clusterElsewhere(stack) {
			continue // the issuer's
		}
		t.Run(id, func(t *testing.T) {
			stack.Count(t, "AWS::S3::Bucket", 0)
			assert.NotContains(t, stack.JSON(), "NOTES_")
			assert.NotContains(t, stack.JSON(), "notes, so the grant")
		})
	}
}

// Kubernetes' own variables for a Service would be taken for the app's.
func TestPodsOfAnOwnAppGetNoVariablesOfServices(t *testing.T) {
	for id := range onKubernetes {
		pod := podOf(t, python(t)[id])
		assert.Equal(t, false, pod["enableServiceLinks"], id)
	}
}

// The pages say where, in the catalog's words.
func TestAnOwnAppMayWriteToTmpAndNowhereElse(t *testing.T) {
	for id, stack := range python(t) {
		t.Run(id, func(t *testing.T) {
			d, ok := catalog.ByID(id)
			require.True(t, ok)
			says := d.OwnApp()
			require.NotEmpty(t, says.RunsAs)
			switch {
			case clusterElsewhere(stack), onKubernetes[id] != "":
				assert.Equal(t, "`/tmp` only: 64 MiB of the node's disk", says.Writes)
				assert.Contains(t, says.RunsAs, "65532")
				if clusterElsewhere(stack) {
					return // its files are tested with the others
				}
				pod := podOf(t, stack)
				assert.EqualValues(t, 65532, pod["securityContext"].(object)["runAsUser"])
				container := pod["containers"].([]any)[0].(object)
				assert.Equal(t, true, container["securityContext"].(object)["readOnlyRootFilesystem"])
				assert.Contains(t, container["volumeMounts"], object{"mountPath": "/tmp", "name": "tmp"})
				assert.Contains(t, pod["volumes"], object{"name": "tmp", "emptyDir": object{"sizeLimit": "64Mi"}})
			case len(stack.Of("AWS::ECS::TaskDefinition")) > 0:
				assert.Equal(t, "`/tmp` only: 64 MiB of the container's memory", says.Writes)
				container := appContainer(t, stack)
				assert.NotContains(t, container, "User", says.RunsAs)
				assert.Equal(t, true, container["ReadonlyRootFilesystem"])
				assert.Equal(t, []any{object{"ContainerPath": "/tmp", "Size": 64.0}}, container["LinuxParameters"].(object)["Tmpfs"])
			case id == "Lambda":
				assert.Equal(t, "`/tmp` only: 512 MB", says.Writes)
				assert.NotContains(t, stack.JSON(), "EphemeralStorage", "512 MB is what a function has without")
			default:
				assert.Contains(t, says.Writes, "everywhere in the container")
			}
		})
	}
}

func TestAnOwnAppGetsTheSizeThatWasAskedFor(t *testing.T) {
	all := node(t) // 600 CPU units, 1500 MiB
	for id, want := range map[string]object{
		"EcsFargate":          {"Cpu": "1024", "Memory": "2048"},
		"EcsManagedInstances": {"Cpu": "600", "Memory": "1500"},
	} {
		all[id].Has(t, "AWS::ECS::TaskDefinition", want)
	}
	for _, id := range []string{"EcsEc2", "EcsAnywhere"} {
		container := appContainer(t, all[id])
		assert.Equal(t, []any{600.0, 1500.0}, []any{container["Cpu"], container["Memory"]}, id)
	}
	all["EcsExpress"].Has(t, "AWS::ECS::ExpressGatewayService", object{"Cpu": "1024", "Memory": "2048"})
	all["AppRunner"].Has(t, "AWS::AppRunner::Service", object{"InstanceConfiguration": object{"Cpu": "1024", "Memory": "2048"}})
	all["Lambda"].Has(t, "AWS::Lambda::Function", object{"MemorySize": 1500})
	all["EcsEc2"].Has(t, "AWS::EC2::LaunchTemplate", object{"LaunchTemplateData": object{"InstanceType": "t4g.small"}})
	all["EksEc2"].Has(t, "AWS::EC2::LaunchTemplate", object{"LaunchTemplateData": object{"InstanceType": "t4g.large"}})
	for id, want := range map[string]object{
		"EksEc2":     {"cpu": "586m", "memory": "1500Mi"},
		"EksAuto":    {"cpu": "586m", "memory": "1500Mi"},
		"EksFargate": {"cpu": "1", "memory": "1792Mi"},
	} {
		resources := podOf(t, all[id])["containers"].([]any)[0].(object)["resources"]
		assert.Equal(t, object{"requests": want, "limits": want}, resources, id)
	}
	for id, stack := range all {
		assert.Len(t, stack.Annotations, 1, id)
		assert.Contains(t, stack.Annotations[0].Says, "asked for 600 CPU units and 1500 MiB; ", id)
	}
	for id, stack := range python(t) {
		assert.Empty(t, stack.Annotations, "%s: nobody asked", id)
	}
}

// A size that a platform does not have is an error of that stack alone.
func TestASizeThatIsTooBigLeavesTheOthers(t *testing.T) {
	var tooBig []string
	for id, stack := range synth(t, "cpu", "4096", "memory", "16384") {
		require.Len(t, stack.Annotations, 1, id)
		if stack.Annotations[0].Level == "error" {
			assert.Contains(t, stack.Annotations[0].Says, "leave this deployment out with the stacks setting", id)
			tooBig = append(tooBig, id)
		}
	}
	slices.Sort(tooBig)
	assert.Equal(t, []string{"AppRunner", "EksEc2", "Lambda"}, tooBig)
}

func TestLambdaRunsTheContainerBehindTheWebAdapter(t *testing.T) {
	stack := python(t)["Lambda"]
	stack.Has(t, "AWS::Lambda::Function", object{"PackageType": "Image", "Timeout": 60, "Environment": object{"Variables": object{
		"AWS_LWA_PORT": "8000", "AWS_LWA_READINESS_CHECK_PATH": "/health", "PORT": "8000",
	}}})
	assert.Len(t, stack.ImagePlatforms, 1)
	assert.NotEqual(t, imageOf(t, stack), imageOf(t, python(t)["EcsFargate"]), "the adapter is in one only")
}

// The same directory gives the same image, wherever it is copied to meanwhile.
func TestTheAdaptersImageIsTheSameEachTime(t *testing.T) {
	first := imageOf(t, python(t)["Lambda"])
	app, chosen := newApp(t, append(apps.Named("python").KeyValues(), "stacks", "Lambda", "profile", "sandbox")...)
	again := cdktest.SynthStack(t, stacks.New(app, "Lambda", &stacks.Props{Settings: chosen}))
	assert.Equal(t, first, imageOf(t, again))
}

// hash is that of an image in the bootstrap repository.
var hash = regexp.MustCompile(`:([0-9a-f]{64})`)

func imageOf(t *testing.T, stack *cdktest.Stack) string {
	t.Helper()
	match := hash.FindStringSubmatch(stack.JSON())
	require.NotNil(t, match)
	return match[1]
}

// podOf returns the pod's spec of a stack on Kubernetes.
func podOf(t *testing.T, stack *cdktest.Stack) object {
	t.Helper()
	return manifests(t, stack)["Deployment"]["spec"].(object)["template"].(object)["spec"].(object)
}

// appContainer returns the app's container of a stack on ECS.
func appContainer(t *testing.T, stack *cdktest.Stack) object {
	t.Helper()
	for _, c := range stack.Only(t, "AWS::ECS::TaskDefinition").Properties["ContainerDefinitions"].([]any) {
		if c.(object)["Name"] == "App" {
			return c.(object)
		}
	}
	require.Fail(t, "no container App")
	return nil
}
