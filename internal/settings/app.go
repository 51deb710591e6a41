package settings

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"refdeploy/app/contract"
	"refdeploy/internal/project"
)

// A Variable is one of the app's environment.
type Variable struct{ Name, Value string }

// A Secret is a variable whose value is kept on AWS. The reference is the name or
// the ARN of a secret in Secrets Manager, or the name of a parameter of Systems
// Manager, which begins with a slash.
type Secret struct{ Name, Reference string }

// IsParameter reports whether Systems Manager keeps the value.
func (s Secret) IsParameter() bool { return strings.HasPrefix(s.Reference, "/") }

// IsARN reports whether the reference says account and region.
func (s Secret) IsARN() bool { return arn.IsARN(s.Reference) }

// DescribesApp reports whether something is said of the app that the sample app is
// not. An image alone is taken for one that does as the sample app does.
func (s Settings) DescribesApp() bool {
	d := Default()
	return s.App != "" || s.Port != d.Port || s.HealthPath != d.HealthPath || len(s.Env)+len(s.Secrets) > 0 || s.Bucket != d.Bucket
}

// TmpMiB is the size of the writable /tmp beside a root file system that is not:
// 0, none, but for the user's own app.
func (s Settings) TmpMiB() int {
	if s.App == "" {
		return 0
	}
	return 64
}

// ofOwn are the keys that describe an app which is not ours.
var ofOwn = []string{"port", "healthPath", "env", "secrets", "bucket"}

// complete checks what concerns several keys, and adds the port to the
// environment: most apps ask PORT where to listen.
func complete(s *Settings, context map[string]any) []error {
	if s.App != "" && s.Image != "" {
		return []error{errors.New("app and image: got both; set one of them: a directory to build, or an image to pull")}
	}
	if s.App != "" && s.AppRunnerRepository != "" {
		return []error{errors.New("app and appRunnerRepository: got both; App Runner builds from GitHub what is there, and not the directory: leave one of them out")}
	}
	var errs []error
	if s.App == "" && s.Image == "" {
		for _, key := range ofOwn {
			if _, set := context[key]; set {
				errs = append(errs, fmt.Errorf("%s: describes your own app, and this is the sample app; set app or image as well", key))
			}
		}
		return errs
	}
	for _, secret := range s.Secrets {
		if slices.ContainsFunc(s.Env, func(v Variable) bool { return v.Name == secret.Name }) {
			errs = append(errs, fmt.Errorf("env and secrets: both have %s; leave it out of one of them", secret.Name))
		}
	}
	if _, set := context["port"]; set || s.App != "" {
		s.Env = append(s.Env, Variable{"PORT", strconv.Itoa(s.Port)})
	}
	return errs
}

