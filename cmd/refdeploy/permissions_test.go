package main

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"refdeploy/internal/account"
	"refdeploy/internal/assembly"
	"refdeploy/internal/catalog"
	"refdeploy/internal/permissions"
	"refdeploy/internal/settings"
)

// used returns the actions behind the calls of S3 in the app's source.
func used(t *testing.T) []string {
	t.Helper()
	actions := map[string]string{"ListObjectsV2": "s3:ListBucket"}
	file, err := parser.ParseFile(token.NewFileSet(), "../../app/internal/notes/s3.go", nil, 0)
	require.NoError(t, err)
	found := map[string]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		if method, ok := call.Fun.(*ast.SelectorExpr); ok {
			if client, ok := method.X.(*ast.SelectorExpr); ok && client.Sel.Name == "client" {
				action := actions[method.Sel.Name]
				if action == "" {
					action = "s3:" + method.Sel.Name
				}
				found[action] = true
			}
		}
		return true
	})
	return slices.Sorted(maps.Keys(found))
}

func TestTheAppMayDoExactlyWhatItDoesOnItsOwnBucket(t *testing.T) {
	uses := used(t)
	require.NotEmpty(t, uses)
	for _, d := range catalog.All() {
		for _, profile := range []settings.Profile{settings.Sandbox, settings.Production} {
			var template assembly.Template
			require.NoError(t, json.Unmarshal([]byte(read(t, "../../stacks/testdata/"+d.ID+"."+string(profile)+".golden.json")), &template))
			bucket := ""
			for id, r := range template.Resources {
				if r.Type == "AWS::S3::Bucket" && regexp.MustCompile(`^Notes[0-9A-F]{8}$`).MatchString(id) {
					bucket = id
				}
			}
			require.NotEmpty(t, bucket, d.ID)
			grants := permissions.App(template)
			require.Len(t, grants, 1, "%s %s", d.ID, profile)
			assert.Contains(t, d.Identity, grants[0].By, d.ID)
			var allowed []string
			for _, s := range grants[0].Statements {
				for _, action := range s.Actions {
					if strings.HasPrefix(action, "logs:") { // of what carries its logs away in its name
						assert.Regexp(t, `^logs:(CreateLogStream|PutLogEvents)$`, action, d.ID)
						for _, group := range s.Resources {
							assert.Regexp(t, `^AppLogs[0-9A-F]+(:\*)?$`, group, d.ID)
						}
						continue
					}
					assert.Equal(t, "Allow", s.Effect)
					allowed = append(allowed, action)
					want := bucket + "/*"
					if action == "s3:ListBucket" {
						want = bucket
					}
					assert.Equal(t, []string{want}, s.Resources, "%s: %s", d.ID, action)
				}
			}
			slices.Sort(allowed)
			assert.Equal(t, uses, allowed, "%s %s", d.ID, profile)
			for _, managed := range grants[0].Managed {
				assert.Contains(t, managed, "service-role/AWSLambdaBasicExecutionRole", d.ID)
			}
		}
	}
}

