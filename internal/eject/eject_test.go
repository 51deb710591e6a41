package eject_test

import (
	"context"
	"encoding/json"
	"errors"
	"go/format"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"refdeploy/internal/eject"
	"refdeploy/internal/project"
	"refdeploy/internal/settings"
)

// orders are the options of a project that most tests make.
func orders(profile settings.Profile) eject.Options {
	chosen := settings.Default()
	chosen.Profile = profile
	return eject.Options{
		Stack: "EcsFargate", Module: "example.com/me/orders", Name: "Orders", Version: "1.2.3",
		Settings: chosen, Given: map[string]string{"profile": string(profile)},
	}
}

var made = map[settings.Profile]map[string]string{}

// files returns the files of a project, made once for all tests.
func files(t *testing.T, profile settings.Profile) map[string]string {
	t.Helper()
	if made[profile] == nil {
		all, err := eject.Make(context.Background(), project.Path(), orders(profile))
		require.NoError(t, err)
		made[profile] = map[string]string{}
		for name, text := range all {
			made[profile][name] = string(text)
		}
	}
	return made[profile]
}

var profiles = []settings.Profile{settings.Sandbox, settings.Production}

func TestTheCodeIsFormatted(t *testing.T) {
	for _, profile := range profiles {
		for name, text := range files(t, profile) {
			if strings.HasSuffix(name, ".go") {
				formatted, err := format.Source([]byte(text))
				require.NoError(t, err, name)
				assert.Equal(t, string(formatted), text, name)
			}
		}
	}
}

func TestNoWordIsLeftOfWhereItComesFromButOneLine(t *testing.T) {
	for _, profile := range profiles {
		var lines []string
		for name, text := range files(t, profile) {
			for line := range strings.Lines(text) {
				if strings.Contains(strings.ToLower(line), "refdeploy") {
					lines = append(lines, name+": "+strings.TrimSpace(line))
				}
			}
		}
		assert.Equal(t, []string{"README.md: Written by refdeploy 1.2.3: `eject EcsFargate DIR --module example.com/me/orders --name Orders -c profile=" + string(profile) + "`"}, lines)
	}
}

func TestTheTreeIsSmall(t *testing.T) {
	for _, profile := range profiles {
		code := slices.DeleteFunc(slices.Collect(maps.Keys(files(t, profile))), func(name string) bool { return !strings.HasSuffix(name, ".go") })
		slices.Sort(code)
		assert.LessOrEqual(t, len(code), 25, "%s: %v", profile, code)
	}
}

// What a person would not have written for one deployment.
func TestNothingInTheCodeSwitchesBetweenDeployments(t *testing.T) {
	for _, profile := range profiles {
		for name, text := range files(t, profile) {
			if !strings.HasPrefix(name, "stacks/") && !strings.HasPrefix(name, "constructs/") || !strings.HasSuffix(name, ".go") {
				continue
			}
			for _, of := range []string{"Settings", "internal/catalog", "production {", "production :=", "props.Keep", "X86_64", "NewECSEC2", "NewLambda", "sharedNetwork"} {
				assert.NotContains(t, text, of, "%s in %s", name, profile)
			}
		}
	}
}

func TestWhatTheUserChoseIsAPlainValue(t *testing.T) {
	sandbox, production := files(t, settings.Sandbox)["stacks/ecs_fargate.go"], files(t, settings.Production)["stacks/ecs_fargate.go"]
	assert.Contains(t, sandbox, "architecture := awsecs.CpuArchitecture_ARM64()\n")
	assert.Contains(t, sandbox, "MinCapacity: jsii.Number(1),\n\t\tMaxCapacity: jsii.Number(4),\n")
	assert.Contains(t, production, "MinCapacity: jsii.Number(2),\n\t\tMaxCapacity: jsii.Number(8),\n")
	assert.Contains(t, sandbox, "insights := awsecs.ContainerInsights_DISABLED\n")
	assert.Contains(t, production, "insights := awsecs.ContainerInsights_ENHANCED\n")
	assert.Contains(t, sandbox, `net := network.New(stack, "Network")`)
	assert.NotContains(t, sandbox, "alarm")
	assert.Contains(t, production, "alarmEmail = \"\"\n")
	assert.Contains(t, production, "certificateARN = \"\"\n", "people turn HTTPS on later")
}

