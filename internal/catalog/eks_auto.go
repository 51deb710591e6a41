package catalog

var eksAuto = Deployment{
	ID:           "EksAuto",
	ControlPlane: "EKS",
	DataPlane:    "EC2 run by AWS (Auto Mode)",
	Source:       "stacks/eks_auto.go",
	Page:         "docs/patterns/eks-auto.md",
	Needs:        []string{needsBuilder, needsVPC},
	Identity:     "EKS Pod Identity",
	Outside: []string{
		"EC2 instances and their disks, by EKS Auto Mode, tagged with the cluster's name and not with the stack's tags",
		"the cluster's security group, by EKS",
		"the pods of the metrics server, by EKS",
	},
	Left:             []string{leftBootstrap},
	LeftInProduction: []string{leftControlPlaneLogs},
	Duties: Duties{
		ControlPlane: "AWS runs it; you upgrade its version before support ends",
		HostOS:       "AWS: it drains each node within 21 days of its start, and starts another",
		Runtime:      "AWS: it comes with the nodes",
		Image:        "you: rebuild and deploy",
		Scale:        "the HorizontalPodAutoscaler adds pods, and Auto Mode nodes for them; by hand: kubectl -n notes edit horizontalpodautoscaler app",
		RollBack:     "by hand: kubectl -n notes rollout undo deployment/app",
		Shell:        "kubectl -n notes debug -it POD --image=busybox --target=app --profile=restricted",
		ReadLogs:     "kubectl -n notes logs -f deployment/app",
	},
	Limits: Limits{
		ScaleToZero: "no", LongestRequest: albIdle, LargestRequest: noLimit, LargestResponse: noLimitOut,
		GPU: "yes, with a node pool of GPU instances", Architectures: both,
		ScalesIn: "seconds while nodes have room; minutes when a node has to start",
	},
}
