package price_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"refdeploy/internal/price"
)

func TestARegionHasItsOwnPricesAndSaysWhoseTheOthersAre(t *testing.T) {
	table, err := price.For("eu-central-1")
	require.NoError(t, err)
	own, err := table.Get("ec2.t4g.small")
	require.NoError(t, err)
	assert.Equal(t, "eu-central-1", own.Region)
	assert.InEpsilon(t, 0.0192, own.USD, 1e-9)
	stands, err := table.Get("eks.cluster")
	require.NoError(t, err)
	assert.Equal(t, price.Base, stands.Region)

	base, err := price.Embedded()
	require.NoError(t, err)
	assert.Equal(t, len(base.All()), len(table.All()), "every key has a price in every region")
	for _, p := range base.All() {
		assert.Equal(t, price.Base, p.Region, p.Key)
	}
}

func TestEveryRegionWithPricesIsKnownAndItsPricesArePlausible(t *testing.T) {
	base, err := price.Embedded()
	require.NoError(t, err)
	own := 0
	for _, region := range price.Regions() {
		require.NoError(t, price.CheckRegion(region, false))
		table, err := price.For(region)
		require.NoError(t, err)
		for _, p := range table.All() {
			if p.Region != region {
				continue
			}
			own++
			at, err := base.Get(p.Key)
			require.NoError(t, err)
			assert.Equal(t, at.Unit, p.Unit, p.Key)
			ratio := p.USD / at.USD
			assert.True(t, ratio > 0.5 && ratio < 2.5, "%s in %s costs %g, in %s %g", p.Key, region, p.USD, price.Base, at.USD)
		}
	}
	all, err := price.Rows()
	require.NoError(t, err)
	assert.Len(t, all, own, "a row is of a region that is not known")
}

func TestABadRegionIsOneLineWithTheNearest(t *testing.T) {
	for region, want := range map[string]string{
		"eu-centrl-1":    "did you mean eu-central-1?",
		"us-east":        "did you mean us-east-1?",
		"US-EAST-1":      "did you mean us-east-1?",
		"frankfurt":      `got "frankfurt"; allowed: us-east-1, us-east-2`,
		"cn-north-1":     "China, GovCloud and the sovereign clouds have price lists of their own, which are not supported",
		"us-gov-west-1":  "not supported",
		"eusc-de-east-1": "not supported",
		"us-east-9":      "did you mean us-east-1?",
	} {
		err := price.CheckRegion(region, false)
		require.Error(t, err, region)
		assert.Contains(t, err.Error(), want)
		assert.NotContains(t, err.Error(), "\n")
	}
	assert.NoError(t, price.CheckRegion("us-east-9", true), "AWS opens regions")
	assert.Error(t, price.CheckRegion("us-east", true))
	assert.Error(t, price.CheckRegion("cn-north-1", true))
}

var read = time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)

func TestYourPricesTakeThePlaceOfTheTables(t *testing.T) {
	table, err := price.For("eu-central-1")
	require.NoError(t, err)
	// As a spreadsheet writes it: a byte order mark, spaces, any order, any case.
	over, err := table.Overlay([]byte("\ufeffPrice, Key, source\r\n0.09 , eks.cluster,\r\n0,data.out,contract 7\r\n"), "mine.csv", read)
	require.NoError(t, err)
	p, err := over.Get("eks.cluster")
	require.NoError(t, err)
	assert.Equal(t, price.Price{
		Key: "eks.cluster", USD: 0.09, Unit: "hour", Item: "EKS cluster, standard support", Source: "mine.csv", Date: read,
		Confidence: "yours", Region: "eu-central-1", Origin: price.FromYou,
	}, p)
	p, err = over.Get("data.out")
	require.NoError(t, err)
	assert.Zero(t, p.USD)
	assert.Equal(t, "contract 7", p.Source)
	p, err = over.Get("nat.hour")
	require.NoError(t, err)
	assert.Equal(t, price.FromProgram, p.Origin)
	before, err := table.Get("eks.cluster")
	require.NoError(t, err)
	assert.InEpsilon(t, 0.10, before.USD, 1e-9, "the table that was laid over is as it was")
}

