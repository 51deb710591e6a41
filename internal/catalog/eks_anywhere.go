package catalog

var eksAnywhere = Deployment{
	ID:           "EksAnywhere",
	ControlPlane: "EKS Anywhere, on your own servers",
	DataPlane:    "your own servers",
	Source:       "stacks/eks_anywhere.go",
	Page:         "docs/patterns/eks-anywhere.md",
	Needs:        []string{needsBuilder, "for the cluster: a machine with Docker, 4 CPUs, 16 GB of memory and 30 GB of disk; or vSphere, or bare metal"},
	OwnServers:   true,
	Identity:     "IRSA, a role for tokens of the service account",
	Outside: []string{
		"the cluster with all that is in it, by your commands, on your servers",
		"two public files in the issuer's bucket, by your commands",
	},
	Left: []string{leftBootstrap, "the cluster, until eksctl anywhere delete cluster"},
	Duties: Duties{
		ControlPlane: "you: eksctl anywhere upgrade cluster -f cluster.yaml",
		HostOS:       "you, with images that AWS publishes",
		Runtime:      "you: it comes with the nodes' image",
		Image:        "you: rebuild, deploy, write the files again and apply them",
		Scale:        "the HorizontalPodAutoscaler adds pods once the cluster has a metrics server; nodes by hand: edit the cluster's file, then eksctl anywhere upgrade cluster",
		RollBack:     "by hand: kubectl -n notes rollout undo deployment/app",
		Shell:        "kubectl -n notes debug -it POD --image=busybox --target=app --profile=restricted",
		ReadLogs:     "kubectl -n notes logs -f deployment/app",
	},
	Limits: Limits{
		ScaleToZero: "no: your servers", LongestRequest: "none of the platform's; the app ends a request after its own limits", LargestRequest: noLimit, LargestResponse: noLimitOut,
		GPU: "yes, with a GPU in the server", Architectures: both,
		ScalesIn: "seconds while nodes have room; nothing adds nodes",
	},
}
