package account

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/servicequotas"
)

// Quota returns what the account may have of something: its own quota, or AWS's
// default where it has none.
func (a Account) Quota(ctx context.Context, service, code string) (int, error) {
	client := servicequotas.NewFromConfig(a.Config)
	own, err := client.GetServiceQuota(ctx, &servicequotas.GetServiceQuotaInput{ServiceCode: aws.String(service), QuotaCode: aws.String(code)})
	if err == nil {
		return int(aws.ToFloat64(own.Quota.Value)), nil
	}
	if !Coded(err, "NoSuchResourceException") {
		return 0, err
	}
	standard, err := client.GetAWSDefaultServiceQuota(ctx, &servicequotas.GetAWSDefaultServiceQuotaInput{ServiceCode: aws.String(service), QuotaCode: aws.String(code)})
	if err != nil {
		return 0, err
	}
	return int(aws.ToFloat64(standard.Quota.Value)), nil
}
