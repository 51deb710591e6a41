package cost_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"refdeploy/internal/assembly"
	"refdeploy/internal/bill"
	"refdeploy/internal/cost"
	"refdeploy/internal/price"
	"refdeploy/internal/project"
)

func prices(t testing.TB) price.Table {
	t.Helper()
	table, err := price.Embedded()
	require.NoError(t, err)
	return table
}

func idle() bill.Usage { return bill.Profiles()[0] }

func at(rps float64) bill.Usage {
	u := idle()
	u.Profile, u.RequestsPerSecond = "custom", rps
	return u
}

// of estimates a stack that consists of resources.
func of(t testing.TB, resources string, usage bill.Usage) bill.Estimate {
	t.Helper()
	var stack assembly.Stack
	require.NoError(t, json.Unmarshal([]byte(`{"Template":{"Resources":`+resources+`}}`), &stack))
	got := estimate(t, stack, usage)
	return got
}

func estimate(t testing.TB, stack assembly.Stack, usage bill.Usage) bill.Estimate {
	t.Helper()
	model, err := cost.NewModel(stack, prices(t))
	require.NoError(t, err)
	return model.Estimate(usage)
}

// golden returns a deployment's reviewed template.
func golden(t testing.TB, name string) assembly.Stack {
	t.Helper()
	data, err := os.ReadFile(project.Path("stacks", "testdata", name+".golden.json"))
	require.NoError(t, err)
	stack := assembly.Stack{ID: name}
	require.NoError(t, json.Unmarshal(data, &stack.Template))
	return stack
}

// deployments names the reviewed templates: each deployment in both profiles.
func deployments(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob(project.Path("stacks", "testdata", "*.golden.json"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for i, file := range files {
		files[i] = strings.TrimSuffix(filepath.Base(file), ".golden.json")
	}
	return files
}

func total(t testing.TB, stack assembly.Stack, usage bill.Usage) float64 {
	t.Helper()
	got := estimate(t, stack, usage)
	return got.Total
}

// The figures are worked out by hand from the prices, 730 hours a month.
func TestKnownBills(t *testing.T) {
	const (
		balancer  = `"LB":{"Type":"AWS::ElasticLoadBalancingV2::LoadBalancer","Properties":{"Scheme":"internet-facing","Subnets":[{"Ref":"A"},{"Ref":"B"}]}}`
		nat       = `"NAT":{"Type":"AWS::EC2::NatGateway"},"EIP":{"Type":"AWS::EC2::EIP"}`
		service   = `"Service":{"Type":"AWS::ECS::Service","Properties":{"LaunchType":"FARGATE","DesiredCount":1,"TaskDefinition":{"Ref":"Task"}}}`
		task      = `"Task":{"Type":"AWS::ECS::TaskDefinition","Properties":{"Cpu":"256","Memory":"512","RuntimePlatform":{"CpuArchitecture":"%s"}}}`
		appRunner = `"S":{"Type":"AWS::AppRunner::Service","Properties":{"InstanceConfiguration":{"Cpu":"256","Memory":"512"},"AutoScalingConfigurationArn":{"Fn::GetAtt":["X","Arn"]}}},"X":{"Type":"AWS::AppRunner::AutoScalingConfiguration","Properties":{"MinSize":1,"MaxSize":4}}`
		function  = `"F":{"Type":"AWS::Lambda::Function","Properties":{"Runtime":"provided.al2023","MemorySize":128,"Timeout":10,"Architectures":["arm64"]}},"U":{"Type":"AWS::Lambda::Url","Properties":{"TargetFunctionArn":{"Ref":"F"}}}`
	)
	million := at(1e6 / (bill.HoursPerMonth * 3600))
	million.CPUMillis, million.ResponseKB = 100*128.0/1769, 0

	tests := []struct {
		name, resources string
		usage           bill.Usage
		items           []string // whose lines count; all when empty
		want            float64
	}{
		{name: "a load balancer with its two addresses", resources: balancer, usage: idle(), want: 23.73},
		{name: "a NAT gateway with its address", resources: nat, usage: idle(), want: 36.50},
		{name: "an EKS control plane", resources: `"C":{"Type":"AWS::EKS::Cluster"}`, usage: idle(), want: 73.00},
		{name: "the smallest Fargate task on x86", resources: service + "," + fmt.Sprintf(task, "X86_64"), usage: idle(), want: 9.01},
		{name: "the smallest Fargate task on Graviton", resources: service + "," + fmt.Sprintf(task, "ARM64"), usage: idle(), want: 7.21},
		{name: "App Runner that nobody calls", resources: appRunner, usage: idle(), want: 2.56},
		{name: "App Runner at work all month", resources: appRunner, usage: at(1), items: []string{"App Runner memory", "App Runner vCPU, while it works"}, want: 14.24},
		{name: "Lambda that nobody calls", resources: function, usage: idle(), want: 0},
		{name: "a million requests of 100 ms with 128 MiB on Lambda", resources: function, usage: million, items: []string{"Lambda requests", "Lambda duration"}, want: 0.37},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := of(t, "{"+tt.resources+"}", tt.usage)
			sum := 0.0
			for _, line := range got.Lines {
				if len(tt.items) == 0 || assert.ObjectsAreEqual(tt.items[0], line.Item) || len(tt.items) > 1 && tt.items[1] == line.Item {
					sum += line.USD
				}
			}
			assert.InDelta(t, tt.want, sum, 0.001)
		})
	}
}

