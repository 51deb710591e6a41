package refresh

import "regexp"

// A product is how AWS's price list tells what a price is of.
type product struct {
	service    string
	attributes map[string]string // all have to be equal
	usage      string            // the usage type, without the region's prefix
	from       bool              // the region is the one that data leaves
	tier       int               // which of the tiers that bill: 0 the first
	scale      float64           // of AWS's unit to get ours, 0 for 1
}

// region is the attribute that holds the region's code.
func (p product) region() string {
	if p.from {
		return "fromRegionCode"
	}
	return "regionCode"
}

// prefix is what AWS puts before the usage type of a region: EUC1-, EU-, of KMS
// eu-central-1-, and USE1- or nothing for us-east-1. So products are told by the
// region's code, and the prefix is dropped.
var prefix = regexp.MustCompile(`^([A-Z]{3}[0-9]|EU|[a-z]{2}-[a-z]+-[0-9])-`)

func withoutPrefix(usage string) string { return usage[len(prefix.FindString(usage)):] }

func usage(service, usageType string) product { return product{service: service, usage: usageType} }

func (p product) with(name, value string) product {
	attributes := map[string]string{name: value}
	for n, v := range p.attributes {
		attributes[n] = v
	}
	p.attributes = attributes
	return p
}

func (p product) times(scale float64) product { p.scale = scale; return p }

func (p product) ofTier(tier int) product { p.tier = tier; return p }

// productOf returns what to look for to renew a price, false for what the price
// list does not have, or not under a name that is known here.
func productOf(key string) (product, bool) {
	if name, ok := instanceOf(key); ok {
		return product{service: "AmazonEC2", attributes: map[string]string{
			"instanceType": name, "operatingSystem": "Linux", "tenancy": "Shared", "preInstalledSw": "NA",
			"capacitystatus": "Used", "licenseModel": "No License required",
		}}, true
	}
	p, ok := products[key]
	return p, ok
}

var instanceKey = regexp.MustCompile(`^ec2\.([a-z0-9-]+\.[a-z0-9]+)$`)

func instanceOf(key string) (string, bool) {
	m := instanceKey.FindStringSubmatch(key)
	if m == nil || products[key].service != "" { // such as ec2.credits.t3
		return "", false
	}
	return m[1], true
}

var (
	alb       = product{service: "AWSELB"}.with("productFamily", "Load Balancer-Application")
	nlb       = product{service: "AWSELB"}.with("productFamily", "Load Balancer-Network")
	nat       = product{service: "AmazonEC2"}.with("productFamily", "NAT Gateway")
	out       = product{service: "AWSDataTransfer", usage: "DataTransfer-Out-Bytes", from: true}.with("transferType", "AWS Outbound")
	inRegion  = product{service: "AWSDataTransfer", usage: "DataTransfer-Regional-Bytes", from: true}.with("transferType", "IntraRegion")
	metric    = usage("AmazonCloudWatch", "CW:MetricMonitorUsage")
	vended    = usage("AmazonCloudWatch", "VendedLog-Bytes")
	withUsage = func(p product, usageType string) product { p.usage = usageType; return p }
)

// products are the prices that can be renewed, beside those of instances.
var products = map[string]product{
	"fargate.x86.vcpu":    usage("AmazonECS", "Fargate-vCPU-Hours:perCPU"),
	"fargate.x86.memory":  usage("AmazonECS", "Fargate-GB-Hours"),
	"fargate.arm.vcpu":    usage("AmazonECS", "Fargate-ARM-vCPU-Hours:perCPU"),
	"fargate.arm.memory":  usage("AmazonECS", "Fargate-ARM-GB-Hours"),
	"fargate.storage":     usage("AmazonECS", "Fargate-EphemeralStorage-GB-Hours"),
	"eks.cluster":         usage("AmazonEKS", "AmazonEKS-Hours:perCluster"),
	"alb.hour":            withUsage(alb, "LoadBalancerUsage"),
	"alb.lcu":             withUsage(alb, "LCUUsage"),
	"nlb.hour":            withUsage(nlb, "LoadBalancerUsage"),
	"nlb.lcu":             withUsage(nlb, "LCUUsage"),
	"nat.hour":            withUsage(nat, "NatGateway-Hours"),
	"nat.gb":              withUsage(nat, "NatGateway-Bytes"),
	"ipv4":                usage("AmazonVPC", "PublicIPv4:InUseAddress"),
	"lambda.requests":     usage("AWSLambda", "Request").with("group", "AWS-Lambda-Requests").times(1e6),
	"lambda.x86.duration": usage("AWSLambda", "Lambda-GB-Second").with("group", "AWS-Lambda-Duration"),
	"lambda.arm.duration": usage("AWSLambda", "Lambda-GB-Second-ARM").with("group", "AWS-Lambda-Duration-ARM"),
	"logs.ingest":         usage("AmazonCloudWatch", "DataProcessing-Bytes"),
	"logs.storage":        usage("AmazonCloudWatch", "TimedStorage-ByteHrs"),
	"logs.vended":         vended,
	"logs.vended.10tb":    vended.ofTier(1),
	"logs.vended.30tb":    vended.ofTier(2),
	"logs.vended.50tb":    vended.ofTier(3),
	"cloudwatch.alarm":    usage("AmazonCloudWatch", "CW:AlarmMonitorUsage"),
	"cloudwatch.metric":   metric,
	"ecr.storage":         usage("AmazonECR", "TimedStorage-ByteHrs"),
	"ebs.gp3":             usage("AmazonEC2", "EBS:VolumeUsage.gp3"),
	"ec2.credits.t3":      usage("AmazonEC2", "CPUCredits:t3").with("operatingSystem", "Linux"),
	"ec2.credits.t4g":     usage("AmazonEC2", "CPUCredits:t4g").with("operatingSystem", "Linux"),
	"s3.storage":          usage("AmazonS3", "TimedStorage-ByteHrs").with("productFamily", "Storage"),
	"s3.put":              usage("AmazonS3", "Requests-Tier1").times(1000),
	"s3.get":              usage("AmazonS3", "Requests-Tier2").times(1000),
	"apigateway.http":     usage("AmazonApiGateway", "ApiGatewayHttpRequest").times(1e6),
	"data.out":            out,
	"data.out.10tb":       out.ofTier(1),
	"data.out.50tb":       out.ofTier(2),
	"data.out.150tb":      out.ofTier(3),
	"data.zone":           inRegion,
	"kms.key":             usage("awskms", "KMS-Keys"),
	"kms.requests":        usage("awskms", "KMS-Requests").times(10_000),
}
