package stacks

import (
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodedeploy"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/interfaces/interfacesawscloudwatch"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"refdeploy/constructs/alarms"
	"refdeploy/constructs/bootstrap"
	"refdeploy/constructs/environment"
	"refdeploy/constructs/logs"
	"refdeploy/constructs/nag"
	"refdeploy/constructs/notes"
	"refdeploy/constructs/secrets"
	"refdeploy/internal/settings"
)

// NewLambda runs the app as a function that Lambda starts when a request comes,
// in a Firecracker micro-VM of its own, and charges by the millisecond.
//
//	internet ─▶ function URL ─▶ alias ─▶ function version ─▶ S3
//
// Choose it when traffic is rare or comes in bursts: nothing runs while nobody
// calls, and only storage bills. When to prefer another pattern is in
// docs/patterns/lambda.md.
func NewLambda(scope constructs.Construct, id string, props *Props) awscdk.Stack {
	p := props.withDefaults()
	production := p.Settings.IsProduction()
	stack := newStack(scope, id, "The app on Lambda behind a function URL", p)
	warnUnfiltered(stack, p.Settings)

	// 1. Where it runs: nowhere of ours. There is no network, cluster or host.

	// 2. What runs: the same program as in the image, uploaded as a zip; an app of
	// your own in its image, behind an adapter that makes requests of events.
	architecture := awslambda.Architecture_ARM_64()
	if p.Settings.Architecture == settings.X86_64 {
		architecture = awslambda.Architecture_X86_64()
	}
	bucket := notes.New(stack, "Notes", &notes.Props{Keep: production, None: p.Settings.Bucket == settings.NoBucket})
	role := awsiam.NewRole(stack, jsii.String("ExecutionRole"), &awsiam.RoleProps{
		AssumedBy: awsiam.NewServicePrincipal(jsii.String("lambda.amazonaws.com"), nil),
	})
	appLogs := logs.NewGroup(stack, "AppLogs", &logs.Props{Keep: production})
	if refuseImage(stack, p.Settings) {
		return stack
	}
	told, secret := environment.New(bucket, p.Settings.Env), secrets.New(stack, "Secret", p.Settings.Secrets)
	program := bootstrap.New(stack, "Image", &bootstrap.Props{
		Architecture: p.Settings.Architecture,
		Directory:    p.Settings.App,
		Port:         p.Settings.Port,
		HealthPath:   p.Settings.HealthPath,
	})
	function := awslambda.NewFunction(stack, jsii.String("Function"), &awslambda.FunctionProps{
		Runtime:      program.Runtime,
		Architecture: architecture,
		Handler:      program.Handler,
		Code:         program.Code,
		Role:         role,
		// CPU comes with memory: 256 MiB is about a seventh of a vCPU.
		MemorySize:  jsii.Number(p.Settings.LambdaMemory()),
		Timeout:     awscdk.Duration_Seconds(jsii.Number(program.Seconds)),
		Environment: slices.Concat(told, secret.Lambda(stack), program.Environment).Map(),
		LogGroup:    appLogs,
	})
	bucket.Outlive(function)

	// 3. How many, and how a bad release is undone: Lambda runs one instance per
	// concurrent request, of the version that the alias names.
	alias := awslambda.NewAlias(stack, jsii.String("Live"), &awslambda.AliasProps{
		AliasName: jsii.String("live"),
		Version:   function.CurrentVersion(),
	})
	var errors awscloudwatch.Alarm
	if production {
		// The alias sends a tenth of the requests to a new version for five minutes,
		// and goes back if any answer is a 5xx: of the app, of a crash or a timeout.
		// What a caller does wrong is answered with 4xx, or any stranger could send
		// a release back.
		errors = alias.Metric(jsii.String("Url5xxCount"), &awscloudwatch.MetricOptions{
			Statistic: awscloudwatch.Stats_SUM(),
			Period:    awscdk.Duration_Minutes(jsii.Number(1)),
		}).CreateAlarm(stack, jsii.String("Errors"), &awscloudwatch.CreateAlarmOptions{
			AlarmDescription:  jsii.String("The app answers with a status of 5xx; a release that is on its way goes back"),
			Threshold:         jsii.Number(1),
			EvaluationPeriods: jsii.Number(1),
			TreatMissingData:  awscloudwatch.TreatMissingData_NOT_BREACHING,
		})
		deployer := awsiam.NewRole(stack, jsii.String("RolloutRole"), &awsiam.RoleProps{
			AssumedBy: awsiam.NewServicePrincipal(jsii.String("codedeploy.amazonaws.com"), nil),
		})
		awscodedeploy.NewLambdaDeploymentGroup(stack, jsii.String("Rollout"), &awscodedeploy.LambdaDeploymentGroupProps{
			Alias:            alias,
			DeploymentConfig: awscodedeploy.LambdaDeploymentConfig_CANARY_10PERCENT_5MINUTES(),
			Role:             deployer,
			Alarms:           &[]interfacesawscloudwatch.IAlarmRef{errors},
		})
		nag.Suppress(deployer, nag.Reasons{"AwsSolutions-IAM4": "AWS keeps this managed policy in line with what CodeDeploy needs to move an alias."})
	}

	// 4. How traffic gets in: a public HTTPS address that needs no gateway.
	url := alias.AddFunctionUrl(&awslambda.FunctionUrlOptions{AuthType: awslambda.FunctionUrlAuthType_NONE})

	// 5. What it may touch: the execution role, which Lambda hands to the
	// function.
	bucket.GrantApp(role)
	appLogs.GrantWrite(role)

	// 6. Who is told when it fails.
	if production {
		alarms.New(stack, "Alarms", &alarms.Props{Email: p.Settings.AlarmEmail}).Ring(errors)
	}
	logs.Adopt(stack, &logs.Props{Keep: production}) // the functions that the CDK brings for its own work

	// 7. Where to find it.
	host := awscdk.Fn_Select(jsii.Number(2), awscdk.Fn_Split(jsii.String("/"), url.Url(), nil))
	awscdk.NewCfnOutput(stack, jsii.String("Url"), &awscdk.CfnOutputProps{
		Value:       jsii.Sprintf("https://%s", *host), // as everywhere, without the slash at the end
		Description: jsii.String("Public address of the app"),
	})

	return stack
}
