package catalog

var ecsFargate = Deployment{
	ID:               "EcsFargate",
	ControlPlane:     "ECS",
	DataPlane:        "Fargate",
	Source:           "stacks/ecs_fargate.go",
	Page:             "docs/patterns/ecs-fargate.md",
	Needs:            []string{needsBuilder, needsVPC},
	Identity:         "ECS task role",
	Outside:          []string{"a network interface for each task, by ECS", "CloudWatch alarms of the scaling policy"},
	Left:             []string{leftBootstrap},
	LeftInProduction: []string{leftInsights},
	Duties: Duties{
		ControlPlane: "AWS",
		HostOS:       "AWS",
		Runtime:      "AWS",
		Image:        "you: rebuild and deploy",
		Scale:        "target tracking adds tasks; by hand: aws ecs update-service --cluster … --service … --desired-count N",
		RollBack:     "the circuit breaker, by itself; by hand: deploy the previous commit",
		Shell:        "none: the image has no shell, and there is no host",
		ReadLogs:     logsOf("EcsFargate"),
	},
	Limits: Limits{
		ScaleToZero: "no", LongestRequest: albIdle, LargestRequest: noLimit, LargestResponse: noLimitOut,
		GPU: "no", Architectures: both,
		ScalesIn: "minutes: an alarm rings and a task starts",
	},
}
