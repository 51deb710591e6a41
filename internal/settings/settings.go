// Package settings reads what a user asked for: the context keys of cdk.json
// and `-c key=value`, parsed once, validated, with every default filled in.
package settings

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"refdeploy/app/contract"
)

// Profile is how much a deployment is prepared to lose.
type Profile string

const (
	// Sandbox deploys one replica without NAT gateways, and removing the stack
	// removes everything.
	Sandbox Profile = "sandbox"

	// Production deploys two replicas over two zones in private subnets, and
	// keeps the notes and the logs when the stack is removed.
	Production Profile = "production"
)

// Architecture is the instruction set of the image, the Lambda function and
// the instances, in the spelling of the Lambda and EC2 APIs.
type Architecture string

const (
	ARM64  Architecture = "arm64"
	X86_64 Architecture = "x86_64"
)

// Network decides whether stacks stand in one VPC or in one each.
type Network string

const (
	// Own networks make each stack complete: it goes away whole.
	Own Network = "own"

	// Shared is one Network stack, in which all others stand: an account has
	// room for few VPCs and Elastic IPs.
	Shared Network = "shared"
)

// Bucket decides whether the app gets a bucket.
type Bucket string

const (
	OwnBucket Bucket = "own"
	NoBucket  Bucket = "none"
)

// NetworkID is the id of the stack that holds the shared network. It is no
// deployment: nothing runs in it.
const NetworkID = "Network"

// BudgetID is the id of the stack that holds the budget. It is no deployment,
// either.
const BudgetID = "Budget"

// GOARCH is the architecture in the spelling of Go, Docker and Kubernetes.
func (a Architecture) GOARCH() string {
	if a == X86_64 {
		return "amd64"
	}
	return string(a)
}

// Settings is what a user can choose. The zero value is not valid: start from
// [Default] or [Parse].
type Settings struct {
	// Profile is sandbox or production. Default: sandbox.
	Profile Profile

	// Architecture is arm64 or x86_64. Default: arm64, the cheaper one. App
	// Runner, ECS Express Mode and EKS on Fargate have x86_64 only and ignore it.
	Architecture Architecture

	// Network is own or shared. Default: own.
	Network Network

	// Image is a registry image to run instead of building app/. Default: "", build
	// app/, or the user's own.
	Image string

	// App is the directory of the user's own app, which has a Dockerfile, as they
	// wrote it: below the project's root unless it is absolute. Default: "", app/.
	App string

	// Port is where the app listens, HealthPath the route that says that it is
	// alive. Default: 8080 and /healthz.
	Port       int
	HealthPath string

	// CPU and Memory are what a copy of the app needs at least, in ECS's CPU units,
	// 1024 to a vCPU, and in MiB. Default: 0, the least of each platform; with App,
	// the least of Fargate.
	CPU, Memory int

	// Env is the app's environment beside what the deployment adds. With App or a
	// port it says the port. Default: nil.
	Env []Variable

	// Secrets are variables whose values Secrets Manager or Systems Manager keeps.
	// Default: nil.
	Secrets []Secret

	// Bucket is own or none. Default: own.
	Bucket Bucket

	// Stacks lists the ids of the deployments to build, in the user's order.
	// Default: nil, all of them.
	Stacks []string

	// AllowCIDR is the IPv4 range that may reach the load balancers. Default:
	// 0.0.0.0/0, everyone.
	AllowCIDR string

	// CertificateARN is an ACM certificate. With it the load balancers serve
	// HTTPS and redirect HTTP. Default: "", plain HTTP.
	CertificateARN string

	// AlarmEmail is who is told when an alarm of a production deployment rings.
	// Default: "", nobody.
	AlarmEmail string

	// BudgetUSD and BudgetEmail are how much the account may cost in a month, and
	// who is told when it comes near. Default: 0 and "", nobody watches.
	BudgetUSD   float64
	BudgetEmail string

	// AppRunnerConnectionARN and AppRunnerRepository make App Runner build from
	// a GitHub repository. Default: both "", App Runner runs the image.
	AppRunnerConnectionARN string
	AppRunnerRepository    string
}

// Default returns the settings of a user who set nothing.
func Default() Settings {
	return Settings{
		Profile: Sandbox, Architecture: ARM64, Network: Own, AllowCIDR: Everyone,
		Port: contract.Port, HealthPath: contract.HealthPath, Bucket: OwnBucket,
	}
}

// Everyone is the CIDR of the whole IPv4 internet.
const Everyone = "0.0.0.0/0"

// IsProduction reports whether data and logs outlive the stack.
func (s Settings) IsProduction() bool { return s.Profile == Production }

// Replicas is how many copies of the app run when nothing is wrong: 1 in a
// sandbox, 2 (one a zone) in production.
func (s Settings) Replicas() int {
	if s.IsProduction() {
		return 2
	}
	return 1
}

// A Key is one context key, as the reference page lists it.
type Key struct {
	Name    string
	Allowed string
	Default string
	Effect  string

	// parse sets the value. When it is not allowed, it returns false and what
	// to add to what is allowed, which may be nothing.
	parse func(*Settings, string) (hint string, ok bool)
}

