package assembly_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"refdeploy/internal/assembly"
)

// network has a public subnet, whose route goes to the internet, and a private
// one, whose route goes through a NAT gateway.
const network = `{"Metadata":{"refdeploy:settings":{"profile":"sandbox"}},"Resources":{
	"VPC":{"Type":"AWS::EC2::VPC","Properties":{"Name":{"Fn::Sub":"${AWS::Region}"}}},
	"Public":{"Type":"AWS::EC2::Subnet","Properties":{"VpcId":{"Ref":"VPC"},"MapPublicIpOnLaunch":true}},
	"PublicTable":{"Type":"AWS::EC2::RouteTable","Properties":{"VpcId":{"Ref":"VPC"}}},
	"PublicAssociation":{"Type":"AWS::EC2::SubnetRouteTableAssociation","Properties":{"SubnetId":{"Ref":"Public"},"RouteTableId":{"Ref":"PublicTable"}}},
	"PublicRoute":{"Type":"AWS::EC2::Route","DependsOn":["VPC"],"Properties":{"RouteTableId":{"Ref":"PublicTable"},"GatewayId":"igw"}},
	"Private":{"Type":"AWS::EC2::Subnet","Properties":{"VpcId":{"Ref":"VPC"}}},
	"PrivateTable":{"Type":"AWS::EC2::RouteTable","Properties":{"VpcId":{"Ref":"VPC"}}},
	"PrivateAssociation":{"Type":"AWS::EC2::SubnetRouteTableAssociation","Properties":{"SubnetId":{"Ref":"Private"},"RouteTableId":{"Ref":"PrivateTable"}}},
	"PrivateRoute":{"Type":"AWS::EC2::Route","Properties":{"RouteTableId":{"Ref":"PrivateTable"},"NatGatewayId":{"Ref":"NAT"}}},
	"NAT":{"Type":"AWS::EC2::NatGateway","Properties":{"SubnetId":{"Ref":"Public"},"AllocationId":{"Fn::GetAtt":["Address","AllocationId"]}}},
	"Address":{"Type":"AWS::EC2::EIP"}},
	"Outputs":{"OutPublic":{"Value":{"Ref":"Public"}},"OutPrivate":{"Value":{"Ref":"Private"}}}}`

func stackOf(t *testing.T, id, template string, dependsOn ...string) assembly.Stack {
	t.Helper()
	stack := assembly.Stack{ID: id, DependsOn: dependsOn}
	require.NoError(t, json.Unmarshal([]byte(template), &stack.Template))
	return stack
}

// service is a stack whose service stands in the subnet of that output.
func service(t *testing.T, id, output string, dependsOn ...string) assembly.Stack {
	return stackOf(t, id, `{"Resources":{"Service":{"Type":"AWS::ECS::Service","DependsOn":["Role"],"Properties":{"Subnets":[
		{"Fn::GetStackOutput":{"StackName":"Network","OutputName":"`+output+`"}}]}},"Role":{"Type":"AWS::IAM::Role"}}}`, dependsOn...)
}

func TestWholeStacksHoldWhatTheyShare(t *testing.T) {
	shared := stackOf(t, "Network", network)
	before := service(t, "A", "OutPublic", "Network")
	whole := assembly.Whole([]assembly.Stack{before, shared, service(t, "B", "OutPrivate", "Network"), service(t, "C", "OutPublic")}, "Network")

	require.Len(t, whole, 3, "the shared stack is none of them")
	public, private, unordered := whole[0], whole[1], whole[2]
	assert.True(t, public.Shares)
	subnet := map[string]any{"Ref": "Network.Public"}
	assert.Equal(t, []any{subnet}, public.Template.Resources["Service"].Properties["Subnets"])
	assert.Equal(t, map[string]any{"SubnetId": subnet, "RouteTableId": map[string]any{"Ref": "Network.PublicTable"}},
		public.Template.Resources["Network.PublicAssociation"].Properties)
	assert.Equal(t, []string{"Network.VPC"}, public.Template.Resources["Network.PublicRoute"].DependsOn)

	// What waits for the stack waits for all of it.
	assert.Contains(t, public.Template.Resources["Service"].DependsOn, "Network.PublicRoute")
	assert.Contains(t, public.Template.Resources["Service"].DependsOn, "Role")
	assert.Equal(t, []string{"Role"}, unordered.Template.Resources["Service"].DependsOn)

	// A NAT gateway belongs to who routes through it.
	for _, id := range []string{"Network.NAT", "Network.Address", "Network.PrivateRoute"} {
		assert.NotContains(t, public.Template.Resources, id)
		assert.Contains(t, private.Template.Resources, id)
	}

	assert.Equal(t, service(t, "A", "OutPublic", "Network"), before, "the stack that was given")
}

func TestWholeLeavesAloneWhatSharesNothing(t *testing.T) {
	alone := stackOf(t, "A", `{"Resources":{"Role":{"Type":"AWS::IAM::Role"}}}`)
	unknown := service(t, "B", "Other")
	shared := stackOf(t, "Network", network)
	assert.Equal(t, []assembly.Stack{alone, unknown}, assembly.Whole([]assembly.Stack{alone, shared, unknown}, "Network"))

	// Somebody else's stack of that name stays, and so does what refers to it.
	theirs := stackOf(t, "Network", strings.Replace(network, "refdeploy:settings", "theirs", 1))
	all := []assembly.Stack{theirs, service(t, "C", "OutPublic", "Network")}
	assert.Equal(t, all, assembly.Whole(all, "Network"))
}
