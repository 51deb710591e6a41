package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"refdeploy/internal/sweep"
)

// tagged is a resource as the Resource Groups Tagging API tells of it.
func tagged(id, resource string) map[string]any {
	return map[string]any{"ResourceARN": "arn:aws:" + resource, "Tags": []any{map[string]any{"Key": "refdeploy:stack", "Value": id}}}
}

// littered answers as an account in which some is left: EcsFargate was removed
// in part, EksEc2 failed to go, and another app uses the bootstrap too.
func littered() map[string]any {
	answers := cloudFormation(standing{"EksEc2", "DELETE_FAILED", nil, `{"Resources":{"C":{"Type":"AWS::EKS::Cluster","Properties":{"Version":"1.36"}}}}`})
	for operation, answer := range map[string]any{
		"GetResources": func(body string) any {
			if !strings.Contains(body, `"PaginationToken":"2"`) {
				return map[string]any{"PaginationToken": "2", "ResourceTagMappingList": []any{
					tagged("EcsFargate", "elasticloadbalancing:us-east-1:111122223333:loadbalancer/app/EcsFa-1/0123"),
					tagged("EcsFargate", "s3:::ecsfargate-notes"),
					tagged("EksEc2", "ec2:us-east-1:111122223333:vpc/vpc-of-a-stack-that-stands"),
				}}
			}
			return map[string]any{"PaginationToken": "", "ResourceTagMappingList": []any{
				tagged("EcsFargate", "ecs:us-east-1:111122223333:service/EcsFargate-Cluster/Service"),
				tagged("EcsFargate", "logs:us-east-1:111122223333:log-group:EcsFargate-AppLogs:*"),
				tagged("EcsFargate", "newservice:us-east-1:111122223333:thing/1"),
				tagged("EcsFargate", "cloudformation:us-east-1:111122223333:stack/EcsFargate/1"),
				tagged("Somebody", "s3:::theirs"),
			}}
		},
		"DescribeLogGroups": func(body string) any {
			groups := []any{}
			for _, name := range []string{"/aws/ecs/containerinsights/EcsFargate-Cluster-1/performance", "/aws/ecs/containerinsights/EksEc2-x/performance", "/aws/ecs/containerinsights/theirs/performance", "/aws/apprunner/Service/1/application"} {
				var asked struct {
					LogGroupNamePrefix string `json:"logGroupNamePrefix"`
				}
				_ = json.Unmarshal([]byte(body), &asked)
				if strings.HasPrefix(name, asked.LogGroupNamePrefix) {
					groups = append(groups, map[string]any{"logGroupName": name, "storedBytes": 2_000_000_000})
				}
			}
			return map[string]any{"logGroups": groups}
		},
		"DescribeActivations": map[string]any{"ActivationList": []any{map[string]any{
			"ActivationId": "a-1", "RegistrationLimit": 1, "RegistrationsCount": 1, "Expired": true,
			"Tags": []any{map[string]any{"Key": "refdeploy:stack", "Value": "EcsAnywhere"}},
		}}},
		"DescribeImages": map[string]any{"imageDetails": []any{map[string]any{"imageSizeInBytes": 5_000_000}, map[string]any{"imageSizeInBytes": 5_000_000}}},
		"GET /cdk-hnb659fds-assets-111122223333-us-east-1": `<ListBucketResult><Contents><Key>a.zip</Key><Size>3000000</Size></Contents></ListBucketResult>`,
	} {
		answers[operation] = answer
	}
	return answers
}

// clean answers as an account in which nothing is.
func clean() map[string]any {
	answers := cloudFormation()
	for operation, answer := range map[string]any{
		"GetResources":        map[string]any{"ResourceTagMappingList": []any{}},
		"DescribeLogGroups":   map[string]any{"logGroups": []any{}},
		"DescribeActivations": map[string]any{"ActivationList": []any{}},
		"DescribeImages":      refusal{400, "RepositoryNotFoundException"},
		"GET /cdk-hnb659fds-assets-111122223333-us-east-1": refusal{404, "NoSuchBucket"},
	} {
		answers[operation] = answer
	}
	return answers
}

