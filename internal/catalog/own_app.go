package catalog

import "strings"

// An OwnApp is what somebody's own app finds in a deployment, beside its port,
// health path and size.
type OwnApp struct {
	RunsAs  string // which user
	Writes  string // where on its disk it may
	Secrets string // how values reach it
	Know    string // what else to know, or ""
}

const (
	imagesUser = "the user that the image names"
	tasks      = imagesUser + "; the kernel gives it no capabilities"
	pods       = "user and group 65532, whatever the image says; the kernel gives it no capabilities"

	inMemory = "`/tmp` only: 64 MiB of the container's memory"
	onDisk   = "`/tmp` only: 64 MiB of the node's disk"
	anywhere = "everywhere in the container; it is gone with it"

	byTask    = "ECS reads them when a task starts, with the execution role, and sets the variables"
	byCommand = "you run the command of the output `MakeSecrets`, which reads the values with your own rights and makes the Kubernetes Secret `app-secrets`. Pods wait for it. Run it again, and `kubectl -n notes rollout restart deployment/app`, when a value changes"
)

var ownApps = map[string]OwnApp{
	"EcsEc2":              {tasks, inMemory, byTask, ""},
	"EcsFargate":          {tasks, inMemory, byTask, ""},
	"EcsManagedInstances": {tasks, inMemory, byTask, "in a sandbox it reaches S3 and no other place outside the VPC"},
	"EcsExpress":          {imagesUser, anywhere, byTask, ""},
	"EcsAnywhere":         {tasks, inMemory, byTask, "the alarm `AppErrors` counts lines of JSON whose `status` is 500 or more, so it rings for an app that logs so"},
	"EksEc2":              {pods, onDisk, byCommand, ""},
	"EksAuto":             {pods, onDisk, byCommand, ""},
	"EksFargate":          {pods, onDisk, byCommand, ""},
	"EksAnywhere":         {pods, onDisk, byCommand, "`refdeploy bundles` takes the same settings as the stack"},
	"Lambda": {
		"a user that Lambda chooses, whatever the image says; files that only root may read are closed to it", "`/tmp` only: 512 MB",
		"CloudFormation reads them on deploy and sets the variables, so whoever may see the function's configuration sees the values, and a changed value arrives with the next change of the function. Secrets Manager only",
		"the image gets the AWS Lambda Web Adapter, and port 9001 is Lambda's own",
	},
	"AppRunner": {imagesUser, anywhere, "App Runner reads them when a service is deployed, with the instance role, and sets the variables", "App Runner's documentation asks for whole ARNs of secrets"},
}

// OwnApp returns what somebody's own app finds in the deployment.
func (d Deployment) OwnApp() OwnApp { return ownApps[d.ID] }

// Fields returns what there is to know in the order of a table.
func (o OwnApp) Fields() []Field {
	fields := []Field{{"runsAs", "Runs as", o.RunsAs}, {"writes", "May write", o.Writes}, {"secrets", "Secrets", o.Secrets}}
	if o.Know != "" {
		fields = append(fields, Field{"know", "Good to know", o.Know})
	}
	return fields
}

// ForOwnApp returns what is known of the deployment with somebody's own app in it:
// the sample app's bounds are not there, and Lambda runs an image.
func (d Deployment) ForOwnApp() Deployment {
	d.Limits.LargestRequest = strings.TrimSuffix(d.Limits.LargestRequest, "; the app takes 4 KiB")
	d.Duties.Shell = strings.Replace(d.Duties.Shell, "the image has no shell", "nothing opens one in a container", 1)
	if d.ID != lambda.ID {
		return d
	}
	d.DataPlane = "Firecracker, from an image"
	d.Needs = append([]string{needsBuilder}, d.Needs...)
	d.Left = []string{leftBootstrap}
	d.Duties.Runtime = "you: it is in the image"
	d.Duties.Image = "you: rebuild and deploy"
	d.Limits.LongestRequest = "60 s as set here; 15 minutes at most"
	return d
}
