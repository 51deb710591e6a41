package inventory_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"refdeploy/internal/assembly"
	"refdeploy/internal/assembly/assemblytest"
	"refdeploy/internal/inventory"
	"refdeploy/internal/project"
)

func TestExposureOfOtherPeoplesStacks(t *testing.T) {
	const (
		lb    = `"LB":{"Type":"AWS::ElasticLoadBalancingV2::LoadBalancer","Properties":{"Type":"%s","SecurityGroups":%s}}`
		group = `,"G":{"Type":"AWS::EC2::SecurityGroup","Properties":{"SecurityGroupIngress":%s}}`
	)
	everyone := func(from, to int, resource string) []inventory.Exposure {
		return []inventory.Exposure{{Port: from, ToPort: to, CIDR: "0.0.0.0/0", Resource: resource}}
	}
	behind := func(rules string) string {
		return "{" + fmt.Sprintf(lb, "application", `[{"Ref":"G"}]`) + fmt.Sprintf(group, rules) + "}"
	}
	tests := []struct {
		name, resources string
		want            []inventory.Exposure
	}{
		{"a range of ports", behind(`[{"CidrIp":"0.0.0.0/0","FromPort":8000,"ToPort":"8999"}]`), everyone(8000, 8999, "LB")},
		{"every protocol", behind(`[{"CidrIp":"0.0.0.0/0","IpProtocol":"-1"}]`), everyone(0, 65535, "LB")},
		{"every protocol, as a number", behind(`[{"CidrIp":"0.0.0.0/0","IpProtocol":-1}]`), everyone(0, 65535, "LB")},
		{"one rule that is no list", behind(`{"CidrIp":"0.0.0.0/0","FromPort":80,"ToPort":80}`), everyone(80, 80, "LB")},
		{"rules by a condition", behind(`{"Fn::If":["C",[{"CidrIp":"0.0.0.0/0","FromPort":80,"ToPort":80}],{"Ref":"AWS::NoValue"}]}`), everyone(80, 80, "LB")},
		{"a range that is chosen on deploy", behind(`[{"CidrIp":{"Fn::ImportValue":"x"},"FromPort":80,"ToPort":80}]`),
			[]inventory.Exposure{{80, 80, inventory.Unknown, "LB"}}},
		{"another group", behind(`[{"SourceSecurityGroupId":"sg-1","FromPort":80,"ToPort":80}]`), nil},
		{"a network load balancer without groups", `{` + fmt.Sprintf(lb, "network", "null") + `,"L":{"Type":"AWS::ElasticLoadBalancingV2::Listener","Properties":{"LoadBalancerArn":{"Ref":"LB"},"Port":53}}}`, everyone(53, 53, "LB")},
		{"API Gateway", `{"A":{"Type":"AWS::ApiGateway::RestApi"}}`, everyone(443, 443, "A")},
		{"API Gateway in a network", `{"A":{"Type":"AWS::ApiGateway::RestApi","Properties":{"EndpointConfiguration":{"Types":["PRIVATE"]}}}}`, nil},
		{"an HTTP API", `{"A":{"Type":"AWS::ApiGatewayV2::Api"}}`, everyone(443, 443, "A")},
		{"CloudFront", `{"A":{"Type":"AWS::CloudFront::Distribution"}}`, everyone(443, 443, "A")},
		{"a bucket for everybody", `{"A":{"Type":"AWS::S3::BucketPolicy","Properties":{"PolicyDocument":{"Statement":{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"*"}}}}}`, everyone(443, 443, "A")},
		{"a bucket that denies everybody", `{"A":{"Type":"AWS::S3::BucketPolicy","Properties":{"PolicyDocument":{"Statement":{"Effect":"Deny","Principal":{"AWS":"*"},"Action":"s3:*","Resource":"*"}}}}}`, nil},
		{"a task with an address", `{"S":{"Type":"AWS::ECS::Service","Properties":{"NetworkConfiguration":{"AwsvpcConfiguration":{"AssignPublicIp":"ENABLED","SecurityGroups":[{"Fn::GetAtt":"G.GroupId"}]}}}}` + fmt.Sprintf(group, `[{"CidrIp":"0.0.0.0/0","FromPort":22,"ToPort":22}]`) + "}", everyone(22, 22, "S")},
		{"a task without one", `{"S":{"Type":"AWS::ECS::Service","Properties":{"NetworkConfiguration":{"AwsvpcConfiguration":{"SecurityGroups":[{"Ref":"G"}]}}}}` + fmt.Sprintf(group, `[{"CidrIp":"0.0.0.0/0","FromPort":22,"ToPort":22}]`) + "}", nil},
		{"a public database", `{"D":{"Type":"AWS::RDS::DBInstance","Properties":{"PubliclyAccessible":"true","VPCSecurityGroups":[{"Ref":"G"}]}}` + fmt.Sprintf(group, `[{"CidrIp":"0.0.0.0/0","FromPort":5432,"ToPort":5432}]`) + "}", everyone(5432, 5432, "D")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { assert.Equal(t, tt.want, of(t, tt.resources).Exposure) })
	}
}

