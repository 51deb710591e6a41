//go:build deploy

package deploy_test

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"refdeploy/internal/assembly"
	"refdeploy/internal/catalog"
)

const (
	everyStack = "--all"
	inParallel = "--concurrency=4"
)

var assemblies = map[string]string{}

// synth writes the templates of some settings, once, and returns their directory.
func synth(t *testing.T, settings ...string) string {
	t.Helper()
	key := strings.Join(settings, " ")
	if dir := assemblies[key]; dir != "" {
		return dir
	}
	dir, err := os.MkdirTemp(work, "assembly-")
	require.NoError(t, err)
	args := []string{"synth", "--quiet", "--app", app, "--output", dir}
	for _, setting := range settings {
		args = append(args, "--context", setting)
	}
	output, err := cdk(args...)
	require.NoError(t, err, output)
	assemblies[key] = dir
	return dir
}

var bootstrapped bool

// bootstrap prepares the account, once, for the CDK.
func bootstrap(t *testing.T) {
	t.Helper()
	if bootstrapped {
		return
	}
	output, err := cdk("bootstrap", "aws://"+account+"/"+region)
	require.NoError(t, err, output)
	bootstrapped = true
}

var deployed = regexp.MustCompile(`✅  (\w+)( \(no changes\))?\s+✨  Deployment time: ([0-9.]+)s`)

// deploy deploys every stack of an assembly, and returns the seconds of each
// that changed.
func deploy(t *testing.T, dir string, stacks ...string) map[string]float64 {
	t.Helper()
	if stacks == nil {
		stacks = []string{everyStack}
	}
	output, err := cdk(append([]string{"deploy", "--app", dir, inParallel, "--require-approval", "never"}, stacks...)...)
	require.NoError(t, err, tail(output))
	seconds := map[string]float64{}
	for _, match := range deployed.FindAllStringSubmatch(output, -1) {
		if match[2] == "" {
			seconds[match[1]], err = strconv.ParseFloat(match[3], 64)
			require.NoError(t, err)
		}
	}
	return seconds
}

func destroy(t *testing.T, dir string) {
	t.Helper()
	output, err := cdk("destroy", "--app", dir, inParallel, "--force", everyStack)
	require.NoError(t, err, tail(output))
}

// tail returns the end of an output, where its error is.
func tail(output string) string {
	return output[max(0, len(output)-4000):]
}

// notes returns a stack's bucket of notes.
func notes(t *testing.T, stack string) string {
	t.Helper()
	all, err := resources(stack)
	require.NoError(t, err)
	for _, r := range all {
		if r.Type == "AWS::S3::Bucket" && strings.HasPrefix(r.Logical, "Notes") {
			return r.Physical
		}
	}
	require.Fail(t, "no bucket of notes", stack)
	return ""
}

func note(t *testing.T) {
	t.Helper()
	for _, id := range catalog.IDs() {
		require.NoError(t, write(notes(t, id), written), id)
	}
}

const written = "written-by-a-test"

// keys lists what is in a bucket.
func keys(t *testing.T, bucket string) []string {
	t.Helper()
	text, err := send("s3", http.MethodGet, "/"+bucket, nil, "", "")
	require.NoError(t, err)
	var list struct {
		Keys []string `xml:"Contents>Key"`
	}
	require.NoError(t, xml.Unmarshal([]byte(text), &list))
	return list.Keys
}

// address is a stack's output Url, or "" when it has none.
func address(t *testing.T, stack string) string {
	t.Helper()
	text, err := call("cloudformation", "DescribeStacks", "StackName", stack)
	require.NoError(t, err)
	var described struct {
		Outputs []struct {
			Key   string `xml:"OutputKey"`
			Value string `xml:"OutputValue"`
		} `xml:"DescribeStacksResult>Stacks>member>Outputs>member"`
	}
	require.NoError(t, xml.Unmarshal([]byte(text), &described))
	for _, output := range described.Outputs {
		if output.Key == "Url" {
			return output.Value
		}
	}
	return ""
}

// left lists what exists now and did not before.
func left(t *testing.T, before []string) []string {
	t.Helper()
	now, err := exists()
	require.NoError(t, err)
	return slices.DeleteFunc(now, func(item string) bool { return slices.Contains(before, item) })
}

