package catalog

var appRunner = Deployment{
	ID:           "AppRunner",
	ControlPlane: "none",
	DataPlane:    "App Runner",
	Source:       "stacks/app_runner.go",
	Page:         "docs/patterns/app-runner.md",
	ClosedSince:  "2026-04-30",
	Needs:        []string{needsBuilder, "an account that used App Runner before 2026-04-30"},
	Identity:     "App Runner instance role",
	Outside:      []string{"load balancer, certificate and instances, by App Runner", "two log groups, by App Runner"},
	Left:         []string{leftBootstrap, "the log groups /aws/apprunner/…, which never expire"},
	Duties: Duties{
		ControlPlane: "AWS",
		HostOS:       "AWS",
		Runtime:      "AWS",
		Image:        "you: rebuild and deploy, or push to GitHub",
		Scale:        "by itself, by the number of requests at the same moment",
		RollBack:     "App Runner, by itself, when a release fails its health checks; by hand: deploy the previous commit",
		Shell:        "none",
		ReadLogs:     "aws logs tail --follow /aws/apprunner/SERVICE/ID/application",
	},
	Limits: Limits{
		ScaleToZero: "no: the memory of one instance always bills", LongestRequest: "120 s", LargestRequest: "not documented; the app takes 4 KiB", LargestResponse: "not documented",
		GPU: "no", Architectures: "x86_64",
		ScalesIn: "seconds, while an instance is kept ready",
	},
}
