//go:build mutations

package mutations_test

// A mutation breaks a template in one way. Breaks says whether a deployment with
// it fails, serves nothing or cannot be removed.
type mutation struct {
	name, stack, profile string
	breaks               bool
	change               func(object)
}

const (
	sandbox    = "sandbox"
	production = "production"

	task    = "AWS::ECS::TaskDefinition"
	service = "AWS::ECS::Service"
	policy  = "AWS::IAM::Policy"
	bucket  = "AWS::S3::Bucket"
	applied = "Custom::AWSCDK-EKS-KubernetesResource"
	source  = "SourceConfiguration"
)

var mutations = []mutation{
	// How traffic gets in.
	{"the targets' rule for the load balancer is gone", "EcsFargate", sandbox, true, drop("AWS::EC2::SecurityGroupIngress", "")},
	{"the load balancer's rule for the targets is gone", "EcsFargate", sandbox, true, drop("AWS::EC2::SecurityGroupEgress", "")},
	{"the targets accept another port", "EcsFargate", sandbox, true, replace("AWS::EC2::SecurityGroupIngress", "", "8080", "8081")},
	{"the load balancer may send to another port", "EcsEc2", sandbox, true, replace("AWS::EC2::SecurityGroupEgress", "", "32768", "65000")},
	{"the pods accept another port", "EksEc2", sandbox, true, replace("AWS::EC2::SecurityGroupIngress", "", "8080", "8081")},
	{"nobody may reach the load balancer", "EcsFargate", sandbox, true, set("AWS::EC2::SecurityGroup", "Ingress", nil, "Properties", "SecurityGroupIngress")},
	{"the listener listens on another port", "EcsFargate", sandbox, true, set("AWS::ElasticLoadBalancingV2::Listener", "", 81.0, "Properties", "Port")},
	{"tasks are open to addresses", "EcsFargate", sandbox, false, set("AWS::EC2::SecurityGroup", "Service", []any{map[string]any{"CidrIp": "0.0.0.0/0", "IpProtocol": "-1"}}, "Properties", "SecurityGroupIngress")},
	{"the health check asks for a relative path", "EcsFargate", sandbox, true, set("AWS::ElasticLoadBalancingV2::TargetGroup", "", "healthz", "Properties", "HealthCheckPath")},
	{"targets are instances where tasks have addresses", "EcsFargate", sandbox, true, set("AWS::ElasticLoadBalancingV2::TargetGroup", "", "instance", "Properties", "TargetType")},
	{"the public may not invoke through the URL", "Lambda", sandbox, true, drop("AWS::Lambda::Permission", "InvokeFunctionUrl")},
	{"the public may not invoke the function", "Lambda", sandbox, true, drop("AWS::Lambda::Permission", "InvokedViaFunctionUrl")},
	{"the URL asks for a signature", "Lambda", sandbox, true, set("AWS::Lambda::Url", "", "AWS_IAM", "Properties", "AuthType")},
	{"App Runner sends to another port", "AppRunner", sandbox, true, replace("AWS::AppRunner::Service", "", `"Port":"8080"`, `"Port":"80"`)},
	{"the binding names another Service", "EksEc2", sandbox, true, replace(applied, "TargetGroupBinding", `serviceRef\":{\"name\":\"app\"`, `serviceRef\":{\"name\":\"web\"`)},

	// Where it runs.
	{"a subnet has no route out", "EcsFargate", sandbox, true, drop("AWS::EC2::Route", "PublicSubnet1")},
	{"the service does not wait for its routes", "EcsFargate", sandbox, true, forget("DefaultRoute")},
	{"tasks have no address and no NAT gateway", "EcsFargate", sandbox, true, replace(service, "", "ENABLED", "DISABLED")},
	{"private subnets lost their routes", "EcsFargate", production, true, drop("AWS::EC2::Route", "PrivateSubnet")},
	{"the instances have no role", "EcsEc2", sandbox, true, set("AWS::EC2::LaunchTemplate", "", nil, "Properties", "LaunchTemplateData", "IamInstanceProfile")},
	{"the cluster has no capacity", "EcsEc2", sandbox, true, drop("AWS::ECS::ClusterCapacityProviderAssociations", "")},
	{"the nodes' image is of the other architecture", "EksEc2", sandbox, true, replace("AWS::EKS::Nodegroup", "", "AL2023_ARM_64_STANDARD", "AL2023_x86_64_STANDARD")},
	{"the load balancer controller is gone", "EksEc2", sandbox, true, drop("Custom::AWSCDK-EKS-HelmChart", "")},
	{"the Pod Identity agent is gone", "EksEc2", sandbox, true, drop("AWS::EKS::Addon", "eks-pod-identity-agent")},

	// What runs.
	{"the service names a container that is not there", "EcsFargate", sandbox, true, replace(service, "", `"ContainerName":"App"`, `"ContainerName":"Web"`)},
	{"the service sends to a port that no container has", "EcsFargate", sandbox, true, replace(service, "", `"ContainerPort":8080`, `"ContainerPort":80`)},
	{"the app is not told its bucket", "EcsFargate", sandbox, true, replace(task, "", "NOTES_BUCKET", "BUCKET")},
	{"the app is not told its region", "AppRunner", sandbox, true, replace("AWS::AppRunner::Service", "", "AWS_REGION", "REGION")},
	{"the app may write to its disk", "EcsFargate", sandbox, false, replace(task, "", `"ReadonlyRootFilesystem":true`, `"ReadonlyRootFilesystem":false`)},
	{"a quarter vCPU with eight gigabytes", "EcsFargate", sandbox, true, set(task, "", "8192", "Properties", "Memory")},
	{"the task is of the other architecture", "EcsFargate", sandbox, true, replace(task, "", "ARM64", "X86_64")},
	{"the function is of the other architecture", "Lambda", sandbox, true, replace("AWS::Lambda::Function", "NOTES_BUCKET", `"arm64"`, `"x86_64"`)},
	{"the function runs as a Node.js program", "Lambda", sandbox, true, replace("AWS::Lambda::Function", "NOTES_BUCKET", "provided.al2023", "nodejs24.x")},
	{"the logs go to a group that is not there", "EcsFargate", sandbox, true, replace(task, "", "AppLogsC5DF83A6", "AppLogs")},
	{"the function makes its own log group", "Lambda", sandbox, false, set("AWS::Lambda::Function", "NOTES_BUCKET", nil, "Properties", "LoggingConfig")},
	{"a failed release stays", "EcsFargate", sandbox, false, replace(service, "", `"Rollback":true`, `"Rollback":false`)},
	{"a slow start is killed", "EcsFargate", sandbox, true, set(service, "", nil, "Properties", "HealthCheckGracePeriodSeconds")},
	{"a deploy resets the number of tasks", "EcsFargate", sandbox, false, set(service, "", 1.0, "Properties", "DesiredCount")},

	// What it may touch.
	{"the app may not write notes", "EcsFargate", sandbox, true, replace(policy, "s3:PutObject", `"s3:PutObject"`, `"s3:GetObject"`)},
	{"the app may read every bucket", "AppRunner", sandbox, false, set(policy, "s3:ListBucket", "*", "Properties", "PolicyDocument", "Statement", 0, "Resource")},
	{"the task has the execution role's permissions", "EcsFargate", sandbox, true, replace(task, "", "TaskTaskRoleE98524A1", "TaskExecutionRoleEF964934")},
	{"the task has no role", "EcsEc2", sandbox, true, set(task, "", nil, "Properties", "TaskRoleArn")},
	{"the grant goes to the execution role", "EcsFargate", sandbox, true, replace(policy, "s3:PutObject", "TaskTaskRoleE98524A1", "TaskExecutionRoleEF964934")},
	{"nobody may pull the image", "EcsFargate", sandbox, true, replace(policy, "ecr:BatchGetImage", "ecr:BatchGetImage", "ecr:DescribeImages")},
	{"App Runner may not pull the image", "AppRunner", sandbox, true, set("AWS::AppRunner::Service", "", map[string]any{}, "Properties", source, "AuthenticationConfiguration")},
	{"the pod's identity is of another service account", "EksEc2", sandbox, true, set("AWS::EKS::PodIdentityAssociation", "", "web", "Properties", "ServiceAccount")},
	{"the pod's identity is the operator's", "EksEc2", sandbox, true, replace("AWS::EKS::PodIdentityAssociation", "", "AppRoleDC883459", "OperatorRole6A7B6B68")},
	{"notes are not encrypted", "Lambda", sandbox, false, set(bucket, "", nil, "Properties", "BucketEncryption")},
	{"notes may be made public", "Lambda", sandbox, false, set(bucket, "", nil, "Properties", "PublicAccessBlockConfiguration")},

	// How it goes.
	{"nothing empties the bucket", "EcsFargate", sandbox, true, drop("Custom::S3AutoDeleteObjects", "")},
	{"the emptier may not delete", "EcsFargate", sandbox, true, replace("AWS::S3::BucketPolicy", "", "s3:DeleteObject*", "s3:GetObject*")},
	{"the emptier may not see that it is done", "EcsFargate", sandbox, true, replace("AWS::IAM::Role", "s3:GetBucketTagging", "s3:GetBucketTagging", "s3:GetBucketAcl")},
	{"the app outlives its bucket", "Lambda", sandbox, true, replace("AWS::Lambda::Function", "NOTES_BUCKET", `"NotesAutoDeleteObjectsCustomResourceD6E288B9"`, `"Notes5BB3582F"`)},
	{"the bucket stays", "EcsFargate", sandbox, true, set(bucket, "", "Retain", "DeletionPolicy")},
	{"notes never expire", "EcsFargate", sandbox, false, set(bucket, "", nil, "Properties", "LifecycleConfiguration")},
	{"instances are protected from termination", "EcsEc2", sandbox, true, replace("AWS::ECS::CapacityProvider", "", `"ManagedTerminationProtection":"DISABLED"`, `"ManagedTerminationProtection":"ENABLED"`)},
	{"the bucket goes in production", "EcsFargate", production, true, set(bucket, "Notes", "Delete", "DeletionPolicy")},
	{"an alarm tells nobody", "EcsFargate", production, false, set("AWS::CloudWatch::Alarm", "", []any{}, "Properties", "AlarmActions")},
	{"alarms may not reach their topic", "EcsFargate", production, false, replace("AWS::SNS::TopicPolicy", "", "cloudwatch.amazonaws.com", "events.amazonaws.com")},
	{"the load balancer can be deleted by mistake", "EcsFargate", production, false, replace("AWS::ElasticLoadBalancingV2::LoadBalancer", "", `"deletion_protection.enabled","Value":"true"`, `"deletion_protection.enabled","Value":"false"`)},
}