// Paragraphs of a stack are numbered, and some go with the profile.
func TestParagraphsAreCountedWithoutGaps(t *testing.T) {
	for _, profile := range profiles {
		var numbers []string
		for _, match := range regexp.MustCompile(`(?m)^\t// (\d+)\. `).FindAllStringSubmatch(files(t, profile)["stacks/ecs_fargate.go"], -1) {
			numbers = append(numbers, match[1])
		}
		require.NotEmpty(t, numbers)
		assert.Equal(t, []string{"1", "2", "3", "4", "5", "6", "7"}[:len(numbers)], numbers, profile)
	}
}

func TestTheTestsAreThoseOfTheProfile(t *testing.T) {
	sandbox, production := files(t, settings.Sandbox), files(t, settings.Production)
	assert.Contains(t, sandbox["stacks/ecs_fargate_test.go"], "one to four tasks run")
	assert.NotContains(t, sandbox["stacks/ecs_fargate_test.go"], "two to eight tasks run")
	assert.NotContains(t, production["stacks/ecs_fargate_test.go"], "one to four tasks run")
	assert.Contains(t, production["stacks/ecs_fargate_test.go"], "two to eight tasks run")
	assert.Contains(t, sandbox["stacks/rules_test.go"], `name: "removing the stack removes everything"`)
	assert.NotContains(t, production["stacks/rules_test.go"], `name: "removing the stack removes everything"`)
	assert.NotContains(t, sandbox["stacks/rules_test.go"], "noKubernetesLoadBalancer", "nothing of it is in the stack")
}

func TestTheGoldenTemplateIsTheReferencesWithTheProjectsTags(t *testing.T) {
	options := orders(settings.Sandbox)
	options.Stack, options.Name = "EcsEc2", "Zebra"
	all, err := eject.Make(context.Background(), project.Path(), options)
	require.NoError(t, err)
	is := string(all["stacks/testdata/EcsEc2.golden.json"])
	assert.NotContains(t, is, "refdeploy")
	name, mine := strings.Index(is, `"Key": "Name"`), strings.Index(is, `"Key": "zebra:architecture"`)
	require.Positive(t, name)
	assert.Greater(t, mine, name, "in the order of the CDK")

	reference, err := os.ReadFile(project.Path("stacks", "testdata", "EcsEc2.sandbox.golden.json"))
	require.NoError(t, err)
	var was, now map[string]any
	require.NoError(t, json.Unmarshal([]byte(strings.ReplaceAll(string(reference), "refdeploy:", "zebra:")), &was))
	require.NoError(t, json.Unmarshal([]byte(is), &now))
	delete(was, "Metadata")
	assert.Equal(t, was, now)
}

func TestTheReadmeTellsOfThisProfileOnly(t *testing.T) {
	sandbox, production := files(t, settings.Sandbox)["README.md"], files(t, settings.Production)["README.md"]
	for _, text := range []string{sandbox, production} {
		for _, section := range []string{"Commands", "Change it", "Cost", "Failure modes", "Deploy", "Validate", "Tear down", "Where it comes from"} {
			assert.Contains(t, text, "\n## "+section+"\n")
		}
		assert.Contains(t, text, "| Price from |", "each price has its source")
		assert.NotContains(t, text, "](../", "no link leads out")
		assert.NotContains(t, text, "-c profile=production\n", "the project has no profiles")
		assert.NotContains(t, text, "generated:")
	}
	assert.NotContains(t, sandbox, "NAT gateway of its own")
	assert.Contains(t, production, "| NAT gateway | 0.045 per hour |")
	assert.Contains(t, production, "The stack and its load balancer refuse to be deleted.")
	assert.NotContains(t, production, "Everything in the stack is deleted")
}

// Each of the actions that CI here uses, once.
func TestTheWorkflowBringsWhatItNeedsOnce(t *testing.T) {
	workflow := files(t, settings.Sandbox)[".github/workflows/ci.yml"]
	for _, action := range []string{"actions/checkout@", "actions/setup-go@", "actions/setup-node@"} {
		assert.Equal(t, 1, strings.Count(workflow, action), action)
	}
	assert.NotContains(t, workflow, "tests/")
}