func TestPermissionsShowWhatWhoDeploysNeeds(t *testing.T) {
	dir := reviewed(t, "EksEc2", "EcsAnywhere", "EcsFargate")
	stdout, stderr, err := run("permissions", "EcsFargate", "--assembly", dir)
	require.NoError(t, err, stderr)
	assert.Regexp(t, `(?m)^The app of EcsFargate, as TaskTaskRole[0-9A-F]+ \(ECS task role\):$`, stdout)
	assert.Regexp(t, `(?m)^  allow  s3:ListBucket +on Notes[0-9A-F]+$`, stdout)
	assert.Regexp(t, `(?m)^  allow  s3:DeleteObject, s3:GetObject, s3:PutObject +on Notes[0-9A-F]+/\*$`, stdout)
	assert.Contains(t, stdout, `"arn:aws:iam::*:role/cdk-hnb659fds-*-role-*"`)
	assert.Contains(t, stdout, "A narrower one has to manage: ApplicationAutoScaling, EC2, ECS, ElasticLoadBalancingV2, IAM, Lambda, Logs, S3.")
	assert.NotContains(t, stdout, "RunWhatTheOutputsSay")

	policy := func(id string) map[string]permissions.Allows {
		stdout, stderr, err := run("permissions", id, "--assembly", dir, "--format", "policy")
		require.NoError(t, err, stderr)
		var p permissions.Policy
		require.NoError(t, json.Unmarshal([]byte(stdout), &p))
		assert.Equal(t, "2012-10-17", p.Version)
		bySid := map[string]permissions.Allows{}
		for _, s := range p.Statement {
			assert.Regexp(t, `^[A-Za-z0-9]+$`, s.Sid, "what IAM takes")
			bySid[s.Sid] = s
		}
		return bySid
	}
	eks := policy("EksEc2")
	assert.Equal(t, []string{"eks:DescribeCluster"}, eks["RunWhatTheOutputsSay"].Action)
	assert.Equal(t, []string{"sts:AssumeRole"}, eks["TakeOnTheRoleOfKubeconfig"].Action)
	assert.Regexp(t, `^arn:aws:iam::\*:role/EksEc2-OperatorRole[0-9A-F]+\*$`, eks["TakeOnTheRoleOfKubeconfig"].Resource[0])
	anywhere := policy("EcsAnywhere")
	assert.Equal(t, []string{"iam:PassRole"}, anywhere["PassTheRoleOfActivate"].Action)
	assert.Equal(t, []string{
		"ecs:DeregisterContainerInstance", "ecs:DescribeContainerInstances", "ecs:ListContainerInstances",
		"ssm:AddTagsToResource", "ssm:CreateActivation", "ssm:DeregisterManagedInstance",
	}, anywhere["RunWhatTheOutputsSay"].Action)

	for name, tt := range map[string]struct {
		args []string
		want string
	}{
		"none":    {nil, "permissions: got 0 stacks; it takes one"},
		"two":     {[]string{"Lambda", "EcsEc2"}, "permissions: got 2 stacks; it takes one"},
		"unknown": {[]string{"Lamda"}, `stack: got "Lamda" (did you mean Lambda?)`},
		"format":  {[]string{"Lambda", "--format", "yaml"}, `format: got "yaml"; allowed: text, json, policy`},
	} {
		t.Run(name, func(t *testing.T) {
			stdout, stderr, err := run(append([]string{"permissions"}, tt.args...)...)
			require.Error(t, err)
			assert.Empty(t, stdout)
			assert.Contains(t, stderr, tt.want)
			assert.Equal(t, 1, strings.Count(stderr, "\n"), stderr)
		})
	}
}

// What the commands ask of an account is what the policy allows, no more.
func TestCommandsAskWhatThePolicyAllows(t *testing.T) {
	asked := func(answers map[string]any, args ...string) []string {
		cloud := newCloud(t, answers)
		_, _, _ = run(args...)
		found := map[string]bool{}
		for _, action := range cloud.actions {
			if action != "sts:GetCallerIdentity" {
				found[action] = true
			}
		}
		return slices.Sorted(maps.Keys(found))
	}
	address, _ := startApp(t)
	assert.Equal(t, account.Actions["smoke"], asked(cloudFormation(standing{"Lambda", "CREATE_COMPLETE", map[string]string{"Url": address}, `{"Resources":{}}`}), "smoke"))
	assert.Equal(t, account.Actions["sweep"], asked(littered(), "sweep"))
	answers := healthy()
	answers["GetServiceQuota"] = refusal{400, "NoSuchResourceException"}
	answers["GetAWSDefaultServiceQuota"] = map[string]any{"Quota": map[string]any{"Value": 5}}
	templates := assemblyOf(t, map[string]string{
		"EcsEc2":    read(t, "../../stacks/testdata/EcsEc2.production.golden.json"), // with NAT gateways
		"EksEc2":    read(t, "../../stacks/testdata/EksEc2.sandbox.golden.json"),
		"Lambda":    read(t, "../../stacks/testdata/Lambda.sandbox.golden.json"),
		"AppRunner": read(t, "../../stacks/testdata/AppRunner.sandbox.golden.json"),
	})
	assert.Equal(t, account.Actions["doctor"], asked(answers, "doctor", "--assembly", templates))
}