func TestSweepFindsWhatIsLeftWithItsCostAndTheCommandThatRemovesIt(t *testing.T) {
	cloud := newCloud(t, littered())
	stdout, stderr, err := run("sweep", "--format", "json")
	require.Error(t, err)
	assert.Equal(t, "sweep: 8 left, 3.18 $ a day and what is marked with ?\n", stderr)
	var report sweep.Report
	require.NoError(t, json.Unmarshal([]byte(stdout), &report))
	assert.Empty(t, report.NotLookedAt)
	found := report.Left
	byName := map[string]sweep.Leftover{}
	for _, l := range found {
		byName[l.Name] = l
	}
	require.Len(t, byName, len(found), "each once")
	usd := func(x float64) *float64 { return &x }
	for _, want := range []sweep.Leftover{
		{Stack: "EksEc2", Kind: "stack", Name: "EksEc2", Says: "DELETE_FAILED", DailyUSD: usd(2.4), Remove: "npx cdk destroy EksEc2", Ours: true},
		{Stack: "EcsFargate", Kind: "load balancer", Name: "app/EcsFa-1/0123", Says: "tagged EcsFargate", DailyUSD: usd(0.78), Remove: "aws elbv2 delete-load-balancer --load-balancer-arn arn:aws:elasticloadbalancing:us-east-1:111122223333:loadbalancer/app/EcsFa-1/0123", Ours: true},
		{Stack: "EcsFargate", Kind: "bucket", Name: "ecsfargate-notes", Says: "tagged EcsFargate", Remove: "aws s3 rb --force s3://ecsfargate-notes", Ours: true},
		{Stack: "EcsFargate", Kind: "ECS service", Name: "Service", Says: "tagged EcsFargate", Remove: "aws ecs delete-service --force --cluster EcsFargate-Cluster --service Service", Ours: true},
		{Stack: "EcsFargate", Kind: "log group", Name: "EcsFargate-AppLogs", Says: "tagged EcsFargate", Remove: "aws logs delete-log-group --log-group-name EcsFargate-AppLogs", Ours: true},
		{Stack: "EcsFargate", Kind: "newservice", Name: "arn:aws:newservice:us-east-1:111122223333:thing/1", Says: "tagged EcsFargate", Remove: "in the console, by its ARN", Ours: true},
		{Stack: "EcsFargate", Kind: "log group", Name: "/aws/ecs/containerinsights/EcsFargate-Cluster-1/performance", Says: "2000.0 MB", DailyUSD: usd(0.002), Remove: "aws logs delete-log-group --log-group-name /aws/ecs/containerinsights/EcsFargate-Cluster-1/performance", Ours: true},
		{Stack: "EcsAnywhere", Kind: "activation", Name: "a-1", Says: "1 of 1 servers registered, expired", DailyUSD: usd(0), Remove: "aws ssm delete-activation --activation-id a-1", Ours: true},
		{Kind: "log group", Name: "/aws/apprunner/Service/1/application", Says: "2000.0 MB", DailyUSD: usd(0.002), Remove: "aws logs delete-log-group --log-group-name /aws/apprunner/Service/1/application"},
		{Kind: "bootstrap images", Name: "cdk-hnb659fds-container-assets-111122223333-us-east-1", Says: "2 images, 10.0 MB", DailyUSD: usd(0), Remove: "npx cdk gc --unstable=gc"},
		{Kind: "bootstrap files", Name: "cdk-hnb659fds-assets-111122223333-us-east-1", Says: "1 files, 3.0 MB", DailyUSD: usd(0), Remove: "npx cdk gc --unstable=gc"},
	} {
		got, ok := byName[want.Name]
		require.True(t, ok, want.Name)
		if want.DailyUSD != nil && assert.NotNil(t, got.DailyUSD, want.Name) {
			assert.InDelta(t, *want.DailyUSD, *got.DailyUSD, 0.0005, want.Name)
			got.DailyUSD = want.DailyUSD
		}
		assert.Equal(t, want, got)
		delete(byName, want.Name)
	}
	assert.Empty(t, byName)
	for _, asked := range cloud.asked {
		assert.Regexp(t, `^(Get|List|Describe|GET )`, asked, "it deletes nothing")
	}

	stdout, _, err = run("sweep", "EcsAnywhere")
	require.Error(t, err)
	assert.Regexp(t, `(?m)^EcsAnywhere +activation +a-1 +0\.00 +1 of 1 servers registered, expired\n  → aws ssm delete-activation --activation-id a-1$`, stdout)
	assert.NotContains(t, stdout, "EcsFargate")

	stdout, _, err = run("sweep")
	require.Error(t, err)
	column := -1
	for line := range strings.Lines(stdout) { // aligned, whatever stands between
		if strings.HasPrefix(line, "  → ") {
			continue
		}
		at := 0
		for _, price := range []string{" $ A DAY ", " ? ", " 0.", " 2.4"} {
			if i := strings.Index(strings.ReplaceAll(line, "–", "-"), price); i >= 0 {
				at = i
				break
			}
		}
		if column < 0 {
			column = at
		}
		assert.Equal(t, column, at, line)
	}
}

func TestSweepOfACleanAccountSaysSo(t *testing.T) {
	newCloud(t, clean())
	stdout, stderr, err := run("sweep")
	require.NoError(t, err, stderr)
	assert.Equal(t, "nothing is left\n", stdout)

	// What the bootstrap keeps for all apps is told, and no failure.
	answers := clean()
	answers["DescribeImages"] = littered()["DescribeImages"]
	newCloud(t, answers)
	stdout, stderr, err = run("sweep")
	require.NoError(t, err, stderr)
	assert.Contains(t, stdout, "2 images, 10.0 MB; may be another app's, and does not count")
}

func TestASweepThatMayNotLookEverywhereFails(t *testing.T) {
	answers := clean()
	answers["GetResources"] = refusal{400, "AccessDeniedException"}
	newCloud(t, answers)
	stdout, stderr, err := run("sweep")
	require.Error(t, err)
	assert.Equal(t, "not looked at: resources by their tag: permission: AWS refuses tag:GetResources; it has to be allowed to who runs the command: see `refdeploy permissions`\n", stdout)
	assert.Equal(t, "sweep: nothing of ours was found, but not everything was looked at\n", stderr)

	// What an emulator does not have cannot be left in it.
	answers = clean()
	answers["DescribeActivations"] = refusal{400, "InvalidAction"}
	newCloud(t, answers)
	stdout, stderr, err = run("sweep")
	require.NoError(t, err, stderr)
	assert.Equal(t, "not looked at: activations: ssm:DescribeActivations: InvalidAction: no DescribeActivations\n", stdout)

	_, stderr, err = run("sweep", "Lamda")
	require.Error(t, err)
	assert.Contains(t, stderr, `stack: got "Lamda" (did you mean Lambda?)`)
	_, stderr, err = run("sweep", "--format", "jsn")
	require.Error(t, err)
	assert.Contains(t, stderr, `format: got "jsn" (did you mean json?)`)
}
