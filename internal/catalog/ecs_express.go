package catalog

var ecsExpress = Deployment{
	ID:           "EcsExpress",
	ControlPlane: "ECS Express Mode",
	DataPlane:    "Fargate",
	Source:       "stacks/ecs_express.go",
	Page:         "docs/patterns/ecs-express.md",
	Needs:        []string{needsBuilder, "a default VPC with public subnets in two zones, and 8 free addresses in each"},
	Identity:     "ECS task role",
	Outside: []string{
		"an Application Load Balancer, shared by up to 25 services of a VPC, with its listener, a rule, two target groups and a certificate, by Express Mode",
		"security groups of the load balancer and of the service, by Express Mode",
		"an ECS service and its task definitions, by Express Mode",
		"scaling of the service, and the alarms for that and for releases, by Express Mode",
		"a network interface for each task, by ECS",
	},
	Left:             []string{leftBootstrap, "the service-linked roles of ECS, Elastic Load Balancing and Application Auto Scaling, which cost nothing"},
	LeftInProduction: []string{leftInsights},
	Duties: Duties{
		ControlPlane: "AWS",
		HostOS:       "AWS",
		Runtime:      "AWS",
		Image:        "you: rebuild and deploy",
		Scale:        "target tracking adds tasks; by hand: change the bounds and deploy",
		RollBack:     "Express Mode, by itself, when more than one answer in a hundred is an error; by hand: deploy the previous commit",
		Shell:        "none: the image has no shell, and there is no host",
		ReadLogs:     logsOf("EcsExpress"),
	},
	Limits: Limits{
		ScaleToZero: "no", LongestRequest: albIdle, LargestRequest: noLimit, LargestResponse: noLimitOut,
		GPU: "no", Architectures: "x86_64",
		ScalesIn: "minutes: an alarm rings and a task starts",
	},
}
