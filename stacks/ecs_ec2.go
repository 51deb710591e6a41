package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapplicationautoscaling"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsautoscaling"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsecs"
	elb "github.com/aws/aws-cdk-go/awscdk/v2/awselasticloadbalancingv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"refdeploy/constructs/agent"
	"refdeploy/constructs/alarms"
	"refdeploy/constructs/capacity"
	"refdeploy/constructs/environment"
	"refdeploy/constructs/image"
	"refdeploy/constructs/ingress"
	"refdeploy/constructs/logs"
	"refdeploy/constructs/nag"
	"refdeploy/constructs/network"
	"refdeploy/constructs/notes"
	"refdeploy/constructs/secrets"
	"refdeploy/internal/settings"
	"refdeploy/internal/versions"
)

// fluentBit is the log router that AWS maintains.
const fluentBit = "public.ecr.aws/aws-observability/aws-for-fluent-bit:" + versions.FluentBit

// NewECSEC2 runs the app as an ECS service on EC2 instances that you own, size
// and patch, behind a load balancer.
//
//	internet ─▶ ALB ─▶ instance, a port per task ─▶ app ─▶ S3
//	                                              └▶ log router ─▶ CloudWatch Logs
//
// Choose it when you need what Fargate does not offer (GPUs, large or reserved
// instances, host access) or keep enough instances busy that their price beats
// Fargate's. When to prefer another pattern is in docs/patterns/ecs-ec2.md.
func NewECSEC2(scope constructs.Construct, id string, props *Props) awscdk.Stack {
	p := props.withDefaults()
	production := p.Settings.IsProduction()
	stack := newStack(scope, id, "The app on ECS with EC2 instances behind a capacity provider", p)
	warnOpen(stack, p.Settings)

	// 1. Where it runs: a cluster whose instances come from an auto scaling
	// group. The capacity provider sizes the group to the tasks, and drains an
	// instance before it goes.
	insights := awsecs.ContainerInsights_DISABLED
	if production {
		insights = awsecs.ContainerInsights_ENHANCED
	}
	net := networkFor(stack, p, network.PublicIP)
	cluster := awsecs.NewCluster(stack, jsii.String("Cluster"), &awsecs.ClusterProps{
		Vpc:                 net.VPC,
		ContainerInsightsV2: insights,
	})

	hardware := awsecs.AmiHardwareType_ARM
	if p.Settings.Architecture == settings.X86_64 {
		hardware = awsecs.AmiHardwareType_STANDARD
	}
	instances := awsec2.NewSecurityGroup(stack, jsii.String("Instances"), &awsec2.SecurityGroupProps{
		Vpc:         net.VPC,
		Description: jsii.String("Instances: reachable from the load balancer only"),
	})
	// The instance's role is for the agents: ECS's, and Session Manager's, which is
	// the way to a shell without SSH or an open port.
	role := awsiam.NewRole(stack, jsii.String("InstanceRole"), &awsiam.RoleProps{
		AssumedBy: awsiam.NewServicePrincipal(jsii.String("ec2.amazonaws.com"), nil),
		ManagedPolicies: &[]awsiam.IManagedPolicy{
			awsiam.ManagedPolicy_FromAwsManagedPolicyName(jsii.String("AmazonSSMManagedInstanceCore")),
		},
	})
	agent.Grant(role, cluster.ClusterArn())
	template := awsec2.NewLaunchTemplate(stack, jsii.String("Instance"), &awsec2.LaunchTemplateProps{
		InstanceType: awsec2.NewInstanceType(jsii.String(p.Settings.ECSInstance())),
		// Resolved on deploy, so a deploy also brings the newest patched AMI.
		MachineImage:             awsecs.EcsOptimizedImage_AmazonLinux2023(hardware, nil),
		UserData:                 awsec2.UserData_ForLinux(nil),
		SecurityGroup:            instances,
		AssociatePublicIpAddress: jsii.Bool(net.PublicIPs),
		Role:                     role.WithoutPolicyUpdates(nil), // or the CDK adds what the task's own roles do
		// IMDSv2, one hop: a container cannot borrow the instance's role.
		RequireImdsv2:           jsii.Bool(true),
		HttpPutResponseHopLimit: jsii.Number(1),
		BlockDevices: &[]*awsec2.BlockDevice{{
			DeviceName: jsii.String("/dev/xvda"),
			Volume: awsec2.BlockDeviceVolume_Ebs(jsii.Number(30), &awsec2.EbsDeviceOptions{
				VolumeType: awsec2.EbsDeviceVolumeType_GP3,
				Encrypted:  jsii.Bool(true),
			}),
		}},
	})
	tagInstances(template)
	group := awsautoscaling.NewAutoScalingGroup(stack, jsii.String("Capacity"), &awsautoscaling.AutoScalingGroupProps{
		Vpc:            net.VPC,
		VpcSubnets:     net.Workloads,
		LaunchTemplate: template,
		MinCapacity:    jsii.Number(p.Settings.Replicas()),
		MaxCapacity:    jsii.Number(2 * p.Settings.Replicas()),
		UpdatePolicy: awsautoscaling.UpdatePolicy_RollingUpdate(&awsautoscaling.RollingUpdateOptions{
			MinInstancesInService: jsii.Number(p.Settings.Replicas()),
		}),
		// Instances protected from scale-in outlive their tasks, and then
		// `cdk destroy` waits for them for ever (aws-cdk#14732, #18179).
		NewInstancesProtectedFromScaleIn: jsii.Bool(production),
	})
	provider := awsecs.NewAsgCapacityProvider(stack, jsii.String("CapacityProvider"), &awsecs.AsgCapacityProviderProps{
		CapacityProviderName:               capacityName(),
		AutoScalingGroup:                   group,
		EnableManagedTerminationProtection: jsii.Bool(production),
		EnableManagedDraining:              jsii.Bool(true), // unset, the CDK adds a function that drains
	})
	cluster.AddAsgCapacityProvider(provider, nil)
	group.Node().AddDependency(net.WayOut)
	nag.Suppress(group, nag.Reasons{"AwsSolutions-AS3": "Scaling needs no person's attention; what fails rings an alarm of the load balancer in production."})
	if !production {
		nag.Suppress(cluster, nag.Reasons{"AwsSolutions-ECS4": "Container Insights bills per metric; the production profile turns it on."})
	}

	// 2. What runs: two containers that live and die together. Bridge networking
	// lets many tasks share an instance; a network interface per task would stop
	// at two on an instance this small.
	task := awsecs.NewEc2TaskDefinition(stack, jsii.String("Task"), &awsecs.Ec2TaskDefinitionProps{
		NetworkMode: awsecs.NetworkMode_BRIDGE,
	})
	bucket := notes.New(stack, "Notes", &notes.Props{Keep: production, None: p.Settings.Bucket == settings.NoBucket})
	told, secret := environment.New(bucket, p.Settings.Env), secrets.New(stack, "Secret", p.Settings.Secrets)
	cpu, memory := p.Settings.ContainerSize()
	appLogs := logs.NewGroup(stack, "AppLogs", &logs.Props{Keep: production})
	app := task.AddContainer(jsii.String("App"), &awsecs.ContainerDefinitionOptions{
		Image:                  image.New(stack, "Image", &image.Props{Architecture: p.Settings.Architecture, Registry: p.Settings.Image, Directory: p.Settings.App}).Container,
		Cpu:                    jsii.Number(cpu),
		MemoryLimitMiB:         jsii.Number(memory),
		ReadonlyRootFilesystem: jsii.Bool(true),
		Environment:            told.In(stack.Region()).Map(), // on EC2, nobody else tells
		Secrets:                secret.ECS(),
		LinuxParameters:        environment.Linux(stack, "Linux", p.Settings.TmpMiB()),
		// Host port 0: each task gets a free port, so that a new release can
		// start beside the old one.
		PortMappings: &[]*awsecs.PortMapping{{ContainerPort: jsii.Number(p.Settings.Port), HostPort: jsii.Number(0)}},
		Logging: awsecs.LogDrivers_Firelens(&awsecs.FireLensLogDriverProps{Options: &map[string]*string{
			"Name":              jsii.String("cloudwatch_logs"),
			"region":            awscdk.Aws_REGION(),
			"log_group_name":    appLogs.LogGroupName(),
			"log_stream_prefix": jsii.String("app/"),
			"log_key":           jsii.String("log"), // the app's line only; the stream's name tells the task
		}}),
	})
	// The router can filter, and send elsewhere (S3, Firehose, a vendor), without a
	// change to the app.
	router := task.AddFirelensLogRouter(jsii.String("LogRouter"), &awsecs.FirelensLogRouterDefinitionOptions{
		FirelensConfig: &awsecs.FirelensConfig{
			Type:    awsecs.FirelensLogRouterType_FLUENTBIT,
			Options: &awsecs.FirelensOptions{EnableECSLogMetadata: jsii.Bool(false)}, // it bills, line by line
		},
		Image:          awsecs.ContainerImage_FromRegistry(jsii.String(fluentBit), nil),
		Cpu:            jsii.Number(64),
		MemoryLimitMiB: jsii.Number(128),
		Logging:        awsecs.LogDrivers_AwsLogs(&awsecs.AwsLogDriverProps{StreamPrefix: jsii.String("router"), LogGroup: appLogs}),
	})
	app.AddContainerDependencies(&awsecs.ContainerDependency{
		Container: router,
		Condition: awsecs.ContainerDependencyCondition_START,
	})
	nag.Suppress(task, nag.Reasons{"AwsSolutions-ECS2": told.Reason()})

	// 3. How many, and how a bad release is undone: ECS keeps the count up, new
	// tasks must pass health checks before old ones stop, and a release that
	// never does rolls back. The count is the autoscaler's: a number here would
	// reset it on every deploy (containers-roadmap#493).
	service := awsecs.NewEc2Service(stack, jsii.String("Service"), &awsecs.Ec2ServiceProps{
		Cluster:           cluster,
		TaskDefinition:    task,
		MinHealthyPercent: jsii.Number(100),
		MaxHealthyPercent: jsii.Number(200),
		CircuitBreaker:    &awsecs.DeploymentCircuitBreaker{Rollback: jsii.Bool(true)},
		CapacityProviderStrategies: &[]*awsecs.CapacityProviderStrategy{{
			CapacityProvider: provider.CapacityProviderName(),
			Weight:           jsii.Number(1),
		}},
		PlacementStrategies: &[]awsecs.PlacementStrategy{
			awsecs.PlacementStrategy_SpreadAcross(awsecs.BuiltInAttributes_AVAILABILITY_ZONE()),
			awsecs.PlacementStrategy_PackedByMemory(),
		},
		// Without grace, a slow first task is killed before its first health
		// check and the deployment never finishes.
		HealthCheckGracePeriod: awscdk.Duration_Seconds(jsii.Number(60)),
		PropagateTags:          awsecs.PropagatedTagSource_SERVICE,
	})
	capacity.HoldFor(cluster, service)
	bucket.Outlive(service)
	service.AutoScaleTaskCount(&awsapplicationautoscaling.EnableScalingProps{
		MinCapacity: jsii.Number(p.Settings.Replicas()),
		MaxCapacity: jsii.Number(4 * p.Settings.Replicas()),
	}).ScaleOnCpuUtilization(jsii.String("Cpu"), &awsecs.CpuUtilizationScalingProps{
		TargetUtilizationPercent: jsii.Number(60),
	})

	// 4. How traffic gets in.
	targets := elb.NewApplicationTargetGroup(stack, jsii.String("Targets"), &elb.ApplicationTargetGroupProps{
		Vpc:      net.VPC,
		Protocol: elb.ApplicationProtocol_HTTP,
		Targets: &[]elb.IApplicationLoadBalancerTarget{service.LoadBalancerTarget(&awsecs.LoadBalancerTargetOptions{
			ContainerName: app.ContainerName(),
			ContainerPort: jsii.Number(p.Settings.Port),
		})},
		HealthCheck: &elb.HealthCheck{
			Path: jsii.String(p.Settings.HealthPath),
			Port: jsii.String("traffic-port"), // whichever the task got
		},
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
	in.LoadBalancer.Connections().AllowTo(instances, awsec2.Port_TcpRange(jsii.Number(32768), jsii.Number(65535)), jsii.String("Host ports of tasks"))

	// 5. What it may touch: the task's role, which ECS hands to its containers
	// and to nothing else on the instance.
	bucket.GrantApp(task.TaskRole())
	appLogs.GrantWrite(task.TaskRole())
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
