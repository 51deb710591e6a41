package cost_test

import (
	"math"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"refdeploy/internal/assembly"
	"refdeploy/internal/assembly/assemblytest"
	"refdeploy/internal/bill"
	"refdeploy/internal/catalog"
	"refdeploy/internal/cost"
	"refdeploy/internal/price"
	"refdeploy/internal/project"
)

// Other people's templates hold what ours do not: the bill may miss something,
// it may not fail, and it stays a number.
func TestNoShapeOfAValueMakesABillFail(t *testing.T) {
	prices, err := price.Embedded()
	require.NoError(t, err)
	random := rand.New(rand.NewPCG(3, 4))
	for _, id := range catalog.IDs() {
		template, err := os.ReadFile(project.Path("stacks", "testdata", id+".production.golden.json"))
		require.NoError(t, err)
		for range 100 {
			stack := assembly.Stack{ID: id, Template: assemblytest.Mutate(random, template)}
			require.NotPanics(t, func() {
				model, err := cost.NewModel(stack, prices)
				if err != nil {
					assert.ErrorContains(t, err, "no price for") // says which
					return
				}
				for _, usage := range bill.Profiles() {
					total := model.Estimate(usage).Total
					assert.False(t, math.IsNaN(total) || math.IsInf(total, 0), "%v", total)
				}
			})
		}
	}
}

func TestAPriceThatIsMissingIsNamedForOtherPeoplesStacks(t *testing.T) {
	prices, err := price.Parse("us-east-1", []byte("key,price,unit,item,source,date,confidence\nnat.hour,0.045,hour,NAT gateway,AWS page,2026-09-20,high\n"))
	require.NoError(t, err)
	stack := assembly.Stack{ID: "Mine", Template: assembly.Template{Resources: map[string]assembly.Resource{
		"Nat": {Type: "AWS::EC2::NatGateway"}, "Address": {Type: "AWS::EC2::EIP"},
	}}}
	model, err := cost.NewModel(stack, prices)
	require.NoError(t, err)
	got := model.Estimate(bill.Profiles()[0])
	assert.InDelta(t, 32.85, got.Total, 0.005)
	assert.Equal(t, []string{"public IPv4 of the NAT gateway of Address (no price for ipv4)"}, got.Unpriced)

	stack.Template.Metadata = map[string]any{"refdeploy:settings": map[string]any{"profile": "sandbox"}}
	_, err = cost.NewModel(stack, prices)
	assert.ErrorContains(t, err, "no price for ipv4", "ours are complete, or nothing is printed")
}
