package catalog

var eksFargate = Deployment{
	ID:           "EksFargate",
	ControlPlane: "EKS",
	DataPlane:    "Fargate",
	Source:       "stacks/eks_fargate.go",
	Page:         "docs/patterns/eks-fargate.md",
	Needs:        []string{needsBuilder, needsVPC, "a free Elastic IP for the NAT gateway, two in production (quota: 5 a region)"},
	Identity:     "IRSA, a role for tokens of the service account",
	Outside: []string{
		"a machine and a network interface for each pod, by Fargate",
		"the cluster's security group, by EKS",
		"the pods of the add-ons, CoreDNS and the metrics server, by EKS",
		"the load balancer controller, by its Helm chart",
	},
	Left:             []string{leftBootstrap},
	LeftInProduction: []string{leftControlPlaneLogs},
	Duties: Duties{
		ControlPlane: "AWS runs it; you upgrade its version before support ends",
		HostOS:       "AWS: it evicts pods to patch their machines, on a date that it announces",
		Runtime:      "AWS",
		Image:        "you: rebuild and deploy",
		Scale:        "the HorizontalPodAutoscaler adds pods, each with a machine; by hand: kubectl -n notes edit horizontalpodautoscaler app",
		RollBack:     "by hand: kubectl -n notes rollout undo deployment/app",
		Shell:        "none: the image has no shell, and there is no host",
		ReadLogs:     logsOf("EksFargate"),
	},
	Limits: Limits{
		ScaleToZero: "no", LongestRequest: albIdle, LargestRequest: noLimit, LargestResponse: noLimitOut,
		GPU: "no", Architectures: "x86_64",
		ScalesIn: "minutes: a machine starts for each pod",
	},
}
