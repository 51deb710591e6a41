// Package sweep finds what is left in an account of deployments that were
// removed. It deletes nothing: it tells what costs, and how to remove it.
package sweep

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi"
	tagging "github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"refdeploy/internal/account"
	"refdeploy/internal/price"
)

// A Leftover is something that is still there.
type Leftover struct {
	// Stack is the id of the stack that it is of, or "" when nothing tells.
	Stack string `json:"stack"`

	Kind string `json:"kind"`
	Name string `json:"name"`
	Says string `json:"says"`

	// DailyUSD is what it costs a day, null when that depends on what it holds or
	// does, which nobody asks here.
	DailyUSD *float64 `json:"dailyUSD"`

	// Remove is the command that removes it.
	Remove string `json:"remove"`

	// Ours says that it is certainly of refdeploy. What is not may belong to
	// another app of the account.
	Ours bool `json:"ours"`
}

// An Order is what to look for.
type Order struct {
	Account account.Account
	IDs     []string // of stacks
	Prices  price.Table

	// Daily is what a stack costs a day, nil when that is unknown.
	Daily func(context.Context, account.Stack) *float64
}

// A Report is what a search found.
type Report struct {
	Left []Leftover `json:"left"` // stacks first

	// NotLookedAt is where something may be left that nobody saw.
	NotLookedAt []Gap `json:"notLookedAt"`
}

// A Gap is a part of the account that did not let itself be looked at.
type Gap struct {
	What string `json:"what"`
	Why  string `json:"why"`

	// NotServed says that the endpoint is an emulator that does not have the API,
	// so that nothing can be there.
	NotServed bool `json:"notServed"`
}

// Find looks everywhere that it can. Without the list of stacks it fails,
// because nobody could tell what is left from what stands.
func Find(ctx context.Context, o Order) (Report, error) {
	s := &search{Order: o, standing: map[string]bool{}, found: []Leftover{}}
	if err := s.stacks(ctx); err != nil {
		return Report{}, account.Explain(ctx, err)
	}
	gaps := []Gap{}
	for _, part := range []struct {
		what string
		look func(context.Context) error
	}{
		{"resources by their tag", s.tagged},
		{"log groups", s.logGroups},
		{"activations", s.activations},
		{"images of the bootstrap", s.images},
		{"files of the bootstrap", s.files},
	} {
		err := part.look(ctx)
		if ctx.Err() != nil {
			return Report{}, context.Cause(ctx)
		}
		if err != nil {
			gaps = append(gaps, Gap{part.what, account.Explain(ctx, err).Error(), o.Account.NotServed(err)})
		}
	}
	return Report{s.found, gaps}, nil
}

type search struct {
	Order
	standing map[string]bool // ids of stacks whose resources are theirs
	found    []Leftover
}

func (s *search) wanted(id string) bool { return slices.Contains(s.IDs, id) }

func (s *search) stacks(ctx context.Context) error {
	all, err := s.Account.Stacks(ctx)
	if err != nil {
		return err
	}
	for _, stack := range all {
		s.standing[stack.ID] = true
		if !s.wanted(stack.ID) {
			continue
		}
		left := Leftover{
			Stack: stack.ID, Kind: "stack", Name: stack.Name, Says: stack.Status, Ours: true,
			DailyUSD: s.Daily(ctx, stack), Remove: "npx cdk destroy " + stack.ID,
		}
		if stack.Reason != "" {
			left.Says += ": " + stack.Reason
		}
		if stack.Protected {
			left.Remove = fmt.Sprintf("aws cloudformation update-termination-protection --no-enable-termination-protection --stack-name %s && npx cdk destroy %s -c profile=production", stack.Name, stack.ID)
		}
		s.found = append(s.found, left)
	}
	return nil
}

// tagged asks for everything that has our tag and whose stack is gone.
func (s *search) tagged(ctx context.Context) error {
	pages := resourcegroupstaggingapi.NewGetResourcesPaginator(resourcegroupstaggingapi.NewFromConfig(s.Account.Config), &resourcegroupstaggingapi.GetResourcesInput{
		TagFilters: []tagging.TagFilter{{Key: aws.String(account.StackTag)}},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, r := range page.ResourceTagMappingList {
			id := ""
			for _, tag := range r.Tags {
				if aws.ToString(tag.Key) == account.StackTag {
					id = aws.ToString(tag.Value)
				}
			}
			if !s.wanted(id) || s.standing[id] {
				continue
			}
			name, err := arn.Parse(aws.ToString(r.ResourceARN))
			if err != nil || name.Service == "cloudformation" {
				continue // a stack's own record
			}
			s.found = append(s.found, s.resource(id, name))
		}
	}
	return nil
}

// logGroups asks for the groups that services make beside a template, by the
// beginnings of their names.
func (s *search) logGroups(ctx context.Context) error {
	client := cloudwatchlogs.NewFromConfig(s.Account.Config)
	groups := func(prefix string, f func(name string, bytes int64)) error {
		pages := cloudwatchlogs.NewDescribeLogGroupsPaginator(client, &cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: aws.String(prefix)})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return err
			}
			for _, g := range page.LogGroups {
				f(aws.ToString(g.LogGroupName), aws.ToInt64(g.StoredBytes))
			}
		}
		return nil
	}
	for _, prefix := range []string{"/aws/ecs/containerinsights/", "/aws/lambda/"} {
		if err := groups(prefix, func(name string, bytes int64) {
			for _, id := range s.IDs {
				if strings.HasPrefix(name, prefix+id+"-") && !s.standing[id] {
					s.logGroup(id, name, bytes, true)
				}
			}
		}); err != nil {
			return err
		}
	}
	// The names of these do not begin with a stack's.
	for _, of := range []struct{ id, prefix string }{{"Eks", "/aws/eks/"}, {"AppRunner", "/aws/apprunner/"}} {
		wanted, standing := false, false
		for _, one := range s.IDs {
			wanted = wanted || strings.HasPrefix(one, of.id)
		}
		for one := range s.standing {
			standing = standing || strings.HasPrefix(one, of.id)
		}
		if !wanted || standing {
			continue
		}
		if err := groups(of.prefix, func(name string, bytes int64) { s.logGroup("", name, bytes, false) }); err != nil {
			return err
		}
	}
	return nil
}