func TestWhatIsPrintedCanBeLaidOver(t *testing.T) {
	table, err := price.For("sa-east-1")
	require.NoError(t, err)
	data, err := price.Write(table.All())
	require.NoError(t, err)
	over, err := table.Overlay(data, "mine.csv", read)
	require.NoError(t, err)
	for i, p := range over.All() {
		assert.Equal(t, price.FromYou, p.Origin)
		p.Origin = price.FromProgram
		assert.Equal(t, table.All()[i], p, "with its region: one of us-east-1 still says so")
	}
}

func TestABadFileOfYoursIsOneLineThatSaysWhere(t *testing.T) {
	table, err := price.For("eu-central-1")
	require.NoError(t, err)
	for name, tt := range map[string]struct{ data, want string }{
		"nothing":         {"", "mine.csv: no rows; the first line has to name the columns"},
		"no rows":         {"key,price\n", "no rows below the head"},
		"no head":         {"nat.hour,0.04\n", `line 1: got column "nat.hour"`},
		"a column":        {"key,prise\nnat.hour,1\n", "did you mean price?"},
		"a column twice":  {"key,price,price\nnat.hour,1,1\n", "column price is there twice"},
		"no price":        {"key,item\nnat.hour,x\n", "key and price have to be there"},
		"semicolons":      {"key;price\nnat.hour;0.04\n", "with commas between"},
		"a key":           {"key,price\nnat.hour,1\n\nnat.hours,1\n", `mine.csv, line 4: got key "nat.hours" (did you mean nat.hour?)`},
		"no key":          {"key,price\n,1\n", `line 2: got key ""`},
		"a decimal comma": {"key,price\nnat.hour,\"0,04\"\n", `line 2: the price of nat.hour is "0,04"; it has to be a number of US dollars, such as 0.045`},
		"a currency":      {"key,price\nnat.hour,$0.04\n", `the price of nat.hour is "$0.04"`},
		"negative":        {"key,price\nnat.hour,-1\n", `is "-1"`},
		"NaN":             {"key,price\nnat.hour,NaN\n", `is "NaN"`},
		"infinite":        {"key,price\nnat.hour,1e999\n", `is "1e999"`},
		"empty":           {"key,price\nnat.hour,\n", `is ""`},
		"twice":           {"key,price\nnat.hour,1\nnat.hour,2\n", "line 3: nat.hour is there twice"},
		"another unit":    {"key,price,unit\nlambda.requests,0.2,thousand requests\n", "lambda.requests is priced per million requests, not per thousand requests"},
		"another region":  {"key,price,region\nnat.hour,1,eu-west-1\n", "the price of nat.hour is one of eu-west-1; take --region eu-west-1, or a file of eu-central-1"},
		"a date":          {"key,price,date\nnat.hour,1,1.2.2026\n", `the date is "1.2.2026"`},
		"fields":          {"key,price\nnat.hour\n", "line 2: wrong number of fields"},
		"not CSV":         {"key,price\nnat\"hour,1\n", "line 2"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := table.Overlay([]byte(tt.data), "mine.csv", read)
			require.ErrorContains(t, err, tt.want)
			assert.NotContains(t, err.Error(), "\n")
		})
	}
}

func TestADiscountOnComputeIsOneOnInstancesFargateAndLambdaOnly(t *testing.T) {
	table, err := price.Embedded()
	require.NoError(t, err)
	var kept []string
	for _, p := range table.All() {
		if price.Discountable(p.Key) {
			assert.Contains(t, []string{"hour", "vCPU-hour", "GB-hour", "GB-second"}, p.Unit, p.Key)
		} else {
			kept = append(kept, p.Key)
		}
	}
	for _, key := range []string{"ec2.t4g.small", "ec2.c6a.2xlarge", "fargate.arm.vcpu", "fargate.x86.memory", "lambda.arm.duration"} {
		assert.True(t, price.Discountable(key), key)
	}
	for _, key := range []string{
		"ec2.credits.t3", "eks.cluster", "eks.auto.fee", "ecs.managed.fee", "ecs.anywhere", "apprunner.vcpu", "apprunner.memory",
		"lambda.requests", "ebs.gp3", "ipv4", "nat.hour", "alb.hour", "logs.ingest", "data.out",
	} {
		assert.Contains(t, kept, key)
	}
}