func TestLinesAddUpToTheTotalToTheCent(t *testing.T) {
	for _, name := range deployments(t) {
		for _, usage := range bill.Profiles() {
			got := estimate(t, golden(t, name), usage)
			cents := 0
			for _, line := range got.Lines {
				assert.InDelta(t, line.USD, line.Quantity*line.UnitPrice, 0.00501, line.Item)
				assert.NotEmpty(t, line.Unit, line.Item)
				assert.NotEmpty(t, line.Resource, line.Item)
				cents += int(math.Round(line.USD * 100))
			}
			assert.Equal(t, cents, int(math.Round(got.Total*100)), "%s %s", name, usage.Profile)
		}
	}
}

func TestIdleSandboxes(t *testing.T) {
	for id, want := range map[string]float64{"EcsFargate": 34.79, "EcsEc2": 42.44, "EksEc2": 126.51, "EksAuto": 166.06, "EksFargate": 169.27, "EksAnywhere": 0, "Lambda": 0, "AppRunner": 2.56, "EcsManagedInstances": 63.33, "EcsExpress": 51.29, "EcsAnywhere": 7.48} {
		assert.InDelta(t, want, total(t, golden(t, id+".sandbox"), idle()), 0.02, id)
	}
}

func TestMoreLoadNeverCostsLess(t *testing.T) {
	for _, id := range []string{"EcsEc2", "EcsFargate", "EcsManagedInstances", "EcsExpress", "EcsAnywhere", "EksEc2", "EksAuto", "EksFargate", "EksAnywhere", "Lambda", "AppRunner"} {
		stack, last := golden(t, id+".sandbox"), 0.0
		for _, load := range bill.Loads(4) {
			now := total(t, stack, at(load))
			assert.GreaterOrEqual(t, now, last-0.05, "%s at %g", id, load)
			last = now
		}
	}
}

func TestATypeThatIsNotModelledIsNamed(t *testing.T) {
	got := of(t, `{"DB":{"Type":"AWS::RDS::DBInstance"},"VPC":{"Type":"AWS::EC2::VPC"}}`, idle())
	assert.Equal(t, []string{"AWS::RDS::DBInstance"}, got.Unpriced)
	assert.Zero(t, got.Total)
}

func TestANestedStackBillsOnlyWhenItIsRead(t *testing.T) {
	stack := assembly.Stack{Template: assembly.Template{Resources: map[string]assembly.Resource{"N": {Type: assembly.NestedStack}}}}
	assert.Equal(t, []string{assembly.NestedStack}, estimate(t, stack, idle()).Unpriced)
	stack.Template.Resources["N"] = assembly.Resource{Type: assembly.NestedStack, Read: true}
	assert.Empty(t, estimate(t, stack, idle()).Unpriced)
}

func TestAnInstanceTypeThatIsNotKnownIsNamed(t *testing.T) {
	got := of(t, `{"N":{"Type":"AWS::EKS::Nodegroup","Properties":{"LaunchTemplate":{"Id":{"Ref":"T"}}}},
		"T":{"Type":"AWS::EC2::LaunchTemplate","Properties":{"LaunchTemplateData":{"InstanceType":"x9.huge"}}}}`, idle())
	assert.Equal(t, []string{"instance type x9.huge"}, got.Unpriced)
}

// The comparison promises a price for all that a deployment of ours bills.
func TestEveryDeploymentIsPricedWhole(t *testing.T) {
	for _, name := range deployments(t) {
		assert.Empty(t, estimate(t, golden(t, name), at(50)).Unpriced, name)
	}
}

func TestALoadBeyondTheTemplatesBoundsIsPricedAndSaid(t *testing.T) {
	for _, id := range []string{"EcsEc2", "EcsFargate", "EksEc2", "AppRunner"} {
		got := estimate(t, golden(t, id+".sandbox"), at(1000))
		assert.Contains(t, got.Beyond, "the template allows 4", id)
		assert.Contains(t, strings.Join(got.Warnings, "; "), got.Beyond, id)
	}
	got := estimate(t, golden(t, "EcsFargate.sandbox"), at(1))
	assert.Empty(t, got.Warnings)
}