func parseApp(s *Settings, text string) (string, bool) {
	s.App = text
	if text == "" {
		return "", false
	}
	dir := text
	if !filepath.IsAbs(dir) {
		root, err := project.Root()
		if err != nil {
			return "; " + err.Error(), false
		}
		dir = filepath.Join(root, dir)
	}
	info, err := os.Stat(dir)
	switch {
	case err != nil || !info.IsDir():
		return fmt.Sprintf("; %s is no directory", dir), false
	case !isFile(filepath.Join(dir, "Dockerfile")):
		return fmt.Sprintf("; %s has no file Dockerfile", dir), false
	}
	return "", true
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

func parsePort(s *Settings, text string) (string, bool) { return number(text, 1, 65535, &s.Port) }

func parseCPU(s *Settings, text string) (string, bool) { return number(text, 128, 16384, &s.CPU) }

func parseMemory(s *Settings, text string) (string, bool) {
	return number(text, 128, 122880, &s.Memory)
}

func number(text string, low, high int, into *int) (string, bool) {
	n, err := strconv.Atoi(text)
	*into = n
	return "", err == nil && n >= low && n <= high && text == strconv.Itoa(n)
}

// healthPath matches what every platform takes as a path: no query, and nothing
// that has to be escaped in a manifest.
var healthPath = regexp.MustCompile(`^/[A-Za-z0-9._~/%-]{0,200}$`)

func parseHealthPath(s *Settings, text string) (string, bool) {
	s.HealthPath = text
	return "", healthPath.MatchString(text)
}

func parseBucket(s *Settings, text string) (string, bool) {
	s.Bucket = Bucket(text)
	return "", s.Bucket == OwnBucket || s.Bucket == NoBucket
}

// pairs returns the parts of a comma-separated list. A part in double quotes may
// have commas in it, and a double quote written twice.
func pairs(text string) ([]string, error) {
	reader := csv.NewReader(strings.NewReader(text))
	reader.LazyQuotes = true // a quote inside a part is one
	parts, err := reader.Read()
	if err != nil {
		return nil, errors.New("nothing is in it")
	}
	if _, err := reader.Read(); err != io.EOF {
		return nil, errors.New("a value with a line break goes in double quotes")
	}
	return parts, nil
}

// variableName is what every platform takes: Lambda wants a letter first, and two
// characters (AWS Lambda API reference, Environment, read 2026-11-27).
var variableName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]+$`)

// reserved are the names, and beginnings of names, that a platform or the
// deployment sets itself, or refuses.
var reserved = regexp.MustCompile(`^(PORT$|AWS_|AWSAPPRUNNER|AMAZON_|NOTES_|K8S_|KUBERNETES_|ECS_|LAMBDA_|APP_RUNNER$)`)

func checkName(name string, seen map[string]bool) (string, bool) {
	switch {
	case !variableName.MatchString(name):
		return fmt.Sprintf("; %q is no name: a letter, and then one or more letters, digits or underscores", name), false
	case reserved.MatchString(name):
		return fmt.Sprintf("; %s is the platform's to set, or the deployment's: PORT is the port setting, the others are AWS_…, NOTES_…, ECS_…, K8S_…, KUBERNETES_…, LAMBDA_…", name), false
	case seen[name]:
		return fmt.Sprintf("; %s is there twice", name), false
	}
	seen[name] = true
	return "", true
}

func parseEnv(s *Settings, text string) (string, bool) {
	parts, err := pairs(text)
	if err != nil {
		return "; " + err.Error(), false
	}
	seen := map[string]bool{}
	for _, part := range parts {
		name, value, ok := strings.Cut(strings.TrimLeft(part, " "), "=")
		if !ok {
			return fmt.Sprintf("; %q has no =", part), false
		}
		if hint, ok := checkName(name, seen); !ok {
			return hint, false
		}
		// CloudFormation would read a secret, or a parameter, in its place.
		if strings.Contains(value, "{{resolve:") {
			return fmt.Sprintf("; the value of %s refers to a secret: give it as secrets", name), false
		}
		s.Env = append(s.Env, Variable{name, value})
	}
	return "", true
}

var (
	secretName    = regexp.MustCompile(`^[A-Za-z0-9_+=.@-][A-Za-z0-9/_+=.@-]{0,511}$`)
	parameterName = regexp.MustCompile(`^/[A-Za-z0-9_.-][A-Za-z0-9/_.-]{0,999}$`)
)

func parseSecrets(s *Settings, text string) (string, bool) {
	parts, err := pairs(text)
	if err != nil {
		return "; " + err.Error(), false
	}
	seen := map[string]bool{}
	for _, part := range parts {
		name, where, ok := strings.Cut(strings.TrimSpace(part), "=")
		if !ok {
			where = name
		}
		if hint, ok := checkName(name, seen); !ok {
			return hint, false
		}
		if !isReference(where) {
			return fmt.Sprintf("; %q is no reference%s", where, ambiguous(where)), false
		}
		s.Secrets = append(s.Secrets, Secret{name, where})
	}
	return "", true
}

// suffix is what Secrets Manager adds to a name to make an ARN.
var suffix = regexp.MustCompile(`-[A-Za-z0-9]{6}$`)

func isReference(text string) bool {
	if parsed, err := arn.Parse(text); err == nil {
		name, isSecret := strings.CutPrefix(parsed.Resource, "secret:")
		return parsed.Service == "secretsmanager" && parsed.Region != "" && accountID.MatchString(parsed.AccountID) &&
			isSecret && secretName.MatchString(name) && suffix.MatchString(name)
	}
	return parameterName.MatchString(text) || secretName.MatchString(text) && !suffix.MatchString(text)
}

// ambiguous says why a name is refused that Secrets Manager takes: asked for as
// the end of an ARN, which ECS does, it looks like one of another secret (AWS
// Secrets Manager user guide, finding a secret by its ARN, read 2026-11-27).
func ambiguous(text string) string {
	switch {
	case secretName.MatchString(text) && suffix.MatchString(text):
		return ": a name that ends in a hyphen and six characters is taken for an ARN; give the whole ARN"
	case arn.IsARN(text):
		return ": an ARN is of Secrets Manager and ends in a hyphen and six characters, arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME-??????"
	}
	return ""
}

// Metadata is what a template tells of the settings for those who read it later:
// as much as they need, and no more of the user's own than numbers and paths.
func (s Settings) Metadata() map[string]any {
	told := map[string]any{"profile": string(s.Profile), "architecture": string(s.Architecture)}
	if s.App != "" {
		told["app"] = "own"
	}
	if s.CPU > 0 {
		told["cpu"] = strconv.Itoa(s.CPU)
	}
	if s.Memory > 0 {
		told["memory"] = strconv.Itoa(s.Memory)
	}
	if s.App != "" || s.Port != contract.Port {
		told["port"] = strconv.Itoa(s.Port)
	}
	if s.HealthPath != contract.HealthPath {
		told["healthPath"] = s.HealthPath
	}
	if s.Bucket == NoBucket {
		told["bucket"] = string(NoBucket)
	}
	return told
}

// FromMetadata returns the settings that a template tells, by name: those of
// [Settings.Metadata], and every other one at its default. An app of the user's
// own has a name that says no more than that.
func FromMetadata(told func(name string) string) Settings {
	s := Default()
	s.Profile, s.Architecture = Profile(told("profile")), Architecture(told("architecture"))
	s.App = told("app")
	for name, into := range map[string]*int{"cpu": &s.CPU, "memory": &s.Memory, "port": &s.Port} {
		if n, err := strconv.Atoi(told(name)); err == nil {
			*into = n
		}
	}
	if path := told("healthPath"); path != "" {
		s.HealthPath = path
	}
	if told("bucket") != "" {
		s.Bucket = NoBucket
	}
	if told("port") != "" {
		s.Env = []Variable{{"PORT", strconv.Itoa(s.Port)}}
	}
	return s
}
