// Package refreshtest serves a price list as AWS does, in both of its forms, so
// that what reads it can be tested without AWS: the public files, with their
// five lines before the head, quoted fields, reserved terms and products that
// are almost the ones looked for; and the Price List API.
package refreshtest

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
)

// A Product is one that AWS sells.
type Product struct {
	Service    string
	SKU        string
	Attributes map[string]string // names as the API has them; productFamily among them
	Unit       string
	Tiers      []string // beginning and price, by turns
}

// columns of a file and the attribute that each holds, "" for those that are
// about the price.
var columns = [][2]string{
	{"SKU", ""}, {"OfferTermCode", ""}, {"RateCode", ""}, {"TermType", ""}, {"PriceDescription", ""}, {"EffectiveDate", ""},
	{"StartingRange", ""}, {"EndingRange", ""}, {"Unit", ""}, {"PricePerUnit", ""}, {"Currency", ""}, {"RelatedTo", ""},
	{"LeaseContractLength", ""}, {"PurchaseOption", ""}, {"OfferingClass", ""},
	{"Product Family", "productFamily"}, {"serviceCode", "servicecode"}, {"Location", "location"}, {"Location Type", "locationType"},
	{"Instance Type", "instanceType"}, {"vCPU", "vcpu"}, {"Memory", "memory"}, {"Tenancy", "tenancy"},
	{"Operating System", "operatingSystem"}, {"License Model", "licenseModel"}, {"Group", "group"}, {"Group Description", "groupDescription"},
	{"Transfer Type", "transferType"}, {"From Region Code", "fromRegionCode"}, {"To Location", "toLocation"},
	{"usageType", "usagetype"}, {"operation", "operation"}, {"CapacityStatus", "capacitystatus"},
	{"Pre Installed S/W", "preInstalledSw"}, {"Region Code", "regionCode"}, {"Volume API Name", "volumeApiName"},
}

