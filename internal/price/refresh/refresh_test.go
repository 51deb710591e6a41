package refresh_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/pricing"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"refdeploy/internal/price"
	"refdeploy/internal/price/refresh"
)

// api answers every question with the same documents, and remembers them.
type api struct {
	documents []string
	err       error
	asked     []*pricing.GetProductsInput
}

func (a *api) GetProducts(_ context.Context, in *pricing.GetProductsInput, _ ...func(*pricing.Options)) (*pricing.GetProductsOutput, error) {
	a.asked = append(a.asked, in)
	return &pricing.GetProductsOutput{PriceList: a.documents}, a.err
}

// document is an answer with price dimensions of begin and price.
func document(dimensions ...string) string {
	list := ""
	for i := 0; i < len(dimensions); i += 2 {
		if i > 0 {
			list += ","
		}
		list += fmt.Sprintf(`"d%d":{"beginRange":"%s","unit":"Hrs","pricePerUnit":{"USD":"%s"}}`, i, dimensions[i], dimensions[i+1])
	}
	return `{"product":{"attributes":{}},"terms":{"OnDemand":{"t":{"priceDimensions":{` + list + `}}}}}`
}

var now = time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)

func table(t *testing.T) price.Table {
	t.Helper()
	table, err := price.Parse("us-east-1", []byte(`key,price,unit,item,source,date,confidence
nat.hour,0.045,hour,NAT gateway,AWS page,2026-09-20,medium
lambda.requests,0.20,million requests,Lambda requests,infracost,2025-07-01,high
data.out,0.09,GB,data out,third party,2026-11-23,medium
`))
	require.NoError(t, err)
	return table
}

func TestKnownPricesAreRenewedAndOthersStay(t *testing.T) {
	a := &api{documents: []string{document("0", "0.0000002500")}}
	got, kept, err := refresh.Prices(context.Background(), a, table(t), now)
	require.NoError(t, err)
	assert.Equal(t, 1, kept)
	assert.InEpsilon(t, 2.5e-7, got[0].USD, 1e-9)
	assert.Equal(t, "AWS Price List API", got[0].Source)
	assert.Equal(t, now, got[0].Date)
	assert.InEpsilon(t, 0.25, got[1].USD, 1e-9, "the API's unit is one request, ours a million")
	assert.Equal(t, "third party", got[2].Source)

	require.Len(t, a.asked, 2)
	assert.Equal(t, "AmazonEC2", *a.asked[0].ServiceCode)
	filters := map[string]string{}
	for _, f := range a.asked[0].Filters {
		filters[*f.Field] = *f.Value
	}
	assert.Equal(t, map[string]string{"regionCode": "us-east-1", "usagetype": "NatGateway-Hours"}, filters)
}

func TestTheFirstTierThatBillsIsTaken(t *testing.T) {
	a := &api{documents: []string{document("1000", "0.02", "0", "0", "100", "0.03")}}
	got, _, err := refresh.Prices(context.Background(), a, table(t), now)
	require.NoError(t, err)
	assert.InEpsilon(t, 0.03, got[0].USD, 1e-9)
}

func TestAnAnswerThatIsNotOnePriceIsAnErrorThatNamesIt(t *testing.T) {
	for name, tt := range map[string]struct {
		api  *api
		want string
	}{
		"none":      {&api{}, "nat.hour: the Price List API has 0 prices"},
		"two":       {&api{documents: []string{document("0", "1"), document("0", "2")}}, "nat.hour: the Price List API has 2 prices"},
		"free":      {&api{documents: []string{document("0", "0.00")}}, "nat.hour: the Price List API's answer has no price"},
		"nonsense":  {&api{documents: []string{"<html>"}}, "nat.hour: the Price List API's answer"},
		"the API's": {&api{err: errors.New("AccessDenied")}, "nat.hour: AccessDenied"},
	} {
		t.Run(name, func(t *testing.T) {
			got, _, err := refresh.Prices(context.Background(), tt.api, table(t), now)
			assert.ErrorContains(t, err, tt.want)
			assert.Nil(t, got)
		})
	}
}

// Every price that is renewed exists in the table that ships.
func TestTheProductsAreOfTheTable(t *testing.T) {
	shipped, err := price.Embedded()
	require.NoError(t, err)
	a := &api{documents: []string{document("0", "1")}}
	_, kept, err := refresh.Prices(context.Background(), a, shipped, now)
	require.NoError(t, err)
	assert.Len(t, a.asked, len(shipped.All())-kept)
	assert.Greater(t, len(a.asked), 20)
	for _, in := range a.asked {
		assert.NotEmpty(t, aws.ToString(in.ServiceCode))
	}
}