func (s *search) logGroup(id, name string, bytes int64, ours bool) {
	if slices.ContainsFunc(s.found, func(l Leftover) bool { return l.Kind == "log group" && l.Name == name }) {
		return // by its tag
	}
	s.found = append(s.found, Leftover{
		Stack: id, Kind: "log group", Name: name, Says: size(bytes), Ours: ours,
		DailyUSD: s.month("logs.storage", gigabytes(bytes)), Remove: "aws logs delete-log-group --log-group-name " + name,
	})
}

// activations asks for what lets servers of your own join.
func (s *search) activations(ctx context.Context) error {
	pages := ssm.NewDescribeActivationsPaginator(ssm.NewFromConfig(s.Account.Config), &ssm.DescribeActivationsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, a := range page.ActivationList {
			for _, tag := range a.Tags {
				id := aws.ToString(tag.Value)
				if aws.ToString(tag.Key) != account.StackTag || !s.wanted(id) || s.standing[id] {
					continue
				}
				says := fmt.Sprintf("%d of %d servers registered", aws.ToInt32(a.RegistrationsCount), aws.ToInt32(a.RegistrationLimit))
				if a.Expired {
					says += ", expired"
				}
				s.found = append(s.found, Leftover{
					Stack: id, Kind: "activation", Name: aws.ToString(a.ActivationId), Says: says, Ours: true, DailyUSD: new(float64),
					Remove: "aws ssm delete-activation --activation-id " + aws.ToString(a.ActivationId),
				})
			}
		}
	}
	return nil
}

// collect is the command that empties the bootstrap's repository and bucket of
// what no stack uses.
const collect = "npx cdk gc --unstable=gc"

// images asks what the bootstrap's repository holds. Every CDK app of the account
// pushes there.
func (s *search) images(ctx context.Context) error {
	repository := fmt.Sprintf("cdk-hnb659fds-container-assets-%s-%s", s.Account.ID, s.Account.Region)
	pages := ecr.NewDescribeImagesPaginator(ecr.NewFromConfig(s.Account.Config), &ecr.DescribeImagesInput{RepositoryName: aws.String(repository)})
	var count int
	var bytes int64
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if account.Coded(err, "RepositoryNotFoundException") {
			return nil
		}
		if err != nil {
			return err
		}
		for _, i := range page.ImageDetails {
			count++
			bytes += aws.ToInt64(i.ImageSizeInBytes)
		}
	}
	if count > 0 {
		s.found = append(s.found, Leftover{
			Kind: "bootstrap images", Name: repository, Says: fmt.Sprintf("%d images, %s", count, size(bytes)),
			DailyUSD: s.month("ecr.storage", gigabytes(bytes)), Remove: collect,
		})
	}
	return nil
}

// files asks what the bootstrap's bucket holds.
func (s *search) files(ctx context.Context) error {
	bucket := fmt.Sprintf("cdk-hnb659fds-assets-%s-%s", s.Account.ID, s.Account.Region)
	client := s3.NewFromConfig(s.Account.Config, func(o *s3.Options) {
		o.UsePathStyle = s.Account.Config.BaseEndpoint != nil // as emulators want it
	})
	pages := s3.NewListObjectsV2Paginator(client, &s3.ListObjectsV2Input{Bucket: aws.String(bucket)})
	var count int
	var bytes int64
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if account.Coded(err, "NoSuchBucket") {
			return nil
		}
		if err != nil {
			return err
		}
		for _, o := range page.Contents {
			count++
			bytes += aws.ToInt64(o.Size)
		}
	}
	if count > 0 {
		s.found = append(s.found, Leftover{
			Kind: "bootstrap files", Name: bucket, Says: fmt.Sprintf("%d files, %s", count, size(bytes)),
			DailyUSD: s.month("s3.storage", gigabytes(bytes)), Remove: collect,
		})
	}
	return nil
}

// daysAMonth turns a price of a month into one of a day.
const daysAMonth = 730.0 / 24

// month is what a quantity costs a day at a price for a month.
func (s *search) month(key string, quantity float64) *float64 {
	p, err := s.Prices.Get(key)
	if err != nil {
		return nil
	}
	daily := p.USD * quantity / daysAMonth
	return &daily
}

// hour is what something costs a day at a price for an hour.
func (s *search) hour(keys ...string) *float64 {
	var daily float64
	for _, key := range keys {
		p, err := s.Prices.Get(key)
		if err != nil {
			return nil
		}
		daily += p.USD * 24
	}
	return &daily
}

func gigabytes(bytes int64) float64 { return float64(bytes) / 1e9 }

func size(bytes int64) string { return fmt.Sprintf("%.1f MB", float64(bytes)/1e6) }