// Products returns what this list sells in a region, whose usage types have a
// prefix such as EUC1-. Beside each product stand some that are almost it.
func Products(region, prefix string) []Product {
	var all []Product
	add := func(service, family, usage, unit string, attributes map[string]string, tiers ...string) {
		a := map[string]string{
			"productFamily": family, "servicecode": service, "usagetype": prefix + usage, "regionCode": region,
			"location": "somewhere, in a \"region\"", "locationType": "AWS Region",
		}
		for name, value := range attributes {
			a[name] = value
		}
		all = append(all, Product{service, fmt.Sprintf("SKU%04d", len(all)), a, unit, tiers})
	}
	type as = map[string]string

	for i, name := range strings.Fields(`t3.micro t3.small t3.medium t3.large t4g.micro t4g.small t4g.medium t4g.large c5.large c6a.large
		c6g.medium c6g.large c6i.large c7a.medium c7a.large c7g.medium c7g.large c7i.large c8g.medium c8g.large m5.large m6a.large
		t3.xlarge t3.2xlarge t4g.xlarge t4g.2xlarge m7g.xlarge m7g.2xlarge c7g.xlarge c7g.2xlarge c6a.xlarge m6a.xlarge m6a.2xlarge
		m6g.medium m6g.large m6i.large m7a.medium m7a.large m7g.medium m7g.large m7i.large m8g.medium m8g.large c6a.2xlarge`) {
		linux := as{
			"instanceType": name, "operatingSystem": "Linux", "tenancy": "Shared", "preInstalledSw": "NA",
			"capacitystatus": "Used", "licenseModel": "No License required",
		}
		usd := fmt.Sprintf("0.%04d000000", 100+i)
		add("AmazonEC2", "Compute Instance", "BoxUsage:"+name, "Hrs", linux, "0", usd)
		almost := as{
			"operatingSystem": "Windows", "tenancy": "Dedicated", "preInstalledSw": "SQL Std", "capacitystatus": "UnusedCapacityReservation",
			"licenseModel": "Bring your own license", "instanceType": name + "-flex", "regionCode": region + "-bos-1",
		}
		for attribute, value := range almost {
			other := as{}
			for n, v := range linux {
				other[n] = v
			}
			other[attribute] = value
			add("AmazonEC2", "Compute Instance", "BoxUsage:"+name, "Hrs", other, "0", "9.0000000000")
		}
	}
	add("AmazonEC2", "NAT Gateway", "NatGateway-Hours", "Hrs", as{"group": "NGW:NatGateway"}, "0", "0.0520000000")
	add("AmazonEC2", "NAT Gateway", "NatGateway-Prvd-Hours", "Hrs", as{"group": "NGW:NatGateway"}, "0", "9.0000000000")
	add("AmazonEC2", "NAT Gateway", "NatGateway-Bytes", "GB", as{"group": "NGW:NatGateway"}, "0", "0.0530000000")
	add("AmazonEC2", "Storage", "EBS:VolumeUsage.gp3", "GB-Mo", as{"volumeApiName": "gp3"}, "0", "0.0952000000")
	add("AmazonEC2", "Storage", "EBS:VolumeUsage.gp3-Outposts", "GB-Mo", as{"volumeApiName": "gp3"}, "0", "9.0000000000")
	for _, system := range []string{"Linux", "Windows"} {
		usd := map[string]string{"Linux": "0.0500000000", "Windows": "0.0960000000"}[system]
		add("AmazonEC2", "CPU Credits", "CPUCredits:t3", "vCPU-Hours", as{"operatingSystem": system}, "0", usd)
		add("AmazonEC2", "CPU Credits", "CPUCredits:t3a", "vCPU-Hours", as{"operatingSystem": system}, "0", "9.0000000000")
	}
	add("AmazonEC2", "CPU Credits", "CPUCredits:t4g", "vCPU-Hours", as{"operatingSystem": "Linux"}, "0", "0.0400000000")

	add("AmazonECS", "Compute", "Fargate-vCPU-Hours:perCPU", "hours", nil, "0", "0.0465600000")
	add("AmazonECS", "Compute", "Fargate-GB-Hours", "hours", nil, "0", "0.0051100000")
	add("AmazonECS", "Compute", "Fargate-ARM-vCPU-Hours:perCPU", "hours", nil, "0", "0.0372500000")
	add("AmazonECS", "Compute", "Fargate-ARM-GB-Hours", "hours", nil, "0", "0.0040900000")
	add("AmazonECS", "Compute", "Fargate-Windows-GB-Hours", "hours", nil, "0", "9.0000000000")
	add("AmazonECS", "Compute", "Fargate-EphemeralStorage-GB-Hours", "GB-Hours", nil, "0", "0.0001330000")
	add("AmazonEKS", "Compute", "AmazonEKS-Hours:perCluster", "Hours", nil, "0", "0.1000000000")
	add("AmazonEKS", "Compute", "AmazonEKS-Hours:extendedSupport", "Hours", nil, "0", "9.0000000000")
	for family, usd := range map[string]string{"Application": "0.0270000000", "Network": "0.0271000000", "Gateway": "9.0000000000"} {
		add("AWSELB", "Load Balancer-"+family, "LoadBalancerUsage", "Hrs", nil, "0", usd)
		add("AWSELB", "Load Balancer-"+family, "LCUUsage", "LCU-Hrs", nil, "0", "0.008"+usd[4:6])
	}
	add("AWSELB", "Load Balancer-Application", "Outposts-LoadBalancerUsage", "Hrs", nil, "0", "9.0000000000")
	add("AmazonVPC", "VpcPublicIPv4", "PublicIPv4:InUseAddress", "Hrs", nil, "0", "0.0050000000")
	add("AmazonVPC", "VpcPublicIPv4", "PublicIPv4:IdleAddress", "Hrs", nil, "0", "9.0000000000")
	add("AWSLambda", "Serverless", "Request", "Requests", as{"group": "AWS-Lambda-Requests"}, "0", "0.0000002000")
	add("AWSLambda", "Serverless", "Request-ARM", "Requests", as{"group": "AWS-Lambda-Requests-ARM"}, "0", "9.0000000000")
	add("AWSLambda", "Serverless", "Lambda-GB-Second", "Second", as{"group": "AWS-Lambda-Duration"},
		"15000000000", "0.0000133334", "0", "0.0000166667", "6000000000", "0.0000150000")
	add("AWSLambda", "Serverless", "Lambda-GB-Second-ARM", "Second", as{"group": "AWS-Lambda-Duration-ARM"}, "0", "0.0000133334")
	add("AmazonCloudWatch", "Data Payload", "DataProcessing-Bytes", "GB", nil, "0", "0.6300000000")
	add("AmazonCloudWatch", "Storage Snapshot", "TimedStorage-ByteHrs", "GB-Mo", nil, "0", "0.0324000000")
	add("AmazonCloudWatch", "Data Payload", "VendedLog-Bytes", "GB", nil,
		"0", "0.6300000000", "10240", "0.3100000000", "30720", "0.1200000000", "51200", "0.0600000000")
	add("AmazonCloudWatch", "Alarm", "CW:AlarmMonitorUsage", "Alarms", nil, "0", "0.1000000000")
	add("AmazonCloudWatch", "Alarm", "CW:HighResAlarmMonitorUsage", "Alarms", nil, "0", "9.0000000000")
	add("AmazonCloudWatch", "Metric", "CW:MetricMonitorUsage", "Metrics", nil, "10000", "0.1000000000", "0", "0.3000000000")
	add("AmazonECR", "EC2 Container Registry", "TimedStorage-ByteHrs", "GB-Mo", nil, "0", "0.1000000000")
	add("AmazonS3", "Storage", "TimedStorage-ByteHrs", "GB-Mo", nil, "0", "0.0245000000", "51200", "0.0235000000")
	add("AmazonS3", "Storage", "TimedStorage-SIA-ByteHrs", "GB-Mo", nil, "0", "9.0000000000")
	add("AmazonS3", "API Request", "Requests-Tier1", "Requests", nil, "0", "0.0000054000")
	add("AmazonS3", "API Request", "Requests-Tier2", "Requests", nil, "0", "0.0000004300")
	add("AmazonApiGateway", "API Calls", "ApiGatewayHttpRequest", "Requests", nil, "0", "0.0000012000", "300000000", "0.0000010800")
	leaving := as{"transferType": "AWS Outbound", "fromRegionCode": region, "toLocation": "External", "regionCode": ""}
	add("AWSDataTransfer", "Data Transfer", "DataTransfer-Out-Bytes", "GB", leaving,
		"0", "0.0900000000", "10240", "0.0850000000", "51200", "0.0700000000", "153600", "0.0500000000")
	add("AWSDataTransfer", "Data Transfer", "DataTransfer-Out-Bytes", "GB", as{"transferType": "AWS Outbound", "fromRegionCode": "ap-east-1", "regionCode": ""}, "0", "9.0000000000")
	add("AWSDataTransfer", "Data Transfer", "DataTransfer-Regional-Bytes", "GB", as{"transferType": "IntraRegion", "fromRegionCode": region, "regionCode": ""}, "0", "0.0100000000")
	prefix = region + "-" // KMS's own way
	add("awskms", "Encryption Key", "KMS-Keys", "Keys", nil, "0", "1.0000000000")
	add("awskms", "API Request", "KMS-Requests", "Requests", nil, "0", "0.0000000000", "20000", "0.0000030000")
	return all
}

