// Package refresh renews prices through the AWS Price List API.
//
// The products are found by the usage types of us-east-1 that AWS bills under.
// They were tested against a server that answers as the API does, not against
// AWS: a renewal there fails rather than take a price that is not unique.
package refresh

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/pricing"
	"github.com/aws/aws-sdk-go-v2/service/pricing/types"

	"refdeploy/internal/price"
)

// An API is the part of the Price List API that is used.
type API interface {
	GetProducts(context.Context, *pricing.GetProductsInput, ...func(*pricing.Options)) (*pricing.GetProductsOutput, error)
}

// A product is what the API is asked for: a service and attributes of it. The
// API's unit may be another one than the table's.
type product struct {
	service    string
	attributes map[string]string
	scale      float64 // of the API's price, 0 for 1
}

func usage(service, usageType string) product {
	return product{service: service, attributes: map[string]string{"usagetype": usageType}}
}

// products are the prices that can be renewed, by key.
func products() map[string]product {
	all := map[string]product{
		"fargate.x86.vcpu":    usage("AmazonECS", "USE1-Fargate-vCPU-Hours:perCPU"),
		"fargate.x86.memory":  usage("AmazonECS", "USE1-Fargate-GB-Hours"),
		"fargate.arm.vcpu":    usage("AmazonECS", "USE1-Fargate-ARM-vCPU-Hours:perCPU"),
		"fargate.arm.memory":  usage("AmazonECS", "USE1-Fargate-ARM-GB-Hours"),
		"eks.cluster":         usage("AmazonEKS", "USE1-AmazonEKS-Hours:perCluster"),
		"alb.hour":            {service: "AWSELB", attributes: map[string]string{"usagetype": "LoadBalancerUsage", "productFamily": "Load Balancer-Application"}},
		"alb.lcu":             {service: "AWSELB", attributes: map[string]string{"usagetype": "LCUUsage", "productFamily": "Load Balancer-Application"}},
		"nat.hour":            usage("AmazonEC2", "NatGateway-Hours"),
		"nat.gb":              usage("AmazonEC2", "NatGateway-Bytes"),
		"ipv4":                usage("AmazonVPC", "USE1-PublicIPv4:InUseAddress"),
		"lambda.requests":     {service: "AWSLambda", attributes: map[string]string{"usagetype": "Request", "group": "AWS-Lambda-Requests"}, scale: 1e6},
		"lambda.x86.duration": {service: "AWSLambda", attributes: map[string]string{"usagetype": "Lambda-GB-Second", "group": "AWS-Lambda-Duration"}},
		"lambda.arm.duration": {service: "AWSLambda", attributes: map[string]string{"usagetype": "Lambda-GB-Second-ARM", "group": "AWS-Lambda-Duration-ARM"}},
		"logs.ingest":         usage("AmazonCloudWatch", "USE1-DataProcessing-Bytes"),
		"ebs.gp3":             usage("AmazonEC2", "EBS:VolumeUsage.gp3"),
	}
	for _, name := range []string{
		"t3.small", "t3.medium", "t3.large", "t4g.micro", "t4g.small", "t4g.medium",
		"m7g.medium", "m7g.large", "c6a.large", "c7g.large", "m5.large",
	} {
		all["ec2."+name] = product{service: "AmazonEC2", attributes: map[string]string{
			"instanceType": name, "operatingSystem": "Linux", "tenancy": "Shared", "preInstalledSw": "NA",
			"capacitystatus": "Used", "licenseModel": "No License required",
		}}
	}
	return all
}

// Prices returns the table with every price renewed that the API knows, dated
// now. Others stay as they are. It fails, naming the price, when the API does,
// or when its answer is not one price.
func Prices(ctx context.Context, api API, table price.Table, now time.Time) (renewed []price.Price, kept int, err error) {
	known := products()
	for _, p := range table.All() {
		wanted, ok := known[p.Key]
		if !ok {
			kept++
			renewed = append(renewed, p)
			continue
		}
		usd, err := ask(ctx, api, wanted, table.Region)
		if err != nil {
			return nil, 0, fmt.Errorf("%s: %w", p.Key, err)
		}
		p.USD, p.Source, p.Date, p.Confidence = usd, "AWS Price List API", now, "high"
		renewed = append(renewed, p)
	}
	return renewed, kept, nil
}

// ask returns the on-demand price of a product, of the first tier that bills.
func ask(ctx context.Context, api API, wanted product, region string) (float64, error) {
	filters := []types.Filter{{Type: types.FilterTypeTermMatch, Field: aws.String("regionCode"), Value: aws.String(region)}}
	for field, value := range wanted.attributes {
		filters = append(filters, types.Filter{Type: types.FilterTypeTermMatch, Field: aws.String(field), Value: aws.String(value)})
	}
	answer, err := api.GetProducts(ctx, &pricing.GetProductsInput{ServiceCode: aws.String(wanted.service), Filters: filters})
	if err != nil {
		return 0, err
	}
	var found []float64
	for _, document := range answer.PriceList {
		usd, err := onDemand(document)
		if err != nil {
			return 0, err
		}
		if !slices.Contains(found, usd) {
			found = append(found, usd)
		}
	}
	if len(found) != 1 || answer.NextToken != nil {
		return 0, fmt.Errorf("the Price List API has %d prices for %v, not one", len(found), wanted.attributes)
	}
	return found[0] * cmp.Or(wanted.scale, 1), nil
}

// onDemand reads the price of the lowest tier that is not free.
func onDemand(document string) (float64, error) {
	var product struct {
		Terms struct {
			OnDemand map[string]struct {
				PriceDimensions map[string]struct {
					BeginRange   string
					PricePerUnit map[string]string
				}
			}
		}
	}
	if err := json.Unmarshal([]byte(document), &product); err != nil {
		return 0, fmt.Errorf("the Price List API's answer: %w", err)
	}
	lowest, price := -1.0, 0.0
	for _, term := range product.Terms.OnDemand {
		for _, dimension := range term.PriceDimensions {
			begin, err := strconv.ParseFloat(dimension.BeginRange, 64)
			if err != nil {
				begin = 0
			}
			usd, err := strconv.ParseFloat(strings.TrimSpace(dimension.PricePerUnit["USD"]), 64)
			if err != nil || usd <= 0 {
				continue
			}
			if lowest < 0 || begin < lowest {
				lowest, price = begin, usd
			}
		}
	}
	if price == 0 {
		return 0, errors.New("the Price List API's answer has no price in US dollars")
	}
	return price, nil
}
