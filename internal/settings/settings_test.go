package settings_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"refdeploy/internal/settings"
)

var ids = []string{"EcsEc2", "EcsFargate", "Lambda"}

func TestDefaultsDeployASandboxOnGravitonForEveryone(t *testing.T) {
	got, err := settings.Parse(nil, ids)
	require.NoError(t, err)
	assert.Equal(t, settings.Settings{
		Profile: settings.Sandbox, Architecture: settings.ARM64, Network: settings.Own, AllowCIDR: "0.0.0.0/0",
		Port: 8080, HealthPath: "/healthz", Bucket: settings.OwnBucket,
	}, got)
	assert.Equal(t, settings.Default(), got)
	assert.Equal(t, 1, got.Replicas())
}

func TestGoodValues(t *testing.T) {
	const connection = "arn:aws:apprunner:us-east-1:111111111111:connection/mine/0123456789abcdef"
	tests := []struct {
		name    string
		context map[string]any
		change  func(*settings.Settings)
	}{
		{"production", object{"profile": "production"}, func(s *settings.Settings) { s.Profile = settings.Production }},
		{"sandbox", object{"profile": "sandbox"}, func(s *settings.Settings) {}},
		{"x86_64", object{"architecture": "x86_64"}, func(s *settings.Settings) { s.Architecture = settings.X86_64 }},
		{"own network", object{"network": "own"}, func(s *settings.Settings) {}},
		{"shared network", object{"network": "shared"}, func(s *settings.Settings) { s.Network = settings.Shared }},
		{"an image with a tag", object{"image": "public.ecr.aws/nginx/nginx:1.29"}, func(s *settings.Settings) { s.Image = "public.ecr.aws/nginx/nginx:1.29" }},
		{"one stack", object{"stacks": "Lambda"}, func(s *settings.Settings) { s.Stacks = []string{"Lambda"} }},
		{"two stacks, with a space and a repetition", object{"stacks": "Lambda, EcsEc2,Lambda"}, func(s *settings.Settings) { s.Stacks = []string{"Lambda", "EcsEc2"} }},
		{"a range", object{"allowCidr": "203.0.113.0/24"}, func(s *settings.Settings) { s.AllowCIDR = "203.0.113.0/24" }},
		{
			"a certificate, in China too",
			object{"certificateArn": "arn:aws-cn:acm:cn-north-1:111111111111:certificate/0123"},
			func(s *settings.Settings) {
				s.CertificateARN = "arn:aws-cn:acm:cn-north-1:111111111111:certificate/0123"
			},
		},
		{"an email address", object{"alarmEmail": "on-call@example.com"}, func(s *settings.Settings) { s.AlarmEmail = "on-call@example.com" }},
		{
			"a budget", object{"budgetUSD": "20.5", "budgetEmail": "who-pays@example.com"},
			func(s *settings.Settings) { s.BudgetUSD, s.BudgetEmail = 20.5, "who-pays@example.com" },
		},
		{
			"App Runner from GitHub",
			object{"appRunnerConnectionArn": connection, "appRunnerRepository": "https://github.com/example/app"},
			func(s *settings.Settings) {
				s.AppRunnerConnectionARN, s.AppRunnerRepository = connection, "https://github.com/example/app"
			},
		},
		{"the CDK's own keys", object{"@aws-cdk/core:x": true, "aws:cdk:y": []any{"z"}, "availability-zones:account=1:region=2": "a"}, func(s *settings.Settings) {}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := settings.Default()
			tt.change(&want)
			got, err := settings.Parse(tt.context, ids)
			require.NoError(t, err)
			assert.Equal(t, want, got)
		})
	}
}