// WriteFile writes a service's file as AWS does.
func WriteFile(w io.Writer, service string, products []Product) error {
	fmt.Fprintf(w, "\"FormatVersion\",\"v1.0\"\n\"Disclaimer\",\"For information, \"\"as is\"\"\"\n\"Publication Date\",\"2026-11-20T00:00:00Z\"\n\"Version\",\"20261120000000\"\n\"OfferCode\",%q\n", service)
	c := csv.NewWriter(w)
	var head []string
	for _, column := range columns {
		head = append(head, column[0])
	}
	c.Write(head)
	for _, p := range products {
		for i := 0; i < len(p.Tiers); i += 2 {
			for _, term := range []string{"Reserved", "OnDemand"} {
				usd := p.Tiers[i+1]
				if term == "Reserved" {
					usd = "8.0000000000"
				}
				about := map[string]string{
					"SKU": p.SKU, "OfferTermCode": "JRTCKXETXF", "RateCode": p.SKU + ".JRTCKXETXF." + p.Tiers[i], "TermType": term,
					"PriceDescription": "$" + usd + " per \"" + p.Unit + "\", or so", "EffectiveDate": "2026-11-01", "StartingRange": p.Tiers[i],
					"EndingRange": "Inf", "Unit": p.Unit, "PricePerUnit": usd, "Currency": "USD",
				}
				var row []string
				for _, column := range columns {
					if column[1] != "" {
						row = append(row, p.Attributes[column[1]])
					} else {
						row = append(row, about[column[0]])
					}
				}
				c.Write(row)
			}
		}
	}
	c.Flush()
	return c.Error()
}

