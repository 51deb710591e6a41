// Package alarms tells people that a deployment fails.
package alarms

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatchactions"
	elb "github.com/aws/aws-cdk-go/awscdk/v2/awselasticloadbalancingv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// errorsIn5Minutes is how many answers with a status of 5xx ring: one may be a
// client's bad luck, five in as many minutes are not.
const errorsIn5Minutes = 5

// Props configures [New]. A nil *Props selects every default.
type Props struct {
	// Email is who is told. AWS asks that address to confirm before it sends
	// anything. Default: "", nobody, until somebody subscribes to the topic.
	Email string
}

// Alarms is the topic that every alarm of a deployment tells, when it rings and
// when it is over.
type Alarms struct {
	scope constructs.Construct
	Topic awssns.Topic
}

// New defines the topic.
func New(scope constructs.Construct, id string, props *Props) Alarms {
	topic := awssns.NewTopic(scope, jsii.String(id), &awssns.TopicProps{EnforceSSL: jsii.Bool(true)})
	// A policy of its own takes the place of the default one, which lets the whole
	// account publish: without this, alarms ring and the topic refuses them.
	topic.AddToResourcePolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Principals: &[]awsiam.IPrincipal{awsiam.NewServicePrincipal(jsii.String("cloudwatch.amazonaws.com"), nil)},
		Actions:    jsii.Strings("sns:Publish"),
		Resources:  &[]*string{topic.TopicArn()},
		Conditions: &map[string]any{"StringEquals": map[string]any{"aws:SourceAccount": awscdk.Aws_ACCOUNT_ID()}},
	}))
	if props != nil && props.Email != "" {
		awssns.NewSubscription(topic, jsii.String("Email"), &awssns.SubscriptionProps{
			Topic:    topic,
			Protocol: awssns.SubscriptionProtocol_EMAIL,
			Endpoint: jsii.String(props.Email),
		})
	}
	return Alarms{scope: scope, Topic: topic}
}

// Ring makes an alarm tell the topic.
func (a Alarms) Ring(alarm awscloudwatch.Alarm) {
	action := awscloudwatchactions.NewSnsAction(a.Topic)
	alarm.AddAlarmAction(action)
	alarm.AddOkAction(action)
}

// OnErrors rings when metric, which counts answers with a status of 5xx, reaches
// five in five minutes.
func (a Alarms) OnErrors(id string, metric awscloudwatch.Metric, says string) {
	a.Ring(awscloudwatch.NewAlarm(a.scope, jsii.String(id), &awscloudwatch.AlarmProps{
		Metric: metric.With(&awscloudwatch.MetricOptions{
			Statistic: awscloudwatch.Stats_SUM(),
			Period:    awscdk.Duration_Minutes(jsii.Number(5)),
		}),
		Threshold:         jsii.Number(errorsIn5Minutes),
		EvaluationPeriods: jsii.Number(1),
		TreatMissingData:  awscloudwatch.TreatMissingData_NOT_BREACHING, // no errors, no data
		AlarmDescription:  jsii.String(says),
	}))
}

// OnIngress rings when the app behind a load balancer answers 5xx, when the load
// balancer does so in its place, and when for five minutes fewer than least
// targets are healthy.
func (a Alarms) OnIngress(alb elb.ApplicationLoadBalancer, targets elb.ApplicationTargetGroup, least int) {
	a.OnErrors("AppErrors", targets.Metrics().HttpCodeTarget(elb.HttpCodeTarget_TARGET_5XX_COUNT, nil),
		"The app answers with a status of 5xx")
	a.OnErrors("LoadBalancerErrors", alb.Metrics().HttpCodeElb(elb.HttpCodeElb_ELB_5XX_COUNT, nil),
		"The load balancer answers with a status of 5xx: no target is there, or none answers in time")
	a.Ring(awscloudwatch.NewAlarm(a.scope, jsii.String("UnhealthyTargets"), &awscloudwatch.AlarmProps{
		Metric: targets.Metrics().HealthyHostCount(&awscloudwatch.MetricOptions{
			Statistic: awscloudwatch.Stats_MINIMUM(),
			Period:    awscdk.Duration_Minutes(jsii.Number(1)),
		}),
		ComparisonOperator: awscloudwatch.ComparisonOperator_LESS_THAN_THRESHOLD,
		Threshold:          jsii.Number(least),
		EvaluationPeriods:  jsii.Number(5),
		TreatMissingData:   awscloudwatch.TreatMissingData_BREACHING, // no target is registered at all
		AlarmDescription:   jsii.Sprintf("Fewer than %d healthy copies of the app for five minutes", least),
	}))
}
