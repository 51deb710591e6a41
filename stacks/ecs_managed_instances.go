package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapplicationautoscaling"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsecs"
	elb "github.com/aws/aws-cdk-go/awscdk/v2/awselasticloadbalancingv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
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

// NewECSManagedInstances runs the app as an ECS service on EC2 instances of
// your account that AWS chooses, starts, patches and replaces, behind a load
// balancer.
//
//	internet ─▶ ALB ─▶ task, an address of its own, on an instance ─▶ S3
//
// Choose it when you need instances (a GPU, a certain processor, many tasks on
// one machine) and do not want to patch them. When to prefer another pattern,
// and what this one costs, is in docs/patterns/ecs-managed-instances.md.
func NewECSManagedInstances(scope constructs.Construct, id string, props *Props) awscdk.Stack {
	p := props.withDefaults()
	production := p.Settings.IsProduction()
	stack := newStack(scope, id, "The app on ECS with EC2 instances that AWS runs", p)
	warnOpen(stack, p.Settings)

	// 1. Where it runs: a cluster whose instances ECS itself starts, in your
	// subnets, when a task finds no room, and stops when they are empty.
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

	// The role of the agent on the instances. The CDK's own would have a fixed
	// name, and then the stack could not be there twice in an account.
	instanceRole := awsiam.NewRole(stack, jsii.String("InstanceRole"), &awsiam.RoleProps{
		AssumedBy: awsiam.NewServicePrincipal(jsii.String("ec2.amazonaws.com"), nil),
		ManagedPolicies: &[]awsiam.IManagedPolicy{
			awsiam.ManagedPolicy_FromAwsManagedPolicyName(jsii.String("AmazonECSInstanceRolePolicyForManagedInstances")),
		},
	})
	profile := awsiam.NewInstanceProfile(stack, jsii.String("InstanceProfile"), &awsiam.InstanceProfileProps{Role: instanceRole})
	// The role with which ECS starts and stops instances. AWS's policy lets it pass
	// on roles whose name begins with ecsInstanceRole, and this one has none.
	infrastructure := awsiam.NewRole(stack, jsii.String("InfrastructureRole"), &awsiam.RoleProps{
		AssumedBy: awsiam.NewServicePrincipal(jsii.String("ecs.amazonaws.com"), nil),
		ManagedPolicies: &[]awsiam.IManagedPolicy{
			awsiam.ManagedPolicy_FromAwsManagedPolicyName(jsii.String("AmazonECSInfrastructureRolePolicyForManagedInstances")),
		},
	})
	infrastructure.AddToPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions:    jsii.Strings("iam:PassRole"),
		Resources:  &[]*string{instanceRole.RoleArn()},
		Conditions: &map[string]any{"StringLike": map[string]any{"iam:PassedToService": "ec2.*"}},
	}))
	for _, role := range []awsiam.Role{instanceRole, infrastructure} {
		nag.Suppress(role, nag.Reasons{"AwsSolutions-IAM4": "AWS keeps these managed policies in line with what it needs to run the instances."})
	}

	instances := awsec2.NewSecurityGroup(stack, jsii.String("Instances"), &awsec2.SecurityGroupProps{
		Vpc:         net.VPC,
		Description: jsii.String("Instances: nobody may connect, each task has an address of its own"),
	})
	// One type only, so that the bill can be told before: left alone, ECS chooses
	// among all types that the tasks fit on.
	provider := awsecs.NewManagedInstancesCapacityProvider(stack, jsii.String("CapacityProvider"), &awsecs.ManagedInstancesCapacityProviderProps{
		CapacityProviderName: capacityName(),
		InfrastructureRole:   infrastructure,
		Ec2InstanceProfile:   profile,
		Subnets:              net.VPC.SelectSubnets(net.Workloads).Subnets,
		SecurityGroups:       &[]awsec2.ISecurityGroup{instances},
		InstanceRequirements: &awsec2.InstanceRequirementsConfig{
			VCpuCountMin:         jsii.Number(1),
			MemoryMin:            awscdk.Size_Gibibytes(jsii.Number(2)),
			AllowedInstanceTypes: jsii.Strings(p.Settings.ManagedInstance()),
		},
		TaskVolumeStorage: awscdk.Size_Gibibytes(jsii.Number(30)),
		PropagateTags:     awsecs.PropagateManagedInstancesTags_CAPACITY_PROVIDER,
	})
	cluster.AddManagedInstancesCapacityProvider(provider)
	// Instances start with these, and need them until they have stopped. Without,
	// `cdk destroy` may take a role first, and the instances stay (aws-cdk#36071).
	provider.Node().AddDependency(net.WayOut, infrastructure, instanceRole)

	// 2. What runs: a quarter vCPU and half a gigabyte of an instance, unless more is asked for. A task has a
	// private address only, and in a sandbox no NAT gateway: it reaches S3 through
	// the VPC's endpoint, and the instance, which has a public address, pulls the
	// image and sends the logs.
	architecture := awsecs.CpuArchitecture_ARM64()
	if p.Settings.Architecture == settings.X86_64 {
		architecture = awsecs.CpuArchitecture_X86_64()
	}
	cpu, memory := p.Settings.TaskSize()
	task := awsecs.NewTaskDefinition(stack, jsii.String("Task"), &awsecs.TaskDefinitionProps{
		Compatibility: awsecs.Compatibility_MANAGED_INSTANCES,
		NetworkMode:   awsecs.NetworkMode_AWS_VPC,
		Cpu:           jsii.Sprintf("%d", cpu),
		MemoryMiB:     jsii.Sprintf("%d", memory),
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
		Environment:            told.In(stack.Region()).Map(), // on EC2, nobody else tells
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
	// reset it on every deploy (containers-roadmap#493). The CDK has no class for
	// this service: Fargate's has the same shape, and takes the capacity provider.
	service := awsecs.NewFargateService(stack, jsii.String("Service"), &awsecs.FargateServiceProps{
		Cluster:           cluster,
		TaskDefinition:    task,
		VpcSubnets:        net.Workloads,
		MinHealthyPercent: jsii.Number(100),
		MaxHealthyPercent: jsii.Number(200),
		CircuitBreaker:    &awsecs.DeploymentCircuitBreaker{Rollback: jsii.Bool(true)},
		CapacityProviderStrategies: &[]*awsecs.CapacityProviderStrategy{{
			CapacityProvider: provider.CapacityProviderName(),
			Weight:           jsii.Number(1),
		}},
		// Without grace, a slow first task is killed before its first health
		// check and the deployment never finishes.
		HealthCheckGracePeriod: awscdk.Duration_Seconds(jsii.Number(60)),
		PropagateTags:          awsecs.PropagatedTagSource_SERVICE,
	})
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

	// 5. What it may touch: the task's role, which ECS hands to its containers
	// and to nothing else on the instance.
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