// Files serves the public files of a region.
func Files(region string, products []Product) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		parts := strings.Split(strings.TrimPrefix(r.URL.Path, "/offers/v1.0/aws/"), "/")
		service := parts[0]
		sold := slices.DeleteFunc(slices.Clone(products), func(p Product) bool { return p.Service != service })
		switch strings.Join(parts[1:], "/") {
		case "current/region_index.json":
			regions := map[string]any{"us-west-2": map[string]string{"regionCode": "us-west-2", "currentVersionUrl": "/offers/v1.0/aws/" + service + "/1/us-west-2/index.json"}}
			if len(sold) > 0 {
				regions[region] = map[string]string{"regionCode": region, "currentVersionUrl": "/offers/v1.0/aws/" + service + "/20261120/" + region + "/index.json"}
			}
			json.NewEncoder(w).Encode(map[string]any{"formatVersion": "v1.0", "publicationDate": "2026-11-20T00:00:00Z", "regions": regions})
		case "20261120/" + region + "/index.csv":
			WriteFile(w, service, sold)
		default:
			http.NotFound(w, r)
		}
	})
}

// API serves the GetProducts action of the Price List API, page by page.
func API(products []Product) http.Handler {
	const page = 50
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			ServiceCode, NextToken string
			Filters                []struct{ Field, Value string }
		}
		json.NewDecoder(r.Body).Decode(&in)
		documents := []string{}
		for _, p := range products {
			fits := p.Service == in.ServiceCode
			for _, f := range in.Filters {
				fits = fits && p.Attributes[f.Field] == f.Value
			}
			if !fits {
				continue
			}
			dimensions := map[string]any{}
			for i := 0; i < len(p.Tiers); i += 2 {
				dimensions[p.SKU+p.Tiers[i]] = map[string]any{"beginRange": p.Tiers[i], "pricePerUnit": map[string]string{"USD": p.Tiers[i+1]}}
			}
			document, _ := json.Marshal(map[string]any{
				"product": map[string]any{"sku": p.SKU, "attributes": p.Attributes},
				"terms":   map[string]any{"OnDemand": map[string]any{p.SKU: map[string]any{"priceDimensions": dimensions}}},
			})
			documents = append(documents, string(document))
		}
		from := 0
		fmt.Sscan(in.NextToken, &from)
		answer := map[string]any{"FormatVersion": "aws_v1", "PriceList": documents[min(from, len(documents)):min(from+page, len(documents))]}
		if from+page < len(documents) {
			answer["NextToken"] = fmt.Sprint(from + page)
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		json.NewEncoder(w).Encode(answer)
	})
}

// Client returns a client that reaches the server whatever the address.
func Client(server *httptest.Server) *http.Client {
	to, _ := url.Parse(server.URL)
	client := server.Client()
	inner := client.Transport
	client.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
		r = r.Clone(r.Context())
		r.URL.Scheme, r.URL.Host = to.Scheme, to.Host
		return inner.RoundTrip(r)
	})
	return client
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