// 1000 requests a second of 5 ms are 5 vCPU; at 60 percent of a quarter vCPU,
// 33.3 tasks.
func TestCopiesFollowFromTheScalingTarget(t *testing.T) {
	got := estimate(t, golden(t, "EcsFargate.sandbox"), at(1000))
	for _, line := range got.Lines {
		if line.Item == "Fargate vCPU" {
			assert.InDelta(t, 34*0.25*bill.HoursPerMonth, line.Quantity, 0.001)
		}
	}
	assert.Contains(t, got.Warnings[0], "needs 34 tasks")
}

func TestHoursADayScaleRequestsAndNotWhatIsAlwaysOn(t *testing.T) {
	half := at(10)
	half.HoursPerDay = 12
	assert.InDelta(t, at(10).Requests()/2, half.Requests(), 1)
	lines := func(u bill.Usage) map[string]float64 {
		got := estimate(t, golden(t, "EcsFargate.sandbox"), u)
		all := map[string]float64{}
		for _, line := range got.Lines {
			all[line.Item] = line.Quantity
		}
		return all
	}
	full, halved := lines(at(10)), lines(half)
	assert.Equal(t, full["load balancer"], halved["load balancer"])
	assert.Equal(t, full["Fargate vCPU"], halved["Fargate vCPU"])
	assert.InDelta(t, full["log ingestion"]/2, halved["log ingestion"], 1e-9)
}

func TestAMissingPriceIsAnErrorThatNamesTheStack(t *testing.T) {
	few, err := price.Parse("us-east-1", []byte("key,price,unit,item,source,date,confidence\nipv4,0.005,hour,address,AWS,2026-10-16,high\n"))
	require.NoError(t, err)
	_, err = cost.NewModel(golden(t, "EcsFargate.sandbox"), few)
	assert.ErrorContains(t, err, "EcsFargate.sandbox: no price for ")
}

