package kube

import (
	eks "github.com/aws/aws-cdk-go/awscdk/v2/awseksv2"
	elb "github.com/aws/aws-cdk-go/awscdk/v2/awselasticloadbalancingv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/jsii-runtime-go"
)

// Controller configures the AWS Load Balancer Controller for one task: to keep
// a target group in step with pods. What it may do is what its code does for
// that (aws-load-balancer-controller v3.2.2, read 2026-11-25), and
// [LetRegister]. Its published policy lets it make load balancers, open security
// groups and change every listener of the account.
func Controller(replicas int) *eks.AlbControllerOptions {
	return &eks.AlbControllerOptions{
		Version: eks.AlbControllerVersion_V3_2_2(),
		Policy: map[string]any{"Statement": []any{map[string]any{
			"Effect": "Allow",
			"Action": []string{
				"elasticloadbalancing:DescribeTargetGroups",
				"elasticloadbalancing:DescribeTargetHealth",
				"ec2:DescribeSecurityGroups",
				"ec2:DescribeVpcs",
			},
			"Resource": "*",
		}}},
		AdditionalHelmChartValues: &map[string]any{
			"replicaCount": replicas,
			// A pod that starts without its readiness gate is ready before the load
			// balancer knows it, and the old one leaves too early. Better it waits
			// for the controller to come back.
			"podMutatorWebhookConfig": map[string]any{"failurePolicy": "Fail"},
			// No Service here is of type LoadBalancer. On, this webhook refuses
			// every new Service of the cluster while the controller is away.
			"enableServiceMutatorWebhook": false,
			"createIngressClassResource":  false,
			// A new certificate on every change of these values would lock pods
			// out until the controller has loaded it.
			"keepTLSSecret": true,
		},
	}
}

// LetRegister lets the controller register pods in targets, and in no other
// target group.
func LetRegister(cluster eks.Cluster, targets elb.ApplicationTargetGroup) {
	account := cluster.AlbController().Node().FindChild(jsii.String("alb-sa")).(eks.ServiceAccount)
	account.AddToPrincipalPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions:   jsii.Strings("elasticloadbalancing:RegisterTargets", "elasticloadbalancing:DeregisterTargets"),
		Resources: &[]*string{targets.TargetGroupArn()},
	}))
}
