package settings

import (
	"fmt"
	"net/mail"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/distribution/reference"

	"refdeploy/internal/nearest"
)

func parseProfile(s *Settings, text string) (string, bool) {
	s.Profile = Profile(text)
	return "", s.Profile == Sandbox || s.Profile == Production
}

func parseArchitecture(s *Settings, text string) (string, bool) {
	s.Architecture = Architecture(text)
	return "", s.Architecture == ARM64 || s.Architecture == X86_64
}

func parseNetwork(s *Settings, text string) (string, bool) {
	s.Network = Network(text)
	return "", s.Network == Own || s.Network == Shared
}

func parseImage(s *Settings, text string) (string, bool) {
	s.Image = text
	if _, err := reference.ParseNormalizedNamed(text); err != nil {
		return fmt.Sprintf(" (%v)", err), false
	}
	return "", true
}

func parseStacks(ids []string) func(*Settings, string) (string, bool) {
	return func(s *Settings, text string) (string, bool) {
		for id := range strings.SplitSeq(text, ",") {
			id = strings.TrimSpace(id)
			if !slices.Contains(ids, id) {
				return fmt.Sprintf(" from %s; %q is not one%s", strings.Join(ids, ", "), id, suggest(id, ids)), false
			}
			if !slices.Contains(s.Stacks, id) {
				s.Stacks = append(s.Stacks, id)
			}
		}
		return "", true
	}
}

func parseCIDR(s *Settings, text string) (string, bool) {
	s.AllowCIDR = text
	prefix, err := netip.ParsePrefix(text)
	switch {
	case err != nil || !prefix.Addr().Is4():
		return "", false
	case prefix != prefix.Masked():
		// EC2 would quietly open the whole range, which is more than was typed.
		return fmt.Sprintf("; for the whole range write %s, for one address %s/32", prefix.Masked(), prefix.Addr()), false
	}
	return "", true
}

func parseCertificate(s *Settings, text string) (string, bool) {
	s.CertificateARN = text
	return checkARN(text, "acm", "certificate/")
}

func parseEmail(s *Settings, text string) (string, bool) {
	s.AlarmEmail = text
	return "", isEmail(text)
}

func isEmail(text string) bool {
	address, err := mail.ParseAddress(text)
	return err == nil && address.Address == text // and no name before it
}

func parseBudget(s *Settings, text string) (string, bool) {
	usd, err := strconv.ParseFloat(text, 64)
	s.BudgetUSD = usd
	return "", err == nil && usd >= 1 && usd <= 1_000_000
}

func parseBudgetEmail(s *Settings, text string) (string, bool) {
	s.BudgetEmail = text
	return "", isEmail(text)
}

func parseConnection(s *Settings, text string) (string, bool) {
	s.AppRunnerConnectionARN = text
	return checkARN(text, "apprunner", "connection/")
}

func checkARN(text, service, resourcePrefix string) (string, bool) {
	parsed, err := arn.Parse(text)
	if err != nil || parsed.Service != service || parsed.Region == "" || !accountID.MatchString(parsed.AccountID) ||
		!strings.HasPrefix(parsed.Resource, resourcePrefix) || parsed.Resource == resourcePrefix {
		return fmt.Sprintf(", arn:aws:%s:REGION:ACCOUNT:%s…", service, resourcePrefix), false
	}
	return "", true
}

var (
	accountID  = regexp.MustCompile(`^[0-9]{12}$`)
	repository = regexp.MustCompile(`^https://github\.com/[A-Za-z0-9-]+/[A-Za-z0-9._-]+$`)
)

func parseRepository(s *Settings, text string) (string, bool) {
	s.AppRunnerRepository = text
	return "", repository.MatchString(text)
}

func suggest(given string, known []string) string {
	if name, ok := nearest.Name(given, known); ok {
		return fmt.Sprintf(" (did you mean %s?)", name)
	}
	return ""
}
