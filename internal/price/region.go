package price

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"refdeploy/internal/nearest"
)

// regions are those of the partition aws (AWS documentation, "AWS Regions",
// 2026-11-27). A test holds that every region with prices is among them.
var regions = []string{
	"us-east-1", "us-east-2", "us-west-1", "us-west-2", "af-south-1",
	"ap-east-1", "ap-east-2", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-south-2",
	"ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5", "ap-southeast-6", "ap-southeast-7",
	"ca-central-1", "ca-west-1",
	"eu-central-1", "eu-central-2", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-2", "eu-west-3",
	"il-central-1", "me-central-1", "me-south-1", "mx-central-1", "sa-east-1",
}

// Regions returns the regions that are known, Base first.
func Regions() []string { return slices.Clone(regions) }

var shape = regexp.MustCompile(`^[a-z]{2}-[a-z]+-[0-9]$`)

// elsewhere are the partitions with price lists of their own.
var elsewhere = regexp.MustCompile(`^(cn|us-gov|us-isob?|us-isof|eu-isoe|eusc)-`)

// CheckRegion fails when a region's name is none. A region that is not known
// yet passes only as new: AWS opens some each year.
func CheckRegion(region string, new bool) error {
	switch {
	case slices.Contains(regions, region):
		return nil
	case elsewhere.MatchString(region):
		return fmt.Errorf("got %s; China, GovCloud and the sovereign clouds have price lists of their own, which are not supported; take another region, such as %s", region, Base)
	case new && shape.MatchString(region):
		return nil
	}
	hint := ""
	if near, ok := nearest.Name(region, regions); ok {
		hint = fmt.Sprintf(" (did you mean %s?)", near)
	}
	return fmt.Errorf("got %q%s; allowed: %s", region, hint, strings.Join(regions, ", "))
}
