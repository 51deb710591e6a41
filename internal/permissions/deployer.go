package permissions

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"refdeploy/internal/account"
	"refdeploy/internal/assembly"
)

// A Policy is an IAM policy document.
type Policy struct {
	Version   string   `json:"Version"`
	Statement []Allows `json:"Statement"`
}

// Allows is a statement of a [Policy].
type Allows struct {
	Sid      string   `json:"Sid"`
	Effect   string   `json:"Effect"`
	Action   []string `json:"Action"`
	Resource []string `json:"Resource"`
}

// Deployer is the policy of who deploys a stack. CloudFormation creates the
// resources with the bootstrap's own role, so what is left is to take on the
// bootstrap's roles, what the stack's outputs tell people to run, and what the
// companion commands ask.
func Deployer(s assembly.Stack) Policy {
	p := Policy{Version: "2012-10-17"}
	allow := func(sid string, actions, resources []string) {
		if len(actions) > 0 {
			slices.Sort(actions)
			p.Statement = append(p.Statement, Allows{sid, "Allow", slices.Compact(actions), resources})
		}
	}
	allow("TakeOnTheBootstrapRoles", []string{"sts:AssumeRole"}, []string{"arn:aws:iam::*:role/cdk-hnb659fds-*-role-*"})
	var run []string
	for _, id := range slices.Sorted(maps.Keys(s.Template.Outputs)) {
		command := text(s.Template.Outputs[id].Value)
		asked, read := actions(command), values(command)
		if len(read) > 0 {
			allow("ReadTheSecretsOf"+id, slices.DeleteFunc(slices.Clone(asked), isOther), read)
			asked = slices.DeleteFunc(asked, isValue)
		}
		run = append(run, asked...)
		// CloudFormation begins a role's name with those of the stack and the role.
		for _, flag := range []struct{ name, sid, action string }{
			{"--role-arn ", "TakeOnTheRoleOf" + id, "sts:AssumeRole"},
			{"--iam-role ", "PassTheRoleOf" + id, "iam:PassRole"},
		} {
			if _, after, ok := strings.Cut(command, flag.name); ok {
				role, _, _ := strings.Cut(after, " ")
				allow(flag.sid, []string{flag.action}, []string{"arn:aws:iam::*:role/" + s.ID + "-" + role + "*"})
			}
		}
	}
	allow("RunWhatTheOutputsSay", run, []string{"*"})
	var companion []string
	for _, of := range account.Actions {
		companion = append(companion, of...)
	}
	allow("AskWithDoctorSmokeAndSweep", companion, []string{"*"})
	return p
}

// isValue reports whether an action reads what nobody else should: with all
// resources, a deployer could read every secret of the account.
func isValue(action string) bool {
	return action == "secretsmanager:GetSecretValue" || action == "ssm:GetParameter"
}

func isOther(action string) bool { return !isValue(action) }

// value is what a command reads from Secrets Manager or Systems Manager.
var value = regexp.MustCompile(`(?:--secret-id|--with-decryption --name) ([^ ]+)`)

// values returns the ARNs of what the commands in a text read.
func values(text string) []string {
	var arns []string
	for _, match := range value.FindAllStringSubmatch(text, -1) {
		switch name := match[1]; {
		case strings.HasPrefix(name, "arn:"):
			arns = append(arns, name)
		case strings.HasPrefix(name, "/"):
			arns = append(arns, "arn:aws:ssm:*:*:parameter"+name)
		default:
			arns = append(arns, "arn:aws:secretsmanager:*:*:secret:"+name+"-??????")
		}
	}
	return arns
}

// cli is a command of the AWS CLI in an output.
var cli = regexp.MustCompile(`\baws ([a-z0-9-]+) ([a-z-]+)`)

// actions returns what the commands of the AWS CLI in a text ask.
func actions(text string) []string {
	var all []string
	for _, command := range cli.FindAllStringSubmatch(text, -1) {
		operation := ""
		for word := range strings.SplitSeq(command[2], "-") {
			if word != "" {
				operation += strings.ToUpper(word[:1]) + word[1:]
			}
		}
		if command[1] == "eks" && operation == "UpdateKubeconfig" { // is none of the API's
			operation = "DescribeCluster"
		}
		all = append(all, command[1]+":"+operation)
	}
	if strings.Contains(text, "aws ssm create-activation") && strings.Contains(text, "--tags") {
		all = append(all, "ssm:AddTagsToResource")
	}
	return all
}

// Services returns the services whose resources CloudFormation creates for a
// stack: what a bootstrap with a narrower execution role has to leave it.
func Services(t assembly.Template) []string {
	var all []string
	for _, r := range t.Resources {
		if strings.Contains(fmt.Sprint(r.Properties), "{{resolve:secretsmanager:") {
			all = append(all, "SecretsManager")
		}
		if name, ok := strings.CutPrefix(r.Type, "AWS::"); ok {
			service, _, _ := strings.Cut(name, "::")
			if service != "CDK" {
				all = append(all, service)
			}
		} else if strings.HasPrefix(r.Type, "Custom::") {
			all = append(all, "Lambda")
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
