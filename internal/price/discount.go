package price

import (
	"fmt"
	"strings"
)

// Discountable reports whether a discount on compute, such as a Savings Plan's,
// lowers the price of key: hours of instances, vCPU and memory of Fargate, and
// duration of Lambda.
//
// Compute Savings Plans cover EC2 instances, Fargate and Lambda (AWS Savings
// Plans user guide, "Savings Plans types", 2026-11-27); of Lambda not the
// requests. App Runner, the EKS control plane, the fees of EKS Auto Mode and ECS
// Managed Instances, surplus CPU credits, disks and addresses are not covered.
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

// Discounted returns the table with a share taken off what is [Discountable],
// and says so in the sources.
func (t Table) Discounted(share float64) Table {
	if share == 0 {
		return t
	}
	less := Table{Region: t.Region, prices: map[string]Price{}, order: t.order}
	for key, p := range t.prices {
		if Discountable(key) {
			p.USD *= 1 - share
			p.Source += fmt.Sprintf(", less %.4g %%", share*100)
		}
		less.prices[key] = p
	}
	return less
}
