package catalog

var eksEC2 = Deployment{
	ID:           "EksEc2",
	ControlPlane: "EKS",
	DataPlane:    "EC2 managed node group",
	Source:       "stacks/eks_ec2.go",
	Page:         "docs/patterns/eks-ec2.md",
	Needs:        []string{needsBuilder, needsVPC},
	Identity:     "EKS Pod Identity",
	Outside: []string{
		"EC2 instances, their disks and an auto scaling group, by the node group",
		"the cluster's security group, by EKS",
		"the pods of the add-ons, such as CoreDNS, by EKS",
		"the load balancer controller, by its Helm chart",
	},
	Left:             []string{leftBootstrap},
	LeftInProduction: []string{leftControlPlaneLogs},
	Duties: Duties{
		ControlPlane: "AWS runs it; you upgrade its version before support ends",
		HostOS:       "you: aws eks update-nodegroup-version --cluster-name … --nodegroup-name …",
		Runtime:      "you: it comes with the nodes' AMI",
		Image:        "you: rebuild and deploy",
		Scale:        "the HorizontalPodAutoscaler adds pods while nodes have room; nodes by hand: aws eks update-nodegroup-config",
		RollBack:     "by hand: kubectl -n notes rollout undo deployment/app",
		Shell:        "kubectl -n notes debug -it POD --image=busybox --target=app --profile=restricted",
		ReadLogs:     "kubectl -n notes logs -f deployment/app",
	},
	Limits: Limits{
		ScaleToZero: "no", LongestRequest: albIdle, LargestRequest: noLimit, LargestResponse: noLimitOut,
		GPU: "yes, with a GPU instance type", Architectures: both,
		ScalesIn: "seconds while nodes have room; nothing adds nodes",
	},
}
