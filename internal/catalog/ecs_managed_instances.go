package catalog

var ecsManagedInstances = Deployment{
	ID:           "EcsManagedInstances",
	ControlPlane: "ECS",
	DataPlane:    "EC2 run by AWS",
	Source:       "stacks/ecs_managed_instances.go",
	Page:         "docs/patterns/ecs-managed-instances.md",
	Needs:        []string{needsBuilder, needsVPC},
	Identity:     "ECS task role",
	Outside: []string{
		"EC2 instances and their disks, by ECS",
		"a network interface for each task, by ECS",
		"CloudWatch alarms of the scaling policy",
	},
	Left:             []string{leftBootstrap},
	LeftInProduction: []string{leftInsights},
	Duties: Duties{
		ControlPlane: "AWS",
		HostOS:       "AWS: it drains an instance 14 days after its start, and starts another",
		Runtime:      "AWS: it comes with the instance",
		Image:        "you: rebuild and deploy",
		Scale:        "target tracking adds tasks, then ECS starts instances for them; by hand: aws ecs update-service --cluster … --service … --desired-count N",
		RollBack:     "the circuit breaker, by itself; by hand: deploy the previous commit",
		Shell:        "none: the image has no shell, and nobody may log in to the instances",
		ReadLogs:     logsOf("EcsManagedInstances"),
	},
	Limits: Limits{
		ScaleToZero: "no", LongestRequest: albIdle, LargestRequest: noLimit, LargestResponse: noLimitOut,
		GPU: "yes, with a GPU instance type", Architectures: both,
		ScalesIn: "minutes: an alarm rings, a task starts, and ECS starts an instance when none has room",
	},
}
