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

// NewEKSAuto runs the app as a Kubernetes Deployment on EKS Auto Mode: AWS starts
// nodes when pods need them, patches them and replaces them, and runs what else
// a cluster needs.
//
//	internet ─▶ ALB ─▶ pod, an address of its own ─▶ S3
//
// Choose it when you want Kubernetes and no nodes to look after. When to prefer
// another pattern, and what the fee is, is in docs/patterns/eks-auto.md.
func NewEKSAuto(scope constructs.Construct, id string, props *Props) awscdk.Stack {
	p := props.withDefaults()
	production := p.Settings.IsProduction()
	stack := newStack(scope, id, "The app on EKS Auto Mode", p)
	warnOpen(stack, p.Settings)

	// 1. Where it runs: a control plane and nodes that AWS runs. Network, DNS,
	// proxy, Pod Identity and the load balancer controller are AWS's too, so no
	// add-on is needed for them.
	var controlPlaneLogs *[]eks.ClusterLoggingTypes
	if production {
		controlPlaneLogs = &[]eks.ClusterLoggingTypes{
			eks.ClusterLoggingTypes_API, eks.ClusterLoggingTypes_AUDIT, eks.ClusterLoggingTypes_AUTHENTICATOR,
			eks.ClusterLoggingTypes_CONTROLLER_MANAGER, eks.ClusterLoggingTypes_SCHEDULER,
		}
	}
	net := networkFor(stack, p, network.PublicIP)
	// What a node needs and no more: to join, to fetch credentials for pods, and
	// to pull images. Pods get roles of their own.
	nodeRole := awsiam.NewRole(stack, jsii.String("NodeRole"), &awsiam.RoleProps{
		AssumedBy: awsiam.NewServicePrincipal(jsii.String("ec2.amazonaws.com"), nil),
		ManagedPolicies: &[]awsiam.IManagedPolicy{
			awsiam.ManagedPolicy_FromAwsManagedPolicyName(jsii.String("AmazonEKSWorkerNodeMinimalPolicy")),
			awsiam.ManagedPolicy_FromAwsManagedPolicyName(jsii.String("AmazonEC2ContainerRegistryPullOnly")),
		},
	})
	// The built-in pool for everything has amd64 nodes only. The other one, for
	// system pods, starts no node here; it makes EKS define the node class.
	pool := "general-purpose"
	if p.Settings.Architecture == settings.ARM64 {
		pool = "system"
	}
	cluster := eks.NewCluster(stack, jsii.String("Cluster"), &eks.ClusterProps{
		Version:             kube.Version(),
		Vpc:                 net.VPC,
		VpcSubnets:          &[]*awsec2.SubnetSelection{net.Workloads},
		ClusterLogging:      controlPlaneLogs,
		DefaultCapacityType: eks.DefaultCapacityType_AUTOMODE,
		Compute:             &eks.ComputeConfig{NodePools: jsii.Strings(pool), NodeRole: nodeRole},
		// Only access entries give access; a creator's hidden admin right would
		// be one that no template shows.
		BootstrapClusterCreatorAdminPermissions: jsii.Bool(false),
		// EKS refuses Auto Mode together with the add-ons that it brings itself.
		BootstrapSelfManagedAddons: jsii.Bool(false),
		KubectlProviderOptions:     &eks.KubectlProviderOptions{KubectlLayer: kube.KubectlLayer(stack, "Kubectl")},
	})
	// Nodes come with the first pod and go with the cluster: both need the way
	// out.
	cluster.Node().DefaultChild().Node().AddDependency(net.WayOut)

	// The autoscaler reads what the metrics server measures. Auto Mode has none.
	// By default two run, which keep away from each other: on a second node.
	metrics := kube.AddOn(cluster, "MetricsServer", "metrics-server", map[string]any{"replicas": p.Settings.Replicas()})

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
		Registrar:    manifest.AutoMode,
		DataPlane:    "EC2 run by AWS",
	}.Objects()...)
	if p.Settings.Architecture == settings.ARM64 {
		nodes := kube.Apply(cluster, "Nodes", manifest.ARM64Pool(p.Settings.Replicas(), p.Settings.AutoNodeCPUs()))
		metrics.Node().AddDependency(nodes) // it waits for a node to run on
		app.Node().AddDependency(nodes)     // whose node would outlive its pool
	}
	bucket.Outlive(app)

	// 3. How traffic gets in: CloudFormation owns the load balancer and the
	// target group; AWS's controller only registers the pods.
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
	// The cluster's role may register targets only where this tag says so.
	awscdk.Tags_Of(targets).Add(jsii.String("eks:eks-cluster-name"), cluster.ClusterName(), nil)
	in := ingress.New(stack, "Ingress", &ingress.Props{
		Network:        net,
		Targets:        targets,
		AllowCIDR:      p.Settings.AllowCIDR,
		CertificateARN: p.Settings.CertificateARN,
		Keep:           production,
	})
	in.LoadBalancer.Connections().AllowTo(cluster.ClusterSecurityGroup(), awsec2.Port_Tcp(jsii.Number(p.Settings.Port)), jsii.String("Pods"))
	binding := kube.Apply(cluster, "Binding", manifest.AutoMode.Bind(*targets.TargetGroupArn(), *net.VPC.VpcId(), p.Settings.Port))
	// A target group counts as healthy only once a listener uses it. The binding
	// goes before the app, so that pods leave the load balancer first.
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
	app.Node().AddDependency(association)

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
	nag.Suppress(nodeRole, accepted)

	// 6. Who is told when it fails.
	if production {
		alarms.New(stack, "Alarms", &alarms.Props{Email: p.Settings.AlarmEmail}).
			OnIngress(in.LoadBalancer, targets, p.Settings.Replicas())
	}
	logs.Adopt(stack, &logs.Props{Keep: production}) // the functions that run kubectl, and the CDK's others

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
