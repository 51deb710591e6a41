package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsecs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"refdeploy/constructs/agent"
	"refdeploy/constructs/alarms"
	"refdeploy/constructs/environment"
	"refdeploy/constructs/image"
	"refdeploy/constructs/logs"
	"refdeploy/constructs/nag"
	"refdeploy/constructs/notes"
	"refdeploy/constructs/secrets"
	"refdeploy/internal/settings"
)

// installScript is what AWS publishes to install Docker, the ECS agent and the
// Systems Manager agent on a server (Amazon ECS documentation, registering an
// external instance, read 2026-11-27).
const installScript = "https://amazon-ecs-agent.s3.amazonaws.com/ecs-anywhere-install-latest.sh"

// NewECSAnywhere runs the app as an ECS service on servers of your own. The stack
// is what AWS needs for it; the outputs are the commands that bring a server in
// and take it out again.
//
//	your network ─▶ your server, port 8080 ─▶ app ─▶ S3
//
// Choose it when the machines are yours already and the control plane should not
// be. When to prefer another pattern, and what this one costs, is in
// docs/patterns/ecs-anywhere.md.
func NewECSAnywhere(scope constructs.Construct, id string, props *Props) awscdk.Stack {
	p := props.withDefaults()
	production := p.Settings.IsProduction()
	stack := newStack(scope, id, "The app on servers of your own, under ECS Anywhere", p)
	warnOwnServers(stack, p.Settings)

	// 1. Where it runs: a cluster without a network, for the servers bring their
	// own. The CDK's Cluster would add a VPC.
	insights := "disabled"
	if production {
		insights = "enhanced"
	}
	cluster := awsecs.NewCfnCluster(stack, jsii.String("Cluster"), &awsecs.CfnClusterProps{
		ClusterSettings: []any{&awsecs.CfnCluster_ClusterSettingsProperty{
			Name:  jsii.String("containerInsights"),
			Value: jsii.String(insights),
		}},
	})
	if !production {
		nag.Suppress(cluster, nag.Reasons{"AwsSolutions-ECS4": "Container Insights bills per metric; the production profile turns it on."})
	}
	// A server gets the credentials of this role from Systems Manager. They are for
	// the agents: ECS's, and Session Manager's, which is a way to a shell.
	role := awsiam.NewRole(stack, jsii.String("ServerRole"), &awsiam.RoleProps{
		AssumedBy: awsiam.NewServicePrincipal(jsii.String("ssm.amazonaws.com"), &awsiam.ServicePrincipalOpts{
			// Or another account could have Systems Manager assume it.
			Conditions: &map[string]any{"StringEquals": map[string]any{"aws:SourceAccount": stack.Account()}},
		}),
		ManagedPolicies: &[]awsiam.IManagedPolicy{
			awsiam.ManagedPolicy_FromAwsManagedPolicyName(jsii.String("AmazonSSMManagedInstanceCore")),
		},
	})
	agent.Grant(role, cluster.AttrArn())

	// 2. What runs: one container, on a port of the server. Servers of another
	// architecture get none: there, it would not start.
	task := awsecs.NewExternalTaskDefinition(stack, jsii.String("Task"), &awsecs.ExternalTaskDefinitionProps{
		NetworkMode: awsecs.NetworkMode_BRIDGE,
	})
	task.AddPlacementConstraint(awsecs.PlacementConstraint_MemberOf(
		jsii.String("attribute:ecs.cpu-architecture == " + string(p.Settings.Architecture))))
	bucket := notes.New(stack, "Notes", &notes.Props{Keep: production, None: p.Settings.Bucket == settings.NoBucket})
	told, secret := environment.New(bucket, p.Settings.Env), secrets.New(stack, "Secret", p.Settings.Secrets)
	cpu, memory := p.Settings.ContainerSize()
	appLogs := logs.NewGroup(stack, "AppLogs", &logs.Props{Keep: production})
	task.AddContainer(jsii.String("App"), &awsecs.ContainerDefinitionOptions{
		Image:                  image.New(stack, "Image", &image.Props{Architecture: p.Settings.Architecture, Registry: p.Settings.Image, Directory: p.Settings.App}).Container,
		Cpu:                    jsii.Number(cpu),
		MemoryLimitMiB:         jsii.Number(memory),
		ReadonlyRootFilesystem: jsii.Bool(true),
		Environment:            told.In(stack.Region()).Map(), // on your servers, nobody else tells
		Secrets:                secret.ECS(),
		LinuxParameters:        environment.Linux(stack, "Linux", p.Settings.TmpMiB()),
		// The same port as in the container, so that the address is known: there is
		// no load balancer that would find another one.
		PortMappings: &[]*awsecs.PortMapping{{ContainerPort: jsii.Number(p.Settings.Port), HostPort: jsii.Number(p.Settings.Port)}},
		Logging:      awsecs.LogDrivers_AwsLogs(&awsecs.AwsLogDriverProps{StreamPrefix: jsii.String("app"), LogGroup: appLogs}),
	})
	nag.Suppress(task, nag.Reasons{"AwsSolutions-ECS2": told.Reason()})

	// 3. How many, and how a bad release is undone: one on each server, so the deploy
	// finishes before there is a server. A new copy needs the port of the old one,
	// which therefore has to stop first. In production every second server goes on
	// meanwhile; in a sandbox, with its one server, the app is away for a moment. A
	// release that fails again and again rolls back.
	healthy := 0
	if production {
		healthy = 50
	}
	// The CDK's ExternalService wants a cluster with a VPC.
	service := awsecs.NewCfnService(stack, jsii.String("Service"), &awsecs.CfnServiceProps{
		Cluster:            cluster.Ref(),
		TaskDefinition:     task.TaskDefinitionArn(),
		LaunchType:         jsii.String("EXTERNAL"),
		SchedulingStrategy: jsii.String("DAEMON"),
		DeploymentConfiguration: &awsecs.CfnService_DeploymentConfigurationProperty{
			MinimumHealthyPercent:    jsii.Number(healthy),
			MaximumPercent:           jsii.Number(100),
			DeploymentCircuitBreaker: &awsecs.CfnService_DeploymentCircuitBreakerProperty{Enable: jsii.Bool(true), Rollback: jsii.Bool(true)},
		},
		PropagateTags: jsii.String("SERVICE"),
	})
	bucket.Outlive(service)
	service.Node().AddDependency(task) // or the first requests come before the permission

	// 4. How traffic gets in: straight to port 8080 of a server. ECS Anywhere has no
	// load balancers; what stands before the servers is yours.

	// 5. What it may touch: the task's role, which ECS hands to its container, and to
	// nothing else on the server.
	bucket.GrantApp(task.TaskRole())
	nag.Suppress(task, nag.Reasons{"AwsSolutions-IAM5": "Getting an ECR login token has no resource level."})

	// 6. Who is told when it fails. Without a load balancer that counts, the errors
	// are counted in the app's log.
	if production {
		told := alarms.New(stack, "Alarms", &alarms.Props{Email: p.Settings.AlarmEmail})
		told.OnErrors("AppErrors", appLogs.AddMetricFilter(jsii.String("Errors"), &awslogs.MetricFilterOptions{
			FilterPattern:   awslogs.FilterPattern_NumberValue(jsii.String("$.status"), jsii.String(">="), jsii.Number(500)),
			MetricNamespace: stack.StackName(),
			MetricName:      jsii.String("Errors"),
		}).Metric(nil), "The app answers with a status of 5xx")
		// Each task sends a sample a minute.
		told.Ring(awscloudwatch.NewAlarm(stack, jsii.String("MissingTasks"), &awscloudwatch.AlarmProps{
			Metric: awscloudwatch.NewMetric(&awscloudwatch.MetricProps{
				Namespace:     jsii.String("AWS/ECS"),
				MetricName:    jsii.String("CPUUtilization"),
				DimensionsMap: &map[string]*string{"ClusterName": cluster.Ref(), "ServiceName": service.AttrName()},
				Statistic:     awscloudwatch.Stats_SAMPLE_COUNT(),
				Period:        awscdk.Duration_Minutes(jsii.Number(1)),
			}),
			ComparisonOperator: awscloudwatch.ComparisonOperator_LESS_THAN_THRESHOLD,
			Threshold:          jsii.Number(p.Settings.Replicas()),
			EvaluationPeriods:  jsii.Number(5),
			TreatMissingData:   awscloudwatch.TreatMissingData_BREACHING, // no server is there at all
			AlarmDescription:   jsii.Sprintf("Fewer than %d copies of the app for five minutes", p.Settings.Replicas()),
		}))
	}
	logs.Adopt(stack, &logs.Props{Keep: production}) // the functions that the CDK brings for its own work

	// 7. What to run, and where: CloudFormation cannot bring a server in. It has no
	// type for an activation, whose code is a secret and valid for a day.
	region, name := *stack.Region(), *cluster.Ref()
	for _, o := range []struct{ id, says, command string }{
		{"Activate", "Run where you deploy from, once for each server: prints the ActivationId and ActivationCode that BringIn takes",
			"aws ssm create-activation --region " + region + " --iam-role " + *role.RoleName() + " --registration-limit 1 --tags Key=refdeploy:stack,Value=" + *stack.StackName()},
		{"BringIn", "Run on the server: installs the agents and registers the server with the cluster",
			"curl --proto https --fail -o ecs-anywhere-install.sh " + installScript + " && sudo bash ecs-anywhere-install.sh --region " + region + " --cluster " + name + " --activation-id ACTIVATION_ID --activation-code ACTIVATION_CODE"},
		{"Servers", "Run where you deploy from: lists the servers, as TakeOut wants to have them",
			"aws ecs describe-container-instances --region " + region + " --cluster " + name +
				" --container-instances $(aws ecs list-container-instances --region " + region + " --cluster " + name + " --query containerInstanceArns --output text)" +
				" --query 'containerInstances[].[containerInstanceArn,ec2InstanceId,agentConnected]' --output text"},
		{"TakeOut", "Run where you deploy from, before cdk destroy, with the ARN and the mi-… id that Servers prints: ECS and Systems Manager forget the server",
			"aws ecs deregister-container-instance --force --region " + region + " --cluster " + name + " --container-instance CONTAINER_INSTANCE_ARN" +
				" && aws ssm deregister-managed-instance --region " + region + " --instance-id MI_ID"},
	} {
		awscdk.NewCfnOutput(stack, jsii.String(o.id), &awscdk.CfnOutputProps{Value: jsii.String(o.command), Description: jsii.String(o.says)})
	}

	return stack
}
