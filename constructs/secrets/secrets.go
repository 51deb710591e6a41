// Package secrets lets the app read values that Secrets Manager and Systems
// Manager keep. No value is in a template: each platform fetches it.
package secrets

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapprunner"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsecs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssecretsmanager"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsssm"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"refdeploy/constructs/environment"
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

// Express returns the secrets as Express Mode takes them, nil without any.
func (all Secrets) Express() any {
	if len(all) == 0 {
		return nil
	}
	var list []any
	for _, s := range all {
		list = append(list, &awsecs.CfnExpressGatewayService_SecretProperty{Name: jsii.String(s.Name), ValueFrom: s.ARN})
	}
	return list
}

// AppRunner returns the secrets as App Runner takes them, nil without any.
func (all Secrets) AppRunner() any {
	if len(all) == 0 {
		return nil
	}
	var list []any
	for _, s := range all {
		list = append(list, &awsapprunner.CfnService_KeyValuePairProperty{Name: jsii.String(s.Name), Value: s.ARN})
	}
	return list
}

// Lambda returns the secrets as references that CloudFormation follows when it
// sets a function's environment. Parameters are an error on scope: CloudFormation
// reads none that is encrypted for a function (AWS CloudFormation user guide,
// dynamic references to secure strings, read 2026-11-27).
func (all Secrets) Lambda(scope constructs.Construct) environment.Environment {
	var told environment.Environment
	for _, s := range all {
		if s.reference.IsParameter() {
			awscdk.Annotations_Of(scope).AddError(jsii.Sprintf(
				"secrets: %s is the parameter %s; Lambda takes secrets of Secrets Manager only: keep it there, or leave Lambda out with the stacks setting", s.Name, s.reference.Reference))
			continue
		}
		told = told.With(s.Name, jsii.Sprintf("{{resolve:secretsmanager:%s}}", s.reference.Reference))
	}
	return told
}

// Command is what makes the Secret that pods wait for, with the operator's own
// right to read the values, or "" without any: a template, and the functions that
// apply manifests, would show them.
func (all Secrets) Command(scope constructs.Construct, namespace, name string) string {
	if len(all) == 0 {
		return ""
	}
	region := *awscdk.Stack_Of(scope).Region()
	command := "kubectl -n " + namespace + " create secret generic " + name
	for _, s := range all {
		read := "aws secretsmanager get-secret-value --region " + region + " --secret-id " + s.reference.Reference + " --query SecretString --output text"
		if s.reference.IsParameter() {
			read = "aws ssm get-parameter --region " + region + " --with-decryption --name " + s.reference.Reference + " --query Parameter.Value --output text"
		}
		// printf is the shell's own: an argument of a program, everyone on the machine
		// could read.
		command += " --from-file=" + s.Name + `=<(printf %s "$(` + read + `)")`
	}
	return command + " --dry-run=client -o yaml | kubectl apply -f -"
}
