package inventory_test

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"refdeploy/internal/assembly"
	"refdeploy/internal/inventory"
	"refdeploy/internal/project"
)

func of(t *testing.T, resources string) inventory.Inventory {
	t.Helper()
	var template assembly.Template
	require.NoError(t, json.Unmarshal([]byte(`{"Resources":`+resources+`}`), &template))
	return inventory.Of(template)
}

func golden(t *testing.T, name string) inventory.Inventory {
	t.Helper()
	data, err := os.ReadFile(project.Path("stacks", "testdata", name+".golden.json"))
	require.NoError(t, err)
	var template assembly.Template
	require.NoError(t, json.Unmarshal(data, &template))
	return inventory.Of(template)
}

func TestPermissionsCountStatementsAndWildcards(t *testing.T) {
	got := of(t, `{
		"Role": {"Type":"AWS::IAM::Role","Properties":{"ManagedPolicyArns":["a",{"Fn::Join":["",["arn:",{"Ref":"AWS::Partition"},":b"]]}],
			"Policies":[{"PolicyDocument":{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"arn"}}}]}},
		"Policy": {"Type":"AWS::IAM::Policy","Properties":{"PolicyDocument":{"Statement":[
			{"Effect":"Allow","Action":["s3:GetObject"],"Resource":{"Fn::Join":["",[{"Fn::GetAtt":["B","Arn"]},"/*"]]}},
			{"Effect":"Allow","Action":"ecr:GetAuthorizationToken","Resource":"*"},
			{"Effect":"Allow","Action":"s3:ListBucket","Resource":{"Fn::GetAtt":["B","Arn"]}},
			{"Effect":"Deny","Action":"*","Resource":"*"}
		]}}}
	}`)
	assert.Equal(t, inventory.IAM{Roles: 1, ManagedPolicies: 2, Statements: 4, WildcardActions: 1, WildcardResources: 2}, got.IAM)
}

func TestExposureIsWhatTheInternetReaches(t *testing.T) {
	const group = `"Group":{"Type":"AWS::EC2::SecurityGroup","Properties":{"SecurityGroupIngress":[{"CidrIp":"203.0.113.0/24","FromPort":443,"ToPort":443}]}}`
	tests := []struct {
		name, resources string
		want            []inventory.Exposure
	}{
		{"a public load balancer", `{"LB":{"Type":"AWS::ElasticLoadBalancingV2::LoadBalancer","Properties":{"Scheme":"internet-facing","SecurityGroups":[{"Fn::GetAtt":["Group","GroupId"]}]}},` + group + `}`,
			[]inventory.Exposure{{443, 443, "203.0.113.0/24", "LB"}}},
		{"one without a scheme, which is public", `{"LB":{"Type":"AWS::ElasticLoadBalancingV2::LoadBalancer","Properties":{"SecurityGroups":[{"Fn::GetAtt":["Group","GroupId"]}]}},` + group + `}`,
			[]inventory.Exposure{{443, 443, "203.0.113.0/24", "LB"}}},
		{"a rule that is a resource of its own, for IPv6", `{"LB":{"Type":"AWS::ElasticLoadBalancingV2::LoadBalancer","Properties":{"SecurityGroups":[{"Ref":"G"}]}},"G":{"Type":"AWS::EC2::SecurityGroup"},"R":{"Type":"AWS::EC2::SecurityGroupIngress","Properties":{"GroupId":{"Ref":"G"},"CidrIpv6":"::/0","FromPort":80,"ToPort":80}}}`,
			[]inventory.Exposure{{80, 80, "::/0", "LB"}}},
		{"an internal one", `{"LB":{"Type":"AWS::ElasticLoadBalancingV2::LoadBalancer","Properties":{"Scheme":"internal","SecurityGroups":[{"Fn::GetAtt":["Group","GroupId"]}]}},` + group + `}`, nil},
		{"a function URL", `{"U":{"Type":"AWS::Lambda::Url","Properties":{"AuthType":"NONE"}}}`, []inventory.Exposure{{443, 443, "0.0.0.0/0", "U"}}},
		{"a function URL with credentials", `{"U":{"Type":"AWS::Lambda::Url","Properties":{"AuthType":"AWS_IAM"}}}`, nil},
		{"App Runner, which is public by default", `{"S":{"Type":"AWS::AppRunner::Service"}}`, []inventory.Exposure{{443, 443, "0.0.0.0/0", "S"}}},
		{"private App Runner", `{"S":{"Type":"AWS::AppRunner::Service","Properties":{"NetworkConfiguration":{"IngressConfiguration":{"IsPubliclyAccessible":false}}}}}`, nil},
		{"an EKS API, which is public by default", `{"C":{"Type":"AWS::EKS::Cluster"}}`, []inventory.Exposure{{443, 443, "0.0.0.0/0", "C"}}},
		{"a narrowed EKS API", `{"C":{"Type":"AWS::EKS::Cluster","Properties":{"ResourcesVpcConfig":{"PublicAccessCidrs":["203.0.113.0/24"]}}}}`, []inventory.Exposure{{443, 443, "203.0.113.0/24", "C"}}},
		{"a private EKS API", `{"C":{"Type":"AWS::EKS::Cluster","Properties":{"ResourcesVpcConfig":{"EndpointPublicAccess":false}}}}`, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { assert.Equal(t, tt.want, of(t, tt.resources).Exposure) })
	}
}

func TestShapesNobodyExpectsAreNoReasonToFail(t *testing.T) {
	assert.NotPanics(t, func() {
		of(t, `{
			"A":{"Type":"AWS::IAM::Policy","Properties":{"PolicyDocument":"text"}},
			"B":{"Type":"AWS::IAM::Role","Properties":{"Policies":"text","ManagedPolicyArns":{"Fn::If":["C","x","y"]}}},
			"C":{"Type":"AWS::ElasticLoadBalancingV2::LoadBalancer","Properties":{"Scheme":"internet-facing","SecurityGroups":["sg-1",{"Fn::GetAtt":[]},{"Ref":7}]}},
			"D":{"Type":"AWS::S3::Bucket","Properties":{"BucketEncryption":[]}},
			"E":{"Type":"AWS::EC2::LaunchTemplate"},
			"F":{"Type":"AWS::EKS::Cluster","Properties":{"ResourcesVpcConfig":7}}
		}`)
	})
}

func TestTheStacksAsTheyAre(t *testing.T) {
	lambda := golden(t, "Lambda.sandbox")
	assert.Equal(t, 15, lambda.Total)
	assert.Equal(t, 2, lambda.IAM.Roles)
	assert.Equal(t, 4, lambda.IAM.Statements)
	assert.Equal(t, 1, lambda.IAM.WildcardResources, "every key of the app's own bucket")
	assert.Zero(t, lambda.IAM.WildcardActions)
	assert.Len(t, lambda.Exposure, 1)

	eks := golden(t, "EksEc2.sandbox")
	assert.Len(t, eks.Exposure, 2, "the load balancer and the API")
	assert.Greater(t, eks.IAM.WildcardResources, lambda.IAM.WildcardResources)
	for _, fact := range eks.Storage {
		assert.NotContains(t, fact.Says, "not encrypted", fact.Resource)
	}
	for _, fact := range eks.Logs {
		assert.Equal(t, "kept for 7 days", fact.Says, fact.Resource)
	}
}