// Keys returns every setting, in the order of the reference page. The ids are
// those of the deployments, which the stacks key may name.
func Keys(ids []string) []Key {
	return []Key{
		{"profile", "sandbox or production", "sandbox", "How much is kept and how much redundancy is paid for", parseProfile},
		{"architecture", "arm64 or x86_64", "arm64", "The instruction set of images, functions and instances", parseArchitecture},
		{"network", "own or shared", "own", "Each stack brings its own VPC and goes away whole, or all stand in that of one stack more, `Network`. A deployed stack cannot move from one to the other", parseNetwork},
		{"image", "an image reference such as public.ecr.aws/nginx/nginx:1.29", "none, app/ is built", "A registry image to run instead of building app/; it listens on port and answers healthPath. Lambda runs app/ in its place", parseImage},
		{"app", "a directory with a Dockerfile, from the project's root or absolute", "none, app/ is built", "Your own app in place of app/, in every deployment; not together with image", parseApp},
		{"port", "1 to 65535", fmt.Sprint(contract.Port), "Where your app listens; it is told as PORT. Needs app or image", parsePort},
		{"healthPath", "a path such as /health", contract.HealthPath, "What your app answers with 200 while it is well, without a login. Needs app or image", parseHealthPath},
		{"cpu", "CPU units, 1024 to a vCPU, 128 to 16384", "the least of each platform; with app, 256", "What a copy of the app needs at least; each platform takes its next size, and synthesis says which", parseCPU},
		{"memory", "MiB, 128 to 122880", "the least of each platform; with app, 512", "As cpu", parseMemory},
		{"env", "NAME=value, comma-separated; a pair with a comma in its value goes in double quotes", "none", "Your app's environment. Needs app or image", parseEnv},
		{"secrets", "NAME or NAME=REFERENCE, comma-separated; REFERENCE is the name or the ARN of a secret in Secrets Manager, or a parameter of Systems Manager, which begins with a slash", "none", "Variables whose values are kept there; REFERENCE is NAME unless said. Needs app or image", parseSecrets},
		{"bucket", "own or none", "own", "Whether your app gets a bucket, its name as NOTES_BUCKET, and the right to use it. Needs app or image", parseBucket},
		{"stacks", "a comma-separated list of stack ids", "all", "Which stacks to build", parseStacks(ids)},
		{"allowCidr", "an IPv4 range such as 203.0.113.0/24", Everyone, "Who may reach the load balancers of the templates. EcsExpress, Lambda and App Runner have none there and stay public; EcsAnywhere and EksAnywhere have your own firewall", parseCIDR},
		{"certificateArn", "the ARN of an ACM certificate", "none", "The load balancers serve HTTPS and redirect HTTP", parseCertificate},
		{"alarmEmail", "an email address", "none", "Who is told when an alarm of a production deployment rings, once they have confirmed AWS's question. A sandbox has no alarms", parseEmail},
		{"budgetUSD", "US dollars a month, 1 to 1000000", "none", "A budget for the whole account, which tells budgetEmail at 50, 80 and 100 percent; needs budgetEmail", parseBudget},
		{"budgetEmail", "an email address", "none", "Who is told by the budget; needs budgetUSD", parseBudgetEmail},
		{"appRunnerConnectionArn", "the ARN of an App Runner connection", "none", "App Runner builds from GitHub; needs appRunnerRepository", parseConnection},
		{"appRunnerRepository", "https://github.com/OWNER/REPOSITORY", "none", "The repository App Runner builds; needs appRunnerConnectionArn", parseRepository},
	}
}

// Parse reads context, whose keys are those of [Keys] among keys that belong to
// the CDK. It reports every problem it finds, in the order of [Keys], one line
// each: the key, what was given, what is allowed, and for an unknown name the
// nearest known one.
func Parse(context map[string]any, ids []string) (Settings, error) {
	out := Default()
	keys := Keys(ids)

	errs := unknown(context, keys)
	for _, key := range keys {
		value, set := context[key.Name]
		if !set {
			continue
		}
		text, ok := value.(string)
		if !ok {
			errs = append(errs, fmt.Errorf("%s: got %v, which is not a string; allowed: %s", key.Name, value, key.Allowed))
			continue
		}
		if hint, ok := key.parse(&out, text); !ok {
			errs = append(errs, fmt.Errorf("%s: got %q; allowed: %s%s", key.Name, text, key.Allowed, hint))
		}
	}
	if len(errs) == 0 && (out.AppRunnerConnectionARN == "") != (out.AppRunnerRepository == "") {
		errs = append(errs, errors.New("appRunnerConnectionArn and appRunnerRepository: got one of them; set both to build from GitHub, or neither"))
	}
	if len(errs) == 0 && (out.BudgetUSD == 0) != (out.BudgetEmail == "") {
		errs = append(errs, errors.New("budgetUSD and budgetEmail: got one of them; set both for a budget, or neither"))
	}
	if len(errs) == 0 {
		errs = complete(&out, context)
	}
	if len(errs) > 0 {
		return Settings{}, errors.Join(errs...)
	}
	return out, nil
}

// unknown returns an error for each key that is neither ours nor the CDK's,
// which contain a colon or an at sign (aws:cdk:…, @aws-cdk/…, lookups).
func unknown(context map[string]any, keys []Key) []error {
	names := make([]string, len(keys))
	for i, key := range keys {
		names[i] = key.Name
	}
	var errs []error
	for name := range context {
		if !strings.ContainsAny(name, ":@") && !slices.Contains(names, name) {
			errs = append(errs, fmt.Errorf("%s: not a setting%s; allowed: %s", name, suggest(name, names), strings.Join(names, ", ")))
		}
	}
	slices.SortFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errs
}
