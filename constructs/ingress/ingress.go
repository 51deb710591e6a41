// Package ingress defines the load balancer in front of a deployment.
package ingress

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	elb "github.com/aws/aws-cdk-go/awscdk/v2/awselasticloadbalancingv2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"refdeploy/constructs/nag"
	"refdeploy/constructs/network"
)

// Props configures [New].
type Props struct {
	// Network holds the public subnets that the load balancer stands in. Required.
	Network network.Network

	// AllowCIDR is the IPv4 range that may connect. Required.
	AllowCIDR string

	// CertificateARN is an ACM certificate for HTTPS on port 443, with a
	// redirect from port 80. Default: plain HTTP on port 80.
	CertificateARN string

	// DeletionProtection refuses to delete the load balancer, even to
	// `cdk destroy`. Default: false.
	DeletionProtection bool
}

// Ingress is the load balancer, and the listener to attach targets to.
type Ingress struct {
	LoadBalancer elb.ApplicationLoadBalancer
	Listener     elb.ApplicationListener

	// URL is where the listener answers, on the load balancer's own name. With
	// HTTPS, browsers accept it only once the certificate's name points there.
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
		DeletionProtection:      jsii.Bool(props.DeletionProtection),
	})
	nag.Suppress(alb, nag.Reasons{"AwsSolutions-ELB2": "The app logs each request with its id; access logs need a bucket that would outlive the stack."})

	port, scheme := 80, "http"
	options := &elb.BaseApplicationListenerProps{Protocol: elb.ApplicationProtocol_HTTP}
	if props.CertificateARN != "" {
		port, scheme = 443, "https"
		options.Protocol = elb.ApplicationProtocol_HTTPS
		options.SslPolicy = elb.SslPolicy_RECOMMENDED_TLS
		options.Certificates = &[]elb.IListenerCertificate{elb.ListenerCertificate_FromArn(jsii.String(props.CertificateARN))}
		alb.AddRedirect(&elb.ApplicationLoadBalancerRedirectConfig{Open: jsii.Bool(false)})
		allow(group, props.AllowCIDR, 80)
	}
	options.Port = jsii.Number(port)
	options.Open = jsii.Bool(false) // only AllowCIDR, not the world
	allow(group, props.AllowCIDR, port)
	nag.Suppress(group, nag.Reasons{"AwsSolutions-EC23": "The load balancer is the public door; the allowCidr setting narrows it."})

	return Ingress{
		LoadBalancer: alb,
		Listener:     alb.AddListener(jsii.String("Listener"), options),
		URL:          jsii.Sprintf("%s://%s", scheme, *alb.LoadBalancerDnsName()),
	}
}

func allow(group awsec2.SecurityGroup, cidr string, port int) {
	group.AddIngressRule(awsec2.Peer_Ipv4(jsii.String(cidr)), awsec2.Port_Tcp(jsii.Number(port)),
		jsii.Sprintf("Port %d from %s", port, cidr), nil)
}
