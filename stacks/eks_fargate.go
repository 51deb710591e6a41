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

// NewEKSFargate runs the app as a Kubernetes Deployment on EKS, each pod on a
// machine of its own that AWS keeps, behind a load balancer.
//
//	internet ─▶ ALB ─▶ pod, a micro-VM of its own ─▶ S3
//
// Choose it when you want Kubernetes, no nodes, and strangers kept apart. When to
// prefer another pattern, and what cannot run there, is in
// docs/patterns/eks-fargate.md.
func NewEKSFargate(scope constructs.Construct, id string, props *Props) awscdk.Stack {
	p := props.withDefaults()
	production := p.Settings.IsProduction()
	stack := newStack(scope, id, "The app on EKS with Fargate", p)
	warnOpen(stack, p.Settings)

	// 1. Where it runs: a control plane that AWS runs, and a machine for each
	// pod. Fargate takes private subnets only, so even a sandbox needs NAT.
	var controlPlaneLogs *[]eks.ClusterLoggingTypes
	if production {
		controlPlaneLogs = &[]eks.ClusterLoggingTypes{
			eks.ClusterLoggingTypes_API, eks.ClusterLoggingTypes_AUDIT, eks.ClusterLoggingTypes_AUTHENTICATOR,
			eks.ClusterLoggingTypes_CONTROLLER_MANAGER, eks.ClusterLoggingTypes_SCHEDULER,
		}
	}
	net := networkFor(stack, p, network.OneNAT)
	cluster := eks.NewCluster(stack, jsii.String("Cluster"), &eks.ClusterProps{
		Version:             kube.Version(),
		Vpc:                 net.VPC,
		VpcSubnets:          &[]*awsec2.SubnetSelection{net.Workloads},
		ClusterLogging:      controlPlaneLogs,
		DefaultCapacityType: eks.DefaultCapacityType_NODEGROUP, // the default is Auto Mode
		DefaultCapacity:     jsii.Number(0),                    // no nodes at all
		// Only access entries give access; a creator's hidden admin right would
		// be one that no template shows.
		BootstrapClusterCreatorAdminPermissions: jsii.Bool(false),
		// DNS comes as an add-on, below; Fargate's machines bring network and proxy.
		// What EKS would put into a new cluster by itself asks for nodes of EC2.
		BootstrapSelfManagedAddons: jsii.Bool(false),
		KubectlProviderOptions:     &eks.KubectlProviderOptions{KubectlLayer: kube.KubectlLayer(stack, "Kubectl")},
		AlbController:              kube.Controller(p.Settings.Replicas()),
	})
	// Fargate uses this role before a pod starts, to pull its image, and beside
	// it, to write its logs. The pod never sees it.
	appLogs := logs.NewGroup(stack, "AppLogs", &logs.Props{Keep: production})
	execution := awsiam.NewRole(stack, jsii.String("ExecutionRole"), &awsiam.RoleProps{
		// Only for this cluster, not for whoever makes a profile elsewhere.
		AssumedBy: awsiam.NewServicePrincipal(jsii.String("eks-fargate-pods.amazonaws.com"), &awsiam.ServicePrincipalOpts{
			Conditions: &map[string]any{"ArnLike": map[string]any{
				"aws:SourceArn": stack.FormatArn(&awscdk.ArnComponents{
					Service: jsii.String("eks"), Resource: jsii.String("fargateprofile"), ResourceName: jsii.Sprintf("%s/*", *cluster.ClusterName()),
				}),
			}},
		}),
		ManagedPolicies: &[]awsiam.IManagedPolicy{
			awsiam.ManagedPolicy_FromAwsManagedPolicyName(jsii.String("AmazonEKSFargatePodExecutionRolePolicy")),
		},
	})
	execution.AddToPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions:   jsii.Strings("logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"),
		Resources: &[]*string{appLogs.LogGroupArn()},
	}))
	// Pods of other namespaces find no machine, and stay pending.
	pods := cluster.AddFargateProfile(jsii.String("Pods"), &eks.FargateProfileOptions{
		Vpc:              net.VPC,
		SubnetSelection:  net.Workloads,
		PodExecutionRole: execution,
		Selectors:        &[]*eks.Selector{{Namespace: jsii.String(manifest.Namespace)}, {Namespace: jsii.String("kube-system")}},
	})
	pods.Node().AddDependency(net.WayOut, execution)
	// Each pod of these bills as one of the app does, so a sandbox has one of each.
	// The autoscaler reads what the metrics server measures.
	dns := kube.AddOn(cluster, "DNS", "coredns", map[string]any{"computeType": "Fargate", "replicaCount": p.Settings.Replicas()})
	metrics := kube.AddOn(cluster, "MetricsServer", "metrics-server", map[string]any{"replicas": p.Settings.Replicas()})
	// The log router reads its configuration when a pod starts.
	logging := kube.Apply(cluster, "Logging", manifest.FargateLogs(*appLogs.LogGroupName(), *stack.Region())...)
	logging.Node().AddDependency(pods)
	dns.Node().AddDependency(logging)
	metrics.Node().AddDependency(logging)
	cluster.AlbController().Node().AddDependency(dns)

	// 2. What runs, how many, and how a bad release is undone: the Deployment
	// starts a new pod before it stops an old one, and stops there while the new
	// one is not ready. `cdk deploy` does not wait for that: watch it with
	// `kubectl rollout status`, go back with `kubectl rollout undo`.
	bucket := notes.New(stack, "Notes", &notes.Props{Keep: production, None: p.Settings.Bucket == settings.NoBucket})
	signer := cluster.OpenIdConnectProvider()
	role := kube.NewRole(stack, "AppRole", *signer.OpenIdConnectProviderArn(), *signer.OpenIdConnectProviderIssuer())
	img := image.New(stack, "Image", &image.Props{Architecture: settings.X86_64, Registry: p.Settings.Image, Directory: p.Settings.App}) // Fargate on EKS has no arm64
	cpu, memory := p.Settings.FargatePodSize()
	app := kube.Apply(cluster, "App", manifest.App{
		Image:        *img.URI,
		Architecture: settings.X86_64.GOARCH(),
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
		OwnMachine:   true,
		Registrar:    manifest.LoadBalancerController,
		RoleARN:      *role.RoleArn(),
	}.Objects()...)
	app.Node().AddDependency(cluster.AlbController()) // whose webhook adds the readiness gate
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
	// Fargate gives each pod the cluster's security group.
	in.LoadBalancer.Connections().AllowTo(cluster.ClusterSecurityGroup(), awsec2.Port_Tcp(jsii.Number(p.Settings.Port)), jsii.String("Pods"))
	kube.LetRegister(cluster, targets)
	binding := kube.Apply(cluster, "Binding", manifest.LoadBalancerController.Bind(*targets.TargetGroupArn(), *net.VPC.VpcId(), p.Settings.Port))
	// The controller, on which the app depends, clears the binding's finalizer: it
	// has to be there first and go last. A target group counts as healthy only
	// once a listener uses it.
	binding.Node().AddDependency(app, targets.LoadBalancerAttached())

	// 4. What it may touch: the role trusts tokens that the cluster signs for the
	// app's service account. There is no Pod Identity on Fargate: its agent would
	// have to run beside the pods.
	bucket.GrantApp(role)
	app.Node().AddDependency(role) // with its policy, or the first requests are denied

	// 5. Who may operate it: whoever may assume this role is a cluster admin.
	operator := awsiam.NewRole(stack, jsii.String("OperatorRole"), &awsiam.RoleProps{
		AssumedBy:   awsiam.NewAccountRootPrincipal(),
		Description: jsii.String("Cluster administrators of this stack"),
	})
	cluster.GrantClusterAdmin(jsii.String("Operators"), operator.RoleArn())
	accepted := nag.Reasons{
		"AwsSolutions-IAM4": "AWS keeps these managed policies in line with what the control plane, the nodes and the kubectl functions need.",
		"AwsSolutions-IAM5": "The CDK's provider framework invokes every version of its one kubectl function.",
		"AwsSolutions-L1":   "The CDK chooses the runtime of the functions that it brings.",
		"AwsSolutions-EKS1": "The API needs credentials; without a public endpoint kubectl works only from inside the VPC.",
	}
	nag.Suppress(cluster, accepted)
	nag.Suppress(execution, accepted)
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