// An update changes settings of a sandbox that runs. What it did is read from the
// services, of every stack that changed and has a resource of the type.
var updates = []struct {
	name     string
	settings []string
	holds    map[string]func(t *testing.T, stack string)
}{
	{"allowCidr", []string{"allowCidr=203.0.113.0/24"}, map[string]func(*testing.T, string){
		balancer: func(t *testing.T, stack string) {
			assert.Contains(t, ingress(t, stack), "203.0.113.0/24", stack)
			assert.NotContains(t, ingress(t, stack), "0.0.0.0/0", stack)
		},
	}},
	{"certificate on", []string{certificate}, map[string]func(*testing.T, string){
		balancer: func(t *testing.T, stack string) {
			assert.Contains(t, listeners(t, stack), "<Protocol>HTTPS</Protocol>", stack)
		},
	}},
	{"certificate off", nil, map[string]func(*testing.T, string){
		balancer: func(t *testing.T, stack string) {
			assert.NotContains(t, listeners(t, stack), "<Protocol>HTTPS</Protocol>", stack)
			assert.Contains(t, listeners(t, stack), "<Protocol>HTTP</Protocol>", stack)
		},
	}},
	{"image", []string{"image=" + registryImage}, map[string]func(*testing.T, string){
		"AWS::ECS::Service": func(t *testing.T, stack string) {
			assert.Contains(t, tasks(t, stack), registryImage, stack)
		},
	}},
	{"architecture", []string{"image=" + registryImage, "architecture=x86_64"}, map[string]func(*testing.T, string){
		"AWS::ECS::Service": func(t *testing.T, stack string) {
			if text := tasks(t, stack); strings.Contains(text, `"FARGATE"`) {
				assert.Contains(t, text, "X86_64", stack)
			}
		},
		"AWS::Lambda::Url": func(t *testing.T, stack string) {
			aliases, err := of(stack, "AWS::Lambda::Alias")
			require.NoError(t, err)
			require.Len(t, aliases, 1)
			name := strings.Split(aliases[0], ":")[6]
			text, err := send("lambda", http.MethodGet, "/2015-03-31/functions/"+name+"/configuration", nil, "", "")
			require.NoError(t, err)
			assert.Contains(t, text, `"Architectures": ["x86_64"]`)
		},
	}},
	{"GitHub source", []string{
		"appRunnerConnectionArn=arn:aws:apprunner:us-east-1:000000000000:connection/github/0123456789abcdef0123456789abcdef",
		"appRunnerRepository=https://github.com/example/app",
	}, nil},
}

const balancer = "AWS::ElasticLoadBalancingV2::LoadBalancer"

const (
	certificate   = "certificateArn=arn:aws:acm:us-east-1:000000000000:certificate/01234567-89ab-cdef-0123-456789abcdef"
	registryImage = "public.ecr.aws/nginx/nginx:1.29"
)

// ingress describes what the security groups of a stack let in.
func ingress(t *testing.T, stack string) string {
	t.Helper()
	groups, err := of(stack, "AWS::EC2::SecurityGroup")
	require.NoError(t, err)
	var all string
	for _, group := range groups {
		text, err := call("ec2", "DescribeSecurityGroups", "GroupId.1", group)
		require.NoError(t, err)
		all += between(text, "<ipPermissions>", "</ipPermissions>")
	}
	return all
}

func listeners(t *testing.T, stack string) string {
	t.Helper()
	balancers, err := of(stack, balancer)
	require.NoError(t, err)
	require.NotEmpty(t, balancers)
	text, err := call("elasticloadbalancing", "DescribeListeners", "LoadBalancerArn", balancers[0])
	require.NoError(t, err)
	return text
}

// tasks describes the task definitions that a stack's ECS services run.
func tasks(t *testing.T, stack string) string {
	t.Helper()
	services, err := of(stack, "AWS::ECS::Service")
	require.NoError(t, err)
	var all string
	for _, arn := range services {
		cluster := strings.Split(arn, "/")[1]
		var running struct {
			Services []struct{ TaskDefinition string }
		}
		require.NoError(t, ask("DescribeServices", map[string]any{"cluster": cluster, "services": []string{arn}}, &running))
		require.Len(t, running.Services, 1)
		var task struct{ TaskDefinition json.RawMessage }
		require.NoError(t, ask("DescribeTaskDefinition", map[string]any{"taskDefinition": running.Services[0].TaskDefinition}, &task))
		all += string(task.TaskDefinition)
	}
	return all
}

func TestEveryStackDeploysUpdatesAndLeavesNothing(t *testing.T) {
	bootstrap(t)
	before, err := exists()
	require.NoError(t, err)
	sandbox := synth(t)
	table := newTable()

	table.add("deploy", deploy(t, sandbox))
	note(t)
	builds, err := os.ReadFile(filepath.Join(work, "builder.log"))
	require.NoError(t, err)
	assert.Contains(t, string(builds), "build", "the image is built from source")
	assert.Contains(t, string(builds), "linux/arm64")

	checks, err := examine(t, sandbox)
	assert.NoError(t, err)
	assert.Equal(t, "a deploy updates "+strings.Join(slices.Sorted(slices.Values(catalog.IDs())), ", "), checks["stacks"].Says)
	silent(t)

	output, err := sweep()
	assert.Error(t, err, "what is deployed is not left behind yet, but found")
	for _, id := range catalog.IDs() {
		assert.Contains(t, output, "npx cdk destroy "+id)
	}

	for _, update := range updates {
		dir := synth(t, update.settings...)
		changed := deploy(t, dir)
		assert.NotEmpty(t, changed, "%s changes nothing", update.name)
		table.add(update.name, changed)
		for kind, holds := range update.holds {
			var seen int
			for id := range changed {
				held, err := of(id, kind)
				require.NoError(t, err)
				if len(held) > 0 {
					holds(t, id)
					seen++
				}
			}
			assert.NotZero(t, seen, "%s: no stack with %s changed", update.name, kind)
		}
	}

	held, err := inventory()
	require.NoError(t, err)
	table.clock("destroy", func() { destroy(t, sandbox) })
	leftovers := left(t, before)
	table.print(leftovers, held.Recorded)
	output, err = sweep()
	assert.NoError(t, err, output)
	assert.Empty(t, leftovers)
	for _, id := range catalog.IDs() {
		assert.Empty(t, status(id), id)
	}
}

