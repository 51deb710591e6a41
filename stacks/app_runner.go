package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapprunner"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"refdeploy/constructs/alarms"
	"refdeploy/constructs/environment"
	"refdeploy/constructs/image"
	"refdeploy/constructs/logs"
	"refdeploy/constructs/nag"
	"refdeploy/constructs/notes"
	"refdeploy/constructs/secrets"
	"refdeploy/internal/settings"
)

// NewAppRunner runs the app as an App Runner service, which brings its own load
// balancer, certificate, scaling and, from GitHub, its own build.
//
//	internet ─▶ App Runner's HTTPS endpoint ─▶ instance ─▶ S3
//
// App Runner is closed to new customers since 2026-04-30: in an account that
// never used it the deploy fails. Existing customers keep all of it, without new
// features. AWS recommends ECS Express Mode instead, which is [NewECSExpress].
// More is in docs/patterns/app-runner.md.
func NewAppRunner(scope constructs.Construct, id string, props *Props) awscdk.Stack {
	p := props.withDefaults()
	production := p.Settings.IsProduction()
	stack := newStack(scope, id, "The app on App Runner, which is closed to new customers since 2026-04-30", p)
	warnUnfiltered(stack, p.Settings)
	keepTags(stack)

	// 1. Where it runs: nowhere of ours. There is no network, cluster or host.

	// 2. What runs: the image, pulled from ECR, or the source, built from
	// GitHub. App Runner runs x86_64 only, whatever the architecture setting.
	bucket := notes.New(stack, "Notes", &notes.Props{Keep: production, None: p.Settings.Bucket == settings.NoBucket})
	// App Runner documents no variable of its own to recognize it by.
	told := environment.New(bucket, p.Settings.Env).With("APP_RUNNER", jsii.String("true")).In(stack.Region())
	secret := secrets.New(stack, "Secret", p.Settings.Secrets)
	// A service cannot change from one kind of source to the other, so each has a
	// service of its own, and changing brings a new address.
	id, source := "Service", awsapprunner.CfnService_SourceConfigurationProperty{}
	var puller awsiam.Role
	if p.Settings.AppRunnerRepository != "" {
		id, source = "ServiceFromGitHub", fromGitHub(p.Settings, told, secret)
	} else {
		source, puller = fromImage(stack, p.Settings, told, secret)
	}

	// 3. How many, and how a bad release is undone: instances are added when each
	// has this many requests at once. A bad release never gets traffic: App Runner
	// keeps the old one until the new one passes its health checks, and goes back
	// to it. CloudFormation takes that for success (apprunner-roadmap#209).
	scaling := awsapprunner.NewCfnAutoScalingConfiguration(stack, jsii.String("Scaling"), &awsapprunner.CfnAutoScalingConfigurationProps{
		MaxConcurrency: jsii.Number(100),
		MinSize:        jsii.Number(p.Settings.Replicas()),
		MaxSize:        jsii.Number(4 * p.Settings.Replicas()),
	})
	role := awsiam.NewRole(stack, jsii.String("InstanceRole"), &awsiam.RoleProps{
		AssumedBy: awsiam.NewServicePrincipal(jsii.String("tasks.apprunner.amazonaws.com"), nil),
	})
	if p.Settings.AppRunnerRepository == "" && !image.InECR(p.Settings.Image) {
		awscdk.Annotations_Of(stack).AddError(jsii.Sprintf(
			"image: got %q; App Runner pulls from ECR only (ACCOUNT.dkr.ecr.REGION.amazonaws.com/… or public.ecr.aws/…); copy the image there, or leave AppRunner out with the stacks setting", p.Settings.Image))
		return stack
	}
	cpu, memory := p.Settings.AppRunnerSize()
	service := awsapprunner.NewCfnService(stack, jsii.String(id), &awsapprunner.CfnServiceProps{
		SourceConfiguration:         &source,
		AutoScalingConfigurationArn: scaling.AttrAutoScalingConfigurationArn(),
		InstanceConfiguration: &awsapprunner.CfnService_InstanceConfigurationProperty{
			Cpu:             jsii.Sprintf("%d", cpu),    // of 1024 to a vCPU
			Memory:          jsii.Sprintf("%d", memory), // MiB
			InstanceRoleArn: role.RoleArn(),
		},
		HealthCheckConfiguration: &awsapprunner.CfnService_HealthCheckConfigurationProperty{
			Protocol: jsii.String("HTTP"),
			Path:     jsii.String(p.Settings.HealthPath),
		},

		// 4. How traffic gets in: a public HTTPS address, certificate included.
		NetworkConfiguration: &awsapprunner.CfnService_NetworkConfigurationProperty{
			IngressConfiguration: &awsapprunner.CfnService_IngressConfigurationProperty{IsPubliclyAccessible: jsii.Bool(true)},
		},
	})

	// 5. What it may touch: the instance role, which App Runner hands to the app.
	bucket.GrantApp(role)
	secret.GrantRead(role)
	bucket.Outlive(service)
	service.Node().AddDependency(role) // or the first requests come before the permission
	if puller != nil {
		service.Node().AddDependency(puller) // or the first pull comes before the permission
	}

	// 6. Who is told when it fails.
	if production {
		alarms.New(stack, "Alarms", &alarms.Props{Email: p.Settings.AlarmEmail}).
			OnErrors("AppErrors", awscloudwatch.NewMetric(&awscloudwatch.MetricProps{
				Namespace:  jsii.String("AWS/AppRunner"),
				MetricName: jsii.String("5xxStatusResponses"),
				DimensionsMap: &map[string]*string{
					// arn:…:service/NAME/ID
					"ServiceName": awscdk.Fn_Select(jsii.Number(1), awscdk.Fn_Split(jsii.String("/"), service.AttrServiceArn(), nil)),
					"ServiceID":   service.AttrServiceId(),
				},
			}), "The app, or App Runner in its place, answers with a status of 5xx")
	}
	logs.Adopt(stack, &logs.Props{Keep: production}) // the functions that the CDK brings for its own work

	// 7. Where to find it.
	awscdk.NewCfnOutput(stack, jsii.String("Url"), &awscdk.CfnOutputProps{
		Value:       jsii.Sprintf("https://%s", *service.AttrServiceUrl()),
		Description: jsii.String("Public address of the app"),
	})

	return stack
}

