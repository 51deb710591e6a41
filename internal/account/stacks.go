package account

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"refdeploy/internal/assembly"
)

// StackTag is the tag that every resource of ours carries; its value is the
// stack's id.
const StackTag = "refdeploy:stack"

// A Stack is one of ours that the account has.
type Stack struct {
	ID      string // as in `cdk deploy`
	Name    string // CloudFormation's
	Status  string // such as CREATE_COMPLETE
	Reason  string // of that status, if CloudFormation tells
	Outputs map[string]string
	Tags    map[string]string

	Protected bool // against deletion
}

// Stacks returns our stacks in the account and region, sorted by id.
func (a Account) Stacks(ctx context.Context) ([]Stack, error) {
	var found []Stack
	pages := cloudformation.NewDescribeStacksPaginator(cloudformation.NewFromConfig(a.Config), &cloudformation.DescribeStacksInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, Explain(ctx, err)
		}
		for _, s := range page.Stacks {
			if stack := read(s); stack.ID != "" {
				found = append(found, stack)
			}
		}
	}
	slices.SortFunc(found, func(a, b Stack) int { return strings.Compare(a.ID, b.ID) })
	return found, nil
}

func read(s types.Stack) Stack {
	out := Stack{
		Name: aws.ToString(s.StackName), Status: string(s.StackStatus), Reason: oneLine(aws.ToString(s.StackStatusReason)),
		Outputs: map[string]string{}, Tags: map[string]string{},
	}
	for _, o := range s.Outputs {
		out.Outputs[aws.ToString(o.OutputKey)] = aws.ToString(o.OutputValue)
	}
	for _, tag := range s.Tags {
		out.Tags[aws.ToString(tag.Key)] = aws.ToString(tag.Value)
	}
	out.ID, out.Protected = out.Tags[StackTag], aws.ToBool(s.EnableTerminationProtection)
	return out
}

// Template returns what the stack was deployed from.
func (a Account) Template(ctx context.Context, s Stack) (assembly.Stack, error) {
	got, err := cloudformation.NewFromConfig(a.Config).GetTemplate(ctx, &cloudformation.GetTemplateInput{
		StackName: aws.String(s.Name), TemplateStage: types.TemplateStageOriginal,
	})
	if err != nil {
		return assembly.Stack{}, Explain(ctx, err)
	}
	stack := assembly.Stack{ID: s.ID, Tags: s.Tags}
	if err := json.Unmarshal([]byte(aws.ToString(got.TemplateBody)), &stack.Template); err != nil {
		return assembly.Stack{}, fmt.Errorf("%s: its template cannot be read: %w", s.ID, err)
	}
	return stack, nil
}
