package catalog

// Duties say who runs and patches each part, and which command operates it.
type Duties struct {
	ControlPlane string `json:"controlPlane"`
	HostOS       string `json:"hostOS"`
	Runtime      string `json:"runtime"`
	Image        string `json:"image"`
	Scale        string `json:"scale"`
	RollBack     string `json:"rollBack"`
	Shell        string `json:"shell"`
	ReadLogs     string `json:"readLogs"`
}

// Limits are what no setting of ours lifts.
type Limits struct {
	ScaleToZero     string `json:"scaleToZero"`
	LongestRequest  string `json:"longestRequest"`
	LargestRequest  string `json:"largestRequest"`
	LargestResponse string `json:"largestResponse"`
	GPU             string `json:"gpu"`
	Architectures   string `json:"architectures"`
	ScalesIn        string `json:"scalesIn"` // how fast capacity is added
}

// A Field is a fact with its name for people.
type Field struct{ Name, Label, Value string }

// Fields returns the duties in the order of a table.
func (d Duties) Fields() []Field {
	return []Field{
		{"controlPlane", "Control plane", d.ControlPlane},
		{"hostOS", "Host OS", d.HostOS},
		{"runtime", "Runtime", d.Runtime},
		{"image", "Image", d.Image},
		{"scale", "To scale", d.Scale},
		{"rollBack", "To roll back", d.RollBack},
		{"shell", "To get a shell", d.Shell},
		{"readLogs", "To read logs", d.ReadLogs},
	}
}

// Fields returns the limits in the order of a table.
func (l Limits) Fields() []Field {
	return []Field{
		{"scaleToZero", "Scales to zero", l.ScaleToZero},
		{"longestRequest", "Longest request", l.LongestRequest},
		{"largestRequest", "Largest request", l.LargestRequest},
		{"largestResponse", "Largest response", l.LargestResponse},
		{"gpu", "GPU", l.GPU},
		{"architectures", "Architectures", l.Architectures},
		{"scalesIn", "Adds capacity in", l.ScalesIn},
	}
}

// Status tells whether AWS takes new customers.
func (d Deployment) Status() string {
	if d.ClosedSince != "" {
		return "closed to new customers since " + d.ClosedSince
	}
	return "current"
}

// What several deployments have in common. Limits of AWS services were read in
// their documentation on 2026-11-23.
const (
	albIdle    = "60 s without a byte, the load balancer's default idle timeout"
	noLimit    = "none of the platform's; the app takes 4 KiB"
	noLimitOut = "none of the platform's"
	both       = "arm64, x86_64"

	needsBuilder = "a Docker-compatible builder where you deploy from, unless the image setting names an image"
	needsVPC     = "room for one more VPC (quota: 5 a region), unless the network setting is shared"

	leftInsights  = "the log group /aws/ecs/containerinsights/CLUSTER/performance, by Container Insights, which keeps a day"
	leftBootstrap = "the image in the bootstrap repository, until `npx cdk gc --unstable=gc`"

	leftControlPlaneLogs = "the log group /aws/eks/CLUSTER/cluster of the control plane, by EKS, which never expires"
)

// logsOf is the command that follows the app's log group of a stack.
func logsOf(id string) string {
	return "aws logs tail --follow $(aws cloudformation describe-stack-resources --stack-name " + id +
		` --query "StackResources[?starts_with(LogicalResourceId,'AppLogs')].PhysicalResourceId" --output text)`
}
