// Package catalog lists the deployments and what is known of each beside its
// template. The CDK app, the tests and the documentation all range over it: a
// new deployment is one stack file, one entry here and one page.
package catalog

import (
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"

	"refdeploy/internal/settings"
	"refdeploy/stacks"
)

// A Deployment is one way to run the app on AWS.
type Deployment struct {
	// ID is the stack's id, as in `cdk deploy EcsFargate`.
	ID string

	// ControlPlane decides what runs where: ECS, EKS or none that you see.
	ControlPlane string

	// DataPlane is what the app's processes run on.
	DataPlane string

	// Source is the stack file and Page its documentation, from the root.
	Source, Page string

	// ClosedSince is the day, as YYYY-MM-DD, from which AWS takes no new
	// customers, or "" while it does.
	ClosedSince string

	// Needs lists what an account has to have, beside permissions and a
	// bootstrapped region, for the deploy to succeed.
	Needs []string

	// Identity is how the app gets its permissions.
	Identity string

	// Outside lists what AWS, or a controller, creates that is not in the
	// template.
	Outside []string

	// Left lists what of that `cdk destroy` leaves behind in every profile, and
	// LeftInProduction what more it leaves of production, beside the bucket and
	// the log groups that the profile keeps.
	Left, LeftInProduction []string

	Duties Duties
	Limits Limits

	// New defines the stack.
	New func(scope constructs.Construct, id string, props *stacks.Props) awscdk.Stack
}

// All returns every deployment, in the order of the documentation.
func All() []Deployment {
	const (
		docker = "a Docker-compatible builder where you deploy from, unless the image setting names an image"
		vpc    = "room for one more VPC (quota: 5 a region)"
	)
	return []Deployment{
		{
			ID:               "EcsEc2",
			ControlPlane:     "ECS",
			DataPlane:        "EC2 instances you patch",
			Source:           "stacks/ecs_ec2.go",
			Page:             "docs/patterns/ecs-ec2.md",
			Needs:            []string{docker, vpc},
			Identity:         "ECS task role",
			Outside:          []string{"EC2 instances and their disks, by the auto scaling group", "CloudWatch alarms of the scaling policies"},
			Left:             []string{leftBootstrap},
			LeftInProduction: []string{leftInsights},
			Duties: Duties{
				ControlPlane: "AWS",
				HostOS:       "you: a deploy takes the newest AMI and replaces the instances",
				Runtime:      "you: it comes with the AMI",
				Image:        "you: rebuild and deploy",
				Scale:        "target tracking adds tasks, then the capacity provider adds instances; by hand: aws ecs update-service --cluster … --service … --desired-count N",
				RollBack:     "the circuit breaker, by itself; by hand: deploy the previous commit",
				Shell:        "aws ssm start-session --target INSTANCE",
				ReadLogs:     logsOf("EcsEc2"),
			},
			Limits: Limits{
				ScaleToZero: "no", LongestRequest: albIdle, LargestRequest: noLimit, LargestResponse: noLimitOut,
				GPU: "yes, with a GPU instance type", Architectures: both,
				ScalesIn: "minutes: an alarm rings, a task starts, and an instance starts when none has room",
			},
			New: stacks.NewECSEC2,
		},
		{
			ID:               "EcsFargate",
			ControlPlane:     "ECS",
			DataPlane:        "Fargate",
			Source:           "stacks/ecs_fargate.go",
			Page:             "docs/patterns/ecs-fargate.md",
			Needs:            []string{docker, vpc},
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
			New: stacks.NewECSFargate,
		},
		{
			ID:           "EksEc2",
			ControlPlane: "EKS",
			DataPlane:    "EC2 managed node group",
			Source:       "stacks/eks_ec2.go",
			Page:         "docs/patterns/eks-ec2.md",
			Needs:        []string{docker, vpc},
			Identity:     "EKS Pod Identity",
			Outside: []string{
				"EC2 instances, their disks and an auto scaling group, by the node group",
				"the cluster's security group, by EKS",
				"the pods of the add-ons, such as CoreDNS, by EKS",
				"the load balancer controller, by its Helm chart",
			},
			Left:             []string{leftBootstrap},
			LeftInProduction: []string{"the log group /aws/eks/CLUSTER/cluster of the control plane, by EKS, which never expires"},
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
			New: stacks.NewEKSEC2,
		},
		{
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
			New: stacks.NewLambda,
		},
		{
			ID:           "AppRunner",
			ControlPlane: "none",
			DataPlane:    "App Runner",
			Source:       "stacks/app_runner.go",
			Page:         "docs/patterns/app-runner.md",
			ClosedSince:  "2026-04-30",
			Needs:        []string{docker, "an account that used App Runner before 2026-04-30"},
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
			New: stacks.NewAppRunner,
		},
	}
}

// Leftovers returns what `cdk destroy` leaves behind of a profile, beside what
// the profile keeps on purpose.
func (d Deployment) Leftovers(profile settings.Profile) []string {
	if profile == settings.Production {
		return slices.Concat(d.Left, d.LeftInProduction)
	}
	return d.Left
}

// IDs returns the id of every deployment, in the same order.
func IDs() []string {
	var ids []string
	for _, d := range All() {
		ids = append(ids, d.ID)
	}
	return ids
}

// Selected returns the deployments that the stacks setting names, or all.
func Selected(s settings.Settings) []Deployment {
	if len(s.Stacks) == 0 {
		return All()
	}
	return slices.DeleteFunc(All(), func(d Deployment) bool { return !slices.Contains(s.Stacks, d.ID) })
}