func TestProductionLeavesExactlyWhatItsProfileKeeps(t *testing.T) {
	bootstrap(t)
	before, err := exists()
	require.NoError(t, err)
	sandbox, production := synth(t), synth(t, "profile=production")
	table := newTable()
	table.add("sandbox", deploy(t, sandbox))
	note(t)
	table.add("to production", deploy(t, production))
	for _, id := range catalog.IDs() {
		all, err := resources(id)
		require.NoError(t, err)
		for _, r := range all {
			assert.NotEqual(t, "DELETE_FAILED", r.Status, "%s: %s stays behind", id, r.Logical)
		}
	}
	note(t)

	templates, err := assembly.Read(production)
	require.NoError(t, err)
	var kept []string
	for _, stack := range templates {
		held, err := resources(stack.ID)
		require.NoError(t, err)
		for _, r := range held {
			if stack.Template.Resources[r.Logical].DeletionPolicy == "Retain" {
				kept = append(kept, r.Physical)
			}
		}
	}
	require.NotEmpty(t, kept)

	recorded, err := inventory()
	require.NoError(t, err)
	output, err := cdk("destroy", "--app", production, "--force", everyStack)
	assert.Error(t, err, "a production stack goes only when its protection is lifted")
	assert.Contains(t, output, "TerminationProtection")
	leave(t)
	table.clock("destroy", func() { destroy(t, production) })

	leftovers := left(t, before)
	unexpected := slices.DeleteFunc(slices.Clone(leftovers), func(item string) bool {
		return slices.ContainsFunc(kept, func(id string) bool { return strings.Contains(item, id) })
	})
	table.print(unexpected, recorded.Recorded)
	fmt.Printf("kept by the profile: %d buckets and log groups\n", len(kept))
	assert.Empty(t, unexpected)
	for _, id := range kept {
		assert.True(t, slices.ContainsFunc(leftovers, func(item string) bool { return strings.Contains(item, id) }), "%s is gone", id)
	}
	for _, id := range catalog.IDs() {
		assert.Empty(t, status(id), id)
	}
}

// leave lifts the protection of every stack, as each page says under "Tear down".
func leave(t *testing.T) {
	t.Helper()
	for _, id := range catalog.IDs() {
		_, err := call("cloudformation", "UpdateTerminationProtection", "StackName", id, "EnableTerminationProtection", "false")
		require.NoError(t, err)
		balancers, err := of(id, balancer)
		require.NoError(t, err)
		for _, arn := range balancers {
			_, err := call("elasticloadbalancing", "ModifyLoadBalancerAttributes", "LoadBalancerArn", arn,
				"Attributes.member.1.Key", "deletion_protection.enabled", "Attributes.member.1.Value", "false")
			require.NoError(t, err)
		}
	}
}

// A table shows the seconds that each stack took in each step.
type table struct {
	steps []string
	cells map[string]map[string]float64 // step, then stack
	began time.Time
	total []string
}

func newTable() *table {
	return &table{cells: map[string]map[string]float64{}, began: time.Now()}
}

func (t *table) add(step string, seconds map[string]float64) {
	t.steps = append(t.steps, step)
	t.cells[step] = seconds
}

func (t *table) clock(step string, do func()) {
	start := time.Now()
	do()
	t.total = append(t.total, fmt.Sprintf("%s of all: %.0f s", step, time.Since(start).Seconds()))
}

func (t *table) print(leftovers, recorded []string) {
	fmt.Println()
	rows := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(rows, "seconds\t%s\n", strings.Join(t.steps, "\t"))
	for _, id := range catalog.IDs() {
		fmt.Fprint(rows, id)
		for _, step := range t.steps {
			cell := "–"
			if seconds, ok := t.cells[step][id]; ok {
				cell = strconv.FormatFloat(seconds, 'f', 1, 64)
			}
			fmt.Fprint(rows, "\t", cell)
		}
		fmt.Fprintln(rows)
	}
	rows.Flush()
	fmt.Printf("%s; everything: %.0f s\n", strings.Join(t.total, "; "), time.Since(t.began).Seconds())
	if len(leftovers) == 0 {
		fmt.Println("left behind: nothing")
	}
	for _, item := range leftovers {
		fmt.Println("left behind:", item)
	}
	for _, kind := range recorded {
		fmt.Println("only recorded:", kind)
	}
}
