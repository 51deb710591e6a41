package stacks_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"refdeploy/internal/settings"
)

func TestTheBudget(t *testing.T) {
	all := synth(t, "budgetUSD", "20", "budgetEmail", "who-pays@example.com", "stacks", "Lambda,EcsFargate")
	budget := all[settings.BudgetID]
	require.NotNil(t, budget)
	alarm := func(percent float64) object {
		return object{
			"Notification": object{"NotificationType": "ACTUAL", "ComparisonOperator": "GREATER_THAN", "Threshold": percent, "ThresholdType": "PERCENTAGE"},
			"Subscribers":  []any{object{"SubscriptionType": "EMAIL", "Address": "who-pays@example.com"}},
		}
	}
	check(t, budget, []claim{
		{"the budget is 20 dollars a month", "AWS::Budgets::Budget", object{"Budget": object{
			"BudgetType": "COST", "TimeUnit": "MONTHLY", "BudgetLimit": object{"Amount": 20.0, "Unit": "USD"},
		}}},
		{"it tells at 50, 80 and 100 percent", "AWS::Budgets::Budget", object{"NotificationsWithSubscribers": []any{alarm(50), alarm(80), alarm(100)}}},
	})
	assert.Len(t, budget.Of("AWS::Budgets::Budget"), 1, "one for all")
	for _, id := range []string{"Lambda", "EcsFargate"} {
		assert.Contains(t, all[id].DependsOn, settings.BudgetID, "it watches before anything bills")
	}
}

func TestTheBudgetWatchesTheSharedNetworkToo(t *testing.T) {
	all := synth(t, "budgetUSD", "20", "budgetEmail", "who-pays@example.com", "stacks", "EcsFargate", "network", "shared")
	assert.Contains(t, all[settings.NetworkID].DependsOn, settings.BudgetID)
	assert.ElementsMatch(t, []string{settings.BudgetID, settings.NetworkID}, all["EcsFargate"].DependsOn)
}

func TestWithoutASettingThereIsNoBudget(t *testing.T) {
	all := synth(t)
	assert.NotContains(t, all, settings.BudgetID)
	for id, stack := range all {
		assert.Empty(t, stack.Of("AWS::Budgets::Budget"), id)
	}
}
