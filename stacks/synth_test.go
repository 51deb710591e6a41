package stacks_test

import (
	"fmt"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"refdeploy/constructs/cdktest"
	"refdeploy/internal/assembly"
	"refdeploy/internal/catalog"
	"refdeploy/internal/settings"
	"refdeploy/stacks"
)

var synthesized = map[string]map[string]*cdktest.Stack{}

// synth returns every deployment with the settings given as key, value, …. Each
// combination is synthesized once, in one app, as the command does.
func synth(t testing.TB, keyValues ...string) map[string]*cdktest.Stack {
	t.Helper()
	app, chosen := newApp(t, keyValues...)
	key := fmt.Sprintf("%+v", chosen) // the same settings, however they are given
	if synthesized[key] == nil && mutant != "" {
		synthesized[key] = changed(t, chosen)
	}
	if synthesized[key] == nil {
		for _, d := range catalog.Selected(chosen) {
			stacks.New(app, d.ID, &stacks.Props{Settings: chosen})
		}
		synthesized[key] = cdktest.Synth(t, app)
	}
	return synthesized[key]
}

// claim is a promise that a pattern's page makes: some resource of the type has
// at least these properties. A failure means that the page and the template no
// longer say the same thing.
type claim struct {
	name     string
	resource string
	props    map[string]any
}

func check(t *testing.T, stack *cdktest.Stack, claims []claim) {
	for _, c := range claims {
		t.Run(c.name, func(t *testing.T) { stack.Has(t, c.resource, c.props) })
	}
}

// only returns the logical id of the one resource among those given.
func only(resources map[string]assembly.Resource) string {
	for id := range resources {
		if len(resources) == 1 {
			return id
		}
	}
	panic(fmt.Sprintf("%d resources, want one", len(resources)))
}

// object shortens literal templates.
type object = map[string]any

// nothing claims that a property is not set.
var nothing = assertions.Match_Absent()

// inProduction is what every deployment with a network promises in production.
var inProduction = []claim{
	{
		name:     "the load balancer cannot be deleted by mistake",
		resource: "AWS::ElasticLoadBalancingV2::LoadBalancer",
		props: object{"LoadBalancerAttributes": assertions.Match_ArrayWith(&[]any{
			object{"Key": "deletion_protection.enabled", "Value": "true"},
		})},
	},
	{
		name:     "logs stay for three months",
		resource: "AWS::Logs::LogGroup",
		props:    object{"RetentionInDays": 90},
	},
	{
		name:     "connections are recorded",
		resource: "AWS::EC2::FlowLog",
		props:    object{"ResourceType": "VPC", "TrafficType": "ALL"},
	},
}

func TestProductionKeepsNotesAndLogs(t *testing.T) {
	for id, stack := range synth(t, "profile", "production") {
		t.Run(id, func(t *testing.T) {
			assert.True(t, stack.TerminationProtection)
			for id, bucket := range stack.Of("AWS::S3::Bucket") {
				assert.Equal(t, "Retain", bucket.DeletionPolicy, id)
			}
			for id, group := range stack.Of("AWS::Logs::LogGroup") {
				assert.Equal(t, "Retain", group.DeletionPolicy, id)
			}
		})
	}
}

// The golden files are the reviewer's view of a change: what CloudFormation
// will be told. Regenerate with `go test ./stacks -update` and read the diff.
func TestGolden(t *testing.T) {
	for _, profile := range []settings.Profile{settings.Sandbox, settings.Production} {
		for id, stack := range synth(t, "profile", string(profile)) {
			t.Run(fmt.Sprintf("%s in %s", id, profile), func(t *testing.T) {
				stack.Golden(t, fmt.Sprintf("testdata/%s.%s.golden.json", id, profile))
			})
		}
	}
}

func TestNilPropsDeployTheSandbox(t *testing.T) {
	sandbox := synth(t, "profile", "sandbox")
	app := cdktest.NewApp(t, nil)
	for _, d := range catalog.All() {
		stacks.New(app, d.ID, nil)
	}
	for id, stack := range cdktest.Synth(t, app) {
		t.Run(id, func(t *testing.T) { require.Equal(t, sandbox[id].Template, stack.Template) })
	}
}

// newApp returns an app with the settings given as key, value, …, and the
// settings as parsed.
func newApp(t testing.TB, keyValues ...string) (awscdk.App, settings.Settings) {
	t.Helper()
	context := map[string]any{}
	for i := 0; i < len(keyValues); i += 2 {
		context[keyValues[i]] = keyValues[i+1]
	}
	chosen, err := settings.Parse(context, catalog.IDs())
	require.NoError(t, err)
	return cdktest.NewApp(t, context), chosen
}
