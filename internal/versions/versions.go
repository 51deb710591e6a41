// Package versions lists the versions of what the deployments are built from and
// run on, with the day on which support of each ends.
package versions

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// What stacks and constructs take from here.
const (
	// KubernetesMinor is the minor version of Kubernetes 1 of every cluster.
	KubernetesMinor = 36

	// FluentBit is the release of AWS for Fluent Bit, the log router.
	FluentBit = "3.5.10"

	// WebAdapter is the release of the AWS Lambda Web Adapter, with which a function
	// runs the user's own container.
	WebAdapter = "1.0.0"
)

// DueDays is how long before the end of its support a version is due.
const DueDays = 90

// A Version is the version of one thing.
type Version struct {
	Name    string   `json:"name"`
	Version string   `json:"version"`
	SetIn   []string `json:"setIn"` // files, from the root

	// Ends is the day on which support ends, YYYY-MM-DD, or "" when nobody
	// publishes one. On EKS, the higher price begins with that day. Then tells
	// what ends, or how long it goes on.
	Ends string `json:"ends"`
	Then string `json:"then"`

	// Source is where Ends was read, and Read the day. Unverified marks a date
	// that was not read on the page of who decides it.
	Source     string `json:"source"`
	Read       string `json:"read"`
	Unverified bool   `json:"unverified"`

	// Update says how to move to the next.
	Update string `json:"update"`
}

const (
	here     = "internal/versions/versions.go"
	packages = "package.json"
	modules  = "go.mod"

	update    = "; then make golden, and read the difference"
	byTheCDK  = "move to a release of aws-cdk-go that brings a newer one" + update
	endOfLife = "endoflife.date/aws-lambda"
)

// All returns every version, in the order of the documentation.
func All() []Version {
	kubernetes := fmt.Sprintf("1.%d", KubernetesMinor)
	return []Version{
		{
			Name: "Kubernetes", Version: kubernetes, SetIn: []string{here},
			Ends: "2027-08-02", Then: "standard support on EKS: 14 months from its release there, 2026-06-02. Extended support follows for a year, and the cluster costs six times as much",
			Source: "endoflife.date/amazon-eks, in a third party's copy", Read: "2026-11-27", Unverified: true,
			Update: "raise KubernetesMinor, and take the kubectl layer of that number in " + packages + update + ". A deployed cluster goes up one minor version at a time",
		},
		{
			Name: "kubectl layer", Version: "2.0.1", SetIn: []string{packages},
			Then:   "with the version of Kubernetes: kubectl serves clusters one minor version away at most",
			Update: "with Kubernetes",
		},
		{
			Name: "AWS Load Balancer Controller", Version: "3.2.2", SetIn: []string{"constructs/kube/controller.go"},
			Then:   "no date is published",
			Update: "take a newer one of the CDK's AlbControllerVersion, and read again what its code does on AWS" + update,
		},
		{
			Name: "EKS add-ons", Version: "the default of Kubernetes " + kubernetes, SetIn: []string{"constructs/kube/kube.go"},
			Then:   "with the version of Kubernetes",
			Update: "of a deployed cluster: aws eks update-addon",
		},
		{
			Name: "AMI of EKS nodes", Version: "AL2023", SetIn: []string{"stacks/eks_ec2.go"},
			Ends: "2029-06-30", Then: "maintenance of Amazon Linux 2023",
			Source: "third-party notes on Amazon Linux, of 2026-08-07", Read: "2026-11-27", Unverified: true,
			Update: "take an AMI type of its successor" + update,
		},
		{
			Name: "AMI of ECS instances", Version: "amazon-linux-2023", SetIn: []string{"stacks/ecs_ec2.go"},
			Ends: "2029-06-30", Then: "maintenance of Amazon Linux 2023",
			Source: "third-party notes on Amazon Linux, of 2026-08-07", Read: "2026-11-27", Unverified: true,
			Update: "take the image of its successor" + update,
		},
		{
			Name: "Lambda runtime of the app", Version: "provided.al2023", SetIn: []string{"stacks/lambda.go"},
			Ends: "2029-06-30", Then: "patches of the runtime; two months later no function that uses it can be updated",
			Source: "AWS Lambda Developer Guide, OS-only runtimes, in a third party's copy", Read: "2026-11-27", Unverified: true,
			Update: "take its successor" + update,
		},
		{
			Name: "Lambda runtime of the CDK's functions", Version: "nodejs24.x", SetIn: []string{modules},
			Ends: "2028-04-30", Then: "patches of the runtime", Source: endOfLife, Read: "2026-11-27", Unverified: true, Update: byTheCDK,
		},
		{
			Name: "Lambda runtime of the CDK's kubectl function", Version: "python3.13", SetIn: []string{modules},
			Ends: "2029-06-30", Then: "patches of the runtime", Source: endOfLife, Read: "2026-11-27", Unverified: true, Update: byTheCDK,
		},
		{
			Name: "AWS for Fluent Bit", Version: FluentBit, SetIn: []string{here},
			Then:   "no date is published; this one was released on 2026-11-21 (github.com/aws/aws-for-fluent-bit/releases)",
			Update: "take a newer release" + update,
		},
		{
			Name: "AWS Lambda Web Adapter", Version: WebAdapter, SetIn: []string{here},
			Then:   "no date is published",
			Update: "take a newer release, and read again what it asks of a Dockerfile and of its variables" + update,
		},
		{
			Name: "Node.js", Version: "24.21.0", SetIn: []string{packages},
			Ends: "2028-04-30", Then: "security fixes of Node.js 24",
			Source: "Node.js release schedule, in a third party's copy", Read: "2026-11-27", Unverified: true,
			Update: "take a version that jsii supports",
		},
		{
			Name: "CDK CLI", Version: "2.1148.1", SetIn: []string{packages},
			Then:   "no date is published; it has to read the assemblies of the CDK that go.mod asks for",
			Update: "ask npm for an exact version: the tag latest has named an old build",
		},
		{
			Name: "aws-cdk-go", Version: "2.270.0", SetIn: []string{modules},
			Then:   "no date is published for version 2",
			Update: "go get github.com/aws/aws-cdk-go/awscdk/v2@VERSION" + update,
		},
		{
			Name: "Go", Version: "1.26", SetIn: []string{modules, "app/Dockerfile"},
			Then:   "with the release of Go 1.28: each is supported until there are two newer ones (go.dev/doc/devel/release)",
			Update: "change the go line of " + modules + " and the tag in app/Dockerfile",
		},
	}
}

// DaysLeft is how many days of support are left on the day of now: 0 on the one
// on which it ends, and less after it. It returns false when no date is known.
func (v Version) DaysLeft(now time.Time) (int, bool) {
	ends, err := time.Parse(time.DateOnly, v.Ends)
	if err != nil {
		return 0, false
	}
	today := now.UTC().Truncate(24 * time.Hour)
	return int(math.Round(ends.Sub(today).Hours() / 24)), true
}

// Due reports whether support ends within [DueDays], or has ended.
func (v Version) Due(now time.Time) bool {
	days, known := v.DaysLeft(now)
	return known && days <= DueDays
}

// Past reports whether support has ended.
func (v Version) Past(now time.Time) bool {
	days, known := v.DaysLeft(now)
	return known && days <= 0
}

// String says until when, what ends then, and what to do.
func (v Version) String() string {
	until := ""
	if v.Ends != "" {
		until = "until " + v.Ends + ", "
	}
	return fmt.Sprintf("%s %s: %s%s. It is set in %s: %s", v.Name, v.Version, until, v.Then, strings.Join(v.SetIn, " and "), v.Update)
}
