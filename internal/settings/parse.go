package settings

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/distribution/reference"

	"refdeploy/internal/nearest"
)

// errNotAllowed is an error that has nothing to add to what is allowed.
var errNotAllowed = errors.New("")

func parseProfile(s *Settings, text string) error {
	s.Profile = Profile(text)
	return oneOf(s.Profile, Sandbox, Production)
}

func parseArchitecture(s *Settings, text string) error {
	s.Architecture = Architecture(text)
	return oneOf(s.Architecture, ARM64, X86_64)
}

func parseNetwork(_ *Settings, text string) error {
	return oneOf(text, "own")
}

func oneOf[T ~string](got T, allowed ...T) error {
	if slices.Contains(allowed, got) {
		return nil
	}
	return errNotAllowed
}

func parseImage(s *Settings, text string) error {
	s.Image = text
	if _, err := reference.ParseNormalizedNamed(text); err != nil {
		return fmt.Errorf(" (%w)", err)
	}
	return nil
}

func parseStacks(ids []string) func(*Settings, string) error {
	return func(s *Settings, text string) error {
		for id := range strings.SplitSeq(text, ",") {
			id = strings.TrimSpace(id)
			if !slices.Contains(ids, id) {
				return fmt.Errorf(" from %s; %q is not one%s", strings.Join(ids, ", "), id, suggest(id, ids))
			}
			if !slices.Contains(s.Stacks, id) {
				s.Stacks = append(s.Stacks, id)
			}
		}
		return nil
	}
}

func parseCIDR(s *Settings, text string) error {
	s.AllowCIDR = text
	prefix, err := netip.ParsePrefix(text)
	switch {
	case err != nil || !prefix.Addr().Is4():
		return errNotAllowed
	case prefix != prefix.Masked():
		// EC2 would quietly open the whole range, which is more than was typed.
		return fmt.Errorf("; for the whole range write %s, for one address %s/32", prefix.Masked(), prefix.Addr())
	}
	return nil
}

func parseCertificate(s *Settings, text string) error {
	s.CertificateARN = text
	return checkARN(text, "acm", "certificate/")
}

func parseConnection(s *Settings, text string) error {
	s.AppRunnerConnectionARN = text
	return checkARN(text, "apprunner", "connection/")
}

func checkARN(text, service, resourcePrefix string) error {
	parsed, err := arn.Parse(text)
	if err != nil || parsed.Service != service || parsed.Region == "" || !accountID.MatchString(parsed.AccountID) ||
		!strings.HasPrefix(parsed.Resource, resourcePrefix) || parsed.Resource == resourcePrefix {
		return fmt.Errorf(", arn:aws:%s:REGION:ACCOUNT:%s…", service, resourcePrefix)
	}
	return nil
}

var (
	accountID  = regexp.MustCompile(`^[0-9]{12}$`)
	repository = regexp.MustCompile(`^https://github\.com/[A-Za-z0-9-]+/[A-Za-z0-9._-]+$`)
)

func parseRepository(s *Settings, text string) error {
	s.AppRunnerRepository = text
	if !repository.MatchString(text) {
		return errNotAllowed
	}
	return nil
}

func suggest(given string, known []string) string {
	if name, ok := nearest.Name(given, known); ok {
		return fmt.Sprintf(" (did you mean %s?)", name)
	}
	return ""
}