func TestWhatBillsInAWayThatIsNotModelledIsNamed(t *testing.T) {
	const node = `"T":{"Type":"AWS::EC2::LaunchTemplate","Properties":{"LaunchTemplateData":{"InstanceType":"t4g.medium"}}},"N":{"Type":"AWS::EKS::Nodegroup","Properties":{"LaunchTemplate":{"Id":{"Ref":"T"}}`
	tests := []struct{ name, resources, want string }{
		{"as many tasks on your own servers as a number says", `{"S":{"Type":"AWS::ECS::Service","Properties":{"LaunchType":"EXTERNAL"}}}`, "AWS::ECS::Service (how many servers it takes)"},
		{"Fargate Spot", `{"S":{"Type":"AWS::ECS::Service","Properties":{"CapacityProviderStrategy":[{"CapacityProvider":"FARGATE_SPOT"}]}}}`, "AWS::ECS::Service (what its tasks run on)"},
		{"a task of unknown size", `{"S":{"Type":"AWS::ECS::Service","Properties":{"LaunchType":"FARGATE"}}}`, "AWS::ECS::Service (a task of unknown size)"},
		{"a group that nothing of the model uses", `{"G":{"Type":"AWS::AutoScaling::AutoScalingGroup"}}`, "AWS::AutoScaling::AutoScalingGroup (what runs on it)"},
		{"a pod larger than Fargate has", `{"P":{"Type":"AWS::EKS::FargateProfile"},"M":{"Type":"Custom::AWSCDK-EKS-KubernetesResource","Properties":{"Manifest":"[{\"kind\":\"Deployment\",\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"resources\":{\"requests\":{\"cpu\":\"17\"}}}]}}}}]"}},"H":{"Type":"Custom::AWSCDK-EKS-KubernetesResource","Properties":{"Manifest":"[{\"kind\":\"HorizontalPodAutoscaler\",\"spec\":{\"minReplicas\":1,\"metrics\":[{\"type\":\"Resource\"}]}}]"}}}`, "AWS::EKS::FargateProfile (pods of a size that is not modelled)"},
		{"Fargate for nobody", `{"P":{"Type":"AWS::EKS::FargateProfile"}}`, "AWS::EKS::FargateProfile (which pods it takes)"},
		{"Auto Mode", `{"C":{"Type":"AWS::EKS::Cluster","Properties":{"ComputeConfig":{"Enabled":true}}}}`, "AWS::EKS::Cluster (Auto Mode nodes)"},
		{"a flow log to a bucket", `{"F":{"Type":"AWS::EC2::FlowLog","Properties":{"LogDestinationType":"s3"}}}`, "AWS::EC2::FlowLog (not to CloudWatch Logs)"},
		{"an interface endpoint", `{"E":{"Type":"AWS::EC2::VPCEndpoint","Properties":{"VpcEndpointType":"Interface"}}}`, "AWS::EC2::VPCEndpoint (interface endpoint)"},
		{"Managed Instances", `{"P":{"Type":"AWS::ECS::CapacityProvider","Properties":{"ManagedInstancesProvider":{"x":1}}}}`, "AWS::ECS::CapacityProvider (what runs on Managed Instances)"},
		{"Managed Instances of a type that ECS chooses", `{"P":{"Type":"AWS::ECS::CapacityProvider","Properties":{"ManagedInstancesProvider":{"x":1}}},"S":{"Type":"AWS::ECS::Service","Properties":{"TaskDefinition":{"Ref":"T"},"CapacityProviderStrategy":[{"CapacityProvider":{"Ref":"P"}}]}},"T":{"Type":"AWS::ECS::TaskDefinition","Properties":{"Cpu":"256","Memory":"512"}}}`, "AWS::ECS::CapacityProvider (tasks of unknown size, or a type that ECS chooses)"},
		{"Express Mode in subnets of your own", `{"E":{"Type":"AWS::ECS::ExpressGatewayService","Properties":{"Cpu":"256","Memory":"512","NetworkConfiguration":{"Subnets":["s"]}}}}`, "AWS::ECS::ExpressGatewayService (subnets or a task definition of your own)"},
		{"a network load balancer", `{"L":{"Type":"AWS::ElasticLoadBalancingV2::LoadBalancer","Properties":{"Type":"network"}}}`, "AWS::ElasticLoadBalancingV2::LoadBalancer (network load balancer)"},
		{"provisioned concurrency", `{"A":{"Type":"AWS::Lambda::Alias","Properties":{"ProvisionedConcurrencyConfig":{"n":5}}}}`, "AWS::Lambda::Alias (provisioned concurrency)"},
		{"a function that something unknown calls", `{"F":{"Type":"AWS::Lambda::Function"}}`, "AWS::Lambda::Function (what calls it)"},
		{"spot nodes", `{` + node + `,"CapacityType":"SPOT"}}}`, "AWS::EKS::Nodegroup (spot instances)"},
		{"a fast alarm", `{"A":{"Type":"AWS::CloudWatch::Alarm","Properties":{"Period":10}}}`, "AWS::CloudWatch::Alarm (high resolution)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { assert.Contains(t, of(t, tt.resources, at(1)).Unpriced, tt.want) })
	}
}

func TestAnAutoscalerOfAnotherShapeIsNoReasonToFail(t *testing.T) {
	const stack = `{"N":{"Type":"AWS::EKS::Nodegroup","Properties":{"LaunchTemplate":{"Id":{"Ref":"T"}},"ScalingConfig":{"MinSize":1,"MaxSize":1}}},
		"T":{"Type":"AWS::EC2::LaunchTemplate","Properties":{"LaunchTemplateData":{"InstanceType":"t4g.medium"}}},
		"M":{"Type":"Custom::AWSCDK-EKS-KubernetesResource","Properties":{"Manifest":"[{\"kind\":\"Deployment\",\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"resources\":{\"requests\":{\"cpu\":\"%s\"}}}]}}}},{\"kind\":\"HorizontalPodAutoscaler\",\"spec\":{\"minReplicas\":1,\"metrics\":[%s]}}]"}}}`
	for name, metric := range map[string]string{
		"no resource":       `{\"type\":\"Pods\"}`,
		"an absolute value": `{\"resource\":{\"name\":\"cpu\",\"target\":{\"averageValue\":\"1\"}}}`,
	} {
		t.Run(name, func(t *testing.T) {
			assert.InDelta(t, 24.53, of(t, fmt.Sprintf(stack, "100m", metric), idle()).Total, 0.001)
		})
	}
	got := of(t, fmt.Sprintf(stack, "4", `{\"type\":\"Pods\"}`), at(1))
	assert.Equal(t, []string{"AWS::EKS::Nodegroup (a pod does not fit on t4g.medium)"}, got.Unpriced)
	assert.False(t, math.IsInf(got.Total, 0))
}

func TestFargateIsPricedByCapacityProviderAndInAnyUnit(t *testing.T) {
	for name, resources := range map[string]string{
		"capacity provider": `{"S":{"Type":"AWS::ECS::Service","Properties":{"CapacityProviderStrategy":[{"CapacityProvider":"FARGATE"}],"DesiredCount":1,"TaskDefinition":{"Ref":"T"}}},"T":{"Type":"AWS::ECS::TaskDefinition","Properties":{"Cpu":"256","Memory":"512"}}}`,
		"units":             `{"S":{"Type":"AWS::ECS::Service","Properties":{"LaunchType":"FARGATE","DesiredCount":1,"TaskDefinition":{"Ref":"T"}}},"T":{"Type":"AWS::ECS::TaskDefinition","Properties":{"Cpu":".25 vCPU","Memory":"0.5 GB"}}}`,
	} {
		t.Run(name, func(t *testing.T) { assert.InDelta(t, 9.01, of(t, resources, idle()).Total, 0.001) })
	}
}

func lines(t testing.TB, id string, usage bill.Usage) map[string]bill.Line {
	t.Helper()
	got := estimate(t, golden(t, id), usage)
	all := map[string]bill.Line{}
	for _, line := range got.Lines {
		all[line.Item] = line
	}
	return all
}

func TestCopiesThatAreAddedForLoadRunOnlyWhileThereIsLoad(t *testing.T) {
	half := at(1000)
	half.HoursPerDay = 12
	for id, item := range map[string]string{"EcsFargate.sandbox": "Fargate vCPU", "EcsEc2.sandbox": "t4g.small", "EksEc2.sandbox": "t4g.medium"} {
		always, full, halved := lines(t, id, idle())[item].Quantity, lines(t, id, at(1000))[item].Quantity, lines(t, id, half)[item].Quantity
		assert.InDelta(t, (always+full)/2, halved, 0.001, id)
	}
}

func TestPodsLogToTheirNodeAndLambdaLogsItsOwnLinesToo(t *testing.T) {
	assert.NotContains(t, lines(t, "EksEc2.sandbox", at(50)), "log ingestion")
	assert.Contains(t, estimate(t, golden(t, "EksEc2.sandbox"), at(50)).Warnings, "its pods' logs are not collected")
	assert.InDelta(t, 206*131.4e6/1e9, lines(t, "EcsEc2.sandbox", at(50))["log ingestion"].Quantity, 1e-6)
	assert.InDelta(t, 553*131.4e6/1e9, lines(t, "Lambda.sandbox", at(50))["log ingestion"].Quantity, 1e-6)
}

func TestWhatTheAppLogsIsBilled(t *testing.T) {
	logged := func(id string, bytes float64) float64 {
		usage := at(50)
		usage.LogBytes = bytes
		return lines(t, id, usage)["log ingestion"].Quantity
	}
	assert.InDelta(t, 1026*131.4e6/1e9, logged("EcsEc2.sandbox", 1000), 1e-6)
	assert.Zero(t, logged("EcsEc2.sandbox", 0))
	assert.InDelta(t, 347*131.4e6/1e9, logged("Lambda.sandbox", 0), 1e-6, "Lambda's own lines")
}

// 5 vCPU are busy at 60 percent of 320 units in 27 tasks, four an instance; 7
// instances of 2 vCPU earn a fifth of theirs, 2.8.
func TestInstancesBeyondTheirBaselinePaySurplusCredits(t *testing.T) {
	assert.InDelta(t, (5-2.8)*bill.HoursPerMonth, lines(t, "EcsEc2.sandbox", at(1000))["surplus CPU credits"].Quantity, 0.001)
	assert.NotContains(t, lines(t, "EcsEc2.sandbox", at(50)), "surplus CPU credits")
}

func TestAlarmsThatAWSAddsAreMarked(t *testing.T) {
	assert.Equal(t, "catalog", lines(t, "EcsFargate.sandbox", idle())["alarms that target tracking adds"].Source)
	assert.Equal(t, "template", lines(t, "Lambda.production", idle())["alarm"].Source)
}

// Bills worked out by hand from the prices and from AWS's billing rules, with
// the figures of the templates: a month has 730 hours. None of them uses the
// model's own constants.
func TestBillsAgreeWithThoseWorkedOutByHand(t *testing.T) {
	const (
		balancer = 730*0.0225 + 2*730*0.005 // an hour, and an address in each of two zones
		task     = 730 * (0.25*0.03238 + 0.5*0.00356)
		nats     = 2 * 730 * (0.045 + 0.005)
		second   = 3600 * 730 // requests a month for one a second
	)
	type load func(*bill.Usage)
	with := func(changes ...load) bill.Usage {
		u := bill.Usage{CPUMillis: 5, ResponseKB: 2, HoursPerDay: 24, LogBytes: 180, RequestsPerConnection: 10}
		for _, change := range changes {
			change(&u)
		}
		return u
	}
	rps := func(n float64) load { return func(u *bill.Usage) { u.RequestsPerSecond = n } }

	// Above 100 GB of bodies and 400 bytes of headers.
	out := func(requests, kB float64) float64 { return 0.09 * (requests*(kB+0.4)/1e6 - 100) }
	// 180 bytes and CloudWatch's 26, stored for a week at 15 percent.
	logs := func(requests, bytes, months float64) float64 {
		return requests * bytes / 1e9 * (0.50 + 0.03*0.15*months)
	}

	tests := []struct {
		name, stack string
		usage       bill.Usage
		want        float64
	}{
		{
			// Two tasks; a NAT gateway a zone; three alarms of ours and two of
			// target tracking; 60 metrics of cluster and service and 22 of each
			// task, at 7 cents.
			"Fargate in production that nobody calls", "EcsFargate.production", with(),
			balancer + 2*task + nats + 5*0.10 + (60+2*22)*0.07,
		},
		{
			// Two nodes of 20 GB; three alarms; 10 GB of control plane logs.
			"EKS in production that nobody calls", "EksEc2.production", with(),
			730*0.10 + balancer + nats + 2*730*0.0336 + 2*20*0.08 + 3*0.10 + 10*0.50,
		},
		{
			// 200 requests a second of 5 ms are 1 vCPU; 320 units at 60 percent
			// are 0.1875: 6 tasks, four an instance, two instances for half the
			// day. They earn 0.4 vCPU each: (365 + 730) hours × 0.4 are more than
			// the 365 vCPU hours that are spent. Bytes decide the capacity units:
			// 200 × 2.8 kB × 3600 are 2.016 GB an hour.
			"ECS on instances at 200 requests a second, half the day", "EcsEc2.sandbox", with(rps(200), func(u *bill.Usage) { u.HoursPerDay = 12 }),
			balancer + (730+365)*(0.0168+0.005) + 1.5*30*0.08 + 365*2.016*0.008 + 4*0.10 +
				logs(200*second/2, 206, 7.0/30) + out(200*second/2, 2),
		},
		{
			// 50 ms on a full vCPU are 50/(256/1769) = 345.5 ms with 256 MiB, and
			// 200 ms of waiting bill as well: 546 ms, in whole milliseconds.
			"Lambda at 20 requests a second that wait", "Lambda.sandbox", with(rps(20), func(u *bill.Usage) { u.CPUMillis, u.WaitMillis = 50, 200 }),
			20*second/1e6*0.20 + 20*second*0.546*0.25*0.0000133334 + logs(20*second, 553, 7.0/30) + out(20*second, 2),
		},
		{
			// 100 requests a second that take 0.02 s of work on a quarter vCPU
			// and 2 s of waiting are 202 at once, 64 on each of 4 instances; by
			// CPU, 0.5 vCPU of 0.15 are 4 as well. Logs stay for ever: a year of them.
			"App Runner at 100 requests a second that wait", "AppRunner.sandbox", with(rps(100), func(u *bill.Usage) { u.WaitMillis = 2000 }),
			4*730*(0.5*0.007+0.25*0.064) + logs(100*second, 206, 12) + out(100*second, 2),
		},
		{
			// 5 requests a second of 1 MB: 13.145 TB, of which 100 GB are free,
			// 10.14 TB cost 9 cents and the rest 8.5. 18.0 GB an hour pass the
			// load balancer.
			"Fargate that sends 13 TB", "EcsFargate.sandbox", with(rps(5), func(u *bill.Usage) { u.ResponseKB = 1000 }),
			balancer + task + 730*0.005 + 730*5*3600*1000.8/1e6*0.008 + 2*0.10 + logs(5*second, 206, 7.0/30) +
				(10_240-100)*0.09 + (5*second*1000.4/1e6-10_240)*0.085,
		},
		{
			// A Savings Plan of 30 percent takes nothing off the load balancer.
			"Fargate with a discount on compute", "EcsFargate.sandbox", with(rps(1), func(u *bill.Usage) { u.ComputeDiscount = 0.3 }),
			balancer + 0.7*task + 730*0.005 + 730*0.01008*0.008 + 2*0.10 + logs(1*second, 206, 7.0/30),
		},
		{
			// Each request opens a connection: 100 a second are 4 capacity units.
			// Six flow records of 136 bytes a connection and 206 bytes of log, both
			// for three months; logs pass the NAT; 45 bytes of access log for three
			// months. 0.5 vCPU at 0.15 a task are 4 tasks.
			"Fargate in production, a connection a request", "EcsFargate.production", with(rps(100), func(u *bill.Usage) { u.RequestsPerConnection = 1 }),
			balancer + 730*4*0.008 + 4*task + nats + 5*0.10 + (60+4*22)*0.07 +
				logs(100*second, 206, 3) + logs(100*second, 6*136, 3) + 100*second*206/1e9*0.045 +
				100*second*45/1e9*3*0.023 + out(100*second, 2),
		},
		{
			// A thousand requests are 0.4 cents of reads, and a cent of writes and
			// lists. Old versions of notes, 4 KiB each, stay for three months. 5 ms
			// are 34.6 with 256 MiB.
			"Lambda in production with notes", "Lambda.production", with(rps(2), func(u *bill.Usage) { u.Reads, u.Writes, u.Lists = 10, 1, 1 }),
			2*second/1e6*0.20 + 2*second*0.035*0.25*0.0000133334 + logs(2*second, 553, 3) + 0.10 +
				2*second/1000*(10*0.0004+2*0.005) + 2*second*4096/1e9*3*0.023,
		},
		{
			// 0.5 vCPU at 0.15 a task are 4 tasks, which fit on one instance; two
			// tasks at least, and so two instances, are spread over two zones. The
			// fee is 12 percent. 60 metrics of cluster and service, 22 of a task and
			// 12 of an instance. A flow log has six records of 136 bytes for each of
			// 10 connections a second; logs pass the NAT; bytes decide the capacity
			// units: 1.008 GB an hour.
			"Managed Instances in production at 100 requests a second", "EcsManagedInstances.production", with(rps(100)),
			balancer + 730*1.008*0.008 + 2*730*0.0408*1.12 + 2*30*0.08 + nats + 5*0.10 + (60+4*22+2*12)*0.07 +
				logs(100*second, 206, 3) + logs(10*second, 6*136, 3) + 100*second*206/1e9*0.045 +
				100*second*45/1e9*3*0.023 + out(100*second, 2),
		},
		{
			// 0.25 vCPU at 0.15 a task are 2 tasks, on x86, with an address each;
			// the load balancer stands in six zones; two alarms of target tracking
			// and one that watches releases.
			"Express Mode at 50 requests a second", "EcsExpress.sandbox", with(rps(50)),
			730*0.0225 + 6*730*0.005 + 730*0.504*0.008 + 2*730*(0.25*0.04048+0.5*0.004445+0.005) + 3*0.10 +
				logs(50*second, 206, 7.0/30) + out(50*second, 2),
		},
		{
			// 2.5 vCPU at 1.2 a server are 3 servers. Their answers do not come from
			// AWS, and nobody reads a note, so no data goes out of it. Two alarms, and a metric for one of them.
			"your own servers in production at 500 requests a second", "EcsAnywhere.production", with(rps(500)),
			3*730*0.01025 + 2*0.10 + 0.30 + (60+3*22)*0.07 + logs(500*second, 206, 3),
		},
		{
			// 60 requests a second are 0.3 vCPU; 0.1 at 60 percent are 5 pods of 64
			// MiB. Of 17 places, 3 are each node's and 5 the cluster's: one node.
			"EKS at 60 requests a second", "EksEc2.sandbox", with(rps(60)),
			730*0.10 + balancer + 730*(0.0336+0.005) + 20*0.08 + 730*60*3600*2.8/1e6*0.008 + out(60*second, 2),
		},
		{
			// Nothing but the bucket bills. A request reads a note, which S3 counts,
			// and which leaves AWS: 2.4 kB, as much as an answer.
			"EKS Anywhere at 50 requests a second, each of which reads a note", "EksAnywhere.sandbox", with(rps(50), func(u *bill.Usage) { u.Reads = 1 }),
			50*second/1000*0.0004 + out(50*second, 2),
		},
		{
			// 60 requests a second are 5 pods, as above. One c7g.large has room for
			// them; the fee is 12 percent; the default disk has 80 GB.
			"Auto Mode at 60 requests a second", "EksAuto.sandbox", with(rps(60)),
			730*0.10 + balancer + 730*(0.0725*1.12+0.005) + 80*0.08 + 730*60*3600*2.8/1e6*0.008 + out(60*second, 2),
		},
		{
			// 0.3 vCPU at 0.15 a pod are 2 pods of a quarter vCPU and half a
			// gigabyte; one of CoreDNS, of the metrics server and of the controller
			// beside them; one NAT gateway, which logs pass.
			"EKS on Fargate at 60 requests a second", "EksFargate.sandbox", with(rps(60)),
			730*0.10 + balancer + 5*730*(0.25*0.04048+0.5*0.004445) + nats/2 + logs(60*second, 206, 7.0/30) + 60*second*206/1e9*0.045 +
				730*60*3600*2.8/1e6*0.008 + out(60*second, 2),
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := estimate(t, golden(t, tt.stack), tt.usage)
			assert.InEpsilon(t, tt.want, got.Total, 0.01, "%+v", got.Lines)
		})
	}
}

