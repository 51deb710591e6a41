package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"refdeploy/internal/catalog"
	"refdeploy/internal/doctor"
)

// reviewed writes an assembly of the reviewed sandbox templates, with an image to
// build for linux/arm64.
func reviewed(t *testing.T, ids ...string) string {
	t.Helper()
	templates := map[string]string{}
	for _, id := range ids {
		templates[id] = read(t, "../../stacks/testdata/"+id+".sandbox.golden.json")
	}
	dir := assemblyOf(t, templates)
	require.NoError(t, os.WriteFile(filepath.Join(dir, ids[0]+".assets.json"), []byte(`{"dockerImages":{"x":{"source":{"platform":"linux/arm64"}}}}`), 0o600))
	return dir
}

// onPath makes the path consist of programs that answer as the scripts say.
func onPath(t *testing.T, scripts map[string]string) {
	t.Helper()
	dir := t.TempDir()
	for name, script := range scripts {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script+"\n"), 0o755))
	}
	t.Setenv("PATH", dir)
	t.Setenv("CDK_DOCKER", "")
}

// healthy answers as an account in which everything deploys.
func healthy() map[string]any {
	answers := cloudFormation()
	for operation, answer := range map[string]any{
		"GetParameter":                     map[string]any{"Parameter": map[string]any{"Value": "30"}},
		"DescribeVpcs":                     `<DescribeVpcsResponse><vpcSet><item><vpcId>vpc-1</vpcId><isDefault>true</isDefault></item></vpcSet></DescribeVpcsResponse>`,
		"DescribeAddresses":                `<DescribeAddressesResponse><addressesSet/></DescribeAddressesResponse>`,
		"DescribeAvailabilityZones":        zones("use1-az4", "use1-az6"),
		"GetServiceQuota":                  map[string]any{"Quota": map[string]any{"Value": 5}},
		"GetRole":                          `<GetRoleResponse><GetRoleResult><Role><RoleName>x</RoleName></Role></GetRoleResult></GetRoleResponse>`,
		"ListServices":                     map[string]any{"ServiceSummaryList": []any{map[string]any{"ServiceName": "mine"}}},
		"GET /2016-08-19/account-settings": map[string]any{"AccountLimit": map[string]any{"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 1000}},
	} {
		answers[operation] = answer
	}
	return answers
}

func zones(ids ...string) string {
	var b strings.Builder
	for i, id := range ids {
		fmt.Fprintf(&b, "<item><zoneName>us-east-1%c</zoneName><zoneId>%s</zoneId></item>", 'a'+i, id)
	}
	return "<DescribeAvailabilityZonesResponse><availabilityZoneInfo>" + b.String() + "</availabilityZoneInfo></DescribeAvailabilityZonesResponse>"
}

func examined(t *testing.T, args ...string) (map[string]doctor.Check, string, error) {
	t.Helper()
	stdout, stderr, err := run(append([]string{"doctor", "--format", "json"}, args...)...)
	var checks []doctor.Check
	require.NoError(t, json.Unmarshal([]byte(stdout), &checks), stdout+stderr)
	byName := map[string]doctor.Check{}
	for _, c := range checks {
		byName[c.Name] = c
	}
	require.Len(t, byName, len(checks), "each once")
	return byName, stderr, err
}

const workingDocker = `case "$1" in info|buildx) echo fine;; *) exit 1;; esac`

func TestAHealthyAccountPasses(t *testing.T) {
	newCloud(t, healthy())
	onPath(t, map[string]string{"docker": workingDocker})
	checks, stderr, err := examined(t, "--assembly", reviewed(t, "EcsEc2", "EksEc2", "Lambda", "AppRunner", "EcsExpress"))
	require.NoError(t, err, stderr)
	for _, c := range checks {
		assert.Equal(t, doctor.Pass, c.Status, c.Name+": "+c.Says)
		assert.Empty(t, c.Mend, c.Name)
	}
	for _, name := range []string{"credentials", "CDK CLI", "container builder", "CDK bootstrap", "stacks", "VPCs", "availability zones for EKS", "service-linked roles", "App Runner", "default VPC", "Lambda concurrency", "cost"} {
		assert.Contains(t, checks, name)
	}
	assert.Equal(t, "1 of 5 in use, 2 more needed", checks["VPCs"].Says)
	assert.Equal(t, "us-east-1a is use1-az4, us-east-1b is use1-az6", checks["availability zones for EKS"].Says)
	assert.Regexp(t, `^0\.\d{3} \$ an hour while nobody calls, 2\d\d\.\d\d \$ a month \(prices of us-east-1\)$`, checks["cost"].Says)

	// As a table for people.
	stdout, stderr, err := run("doctor", "Lambda", "--assembly", reviewed(t, "Lambda"))
	require.NoError(t, err, stderr)
	assert.Regexp(t, `(?m)^pass    credentials +arn:aws:iam::111122223333:user/someone, region us-east-1$`, stdout)
	assert.NotContains(t, stdout, "VPC", "nothing of what other stacks need")
}

func TestWhatIsWrongIsSaidWithTheCommandThatMendsIt(t *testing.T) {
	deployed := func(id, status string) map[string]any { return cloudFormation(standing{id, status, nil, "{}"}) }
	for name, tt := range map[string]struct {
		stacks  []string
		answers map[string]any
		scripts map[string]string
		check   string
		want    doctor.Check
	}{
		"not bootstrapped": {
			answers: map[string]any{"GetParameter": refusal{400, "ParameterNotFound"}}, check: "CDK bootstrap",
			want: doctor.Check{Status: doctor.Fail, Says: "us-east-1 is not bootstrapped", Mend: "npx cdk bootstrap aws://111122223333/us-east-1"},
		},
		"an old bootstrap": {
			answers: map[string]any{"GetParameter": map[string]any{"Parameter": map[string]any{"Value": "5"}}}, check: "CDK bootstrap",
			want: doctor.Check{Status: doctor.Fail, Says: "version 5; the templates need 6", Mend: "npx cdk bootstrap aws://111122223333/us-east-1"},
		},
		"no builder": {
			scripts: map[string]string{}, check: "container builder",
			want: doctor.Check{Status: doctor.Fail, Says: `no program "docker" to build images for linux/arm64`, Mend: "install Docker, or set CDK_DOCKER=finch or CDK_DOCKER=podman, or deploy an image with -c image=…"},
		},
		"another builder": {
			scripts: map[string]string{"podman": "exit 0"}, check: "container builder",
			want: doctor.Check{Status: doctor.Fail, Says: `no program "docker" to build images for linux/arm64`, Mend: "export CDK_DOCKER=podman"},
		},
		"a builder that is not started": {
			scripts: map[string]string{"docker": "echo 'Client: 29'; echo 'Cannot connect to the daemon' >&2; exit 1"}, check: "container builder",
			want: doctor.Check{Status: doctor.Fail, Says: "docker does not answer: Cannot connect to the daemon", Mend: "start it"},
		},
		"a builder without buildx": {
			scripts: map[string]string{"docker": `test "$1" = info || { echo "'buildx' is not a docker command"; exit 1; }`}, check: "container builder",
			want: doctor.Check{Status: doctor.Fail, Says: "docker has no buildx, which builds for linux/arm64: 'buildx' is not a docker command", Mend: "install docker-buildx-plugin (docs.docker.com/build)"},
		},
		"a stack that failed": {
			answers: deployed("EcsEc2", "ROLLBACK_COMPLETE"), check: "stack EcsEc2",
			want: doctor.Check{Status: doctor.Fail, Says: "it stands in ROLLBACK_COMPLETE, which CloudFormation does not update", Mend: "npx cdk destroy EcsEc2"},
		},
		"a stack that is deployed needs no second VPC": {
			answers: deployed("EcsEc2", "UPDATE_ROLLBACK_COMPLETE"), check: "stacks",
			want: doctor.Check{Status: doctor.Pass, Says: "a deploy updates EcsEc2"},
		},
		"no room for a VPC": {
			answers: map[string]any{"GetServiceQuota": map[string]any{"Quota": map[string]any{"Value": 1}}}, check: "VPCs",
			want: doctor.Check{Status: doctor.Fail, Says: "1 of 1 in use, 1 more needed", Mend: "-c network=shared, or fewer stacks at once, or aws service-quotas request-service-quota-increase --service-code vpc --quota-code L-F678F1CE --desired-value 2"},
		},
		"AWS's default quota counts": {
			answers: map[string]any{"GetServiceQuota": refusal{400, "NoSuchResourceException"}, "GetAWSDefaultServiceQuota": map[string]any{"Quota": map[string]any{"Value": 7}}}, check: "VPCs",
			want: doctor.Check{Status: doctor.Pass, Says: "1 of 7 in use, 1 more needed"},
		},
		"a zone without EKS": {
			stacks: []string{"EksEc2"}, answers: map[string]any{"DescribeAvailabilityZones": zones("use1-az4", "use1-az3")}, check: "availability zones for EKS",
			want: doctor.Check{Status: doctor.Warn, Says: "the stack takes us-east-1b, which is use1-az3, where EKS takes no control plane", Mend: "export AWS_REGION=… to another region"},
		},
		"a role that is not made yet": {
			stacks: []string{"EcsFargate"}, answers: map[string]any{"GetRole": func(body string) any {
				if strings.Contains(body, "AWSServiceRoleForECS&") || strings.HasSuffix(body, "AWSServiceRoleForECS") {
					return refusal{404, "NoSuchEntity"}
				}
				return healthy()["GetRole"]
			}}, check: "service-linked roles",
			want: doctor.Check{Status: doctor.Warn, Says: "AWSServiceRoleForECS will be made on first use, and a first deploy may be too early for it: then deploy again", Mend: "aws iam create-service-linked-role --aws-service-name ecs.amazonaws.com"},
		},
		"App Runner, never used": {
			stacks: []string{"AppRunner"}, answers: map[string]any{"ListServices": map[string]any{"ServiceSummaryList": []any{}}}, check: "App Runner",
			want: doctor.Check{Status: doctor.Warn, Says: "no service in this region; AWS takes no new customers since 2026-04-30, and does not tell who is one", Mend: "leave AppRunner out, or take EcsExpress"},
		},
		"App Runner, refused": {
			stacks: []string{"AppRunner"}, answers: map[string]any{"ListServices": refusal{400, "SubscriptionRequiredException"}}, check: "App Runner",
			want: doctor.Check{Status: doctor.Fail, Says: "App Runner does not serve this account: apprunner:ListServices: SubscriptionRequiredException: no ListServices", Mend: "leave AppRunner out, or take EcsExpress"},
		},
		"no default VPC": {
			stacks: []string{"EcsExpress"}, answers: map[string]any{"DescribeVpcs": `<DescribeVpcsResponse><vpcSet/></DescribeVpcsResponse>`}, check: "default VPC",
			want: doctor.Check{Status: doctor.Fail, Says: "ECS Express Mode runs in the default VPC, and this region has none", Mend: "aws ec2 create-default-vpc"},
		},
		"a new account's concurrency": {
			stacks: []string{"Lambda"}, answers: map[string]any{"GET /2016-08-19/account-settings": map[string]any{"AccountLimit": map[string]any{"ConcurrentExecutions": 10, "UnreservedConcurrentExecutions": 10}}}, check: "Lambda concurrency",
			want: doctor.Check{Status: doctor.Warn, Says: "10 executions at once, 10 of them not reserved; requests beyond them are answered 429", Mend: "aws service-quotas request-service-quota-increase --service-code lambda --quota-code L-B99A9384 --desired-value 1000"},
		},
		"an expired session": {
			answers: map[string]any{"GetCallerIdentity": refusal{403, "ExpiredToken"}}, check: "credentials",
			want: doctor.Check{Status: doctor.Fail, Says: "the session's token has expired", Mend: "sign in again, for example with `aws sso login`, and run the command again"},
		},
		"not allowed to look": {
			answers: map[string]any{"DescribeVpcs": refusal{403, "UnauthorizedOperation"}}, check: "VPCs",
			want: doctor.Check{Status: doctor.Unknown, Says: "not checked: permission: AWS refuses ec2:DescribeVpcs; it has to be allowed to who runs the command: see `refdeploy permissions`"},
		},
		"an emulator without the service": {
			answers: map[string]any{"GetServiceQuota": 400}, check: "VPCs",
			want: doctor.Check{Status: doctor.Unknown, Says: "not checked: servicequotas:GetServiceQuota: the endpoint answers status 400 without a reason, as an emulator does for what it does not have"},
		},
		"throttled": {
			answers: map[string]any{"GetServiceQuota": refusal{400, "ThrottlingException"}}, check: "VPCs",
			want: doctor.Check{Status: doctor.Unknown, Says: "not checked: throttled: AWS answers servicequotas:GetServiceQuota too rarely just now (ThrottlingException); wait a minute and run the command again"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			answers := healthy()
			for operation, answer := range tt.answers {
				answers[operation] = answer
			}
			newCloud(t, answers)
			if tt.scripts == nil {
				tt.scripts = map[string]string{"docker": workingDocker}
			}
			onPath(t, tt.scripts)
			if tt.stacks == nil {
				tt.stacks = []string{"EcsEc2"}
			}
			checks, stderr, err := examined(t, "--assembly", reviewed(t, tt.stacks...))
			tt.want.Name = tt.check
			assert.Equal(t, tt.want, checks[tt.check])
			if tt.want.Status == doctor.Fail {
				require.Error(t, err)
				assert.Equal(t, fmt.Sprintf("doctor: 1 of %d checks failed\n", len(checks)), stderr)
			} else {
				require.NoError(t, err, stderr)
			}
			if name == "a stack that is deployed needs no second VPC" {
				assert.NotContains(t, checks, "VPCs")
			}
		})
	}
}

func TestWithoutCredentialsItChecksWhatItCanAndSaysWhatItCouldNot(t *testing.T) {
	withoutAccount(t)
	t.Setenv("AWS_REGION", "us-east-1")
	onPath(t, map[string]string{"docker": workingDocker})
	checks, stderr, err := examined(t, "--assembly", reviewed(t, "EcsFargate"))
	require.Error(t, err)
	assert.Regexp(t, `^doctor: 1 of \d+ checks failed\n$`, stderr)
	assert.Equal(t, doctor.Fail, checks["credentials"].Status)
	assert.Contains(t, checks["credentials"].Says, "found none that work")
	assert.Contains(t, checks["credentials"].Mend, "sign in, for example with `aws sso login`")
	for _, name := range []string{"CDK CLI", "container builder", "cost"} {
		assert.Equal(t, doctor.Pass, checks[name].Status, name)
	}
	for _, name := range []string{"CDK bootstrap", "stacks", "VPCs", "service-linked roles"} {
		assert.Equal(t, doctor.Check{Name: name, Status: doctor.Unknown, Says: "not checked: it needs credentials"}, checks[name])
	}
}

func TestStacksInTheSharedNetworkNeedOneVPC(t *testing.T) {
	path := os.Getenv("PATH")
	answers := healthy()
	answers["GetServiceQuota"] = map[string]any{"Quota": map[string]any{"Value": 2}}
	newCloud(t, answers)
	onPath(t, map[string]string{"docker": workingDocker})
	t.Setenv("PATH", os.Getenv("PATH")+string(os.PathListSeparator)+path)
	checks, _, err := examined(t, "EcsEc2", "EcsFargate", "-c", "network=shared")
	require.NoError(t, err)
	assert.Equal(t, "1 of 2 in use, 1 more needed", checks["VPCs"].Says)
	assert.Contains(t, checks["cost"].Says, "the shared network counts for each stack")

	checks, stderr, err := examined(t, "--assembly", reviewed(t, catalog.IDs()...))
	require.Error(t, err)
	assert.Regexp(t, `^doctor: [12] of \d+ checks failed\n$`, stderr)
	vpcs := 0
	for _, d := range catalog.All() {
		vpcs += strings.Count(read(t, "../../stacks/testdata/"+d.ID+".sandbox.golden.json"), `"AWS::EC2::VPC"`)
	}
	assert.Equal(t, fmt.Sprintf("1 of 2 in use, %d more needed", vpcs), checks["VPCs"].Says)
}
