package sweep

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/arn"
)

// A kind is how a type of resource is called, priced and removed. Its command
// has the resource's name in place of NAME, and its ARN in place of ARN.
type kind struct {
	service, resource string // the beginning of the ARN's resource
	says, command     string
	hourly            []string // keys of what bills all the time
	free              bool     // it costs nothing while nothing uses it
}

// kinds are those that our stacks make and that take tags.
var kinds = []kind{
	{service: "s3", says: "bucket", command: "aws s3 rb --force s3://NAME"},
	{service: "logs", resource: "log-group:", says: "log group", command: "aws logs delete-log-group --log-group-name NAME"},
	{service: "ec2", resource: "instance/", says: "instance", command: "aws ec2 terminate-instances --instance-ids NAME"},
	{service: "ec2", resource: "volume/", says: "volume", command: "aws ec2 delete-volume --volume-id NAME"},
	{service: "ec2", resource: "natgateway/", says: "NAT gateway", command: "aws ec2 delete-nat-gateway --nat-gateway-id NAME", hourly: []string{"nat.hour"}},
	{service: "ec2", resource: "elastic-ip/", says: "Elastic IP", command: "aws ec2 release-address --allocation-id NAME", hourly: []string{"ipv4"}},
	{service: "ec2", resource: "vpc-endpoint/", says: "VPC endpoint", command: "aws ec2 delete-vpc-endpoints --vpc-endpoint-ids NAME", free: true}, // of the gateway type
	{service: "ec2", resource: "vpc-flow-log/", says: "flow log", command: "aws ec2 delete-flow-logs --flow-log-ids NAME"},
	{service: "ec2", resource: "network-interface/", says: "network interface", command: "aws ec2 delete-network-interface --network-interface-id NAME", free: true},
	{service: "ec2", resource: "internet-gateway/", says: "internet gateway", command: "aws ec2 delete-internet-gateway --internet-gateway-id NAME", free: true},
	{service: "ec2", resource: "route-table/", says: "route table", command: "aws ec2 delete-route-table --route-table-id NAME", free: true},
	{service: "ec2", resource: "subnet/", says: "subnet", command: "aws ec2 delete-subnet --subnet-id NAME", free: true},
	{service: "ec2", resource: "security-group/", says: "security group", command: "aws ec2 delete-security-group --group-id NAME", free: true},
	{service: "ec2", resource: "launch-template/", says: "launch template", command: "aws ec2 delete-launch-template --launch-template-id NAME", free: true},
	{service: "ec2", resource: "vpc/", says: "VPC", command: "aws ec2 delete-vpc --vpc-id NAME", free: true},
	{service: "elasticloadbalancing", resource: "loadbalancer/", says: "load balancer", command: "aws elbv2 delete-load-balancer --load-balancer-arn ARN", hourly: []string{"alb.hour", "ipv4", "ipv4"}},
	{service: "elasticloadbalancing", resource: "targetgroup/", says: "target group", command: "aws elbv2 delete-target-group --target-group-arn ARN", free: true},
	{service: "autoscaling", resource: "autoScalingGroup:", says: "auto scaling group", command: "aws autoscaling delete-auto-scaling-group --force-delete --auto-scaling-group-name NAME"},
	{service: "eks", resource: "cluster/", says: "EKS cluster", command: "aws eks delete-cluster --name NAME", hourly: []string{"eks.cluster"}},
	{service: "ecs", resource: "service/", says: "ECS service", command: "aws ecs delete-service --force --cluster CLUSTER --service NAME"},
	{service: "ecs", resource: "cluster/", says: "ECS cluster", command: "aws ecs delete-cluster --cluster NAME", free: true},
	{service: "ecs", resource: "task-definition/", says: "task definition", command: "aws ecs deregister-task-definition --task-definition ARN", free: true},
	{service: "lambda", resource: "function:", says: "function", command: "aws lambda delete-function --function-name NAME", free: true},
	{service: "apprunner", resource: "service/", says: "App Runner service", command: "aws apprunner delete-service --service-arn ARN"},
	{service: "sns", says: "topic", command: "aws sns delete-topic --topic-arn ARN", free: true},
	{service: "kms", resource: "key/", says: "key", command: "aws kms schedule-key-deletion --key-id NAME --pending-window-in-days 7"},
	{service: "cloudwatch", resource: "alarm:", says: "alarm", command: "aws cloudwatch delete-alarms --alarm-names NAME"},
	{service: "codedeploy", resource: "application:", says: "CodeDeploy application", command: "aws deploy delete-application --application-name NAME", free: true},
	{service: "ssm", resource: "managed-instance/", says: "server of yours", command: "aws ssm deregister-managed-instance --instance-id NAME"},
	{service: "iam", resource: "role/", says: "role", command: "aws iam delete-role --role-name NAME", free: true},
}

// monthly are prices for a month of kinds that bill by the month.
var monthly = map[string]string{"kms": "kms.key", "cloudwatch": "cloudwatch.alarm"}

// resource is what is told of something that carries our tag.
func (s *search) resource(id string, name arn.ARN) Leftover {
	left := Leftover{Stack: id, Kind: name.Service, Name: name.String(), Ours: true, Says: "tagged " + id}
	// What holds for a type that is not listed.
	left.Remove = "in the console, by its ARN"
	for _, k := range kinds {
		rest, ok := strings.CutPrefix(name.Resource, k.resource)
		if k.service != name.Service || !ok {
			continue
		}
		short := strings.TrimSuffix(rest, ":*") // as log groups have it
		cluster := ""
		switch k.service {
		case "ecs", "autoscaling": // cluster/service, and id:autoScalingGroupName/name
			if i := strings.LastIndex(short, "/"); i >= 0 && k.resource != "task-definition/" {
				cluster, short = short[:i], short[i+1:]
			}
		}
		left.Kind, left.Name = k.says, short
		left.Remove = strings.NewReplacer("CLUSTER", cluster, "NAME", short, "ARN", name.String()).Replace(k.command)
		switch {
		case k.free:
			left.DailyUSD = new(float64)
		case len(k.hourly) > 0:
			left.DailyUSD = s.hour(k.hourly...)
		case monthly[k.service] != "":
			left.DailyUSD = s.month(monthly[k.service], 1)
		}
		return left
	}
	return left
}
