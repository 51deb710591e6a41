// Package ingress defines the load balancer in front of a deployment.
package ingress

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	elb "github.com/aws/aws-cdk-go/awscdk/v2/awselasticloadbalancingv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"refdeploy/constructs/nag"
	"refdeploy/constructs/network"
)

// Props configures [New].
type Props struct {
	// Network holds the public subnets that the load balancer stands in. Required.
	Network network.Network

	// Targets receives every request. It stands on its own, outside the
	// listeners, so that turning HTTPS on or off replaces neither it nor the
	// service behind it. Required.
	Targets elb.ApplicationTargetGroup

	// AllowCIDR is the IPv4 range that may connect. Required.
	AllowCIDR string

	// CertificateARN is an ACM certificate for HTTPS on port 443, with a
	// redirect from port 80. Default: plain HTTP on port 80.
	CertificateARN string

	// Keep refuses to delete the load balancer, even to `cdk destroy`, and
	// writes a line for each request to a bucket that outlives the stack.
	// Default: false.
	Keep bool
}

// Ingress is the load balancer.
type Ingress struct {
	LoadBalancer elb.ApplicationLoadBalancer

	// URL is where the load balancer answers, on its own name. With HTTPS,
	// browsers accept it only once the certificate's name points there.
	URL *string
}

// New defines an internet-facing Application Load Balancer that CloudFormation
// owns. One that a Kubernetes controller makes is unknown to the stack, and its
// network interfaces keep the VPC from being deleted.
func New(scope constructs.Construct, id string, props *Props) Ingress {
	group := awsec2.NewSecurityGroup(scope, jsii.String(id+"Access"), &awsec2.SecurityGroupProps{
		Vpc:              props.Network.VPC,
		Description:      jsii.String("Who may reach the load balancer"),
		AllowAllOutbound: jsii.Bool(false),
	})
	alb := elb.NewApplicationLoadBalancer(scope, jsii.String(id), &elb.ApplicationLoadBalancerProps{
		Vpc:                     props.Network.VPC,
		VpcSubnets:              props.Network.Public,
		InternetFacing:          jsii.Bool(true),
		SecurityGroup:           group,
		DropInvalidHeaderFields: jsii.Bool(true),
		DeletionProtection:      jsii.Bool(props.Keep),
	})
	if props.Keep {
		keepAccessLogs(scope, id+"AccessLogs", alb)
	} else {
		nag.Suppress(alb, nag.Reasons{"AwsSolutions-ELB2": "The app logs each request with its id. A sandbox keeps no access logs beside them; the production profile does."})
	}

	// The listener of a port keeps its id whatever the settings: with one id for
	// both, turning HTTPS on would move it to port 443 while another claims port
	// 80, and the update would fail (aws-cdk#34235).
	allow(group, props.AllowCIDR, 80)
	scheme, forward := "http", elb.ListenerAction_Forward(&[]elb.IApplicationTargetGroup{props.Targets}, nil)
	plain, https := forward, elb.ApplicationListener(nil)
	if props.CertificateARN != "" {
		// A temporary redirect: browsers keep a permanent one, and could not come
		// back after HTTPS is turned off.
		scheme, plain = "https", elb.ListenerAction_Redirect(&elb.RedirectOptions{Port: jsii.String("443"), Protocol: jsii.String("HTTPS")})
		https = alb.AddListener(jsii.String("Https"), &elb.BaseApplicationListenerProps{
			Port:          jsii.Number(443),
			Protocol:      elb.ApplicationProtocol_HTTPS,
			SslPolicy:     elb.SslPolicy_RECOMMENDED_TLS,
			Certificates:  &[]elb.IListenerCertificate{elb.ListenerCertificate_FromArn(jsii.String(props.CertificateARN))},
			Open:          jsii.Bool(false), // only AllowCIDR, not the world
			DefaultAction: forward,
		})
		allow(group, props.AllowCIDR, 443)
	}
	http := alb.AddListener(jsii.String("Http"), &elb.BaseApplicationListenerProps{
		Port:          jsii.Number(80),
		Protocol:      elb.ApplicationProtocol_HTTP,
		Open:          jsii.Bool(false),
		DefaultAction: plain,
	})
	if https != nil {
		http.Node().AddDependency(https) // else it sends callers to a port where nothing listens yet
	}
	nag.Suppress(group, nag.Reasons{"AwsSolutions-EC23": "The load balancer is the public door; the allowCidr setting narrows it."})

	return Ingress{
		LoadBalancer: alb,
		URL:          jsii.Sprintf("%s://%s", scheme, *alb.LoadBalancerDnsName()),
	}
}

func allow(group awsec2.SecurityGroup, cidr string, port int) {
	group.AddIngressRule(awsec2.Peer_Ipv4(jsii.String(cidr)), awsec2.Port_Tcp(jsii.Number(port)),
		jsii.Sprintf("Port %d from %s", port, cidr), nil)
}

// keepAccessLogs writes a line for each request to a bucket that outlives the
// stack, and deletes lines after three months. The CDK's own method names the
// account of a region's load balancers, and so refuses a stack that may be
// deployed to any region; the service's principal serves them all (AWS
// documentation, access logs for your Application Load Balancer, read
// 2026-11-25).
func keepAccessLogs(scope constructs.Construct, id string, alb elb.ApplicationLoadBalancer) {
	bucket := awss3.NewBucket(scope, jsii.String(id), &awss3.BucketProps{
		BlockPublicAccess: awss3.BlockPublicAccess_BLOCK_ALL(),
		Encryption:        awss3.BucketEncryption_S3_MANAGED, // the only one that load balancers write to
		EnforceSSL:        jsii.Bool(true),
		RemovalPolicy:     awscdk.RemovalPolicy_RETAIN,
		LifecycleRules: &[]*awss3.LifecycleRule{{
			Expiration:                          awscdk.Duration_Days(jsii.Number(90)),
			AbortIncompleteMultipartUploadAfter: awscdk.Duration_Days(jsii.Number(1)),
		}},
	})
	nag.Suppress(bucket, nag.Reasons{"AwsSolutions-S1": "A log of who reads the access logs would need a log bucket in turn."})
	bucket.AddToResourcePolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Principals: &[]awsiam.IPrincipal{awsiam.NewServicePrincipal(jsii.String("logdelivery.elasticloadbalancing.amazonaws.com"), nil)},
		Actions:    jsii.Strings("s3:PutObject"),
		Resources:  &[]*string{bucket.ArnForObjects(jsii.Sprintf("AWSLogs/%s/*", *awscdk.Aws_ACCOUNT_ID()))},
	}))
	alb.SetAttribute(jsii.String("access_logs.s3.enabled"), jsii.String("true"))
	alb.SetAttribute(jsii.String("access_logs.s3.bucket"), bucket.BucketName())
	alb.Node().AddDependency(bucket.Policy()) // the load balancer tries to write before it is created
}
