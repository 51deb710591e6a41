// Package doctor finds out, before anything is created, whether a machine and an
// account can deploy what they are about to. It asks and changes nothing.
package doctor

import (
	"context"
	"strings"

	"refdeploy/internal/account"
	"refdeploy/internal/assembly"
	"refdeploy/internal/settings"
)

// A Status is what came of a check.
type Status string

const (
	Pass Status = "pass"
	Warn Status = "warn" // a deploy may fail, or work on the second try
	Fail Status = "fail" // a deploy fails

	// Unknown is what could not be checked. It is not a fail: who may deploy need
	// not be allowed to look at everything.
	Unknown Status = "unknown"
)

// A Check is one line of the examination.
type Check struct {
	Name   string `json:"name"`
	Status Status `json:"status"`
	Says   string `json:"says"`

	// Mend is the command, or the setting, that mends it, or "".
	Mend string `json:"mend"`
}

// A Case is what is examined.
type Case struct {
	// Stacks are what is about to be deployed.
	Stacks []assembly.Stack

	// Account is nil when there is none, for the reason NoAccount.
	Account   *account.Account
	NoAccount error

	// Hourly is what all of Stacks cost an hour while nobody calls, in US dollars,
	// and HourlySays whose prices these are.
	Hourly     float64
	HourlySays string

	// Root is the directory of the checkout.
	Root string
}

// Examine returns every check that concerns the case, in the order in which
// their faults would show.
func Examine(ctx context.Context, c Case) []Check {
	e := &examination{Case: c, deployed: map[string]account.Stack{}}
	e.credentials()
	e.cli()
	e.builder(ctx)
	e.inAccount("CDK bootstrap", e.bootstrap)(ctx)
	e.inAccount("stacks", e.stacks)(ctx)
	if e.needs("AWS::EC2::VPC") > 0 {
		e.inAccount("VPCs", e.vpcs)(ctx)
	}
	if e.needs("AWS::EC2::EIP") > 0 {
		e.inAccount("Elastic IPs", e.addresses)(ctx)
	}
	if e.has("AWS::EKS::Cluster") {
		e.inAccount("availability zones for EKS", e.zones)(ctx)
	}
	if len(e.linkedRoles()) > 0 {
		e.inAccount("service-linked roles", e.roles)(ctx)
	}
	if e.has("AWS::AppRunner::Service") {
		e.inAccount("App Runner", e.appRunner)(ctx)
	}
	if e.defaultVPC() {
		e.inAccount("default VPC", e.standardVPC)(ctx)
	}
	if e.runsOnLambda() {
		e.inAccount("Lambda concurrency", e.concurrency)(ctx)
	}
	e.cost()
	return e.checks
}

// Failed reports whether one of the checks failed.
func Failed(checks []Check) int {
	n := 0
	for _, c := range checks {
		if c.Status == Fail {
			n++
		}
	}
	return n
}

type examination struct {
	Case
	checks   []Check
	deployed map[string]account.Stack // by id
}

func (e *examination) add(name string, status Status, says, mend string) {
	e.checks = append(e.checks, Check{name, status, says, mend})
}

// inAccount returns the check, or what stands in for it when the account does
// not answer.
func (e *examination) inAccount(name string, check func(context.Context, string) error) func(context.Context) {
	return func(ctx context.Context) {
		if e.Account == nil {
			e.add(name, Unknown, "not checked: it needs credentials", "")
			return
		}
		if err := check(ctx, name); err != nil {
			e.add(name, Unknown, "not checked: "+account.Explain(ctx, err).Error(), "")
		}
	}
}

// needs counts the resources of a type that a deploy would create. What stacks
// share counts once, and what is deployed is there already.
func (e *examination) needs(kind string) int {
	shared := map[string]bool{}
	n := 0
	for _, s := range e.Stacks {
		for id, r := range s.Template.Resources {
			owner := s.ID
			if strings.HasPrefix(id, settings.NetworkID+".") {
				owner = settings.NetworkID
				if shared[id] {
					continue
				}
			}
			if r.Type != kind || stands(e.deployed[owner]) {
				continue
			}
			if owner == settings.NetworkID {
				shared[id] = true
			}
			n++
		}
	}
	return n
}

// stands reports whether a stack has its resources.
func stands(s account.Stack) bool { return strings.HasSuffix(s.Status, "_COMPLETE") && !broken(s) }

func (e *examination) has(kind string) bool {
	for _, s := range e.Stacks {
		for _, r := range s.Template.Resources {
			if r.Type == kind {
				return true
			}
		}
	}
	return false
}
