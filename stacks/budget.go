package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsbudgets"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"refdeploy/internal/settings"
)

// alarmsAt are the shares of the budget, in percent, at which somebody is told.
var alarmsAt = []float64{50, 80, 100}

// watchSpending makes a deployment wait for the budget that the settings ask
// for, so that it watches before anything bills. The first that needs it defines
// it: one for all, because it counts what the whole account costs. To count a
// stack's alone, its tag would have to be activated for cost allocation by hand,
// and until then the budget would never ring.
func watchSpending(scope constructs.Construct, stack awscdk.Stack, p Props) {
	if p.Settings.BudgetUSD == 0 {
		return
	}
	watch, ok := scope.Node().TryFindChild(jsii.String(settings.BudgetID)).(awscdk.Stack)
	if !ok {
		watch = newBudget(scope, p)
	}
	stack.AddDependency(watch, jsii.String("it watches what this one costs"))
}

func newBudget(scope constructs.Construct, p Props) awscdk.Stack {
	stack := plainStack(scope, settings.BudgetID, "A budget that tells when the account's costs come near it", p)
	var alarms []any
	for _, percent := range alarmsAt {
		alarms = append(alarms, &awsbudgets.CfnBudget_NotificationWithSubscribersProperty{
			Notification: &awsbudgets.CfnBudget_NotificationProperty{
				NotificationType:   jsii.String("ACTUAL"),
				ComparisonOperator: jsii.String("GREATER_THAN"),
				Threshold:          jsii.Number(percent),
				ThresholdType:      jsii.String("PERCENTAGE"),
			},
			Subscribers: []any{&awsbudgets.CfnBudget_SubscriberProperty{
				SubscriptionType: jsii.String("EMAIL"),
				Address:          jsii.String(p.Settings.BudgetEmail),
			}},
		})
	}
	awsbudgets.NewCfnBudget(stack, jsii.String("Monthly"), &awsbudgets.CfnBudgetProps{
		Budget: &awsbudgets.CfnBudget_BudgetDataProperty{
			BudgetType:  jsii.String("COST"),
			TimeUnit:    jsii.String("MONTHLY"),
			BudgetLimit: &awsbudgets.CfnBudget_SpendProperty{Amount: jsii.Number(p.Settings.BudgetUSD), Unit: jsii.String("USD")},
		},
		NotificationsWithSubscribers: alarms,
	})
	return stack
}
