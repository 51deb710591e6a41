package doctor

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apprunner"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"refdeploy/internal/account"
)

// leastBootstrap is the version that our templates' rule CheckBootstrapVersion
// asks for.
const leastBootstrap = 6

func (e *examination) bootstrap(ctx context.Context, name string) error {
	parameter := "/cdk-bootstrap/hnb659fds/version"
	for _, s := range e.Stacks {
		if p := s.Template.Parameters["BootstrapVersion"]; p.Default != "" {
			parameter = p.Default
		}
	}
	mend := fmt.Sprintf("npx cdk bootstrap aws://%s/%s", e.Account.ID, e.Account.Region)
	got, err := ssm.NewFromConfig(e.Account.Config).GetParameter(ctx, &ssm.GetParameterInput{Name: aws.String(parameter)})
	if account.Coded(err, "ParameterNotFound") {
		e.add(name, Fail, fmt.Sprintf("%s is not bootstrapped", e.Account.Region), mend)
		return nil
	}
	if err != nil {
		return err
	}
	text := aws.ToString(got.Parameter.Value)
	version, err := strconv.Atoi(text)
	if err != nil || version < leastBootstrap {
		e.add(name, Fail, fmt.Sprintf("version %s; the templates need %d", text, leastBootstrap), mend)
		return nil
	}
	e.add(name, Pass, fmt.Sprintf("version %d", version), "")
	return nil
}

// stacks looks whether a stack stands in a state that CloudFormation deploys on.
func (e *examination) stacks(ctx context.Context, name string) error {
	found, err := e.Account.Stacks(ctx)
	if err != nil {
		return err
	}
	var standing []string
	bad := false
	for _, s := range found {
		e.deployed[s.ID] = s
		if !slices.Contains(e.ids(), s.ID) {
			continue
		}
		standing = append(standing, s.ID)
		switch {
		case broken(s):
			bad = true
			e.add("stack "+s.ID, Fail, fmt.Sprintf("it stands in %s, which CloudFormation does not update", s.Status), "npx cdk destroy "+s.ID)
		case strings.HasSuffix(s.Status, "_IN_PROGRESS"):
			bad = true
			e.add("stack "+s.ID, Fail, fmt.Sprintf("it is in %s", s.Status), "wait until that ends")
		}
	}
	if !bad && len(standing) > 0 {
		e.add(name, Pass, "a deploy updates "+strings.Join(standing, ", "), "")
	} else if !bad {
		e.add(name, Pass, "none of them is deployed yet", "")
	}
	return nil
}

// broken reports whether a stack has to be removed before it can be deployed
// again.
func broken(s account.Stack) bool {
	return slices.Contains([]string{"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED", "UPDATE_ROLLBACK_FAILED"}, s.Status)
}

func (e *examination) ids() []string {
	var ids []string
	for _, s := range e.Stacks {
		ids = append(ids, s.ID)
	}
	return ids
}

func (e *examination) vpcs(ctx context.Context, name string) error {
	have, _, err := e.Account.VPCs(ctx)
	if err != nil {
		return err
	}
	return e.room(ctx, name, len(have), e.needs("AWS::EC2::VPC"), "vpc", "L-F678F1CE", "-c network=shared, or fewer stacks at once, or ")
}

func (e *examination) addresses(ctx context.Context, name string) error {
	have, err := e.Account.Addresses(ctx)
	if err != nil {
		return err
	}
	return e.room(ctx, name, have, e.needs("AWS::EC2::EIP"), "ec2", "L-0263D0A3", "fewer stacks at once, or ")
}

// room compares what there is and what is added with the quota.
func (e *examination) room(ctx context.Context, name string, have, needed int, service, code, or string) error {
	quota, err := e.Account.Quota(ctx, service, code)
	if err != nil {
		return err
	}
	says := fmt.Sprintf("%d of %d in use, %d more needed", have, quota, needed)
	if have+needed <= quota {
		e.add(name, Pass, says, "")
		return nil
	}
	e.add(name, Fail, says, fmt.Sprintf("%saws service-quotas request-service-quota-increase --service-code %s --quota-code %s --desired-value %d", or, service, code, have+needed))
	return nil
}

// withoutEKS are zones in which EKS places no control plane, by the id that is
// the same for every account (EKS user guide, network requirements; the list
// may have changed since, so it warns only [unverified]).
var withoutEKS = []string{"use1-az3", "usw1-az2", "cac1-az3"}

func (e *examination) zones(ctx context.Context, name string) error {
	zones, err := e.Account.Zones(ctx)
	if err != nil {
		return err
	}
	slices.SortFunc(zones, func(a, b account.Zone) int { return strings.Compare(a.Name, b.Name) })
	const used = 2 // an environment-agnostic stack takes the first two
	if len(zones) < used {
		e.add(name, Fail, fmt.Sprintf("%s offers this account %d; EKS needs two", e.Account.Region, len(zones)), "export AWS_REGION=… to another region")
		return nil
	}
	var names []string
	for _, z := range zones[:used] {
		names = append(names, z.Name+" is "+z.ID)
		if slices.Contains(withoutEKS, z.ID) {
			e.add(name, Warn, fmt.Sprintf("the stack takes %s, which is %s, where EKS takes no control plane", z.Name, z.ID), "export AWS_REGION=… to another region")
			return nil
		}
	}
	e.add(name, Pass, strings.Join(names, ", "), "")
	return nil
}