func TestARangeThatAParameterHoldsIsItsDefault(t *testing.T) {
	var template assembly.Template
	require.NoError(t, json.Unmarshal([]byte(`{"Parameters":{"From":{"Type":"String","Default":"198.51.100.0/24"}},"Resources":{
		"C":{"Type":"AWS::EKS::Cluster","Properties":{"ResourcesVpcConfig":{"PublicAccessCidrs":[{"Ref":"From"}]}}}}}`), &template))
	assert.Equal(t, []inventory.Exposure{{443, 443, "198.51.100.0/24", "C"}}, inventory.Of(template).Exposure)
}

func TestWhatTheTemplateDoesNotTellIsNamed(t *testing.T) {
	var template assembly.Template
	require.NoError(t, json.Unmarshal([]byte(`{"Transform":"AWS::LanguageExtensions","Resources":{
		"Fn::ForEach::Queues":["i",["1"],{}],
		"Broken":7,
		"Maybe":{"Type":"AWS::SQS::Queue","Condition":"Wanted"},
		"Macro":{"Type":"AWS::SQS::Queue","Properties":{"Tags":[{"Fn::Transform":{"Name":"T"}}]}},
		"Nested":{"Type":"AWS::CloudFormation::Stack"},
		"Imported":{"Type":"AWS::ElasticLoadBalancingV2::LoadBalancer","Properties":{"SecurityGroups":["sg-1"]}},
		"Default":{"Type":"AWS::ElasticLoadBalancingV2::LoadBalancer"}}}`), &template))
	assert.Equal(t, []string{
		"AWS::LanguageExtensions rewrites the template on deploy",
		"Broken is not a resource",
		"Fn::ForEach::Queues makes resources on deploy",
		"Fn::Transform rewrites Macro on deploy",
		"Maybe exists only if Wanted; it is counted",
		"Nested is a nested stack, whose resources are in another template",
		"who reaches Default: it has the security group of its network",
		"who reaches Imported: a security group of it is not in the template",
	}, inventory.Of(template).NotUnderstood)
	for _, name := range []string{"EcsEc2.sandbox", "EcsFargate.production", "EksEc2.sandbox", "Lambda.production", "AppRunner.sandbox"} {
		for _, unclear := range golden(t, name).NotUnderstood {
			assert.NotContains(t, unclear, "who reaches", name)
		}
	}
}

func TestEncryptionOfOtherPeoplesStorage(t *testing.T) {
	got := of(t, `{
		"A":{"Type":"AWS::RDS::DBInstance","Properties":{"StorageEncrypted":true}},
		"B":{"Type":"AWS::EC2::Volume"},
		"C":{"Type":"AWS::EFS::FileSystem","Properties":{"Encrypted":{"Fn::If":["C",true,false]}}},
		"D":{"Type":"AWS::DynamoDB::Table"},
		"E":{"Type":"AWS::RDS::DBCluster","Properties":{"StorageEncrypted":{"Ref":"P"}}},
		"F":{"Type":"AWS::ElasticLoadBalancingV2::Listener","Properties":{"Protocol":{"Ref":"P"}}},
		"G":{"Type":"AWS::Logs::LogGroup","Properties":{"RetentionInDays":{"Ref":"P"}}}
	}`)
	var says []string
	for _, fact := range append(got.Storage, got.Logs...) {
		says = append(says, fact.Says)
	}
	assert.Equal(t, []string{
		"database encrypted", "disk not encrypted", "file system encrypted or not, as is chosen on deploy", "encrypted by DynamoDB by default",
		"database encrypted or not, as is chosen on deploy", "speaks a protocol chosen on deploy", "kept for as long as is chosen on deploy",
	}, says)
}

// Whatever a property holds, what is read around it stays readable: values
// of our templates are replaced, one at a time and at random, by shapes that nobody expects.
func TestNoShapeOfAValueIsAReasonToFail(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, name := range []string{"EcsEc2.production", "EksEc2.production", "Lambda.production", "AppRunner.sandbox"} {
		template, err := os.ReadFile(project.Path("stacks", "testdata", name+".golden.json"))
		require.NoError(t, err)
		for range 150 {
			changed := assemblytest.Mutate(random, template)
			require.NotPanics(t, func() { inventory.Of(changed) })
		}
	}
}
