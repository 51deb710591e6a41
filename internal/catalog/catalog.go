// Package catalog lists the deployments and what is known of each beside its
// template. The CDK app, the tests and the documentation all range over it: a
// new deployment is one stack file with its line in stacks.New, one file here and
// one page.
package catalog

import (
	"slices"

	"refdeploy/internal/settings"
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

	// OwnServers says that the machines are yours. What they cost is not AWS's to
	// bill, so the bill decides nothing between this deployment and another.
	OwnServers bool

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
}

// All returns every deployment, in the order of the documentation.
func All() []Deployment {
	return []Deployment{ecsEC2, ecsFargate, ecsManagedInstances, ecsExpress, ecsAnywhere, eksEC2, eksAuto, eksFargate, eksAnywhere, lambda, appRunner}
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