// serviceLinked are the roles that services make for themselves on first use, by
// the type that makes them do so.
var serviceLinked = []struct{ kind, role, service string }{
	{"AWS::ECS::Cluster", "AWSServiceRoleForECS", "ecs.amazonaws.com"},
	{"AWS::ElasticLoadBalancingV2::LoadBalancer", "AWSServiceRoleForElasticLoadBalancing", "elasticloadbalancing.amazonaws.com"},
	{"AWS::AutoScaling::AutoScalingGroup", "AWSServiceRoleForAutoScaling", "autoscaling.amazonaws.com"},
	{"AWS::EKS::Cluster", "AWSServiceRoleForAmazonEKS", "eks.amazonaws.com"},
	{"AWS::EKS::Nodegroup", "AWSServiceRoleForAmazonEKSNodegroup", "eks-nodegroup.amazonaws.com"},
	{"AWS::EKS::FargateProfile", "AWSServiceRoleForAmazonEKSForFargate", "eks-fargate.amazonaws.com"},
	{"AWS::ApplicationAutoScaling::ScalableTarget", "AWSServiceRoleForApplicationAutoScaling_ECSService", "ecs.application-autoscaling.amazonaws.com"},
	{"AWS::AppRunner::Service", "AWSServiceRoleForAppRunner", "apprunner.amazonaws.com"},
}

// linkedRoles returns the indexes of those that the stacks need.
func (e *examination) linkedRoles() []int {
	var all []int
	for i, r := range serviceLinked {
		if e.has(r.kind) {
			all = append(all, i)
		}
	}
	return all
}

func (e *examination) roles(ctx context.Context, name string) error {
	client := iam.NewFromConfig(e.Account.Config)
	var missing, commands []string
	needed := e.linkedRoles()
	for _, i := range needed {
		role := serviceLinked[i]
		_, err := client.GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String(role.role)})
		if account.Coded(err, "NoSuchEntity", "NoSuchEntityException") {
			missing = append(missing, role.role)
			commands = append(commands, "aws iam create-service-linked-role --aws-service-name "+role.service)
			continue
		}
		if err != nil {
			return err
		}
	}
	if len(missing) == 0 {
		e.add(name, Pass, fmt.Sprintf("all %d are there", len(needed)), "")
		return nil
	}
	e.add(name, Warn, fmt.Sprintf("%s will be made on first use, and a first deploy may be too early for it: then deploy again", strings.Join(missing, ", ")), strings.Join(commands, " && "))
	return nil
}

func (e *examination) appRunner(ctx context.Context, name string) error {
	mend := "leave AppRunner out, or take EcsExpress"
	got, err := apprunner.NewFromConfig(e.Account.Config).ListServices(ctx, nil)
	switch {
	case account.Coded(err, "SubscriptionRequiredException", "OptInRequired"):
		e.add(name, Fail, "App Runner does not serve this account: "+account.Explain(ctx, err).Error(), mend)
	case err != nil:
		return err
	case len(got.ServiceSummaryList) == 0:
		e.add(name, Warn, "no service in this region; AWS takes no new customers since 2026-04-30, and does not tell who is one", mend)
	default:
		e.add(name, Pass, fmt.Sprintf("this account has %d services in the region", len(got.ServiceSummaryList)), "")
	}
	return nil
}

// defaultVPC reports whether a stack runs in the account's default VPC.
func (e *examination) defaultVPC() bool {
	for _, s := range e.Stacks {
		for _, r := range s.Template.Resources {
			if r.Type == "AWS::ECS::ExpressGatewayService" && r.Properties["NetworkConfiguration"] == nil {
				return true
			}
		}
	}
	return false
}

func (e *examination) standardVPC(ctx context.Context, name string) error {
	_, standard, err := e.Account.VPCs(ctx)
	if err != nil {
		return err
	}
	if standard == "" {
		e.add(name, Fail, "ECS Express Mode runs in the default VPC, and this region has none", "aws ec2 create-default-vpc")
		return nil
	}
	e.add(name, Pass, standard, "")
	return nil
}

// runsOnLambda reports whether a stack's app is a function, and not only some of
// the CDK's own.
func (e *examination) runsOnLambda() bool { return e.has("AWS::Lambda::Url") }

// fewConcurrent is below what AWS gives by default, 1,000; new accounts begin
// with 10 (Lambda developer guide, quotas).
const fewConcurrent = 100

func (e *examination) concurrency(ctx context.Context, name string) error {
	got, err := lambda.NewFromConfig(e.Account.Config).GetAccountSettings(ctx, nil)
	if err != nil {
		return err
	}
	if got.AccountLimit == nil {
		e.add(name, Unknown, "not checked: Lambda told no limit", "")
		return nil
	}
	most, free := int(got.AccountLimit.ConcurrentExecutions), int(aws.ToInt32(got.AccountLimit.UnreservedConcurrentExecutions))
	says := fmt.Sprintf("%d executions at once, %d of them not reserved", most, free)
	if free < fewConcurrent {
		e.add(name, Warn, says+"; requests beyond them are answered 429", "aws service-quotas request-service-quota-increase --service-code lambda --quota-code L-B99A9384 --desired-value 1000")
		return nil
	}
	e.add(name, Pass, says, "")
	return nil
}
