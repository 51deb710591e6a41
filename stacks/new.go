package stacks

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
)

// New defines the deployment that the catalog calls id. The catalog itself knows
// nothing of the CDK, so that what reads templates starts without it.
func New(scope constructs.Construct, id string, props *Props) awscdk.Stack {
	switch id {
	case "EcsEc2":
		return NewECSEC2(scope, id, props)
	case "EcsFargate":
		return NewECSFargate(scope, id, props)
	case "EcsManagedInstances":
		return NewECSManagedInstances(scope, id, props)
	case "EcsExpress":
		return NewECSExpress(scope, id, props)
	case "EcsAnywhere":
		return NewECSAnywhere(scope, id, props)
	case "EksEc2":
		return NewEKSEC2(scope, id, props)
	case "EksAuto":
		return NewEKSAuto(scope, id, props)
	case "EksFargate":
		return NewEKSFargate(scope, id, props)
	case "EksAnywhere":
		return NewEKSAnywhere(scope, id, props)
	case "Lambda":
		return NewLambda(scope, id, props)
	case "AppRunner":
		return NewAppRunner(scope, id, props)
	}
	panic(fmt.Errorf("stacks: no deployment is called %q", id))
}
