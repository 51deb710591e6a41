package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	eks "github.com/aws/aws-cdk-go/awscdk/v2/awseksv2"
	elb "github.com/aws/aws-cdk-go/awscdk/v2/awselasticloadbalancingv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"refdeploy/constructs/alarms"
	"refdeploy/constructs/image"
	"refdeploy/constructs/ingress"
	"refdeploy/constructs/kube"
	"refdeploy/constructs/kube/manifest"
	"refdeploy/constructs/logs"
	"refdeploy/constructs/nag"
	"refdeploy/constructs/network"
	"refdeploy/constructs/notes"
	"refdeploy/constructs/secrets"
	"refdeploy/internal/settings"
)

// NewEKSEC2 runs the app as a Kubernetes Deployment on EKS, on a managed group
// of EC2 instances, behind a load balancer.
//
//	internet ─▶ ALB ─▶ pod, an address of its own ─▶ S3
//
// Choose it when you want Kubernetes itself: its API, its ecosystem, or the same
// manifests elsewhere. When to prefer another pattern, and what the control
// plane costs before the first request, is in docs/patterns/eks-ec2.md.
func NewEKSEC2(scope constructs.Construct, id string, props *Props) awscdk.Stack {
	p := props.withDefaults()
	production := p.Settings.IsProduction()
	stack := newStack(scope, id, "The app on EKS with a managed node group", p)
	warnOpen(stack, p.Settings)

	// 1. Where it runs: a control plane that AWS runs, and nodes that AWS starts
	// and you update.
	var controlPlaneLogs *[]eks.ClusterLoggingTypes
	if production {
		controlPlaneLogs = &[]eks.ClusterLoggingTypes{
			eks.ClusterLoggingTypes_API, eks.ClusterLoggingTypes_AUDIT, eks.ClusterLoggingTypes_AUTHENTICATOR,
			eks.ClusterLoggingTypes_CONTROLLER_MANAGER, eks.ClusterLoggingTypes_SCHEDULER,
		}
	}
	net := networkFor(stack, p, network.PublicIP)
	cluster := eks.NewCluster(stack, jsii.String("Cluster"), &eks.ClusterProps{
		Version:             kube.Version(),
		Vpc:                 net.VPC,
		VpcSubnets:          &[]*awsec2.SubnetSelection{net.Workloads},
		ClusterLogging:      controlPlaneLogs,
		DefaultCapacityType: eks.DefaultCapacityType_NODEGROUP, // the default is Auto Mode
		DefaultCapacity:     jsii.Number(0),                    // the node group is below
		// Only access entries give access; a creator's hidden admin right would
		// be one that no template shows.
		BootstrapClusterCreatorAdminPermissions: jsii.Bool(false),
		// Network, DNS and proxy come as add-ons, below: those that EKS would put
		// into a new cluster by itself are nobody's to update.
		BootstrapSelfManagedAddons: jsii.Bool(false),
		KubectlProviderOptions:     &eks.KubectlProviderOptions{KubectlLayer: kube.KubectlLayer(stack, "Kubectl")},
		AlbController:              kube.Controller(p.Settings.Replicas()),
	})

	ami := eks.NodegroupAmiType_AL2023_ARM_64_STANDARD
	if p.Settings.Architecture == settings.X86_64 {
		ami = eks.NodegroupAmiType_AL2023_X86_64_STANDARD
	}
	// IMDSv2, one hop: a pod cannot borrow the node's role.
	template := awsec2.NewLaunchTemplate(stack, jsii.String("Node"), &awsec2.LaunchTemplateProps{
		InstanceType:            awsec2.NewInstanceType(jsii.String(p.Settings.EKSInstance())),
		RequireImdsv2:           jsii.Bool(true),
		HttpPutResponseHopLimit: jsii.Number(1),
		BlockDevices: &[]*awsec2.BlockDevice{{
			DeviceName: jsii.String("/dev/xvda"),
			Volume: awsec2.BlockDeviceVolume_Ebs(jsii.Number(20), &awsec2.EbsDeviceOptions{
				VolumeType: awsec2.EbsDeviceVolumeType_GP3,
				Encrypted:  jsii.Bool(true),
			}),
		}},
	})
	nodes := cluster.AddNodegroupCapacity(jsii.String("Nodes"), &eks.NodegroupOptions{
		AmiType:            ami,
		Subnets:            net.Workloads,
		MinSize:            jsii.Number(p.Settings.Replicas()),
		MaxSize:            jsii.Number(2 * p.Settings.Replicas()),
		LaunchTemplateSpec: &eks.LaunchTemplateSpec{Id: template.LaunchTemplateId(), Version: template.LatestVersionNumber()},
	})
	tagInstances(template)
	// A node joins once it has a network; DNS and the rest need a node to run on.
	// Pod Identity hands roles to pods; the autoscaler reads what the metrics
	// server measures.
	cni, proxy := kube.AddOn(cluster, "PodNetwork", "vpc-cni", nil), kube.AddOn(cluster, "Proxy", "kube-proxy", nil)
	dns, metrics := kube.AddOn(cluster, "DNS", "coredns", nil), kube.AddOn(cluster, "MetricsServer", "metrics-server", nil)
	identity := kube.AddOn(cluster, "PodIdentityAgent", "eks-pod-identity-agent", nil)
	nodes.Node().AddDependency(net.WayOut, cni, proxy)
	dns.Node().AddDependency(nodes)
	metrics.Node().AddDependency(nodes)
	cluster.AlbController().Node().AddDependency(nodes, dns)

	// 2. What runs, how many, and how a bad release is undone: the Deployment
	// starts a new pod before it stops an old one, and stops there while the new
	// one is not ready. `cdk deploy` does not wait for that: watch it with
	// `kubectl rollout status`, go back with `kubectl rollout undo`.
	bucket := notes.New(stack, "Notes", &notes.Props{Keep: production, None: p.Settings.Bucket == settings.NoBucket})
	img := image.New(stack, "Image", &image.Props{Architecture: p.Settings.Architecture, Registry: p.Settings.Image, Directory: p.Settings.App})
	cpu, memory := p.Settings.PodSize()
	app := kube.Apply(cluster, "App", manifest.App{
		Image:        *img.URI,
		Architecture: p.Settings.Architecture.GOARCH(),
		Port:         int32(p.Settings.Port),
		HealthPath:   p.Settings.HealthPath,
		Bucket:       bucket.Name(),
		TTL:          *bucket.TTL,
		Region:       *stack.Region(),
		NoNotes:      p.Settings.Bucket == settings.NoBucket,
		Env:          p.Settings.Env,
		Secrets:      p.Settings.Secrets,
		CPU:          cpu,
		MemoryMiB:    memory,
		TmpMiB:       p.Settings.TmpMiB(),
		Replicas:     int32(p.Settings.Replicas()),
		Registrar:    manifest.LoadBalancerController,
	}.Objects()...)
	app.Node().AddDependency(nodes, cluster.AlbController()) // whose webhook adds the readiness gate
	bucket.Outlive(app)

	// 3. How traffic gets in: CloudFormation owns the load balancer and the
	// target group; the controller in the cluster only registers the pods.
	targets := elb.NewApplicationTargetGroup(stack, jsii.String("Targets"), &elb.ApplicationTargetGroupProps{
		Vpc:         net.VPC,
		TargetType:  elb.TargetType_IP,
		Port:        jsii.Number(p.Settings.Port),
		Protocol:    elb.ApplicationProtocol_HTTP,
		HealthCheck: &elb.HealthCheck{Path: jsii.String(p.Settings.HealthPath)},
		// In-flight requests get this long to finish: as long as a pod waits
		// before it stops.
		DeregistrationDelay: awscdk.Duration_Seconds(jsii.Number(30)),
	})
	in := ingress.New(stack, "Ingress", &ingress.Props{
		Network:        net,
		Targets:        targets,
		AllowCIDR:      p.Settings.AllowCIDR,
		CertificateARN: p.Settings.CertificateARN,
		Keep:           production,
	})
	in.LoadBalancer.Connections().AllowTo(cluster.ClusterSecurityGroup(), awsec2.Port_Tcp(jsii.Number(p.Settings.Port)), jsii.String("Pods"))
	kube.LetRegister(cluster, targets)
	binding := kube.Apply(cluster, "Binding", manifest.LoadBalancerController.Bind(*targets.TargetGroupArn(), *net.VPC.VpcId(), p.Settings.Port))
	// The controller, on which the app depends, clears the binding's finalizer: it
	// has to be there first and go last. A target group counts as healthy only
	// once a listener uses it.
	binding.Node().AddDependency(app, targets.LoadBalancerAttached())

	// 4. What it may touch: a role that Pod Identity ties to the app's service
	// account. Other pods on the node do not get it.
	role := awsiam.NewRole(stack, jsii.String("AppRole"), &awsiam.RoleProps{
		AssumedBy: awsiam.NewSessionTagsPrincipal(awsiam.NewServicePrincipal(jsii.String("pods.eks.amazonaws.com"), nil)),
	})
	bucket.GrantApp(role)
	association := eks.NewCfnPodIdentityAssociation(stack, jsii.String("AppIdentity"), &eks.CfnPodIdentityAssociationProps{
		ClusterName:    cluster.ClusterName(),
		Namespace:      jsii.String(manifest.Namespace),
		ServiceAccount: jsii.String(manifest.ServiceAccount),
		RoleArn:        role.RoleArn(),
	})
	// A pod gets its credentials when it starts, never later.
	app.Node().AddDependency(identity, association)

	// 5. Who may operate it: whoever may assume this role is a cluster admin.
	operator := awsiam.NewRole(stack, jsii.String("OperatorRole"), &awsiam.RoleProps{
		AssumedBy:   awsiam.NewAccountRootPrincipal(),
		Description: jsii.String("Cluster administrators of this stack"),
	})
	cluster.GrantClusterAdmin(jsii.String("Operators"), operator.RoleArn())
	nag.Suppress(cluster, nag.Reasons{
		"AwsSolutions-IAM4": "AWS keeps these managed policies in line with what the control plane, the nodes and the kubectl functions need.",
		"AwsSolutions-IAM5": "The CDK's provider framework invokes every version of its one kubectl function.",
		"AwsSolutions-L1":   "The CDK chooses the runtime of the functions that it brings.",
		"AwsSolutions-EKS1": "The API needs credentials; without a public endpoint kubectl works only from inside the VPC.",
	})
	nag.Suppress(cluster.AlbController(), nag.Reasons{"AwsSolutions-IAM5": "Describing target groups, security groups and VPCs has no resource level; registering pods is bound to the stack's own target group."})

	// 6. Who is told when it fails.
	if production {
		alarms.New(stack, "Alarms", &alarms.Props{Email: p.Settings.AlarmEmail}).
			OnIngress(in.LoadBalancer, targets, p.Settings.Replicas())
	}
	logs.Adopt(stack, &logs.Props{Keep: production}) // the functions that run kubectl and helm, and the CDK's others

	// 7. Where to find it.
	awscdk.NewCfnOutput(stack, jsii.String("Url"), &awscdk.CfnOutputProps{
		Value:       in.URL,
		Description: jsii.String("Public address of the app"),
	})
	awscdk.NewCfnOutput(stack, jsii.String("Kubeconfig"), &awscdk.CfnOutputProps{
		Value: jsii.Sprintf("aws eks update-kubeconfig --region %s --name %s --role-arn %s",
			*stack.Region(), *cluster.ClusterName(), *operator.RoleArn()),
		Description: jsii.String("Command that lets kubectl reach the cluster"),
	})
	kube.TellSecrets(stack, secrets.New(stack, "Secret", p.Settings.Secrets))

	return stack
}
