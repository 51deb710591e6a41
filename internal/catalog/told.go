package catalog

// Told is what the app's /info tells about the place where it runs.
type Told struct{ Platform, DataPlane string }

// told is what /info has to tell in each deployment. It is the app's wording,
// which is shorter than the catalog's.
var told = map[string]Told{
	"EcsEc2":              {"ECS", "EC2"},
	"EcsFargate":          {"ECS", "Fargate"},
	"EcsManagedInstances": {"ECS", "EC2 run by AWS"},
	"EcsExpress":          {"ECS", "Fargate"},
	"EcsAnywhere":         {"ECS", "your own servers"},
	"EksEc2":              {"EKS", "EC2"},
	"EksAuto":             {"EKS", "EC2 run by AWS"},
	"EksFargate":          {"EKS", "Fargate"},
	"EksAnywhere":         {"EKS", "your own servers"},
	"Lambda":              {"Lambda", "Firecracker"},
	"AppRunner":           {"App Runner", "App Runner"},
}

// Tells returns what the app has to tell of the deployment.
func (d Deployment) Tells() Told { return told[d.ID] }

// ByID returns the deployment of that id, false when there is none.
func ByID(id string) (Deployment, bool) {
	for _, d := range All() {
		if d.ID == id {
			return d, true
		}
	}
	return Deployment{}, false
}
