package catalog

var lambda = Deployment{
	ID:           "Lambda",
	ControlPlane: "none",
	DataPlane:    "Firecracker, from a zip",
	Source:       "stacks/lambda.go",
	Page:         "docs/patterns/lambda.md",
	Identity:     "Lambda execution role",
	Outside:      []string{"micro-VMs, by Lambda"},
	Left:         []string{"the zip in the bootstrap bucket, until `npx cdk gc --unstable=gc`"},
	Duties: Duties{
		ControlPlane: "AWS",
		HostOS:       "AWS",
		Runtime:      "AWS patches provided.al2023; you move to its successor when its support ends",
		Image:        "none: the program is compiled and uploaded on each deploy",
		Scale:        "by itself, up to the account's concurrency quota",
		RollBack:     "in production CodeDeploy, by itself; by hand: deploy the previous commit",
		Shell:        "none",
		ReadLogs:     logsOf("Lambda"),
	},
	Limits: Limits{
		ScaleToZero: "yes", LongestRequest: "10 s as set here; 15 minutes at most", LargestRequest: "6 MB", LargestResponse: "6 MB",
		GPU: "no", Architectures: both,
		ScalesIn: "at once: 1,000 more concurrent requests every 10 s",
	},
}
