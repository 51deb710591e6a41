package catalog

var ecsAnywhere = Deployment{
	ID:           "EcsAnywhere",
	ControlPlane: "ECS",
	DataPlane:    "your own servers",
	Source:       "stacks/ecs_anywhere.go",
	Page:         "docs/patterns/ecs-anywhere.md",
	OwnServers:   true,
	Needs:        []string{needsBuilder, "a Linux server with root, systemd and a way out to the internet, of the same architecture as the image"},
	Identity:     "ECS task role",
	Outside: []string{
		"Docker, the ECS agent and the Systems Manager agent on each server, by the install script",
		"an SSM activation and a managed instance for each server, by your commands",
		"a container instance for each server, by the ECS agent",
	},
	Left: []string{
		leftBootstrap,
		"the agents and Docker on the servers, until you uninstall them",
		"used SSM activations, which cost nothing: aws ssm delete-activation --activation-id …",
	},
	LeftInProduction: []string{leftInsights},
	Duties: Duties{
		ControlPlane: "AWS",
		HostOS:       "you",
		Runtime:      "you: Docker and both agents",
		Image:        "you: rebuild and deploy",
		Scale:        "by hand: bring in another server, with the commands of the outputs Activate and BringIn",
		RollBack:     "the circuit breaker, by itself; by hand: deploy the previous commit",
		Shell:        "your own way in; or aws ssm start-session --target mi-…, which AWS bills for servers of your own",
		ReadLogs:     logsOf("EcsAnywhere"),
	},
	Limits: Limits{
		ScaleToZero: "no: your servers", LongestRequest: "none of the platform's; the app ends a request after its own limits", LargestRequest: noLimit, LargestResponse: noLimitOut,
		GPU: "yes, with a GPU in the server", Architectures: both,
		ScalesIn: "as fast as you bring a server in",
	},
}
