package price

import "strings"

// Discountable reports whether a discount on compute, such as a Savings Plan's,
// lowers the price of key: hours of instances, vCPU and memory of Fargate, and
// duration of Lambda.
//
// Compute Savings Plans cover EC2 instances, Fargate and Lambda (AWS Savings
// Plans, "Compute Savings Plans", read in quotation 2026-11-27). That they leave
// out the requests of Lambda, the fees of EKS Auto Mode and ECS Managed
// Instances, and surplus CPU credits is [unverified]; leaving these at their
// list price never makes a bill too low.
func Discountable(key string) bool {
	service, rest, _ := strings.Cut(key, ".")
	switch service {
	case "ec2":
		return !strings.HasPrefix(rest, "credits.")
	case "fargate":
		return strings.HasSuffix(rest, ".vcpu") || strings.HasSuffix(rest, ".memory")
	case "lambda":
		return strings.HasSuffix(rest, ".duration")
	}
	return false
}
