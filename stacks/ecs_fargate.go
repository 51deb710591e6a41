package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapplicationautoscaling"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsecs"
	elb "github.com/aws/aws-cdk-go/awscdk/v2/awselasticloadbalancingv2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"refdeploy/constructs/alarms"
	"refdeploy/constructs/environment"
	"refdeploy/constructs/image"
	"refdeploy/constructs/ingress"
	"refdeploy/constructs/logs"
	"refdeploy/constructs/nag"
	"refdeploy/constructs/network"
	"refdeploy/constructs/notes"
	"refdeploy/constructs/secrets"
	"refdeploy/internal/settings"
)

// NewECSFargate runs the app as an ECS service on Fargate behind a load
// balancer.
//
//	internet ─▶ ALB ─▶ task, an address of its own ─▶ S3
//
// Choose it when you want containers and no hosts to patch. When to prefer
// another pattern, and what this one costs, is in docs/patterns/ecs-fargate.md.
func NewECSFargate(scope constructs.Construct, id string, props *Props) awscdk.Stack {
	p := props.withDefaults()
	production := p.Settings.IsProduction()
	stack := newStack(scope, id, "The app on ECS with Fargate", p)
	warnOpen(stack, p.Settings)

	// 1. Where it runs.
	insights := awsecs.ContainerInsights_DISABLED
	if production {
		insights = awsecs.ContainerInsights_ENHANCED
	}
	net := networkFor(stack, p, network.PublicIP)
	cluster := awsecs.NewCluster(stack, jsii.String("Cluster"), &awsecs.ClusterProps{
		Vpc:                 net.VPC,
		ContainerInsightsV2: insights,
	})
	if !production {
		nag.Suppress(cluster, nag.Reasons{"AwsSolutions-ECS4": "Container Insights bills per metric; the production profile turns it on."})
	}

	// 2. What runs: the smallest Fargate size, unless more is asked for.
	cpu, memory := p.Settings.FargateSize()
	architecture := awsecs.CpuArchitecture_ARM64()
	if p.Settings.Architecture == settings.X86_64 {
		architecture = awsecs.CpuArchitecture_X86_64()
	}
	task := awsecs.NewFargateTaskDefinition(stack, jsii.String("Task"), &awsecs.FargateTaskDefinitionProps{
		Cpu:            jsii.Number(cpu),
		MemoryLimitMiB: jsii.Number(memory),
		RuntimePlatform: &awsecs.RuntimePlatform{
			CpuArchitecture:       architecture,
			OperatingSystemFamily: awsecs.OperatingSystemFamily_LINUX(),
		},
	})
	bucket := notes.New(stack, "Notes", &notes.Props{Keep: production, None: p.Settings.Bucket == settings.NoBucket})
	told, secret := environment.New(bucket, p.Settings.Env), secrets.New(stack, "Secret", p.Settings.Secrets)
	task.AddContainer(jsii.String("App"), &awsecs.ContainerDefinitionOptions{
		Image:                  image.New(stack, "Image", &image.Props{Architecture: p.Settings.Architecture, Registry: p.Settings.Image, Directory: p.Settings.App}).Container,
		ReadonlyRootFilesystem: jsii.Bool(true),
		Environment:            told.In(stack.Region()).Map(),
		Secrets:                secret.ECS(),
		LinuxParameters:        environment.Linux(stack, "Linux", p.Settings.TmpMiB()),
		PortMappings:           &[]*awsecs.PortMapping{{ContainerPort: jsii.Number(p.Settings.Port)}},
		Logging: awsecs.LogDrivers_AwsLogs(&awsecs.AwsLogDriverProps{
			StreamPrefix: jsii.String("app"),
			LogGroup:     logs.NewGroup(stack, "AppLogs", &logs.Props{Keep: production}),
		}),
	})
	nag.Suppress(task, nag.Reasons{"AwsSolutions-ECS2": told.Reason()})

	// 3. How many, and how a bad release is undone: ECS keeps the count up, new
	// tasks must pass health checks before old ones stop, and a release that
	// never does rolls back. The count is the autoscaler's: a number here would
	// reset it on every deploy (containers-roadmap#493).
	service := awsecs.NewFargateService(stack, jsii.String("Service"), &awsecs.FargateServiceProps{
		Cluster:           cluster,
		TaskDefinition:    task,
		VpcSubnets:        net.Workloads,
		AssignPublicIp:    jsii.Bool(net.PublicIPs),
		MinHealthyPercent: jsii.Number(100),
		MaxHealthyPercent: jsii.Number(200),
		CircuitBreaker:    &awsecs.DeploymentCircuitBreaker{Rollback: jsii.Bool(true)},
		// Without grace, a slow first task is killed before its first health
		// check and the deployment never finishes.
		HealthCheckGracePeriod: awscdk.Duration_Seconds(jsii.Number(60)),
		PropagateTags:          awsecs.PropagatedTagSource_SERVICE,
	})
	service.Node().AddDependency(net.WayOut)
	bucket.Outlive(service)
	service.AutoScaleTaskCount(&awsapplicationautoscaling.EnableScalingProps{
		MinCapacity: jsii.Number(p.Settings.Replicas()),
		MaxCapacity: jsii.Number(4 * p.Settings.Replicas()),
	}).ScaleOnCpuUtilization(jsii.String("Cpu"), &awsecs.CpuUtilizationScalingProps{
		TargetUtilizationPercent: jsii.Number(60),
	})

	// 4. How traffic gets in.
	targets := elb.NewApplicationTargetGroup(stack, jsii.String("Targets"), &elb.ApplicationTargetGroupProps{
		Vpc:         net.VPC,
		Port:        jsii.Number(p.Settings.Port),
		Protocol:    elb.ApplicationProtocol_HTTP,
		Targets:     &[]elb.IApplicationLoadBalancerTarget{service},
		HealthCheck: &elb.HealthCheck{Path: jsii.String(p.Settings.HealthPath)},
		// In-flight requests get this long to finish before a task is stopped.
		DeregistrationDelay: awscdk.Duration_Seconds(jsii.Number(30)),
	})
	in := ingress.New(stack, "Ingress", &ingress.Props{
		Network:        net,
		Targets:        targets,
		AllowCIDR:      p.Settings.AllowCIDR,
		CertificateARN: p.Settings.CertificateARN,
		Keep:           production,
	})

	// 5. What it may touch: the task's role.
	bucket.GrantApp(task.TaskRole())
	nag.Suppress(task, nag.Reasons{"AwsSolutions-IAM5": "Getting an ECR login token has no resource level."})

	// 6. Who is told when it fails.
	if production {
		alarms.New(stack, "Alarms", &alarms.Props{Email: p.Settings.AlarmEmail}).
			OnIngress(in.LoadBalancer, targets, p.Settings.Replicas())
	}
	logs.Adopt(stack, &logs.Props{Keep: production}) // the functions that the CDK brings for its own work

	// 7. Where to find it.
	awscdk.NewCfnOutput(stack, jsii.String("Url"), &awscdk.CfnOutputProps{
		Value:       in.URL,
		Description: jsii.String("Public address of the app"),
	})

	return stack
}
