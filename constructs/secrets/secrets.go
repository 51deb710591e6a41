// Package secrets lets the app read values that Secrets Manager and Systems
// Manager keep. No value is in a template: each platform fetches it.
package secrets

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsecs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssecretsmanager"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsssm"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"refdeploy/internal/settings"
)

// A Secret is a variable of the app and where its value is kept.
type Secret struct {
	Name string

	// ARN is the secret's or the parameter's. Without the six characters that
	// Secrets Manager adds to a name, it still finds the secret.
	ARN *string

	reference settings.Secret
	ecs       awsecs.Secret
}

// Secrets are those of one app, in order.
type Secrets []Secret

// New refers to secrets that exist already, in the stack's account and region
// unless an ARN says otherwise.
func New(scope constructs.Construct, id string, wanted []settings.Secret) Secrets {
	var all Secrets
	for _, w := range wanted {
		s := Secret{Name: w.Name, reference: w, ARN: jsii.String(w.Reference)}
		name := jsii.String(id + w.Name)
		switch {
		case w.IsParameter():
			parameter := awsssm.StringParameter_FromSecureStringParameterAttributes(scope, name,
				&awsssm.SecureStringParameterAttributes{ParameterName: jsii.String(w.Reference)})
			s.ARN = parameter.ParameterArn()
			s.ecs = awsecs.Secret_FromSsmParameter(parameter)
		case w.IsARN():
			s.ecs = awsecs.Secret_FromSecretsManager(awssecretsmanager.Secret_FromSecretCompleteArn(scope, name, s.ARN), nil)
		default:
			secret := awssecretsmanager.Secret_FromSecretNameV2(scope, name, jsii.String(w.Reference))
			s.ARN = secret.SecretArn()
			s.ecs = awsecs.Secret_FromSecretsManager(secret, nil)
		}
		all = append(all, s)
	}
	return all
}

// ECS returns the secrets as a container of ECS takes them; its execution role
// gets the right to read these and no others. Nil without secrets.
func (all Secrets) ECS() *map[string]awsecs.Secret {
	if len(all) == 0 {
		return nil
	}
	byName := map[string]awsecs.Secret{}
	for _, s := range all {
		byName[s.Name] = s.ecs
	}
	return &byName
}

// GrantRead lets a role read these secrets and no others.
func (all Secrets) GrantRead(role awsiam.Role) {
	for _, s := range all {
		action, arn := "secretsmanager:GetSecretValue", *s.ARN
		if s.reference.IsParameter() {
			action = "ssm:GetParameters"
		} else if !s.reference.IsARN() {
			arn += "-??????" // what Secrets Manager adds to the name
		}
		role.AddToPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
			Actions:   jsii.Strings(action),
			Resources: jsii.Strings(arn),
		}))
	}
}