// Auto Mode takes the cheapest instance that its pool allows. These are all of
// two vCPUs that the price list has.
func TestAutoModesNodesAreTheCheapestOfTheirArchitecture(t *testing.T) {
	all := prices(t)
	for chosen, others := range map[string][]string{"c7g.large": {"m7g.large"}, "c6a.large": {"m5.large"}} {
		cheapest, err := all.Get("ec2." + chosen)
		require.NoError(t, err)
		for _, other := range others {
			p, err := all.Get("ec2." + other)
			require.NoError(t, err)
			assert.Less(t, cheapest.USD, p.USD, other)
		}
	}
	assert.Contains(t, lines(t, "EksAuto.sandbox", idle()), "instances, c7g.large")
}

func TestAPodOfFargateIsPricedByTheSizeItIsRoundedUpTo(t *testing.T) {
	tests := []struct {
		cpu, memory string
		gb, vCPU    float64
	}{
		{"100m", "64Mi", 0.5, 0.25},
		{"250m", "256Mi", 0.5, 0.25},
		{"250m", "257Mi", 1, 0.25}, // with 256 MiB for Kubernetes
		{"251m", "64Mi", 1, 0.5},
		{"100m", "2Gi", 3, 0.5},
		{"1", "7Gi", 8, 1},
	}
	for _, tt := range tests {
		stack := golden(t, "EksFargate.sandbox")
		for id, r := range stack.Template.Resources {
			if join, ok := r.Properties["Manifest"].(map[string]any); ok {
				encoded, err := json.Marshal(join)
				require.NoError(t, err)
				changed := strings.NewReplacer(`\"cpu\":\"250m\"`, `\"cpu\":\"`+tt.cpu+`\"`, `\"memory\":\"256Mi\"`, `\"memory\":\"`+tt.memory+`\"`).Replace(string(encoded))
				var manifest any
				require.NoError(t, json.Unmarshal([]byte(changed), &manifest))
				stack.Template.Resources[id].Properties["Manifest"] = manifest
			}
		}
		for _, line := range estimate(t, stack, idle()).Lines {
			switch line.Item {
			case "Fargate vCPU":
				assert.InDelta(t, tt.vCPU*bill.HoursPerMonth, line.Quantity, 0.001, "%s, %s", tt.cpu, tt.memory)
			case "Fargate memory":
				assert.InDelta(t, tt.gb*bill.HoursPerMonth, line.Quantity, 0.001, "%s, %s", tt.cpu, tt.memory)
			}
		}
	}
}