func TestBadValuesGetOneLineWithKeyGivenAndAllowed(t *testing.T) {
	tests := []struct {
		name    string
		context object
		want    string
	}{
		{"profile", object{"profile": "prod"}, `profile: got "prod"; allowed: sandbox or production`},
		{"architecture", object{"architecture": "amd64"}, `architecture: got "amd64"; allowed: arm64 or x86_64`},
		{"network", object{"network": "common"}, `network: got "common"; allowed: own or shared`},
		{"image with spaces", object{"image": "my image"}, `image: got "my image"; allowed: an image reference such as public.ecr.aws/nginx/nginx:1.29`},
		{"image with capitals", object{"image": "Nginx"}, `must be lowercase`},
		{"empty image", object{"image": ""}, `image: got ""`},
		{"stack with a typing mistake", object{"stacks": "EcsEc2,EcsFargat"}, `"EcsFargat" is not one (did you mean EcsFargate?)`},
		{"stack in the wrong case", object{"stacks": "lambda"}, `did you mean Lambda?`},
		{"stack like none", object{"stacks": "Heroku"}, `from EcsEc2, EcsFargate, Lambda; "Heroku" is not one`},
		{"no stacks", object{"stacks": ""}, `stacks: got ""`},
		{"CIDR without a length", object{"allowCidr": "203.0.113.7"}, `allowCidr: got "203.0.113.7"; allowed: an IPv4 range such as 203.0.113.0/24`},
		{"CIDR with host bits", object{"allowCidr": "203.0.113.7/24"}, `for the whole range write 203.0.113.0/24, for one address 203.0.113.7/32`},
		{"IPv6 CIDR", object{"allowCidr": "2001:db8::/32"}, `allowCidr: got "2001:db8::/32"`},
		{"certificate of another service", object{"certificateArn": "arn:aws:iam::111111111111:server-certificate/x"}, `allowed: the ARN of an ACM certificate, arn:aws:acm:REGION:ACCOUNT:certificate/`},
		{"certificate without a name", object{"certificateArn": "arn:aws:acm:us-east-1:111111111111:certificate/"}, `certificateArn: got`},
		{"account that is no account", object{"certificateArn": "arn:aws:acm:us-east-1:me:certificate/x"}, `certificateArn: got`},
		{"email without a domain", object{"alarmEmail": "me"}, `alarmEmail: got "me"; allowed: an email address`},
		{"email with a name", object{"alarmEmail": "On Call <on-call@example.com>"}, `alarmEmail: got "On Call <on-call@example.com>"`},
		{"two emails", object{"alarmEmail": "a@example.com,b@example.com"}, `alarmEmail: got`},
		{"empty email", object{"alarmEmail": ""}, `alarmEmail: got ""`},
		{"connection", object{"appRunnerConnectionArn": "mine", "appRunnerRepository": "https://github.com/example/app"}, `appRunnerConnectionArn: got "mine"`},
		{"connection alone", object{"appRunnerConnectionArn": "arn:aws:apprunner:us-east-1:111111111111:connection/a/b"}, `set both to build from GitHub, or neither`},
		{"repository alone", object{"appRunnerRepository": "https://github.com/example/app"}, `set both to build from GitHub, or neither`},
		{"repository elsewhere", object{"appRunnerRepository": "https://gitlab.com/example/app"}, `allowed: https://github.com/OWNER/REPOSITORY`},
		{"a budget of nothing", object{"budgetUSD": "0", "budgetEmail": "me@example.com"}, `budgetUSD: got "0"; allowed: US dollars a month, 1 to 1000000`},
		{"a budget with a currency", object{"budgetUSD": "$20", "budgetEmail": "me@example.com"}, `budgetUSD: got "$20"`},
		{"a budget that is no number", object{"budgetUSD": "NaN", "budgetEmail": "me@example.com"}, `budgetUSD: got "NaN"`},
		{"a budget for nobody", object{"budgetUSD": "20"}, `budgetUSD and budgetEmail: got one of them; set both for a budget, or neither`},
		{"nobody's budget", object{"budgetEmail": "me@example.com"}, `set both for a budget, or neither`},
		{"a budget's email", object{"budgetUSD": "20", "budgetEmail": "me"}, `budgetEmail: got "me"; allowed: an email address`},
		{"a number", object{"profile": 1}, `profile: got 1, which is not a string`},
		{"unknown key", object{"profil": "sandbox"}, `profil: not a setting (did you mean profile?)`},
		{"key in the wrong case", object{"allowCIDR": "10.0.0.0/8"}, `allowCIDR: not a setting (did you mean allowCidr?)`},
		{"key like none", object{"zzz": "1"}, `zzz: not a setting; allowed: profile, architecture`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := settings.Parse(tt.context, ids)
			require.Error(t, err)
			assert.Zero(t, got)
			assert.Contains(t, err.Error(), tt.want)
			assert.Equal(t, 1, len(strings.Split(err.Error(), "\n")), "more than one line")
		})
	}
}

func TestEveryMistakeIsReportedAtOnce(t *testing.T) {
	_, err := settings.Parse(object{"profile": "x", "architecture": "y", "zzz": "1"}, ids)
	require.Error(t, err)
	lines := strings.Split(err.Error(), "\n")
	require.Len(t, lines, 3)
	assert.Contains(t, lines[0], "zzz:")
	assert.Contains(t, lines[1], "profile:")
	assert.Contains(t, lines[2], "architecture:")
}

func TestEveryKeyIsDocumented(t *testing.T) {
	for _, key := range settings.Keys(ids) {
		assert.NotEmpty(t, key.Allowed, key.Name)
		assert.NotEmpty(t, key.Default, key.Name)
		assert.NotEmpty(t, key.Effect, key.Name)
	}
}

type object = map[string]any
