package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsecs"
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

// NewECSExpress runs the app as a service of ECS Express Mode, which creates
// everything around it: load balancer, certificate, security groups, scaling and
// the alarm that undoes a bad release.
//
//	internet ─▶ ALB, HTTPS, shared by up to 25 services ─▶ task on Fargate ─▶ S3
//
// Choose it when you want an address for a container and nothing to describe,
// and when you leave App Runner or Copilot: docs/patterns/ecs-express.md leads
// through that, and says when to prefer another pattern and what this one costs.
func NewECSExpress(scope constructs.Construct, id string, props *Props) awscdk.Stack {
	p := props.withDefaults()
	production := p.Settings.IsProduction()
	stack := newStack(scope, id, "The app on ECS Express Mode, which AWS recommends in place of App Runner", p)
	warnUnfiltered(stack, p.Settings)
	keepTags(stack)

	// 1. Where it runs: a cluster of its own, in the public subnets of the
	// account's default VPC. In private subnets Express Mode makes a load balancer
	// that the internet does not reach, so production has public ones as well.
	insights := "disabled"
	if production {
		insights = "enhanced"
	}
	// The CDK's own Cluster would bring a VPC.
	cluster := awsecs.NewCfnCluster(stack, jsii.String("Cluster"), &awsecs.CfnClusterProps{
		CapacityProviders: &[]any{"FARGATE"},
		ClusterSettings: []any{&awsecs.CfnCluster_ClusterSettingsProperty{
			Name:  jsii.String("containerInsights"),
			Value: jsii.String(insights),
		}},
	})
	if !production {
		nag.Suppress(cluster, nag.Reasons{"AwsSolutions-ECS4": "Container Insights bills per metric; the production profile turns it on."})
	}

	// 2. What runs: the smallest Fargate size, unless more is asked for. Express
	// Mode writes the task definition, for x86_64, whatever the architecture
	// setting.
	bucket := notes.New(stack, "Notes", &notes.Props{Keep: production, None: p.Settings.Bucket == settings.NoBucket})
	told, secret := environment.New(bucket, p.Settings.Env), secrets.New(stack, "Secret", p.Settings.Secrets)
	cpu, memory := p.Settings.FargateSize()
	appLogs := logs.NewGroup(stack, "AppLogs", &logs.Props{Keep: production})
	img := image.New(stack, "Image", &image.Props{Architecture: settings.X86_64, Registry: p.Settings.Image, Directory: p.Settings.App})

	// The roles: ECS pulls and logs with the first, builds what is around the
	// service with the second, and hands the third to the app.
	execution := awsiam.NewRole(stack, jsii.String("ExecutionRole"), &awsiam.RoleProps{
		AssumedBy: awsiam.NewServicePrincipal(jsii.String("ecs-tasks.amazonaws.com"), nil),
	})
	appLogs.GrantWrite(execution)
	if img.Repository != nil {
		img.Repository.GrantPull(execution)
	}
	secret.GrantRead(execution)
	nag.Suppress(execution, nag.Reasons{"AwsSolutions-IAM5": "Getting an ECR login token has no resource level."})
	infrastructure := awsiam.NewRole(stack, jsii.String("InfrastructureRole"), &awsiam.RoleProps{
		AssumedBy: awsiam.NewServicePrincipal(jsii.String("ecs.amazonaws.com"), nil),
		ManagedPolicies: &[]awsiam.IManagedPolicy{
			awsiam.ManagedPolicy_FromAwsManagedPolicyName(jsii.String("service-role/AmazonECSInfrastructureRoleforExpressGatewayServices")),
		},
	})
	nag.Suppress(infrastructure, nag.Reasons{"AwsSolutions-IAM4": "AWS keeps this managed policy in line with what Express Mode creates."})
	role := awsiam.NewRole(stack, jsii.String("TaskRole"), &awsiam.RoleProps{
		AssumedBy: awsiam.NewServicePrincipal(jsii.String("ecs-tasks.amazonaws.com"), nil),
	})

	// 3. How many, and how a bad release is undone: a release gets a twentieth of
	// the requests first, and Express Mode takes it back when more than one answer
	// in a hundred is an error, those of clients (4xx) included.
	service := awsecs.NewCfnExpressGatewayService(stack, jsii.String("Service"), &awsecs.CfnExpressGatewayServiceProps{
		Cluster:               cluster.Ref(),
		ExecutionRoleArn:      execution.RoleArn(),
		InfrastructureRoleArn: infrastructure.RoleArn(),
		TaskRoleArn:           role.RoleArn(),
		Cpu:                   jsii.Sprintf("%d", cpu),    // of 1024 to a vCPU
		Memory:                jsii.Sprintf("%d", memory), // MiB
		PrimaryContainer: &awsecs.CfnExpressGatewayService_ExpressGatewayContainerProperty{
			Image:         img.URI,
			ContainerPort: jsii.Number(p.Settings.Port),
			Environment:   told.In(stack.Region()).Express(),
			Secrets:       secret.Express(),
			AwsLogsConfiguration: &awsecs.CfnExpressGatewayService_ExpressGatewayServiceAwsLogsConfigurationProperty{
				LogGroup:        appLogs.LogGroupName(),
				LogStreamPrefix: jsii.String("app"),
			},
		},
		ScalingTarget: &awsecs.CfnExpressGatewayService_ExpressGatewayScalingTargetProperty{
			AutoScalingMetric:      jsii.String("AVERAGE_CPU"),
			AutoScalingTargetValue: jsii.Number(60),
			MinTaskCount:           jsii.Number(p.Settings.Replicas()),
			MaxTaskCount:           jsii.Number(4 * p.Settings.Replicas()),
		},

		// 4. How traffic gets in: a public HTTPS address, certificate included.
		// Express Mode asks the app itself whether it is healthy.
		HealthCheckPath: jsii.String(p.Settings.HealthPath),
	})

	// 5. What it may touch: the task role, which ECS hands to the app.
	bucket.GrantApp(role)
	bucket.Outlive(service)
	service.Node().AddDependency(role, execution) // or the first task starts before the permissions

	// 6. Who is told when it fails. The load balancer may be shared, so its errors
	// may be another service's; which target group is in use changes with each
	// release, so there is no narrower figure.
	if production {
		told := alarms.New(stack, "Alarms", &alarms.Props{Email: p.Settings.AlarmEmail})
		// arn:…:loadbalancer/app/NAME/ID
		balancer := awscdk.Fn_Select(jsii.Number(1), awscdk.Fn_Split(jsii.String("loadbalancer/"), service.AttrEcsManagedResourceArnsIngressPathLoadBalancerArn(), nil))
		for _, a := range []struct{ id, metric, says string }{
			{"AppErrors", "HTTPCode_Target_5XX_Count", "The app, or another service behind the same load balancer, answers with a status of 5xx"},
			{"LoadBalancerErrors", "HTTPCode_ELB_5XX_Count", "The load balancer answers with a status of 5xx: no task is there, or none answers in time"},
		} {
			told.OnErrors(a.id, awscloudwatch.NewMetric(&awscloudwatch.MetricProps{
				Namespace:     jsii.String("AWS/ApplicationELB"),
				MetricName:    jsii.String(a.metric),
				DimensionsMap: &map[string]*string{"LoadBalancer": balancer},
			}), a.says)
		}
		told.Ring(awscloudwatch.NewAlarm(stack, jsii.String("MissingTasks"), &awscloudwatch.AlarmProps{
			Metric: awscloudwatch.NewMetric(&awscloudwatch.MetricProps{
				Namespace:  jsii.String("ECS/ContainerInsights"),
				MetricName: jsii.String("RunningTaskCount"),
				DimensionsMap: &map[string]*string{
					"ClusterName": cluster.Ref(),
					// arn:…:service/CLUSTER/NAME
					"ServiceName": awscdk.Fn_Select(jsii.Number(2), awscdk.Fn_Split(jsii.String("/"), service.AttrServiceArn(), nil)),
				},
				Statistic: awscloudwatch.Stats_MINIMUM(),
				Period:    awscdk.Duration_Minutes(jsii.Number(1)),
			}),
			ComparisonOperator: awscloudwatch.ComparisonOperator_LESS_THAN_THRESHOLD,
			Threshold:          jsii.Number(p.Settings.Replicas()),
			EvaluationPeriods:  jsii.Number(5),
			TreatMissingData:   awscloudwatch.TreatMissingData_BREACHING, // no task runs at all
			AlarmDescription:   jsii.Sprintf("Fewer than %d tasks for five minutes", p.Settings.Replicas()),
		}))
	}
	logs.Adopt(stack, &logs.Props{Keep: production}) // the functions that the CDK brings for its own work

	// 7. Where to find it. AWS documents the endpoint with its scheme in some
	// places and without in others.
	awscdk.NewCfnOutput(stack, jsii.String("Url"), &awscdk.CfnOutputProps{
		Value:       jsii.Sprintf("https://%s", *awscdk.Fn_Join(jsii.String(""), awscdk.Fn_Split(jsii.String("https://"), service.AttrEndpoint(), nil))),
		Description: jsii.String("Public address of the app"),
	})

	return stack
}