// What a deployment refuses is said, and keeps it from being recommended.
func TestARequestThatADeploymentRefusesIsBeyondIt(t *testing.T) {
	with := func(change func(*bill.Usage)) bill.Usage {
		u := at(10)
		change(&u)
		return u
	}
	tests := []struct {
		name, stack string
		usage       bill.Usage
		want        string
	}{
		{"a response that is too large", "Lambda.sandbox", with(func(u *bill.Usage) { u.ResponseKB = 7000 }), "a response of 7000 kB fails; the limit is 6291.46 kB"},
		{"a request that is too large", "Lambda.sandbox", with(func(u *bill.Usage) { u.RequestKB = 7000 }), "a request of 7000 kB is refused; the limit is 6291.46 kB"},
		{"a request that takes longer than the function may", "Lambda.sandbox", with(func(u *bill.Usage) { u.WaitMillis = 11_000 }), "a request takes 11.04 s; the function's timeout ends it after 10 s"},
		{"a request that outlasts an idle connection", "EcsFargate.sandbox", with(func(u *bill.Usage) { u.RequestsPerSecond, u.WaitMillis = 1, 61_000 }), "a request takes 61.02 s; the load balancer's idle timeout ends it after 60 s"},
		{"a request that outlasts App Runner", "AppRunner.sandbox", with(func(u *bill.Usage) { u.RequestsPerSecond, u.WaitMillis = 0.1, 121_000 }), "a request takes 121 s; App Runner ends it after 120 s"},
		{"more at once than Lambda's quota", "Lambda.sandbox", with(func(u *bill.Usage) { u.RequestsPerSecond, u.WaitMillis = 600, 2000 }), "the load needs 1221 requests at once; the quota is 1000"},
		{"more waiting requests than four tasks hold", "EcsFargate.sandbox", with(func(u *bill.Usage) { u.RequestsPerSecond, u.WaitMillis = 50, 10_000 }), "the load needs 8 tasks; the template allows 4"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := estimate(t, golden(t, tt.stack), tt.usage)
			assert.Contains(t, got.Beyond, tt.want)
			assert.Contains(t, got.Warnings, strings.Split(got.Beyond, "; a")[0])
			model, err := cost.NewModel(golden(t, tt.stack), prices(t))
			require.NoError(t, err)
			assert.False(t, model.Takes(tt.usage))
		})
	}
}
