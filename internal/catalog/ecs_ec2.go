package catalog

var ecsEC2 = Deployment{
	ID:               "EcsEc2",
	ControlPlane:     "ECS",
	DataPlane:        "EC2 instances you patch",
	Source:           "stacks/ecs_ec2.go",
	Page:             "docs/patterns/ecs-ec2.md",
	Needs:            []string{needsBuilder, needsVPC},
	Identity:         "ECS task role",
	Outside:          []string{"EC2 instances and their disks, by the auto scaling group", "CloudWatch alarms of the scaling policies"},
	Left:             []string{leftBootstrap},
	LeftInProduction: []string{leftInsights},
	Duties: Duties{
		ControlPlane: "AWS",
		HostOS:       "you: a deploy takes the newest AMI and replaces the instances",
		Runtime:      "you: it comes with the AMI",
		Image:        "you: rebuild and deploy",
		Scale:        "target tracking adds tasks, then the capacity provider adds instances; by hand: aws ecs update-service --cluster … --service … --desired-count N",
		RollBack:     "the circuit breaker, by itself; by hand: deploy the previous commit",
		Shell:        "aws ssm start-session --target INSTANCE",
		ReadLogs:     logsOf("EcsEc2"),
	},
	Limits: Limits{
		ScaleToZero: "no", LongestRequest: albIdle, LargestRequest: noLimit, LargestResponse: noLimitOut,
		GPU: "yes, with a GPU instance type", Architectures: both,
		ScalesIn: "minutes: an alarm rings, a task starts, and an instance starts when none has room",
	},
}