// fromImage pulls the image with a role of App Runner's build service, which
// the running app does not have. A public image needs none, and gets nil.
func fromImage(stack awscdk.Stack, s settings.Settings, told environment.Environment, secret secrets.Secrets) (source awsapprunner.CfnService_SourceConfigurationProperty, puller awsiam.Role) {
	img := image.New(stack, "Image", &image.Props{Architecture: settings.X86_64, Registry: s.Image, Directory: s.App})
	repository := &awsapprunner.CfnService_ImageRepositoryProperty{
		ImageIdentifier:     img.URI,
		ImageRepositoryType: jsii.String("ECR_PUBLIC"),
		ImageConfiguration: &awsapprunner.CfnService_ImageConfigurationProperty{
			Port:                        jsii.Sprintf("%d", s.Port),
			RuntimeEnvironmentVariables: told.AppRunner(),
			RuntimeEnvironmentSecrets:   secret.AppRunner(),
		},
	}
	source = awsapprunner.CfnService_SourceConfigurationProperty{
		AutoDeploymentsEnabled: jsii.Bool(false), // a release is a `cdk deploy`
		ImageRepository:        repository,
	}
	if img.Repository != nil {
		puller = awsiam.NewRole(stack, jsii.String("AccessRole"), &awsiam.RoleProps{
			AssumedBy: awsiam.NewServicePrincipal(jsii.String("build.apprunner.amazonaws.com"), nil),
		})
		img.Repository.GrantPull(puller)
		nag.Suppress(puller, nag.Reasons{"AwsSolutions-IAM5": "Getting an ECR login token has no resource level."})
		repository.ImageRepositoryType = jsii.String("ECR")
		source.AuthenticationConfiguration = &awsapprunner.CfnService_AuthenticationConfigurationProperty{AccessRoleArn: puller.RoleArn()}
	}
	return source, puller
}

// fromGitHub builds the repository on every push to main. App Runner's own Go
// runtime is Go 1.18 and ended on 2025-12-01, so the build brings the Go that
// go.mod asks for to the Python runtime, which runs any Linux program.
func fromGitHub(s settings.Settings, told environment.Environment, secret secrets.Secrets) awsapprunner.CfnService_SourceConfigurationProperty {
	return awsapprunner.CfnService_SourceConfigurationProperty{
		AutoDeploymentsEnabled:      jsii.Bool(true),
		AuthenticationConfiguration: &awsapprunner.CfnService_AuthenticationConfigurationProperty{ConnectionArn: jsii.String(s.AppRunnerConnectionARN)},
		CodeRepository: &awsapprunner.CfnService_CodeRepositoryProperty{
			RepositoryUrl:     jsii.String(s.AppRunnerRepository),
			SourceCodeVersion: &awsapprunner.CfnService_SourceCodeVersionProperty{Type: jsii.String("BRANCH"), Value: jsii.String("main")},
			CodeConfiguration: &awsapprunner.CfnService_CodeConfigurationProperty{
				ConfigurationSource: jsii.String("API"),
				CodeConfigurationValues: &awsapprunner.CfnService_CodeConfigurationValuesProperty{
					Runtime:                     jsii.String("PYTHON_311"),
					BuildCommand:                jsii.String("curl -fsSL https://go.dev/dl/go1.26.8.linux-amd64.tar.gz | tar -C /tmp -xz && CGO_ENABLED=0 /tmp/go/bin/go build -trimpath -o notes ./app"),
					StartCommand:                jsii.String("./notes"),
					Port:                        jsii.Sprintf("%d", s.Port),
					RuntimeEnvironmentVariables: told.AppRunner(),
					RuntimeEnvironmentSecrets:   secret.AppRunner(),
				},
			},
		},
	}
}
