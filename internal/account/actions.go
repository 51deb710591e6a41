package account

// Actions are what IAM has to allow to who runs a command, by command. All of
// them read. sts:GetCallerIdentity needs no permission.
var Actions = map[string][]string{
	"doctor": {
		"apprunner:ListServices", "cloudformation:DescribeStacks", "ec2:DescribeAddresses", "ec2:DescribeAvailabilityZones", "ec2:DescribeVpcs",
		"iam:GetRole", "lambda:GetAccountSettings", "servicequotas:GetAWSDefaultServiceQuota", "servicequotas:GetServiceQuota", "ssm:GetParameter",
	},
	"smoke": {"cloudformation:DescribeStacks", "cloudformation:GetTemplate"},
	"sweep": {
		"cloudformation:DescribeStacks", "cloudformation:GetTemplate", "ecr:DescribeImages", "logs:DescribeLogGroups",
		"s3:ListBucket", "ssm:DescribeActivations", "tag:GetResources",
	},
}