// Two seconds of the processor at most, in the best of three runs: the clock says
// more while others work on the machine, and so does the processor's own.
func TestAProjectIsMadeInTwoSeconds(t *testing.T) {
	best := time.Hour
	for range 3 {
		before := processor(t)
		_, err := eject.Make(context.Background(), project.Path(), orders(settings.Production))
		require.NoError(t, err)
		if best = min(best, processor(t)-before); best < 2*time.Second {
			return
		}
	}
	assert.Less(t, best, 2*time.Second)
}

// processor returns the time that this process has computed.
func processor(t *testing.T) time.Duration {
	t.Helper()
	var usage syscall.Rusage
	require.NoError(t, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func TestBadNamesGetOneLine(t *testing.T) {
	for name, want := range map[string]string{
		"1st": "allowed: letters, digits and hyphens, a letter first, 128 at most", "a b": `got "a b"`, "": `got ""`,
		strings.Repeat("a", 129): "128 at most", "aws": "take another", "AWS": "take another",
	} {
		assert.ErrorContains(t, eject.CheckName(name), want, name)
	}
	assert.NoError(t, eject.CheckName("Orders-2"))
	for module, want := range map[string]string{
		"Example Com": `module: got "Example Com"`, "": `module: got ""`, "service": "allowed: a path such as example.com/me/service",
		"example.com/../x": "module: got", "refdeploy/x": "module: got",
	} {
		err := eject.CheckModule(module)
		assert.ErrorContains(t, err, want, module)
		assert.NotContains(t, err.Error(), "\n")
	}
	assert.NoError(t, eject.CheckModule("example.com/me/service"))
}

func TestNothingIsOverwrittenAndNothingIsWrittenIntoTheCheckout(t *testing.T) {
	root, full := project.Path(), t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(full, "mine"), nil, 0o600))
	assert.ErrorContains(t, eject.Writable(root, full), "holds something; nothing is overwritten")
	assert.ErrorContains(t, eject.Writable(root, filepath.Join(full, "mine")), "is not a directory")
	assert.ErrorContains(t, eject.Writable(root, filepath.Join(full, "a", "b")), "is not a directory")
	assert.ErrorContains(t, eject.Writable(root, filepath.Join(root, "service")), "lies inside this checkout")
	assert.ErrorContains(t, eject.Writable(root, root), "lies inside this checkout")
	assert.ErrorContains(t, eject.Writable(root, ""), "empty name")
	assert.NoError(t, eject.Writable(root, t.TempDir()))
	assert.NoError(t, eject.Writable(root, filepath.Join(full, "new")))
}

func TestAnInterruptedRunLeavesNothing(t *testing.T) {
	parent := t.TempDir()
	why := errors.New("interrupted")
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(why)
	err := eject.Write(ctx, project.Path(), filepath.Join(parent, "orders"), orders(settings.Sandbox))
	require.ErrorIs(t, err, why)
	entries, err := os.ReadDir(parent)
	require.NoError(t, err)
	assert.Empty(t, entries)
}

func TestTheDifferenceIsWhatThisVersionWouldWriteOtherwise(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "orders")
	options := orders(settings.Sandbox)
	require.NoError(t, eject.Write(context.Background(), project.Path(), dir, options))
	changes := func() []eject.Change {
		record, err := eject.ReadRecord(dir)
		require.NoError(t, err)
		options.Version = "2.0.0"
		found, err := eject.Changes(context.Background(), project.Path(), dir, options, record)
		require.NoError(t, err)
		return found
	}
	assert.Empty(t, changes(), "another version that writes the same")

	// What the owner changes is theirs.
	stack := filepath.Join(dir, "stacks", "stack.go")
	was, err := os.ReadFile(stack)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(stack, append(was, "// mine\n"...), 0o644))
	require.NoError(t, os.Remove(filepath.Join(dir, "Makefile")))
	assert.Empty(t, changes())

	// As if an older version had written something else.
	record := filepath.Join(dir, ".eject.json")
	text, err := os.ReadFile(record)
	require.NoError(t, err)
	older := regexp.MustCompile(`("stacks/(?:stack|ecs_fargate)\.go": ")[0-9a-f]{64}`).ReplaceAll(text, []byte("${1}"+strings.Repeat("0", 64)))
	require.NoError(t, os.WriteFile(record, older, 0o644))
	found := changes()
	require.Len(t, found, 1, "the other file is as this version writes it already")
	assert.Equal(t, "stacks/stack.go", found[0].Path)
	assert.True(t, found[0].Edited)
	assert.Equal(t, string(was), found[0].Is)
}
