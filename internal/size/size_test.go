package size_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"refdeploy/internal/catalog"
	"refdeploy/internal/price"
	"refdeploy/internal/size"
)

func TestTheNextSizeUpIsTaken(t *testing.T) {
	tests := []struct {
		asked size.Size
		want  map[string]string
	}{
		{size.Size{CPU: 256, MiB: 512}, map[string]string{
			"EcsFargate": "takes 256 CPU units and 512 MiB", "AppRunner": "takes 256 CPU units and 512 MiB", "Lambda": "takes 512 MiB, with which a function has 296 CPU units",
			"EksFargate": "a pod takes 256 CPU units and 768 MiB", "EcsEc2": "on t4g.small", "EcsManagedInstances": "on m7g.medium", "EksEc2": "on t4g.medium", "EksAuto": "on c7g.large",
		}},
		{size.Size{CPU: 257, MiB: 512}, map[string]string{
			"EcsFargate": "takes 512 CPU units and 1024 MiB", "EcsExpress": "takes 512 CPU units and 1024 MiB", "AppRunner": "takes 512 CPU units and 1024 MiB", "EksFargate": "a pod takes 512 CPU units and 768 MiB",
		}},
		{size.Size{CPU: 1024, MiB: 512}, map[string]string{
			"Lambda": "takes 1769 MiB, with which a function has 1024 CPU units", "EcsFargate": "takes 1024 CPU units and 2048 MiB", "EksEc2": "on t4g.xlarge", "EcsManagedInstances": "on m7g.medium",
		}},
		{size.Size{CPU: 512, MiB: 6000}, map[string]string{
			"EcsFargate": "takes 1024 CPU units and 6144 MiB", "AppRunner": "takes 2048 CPU units and 6144 MiB", "EcsEc2": "on t4g.large", "EcsManagedInstances": "on m7g.large", "EksEc2": "on t4g.xlarge",
			"EksAuto": "on m7g.large",
		}},
		{size.Size{CPU: 8192, MiB: 17000}, map[string]string{"EcsFargate": "takes 8192 CPU units and 20480 MiB", "EcsAnywhere": "takes that, which your servers have to have"}},
	}
	for _, tt := range tests {
		for id, want := range tt.want {
			t.Run(fmt.Sprintf("%s for %s", id, tt.asked), func(t *testing.T) {
				says, err := size.Taken(id, "arm64", tt.asked)
				require.NoError(t, err)
				assert.Contains(t, says, want)
				assert.Contains(t, says, "asked for "+tt.asked.String()+"; ")
			})
		}
	}
}

func TestTooMuchIsOneLineWithTheMost(t *testing.T) {
	for id, want := range map[string]string{
		"EcsFargate": "the largest of Fargate is 16384 CPU units and 122880 MiB",
		"AppRunner":  "the largest of App Runner is 4096 CPU units and 12288 MiB",
		"Lambda":     "a function has 10240 MiB at most, and with them 5927 CPU units",
		"EksFargate": "a pod on Fargate has 16384 CPU units and 122624 MiB at most",
		"EcsEc2":     "t3.2xlarge is the largest instance here",
		"EksAuto":    "m6a.2xlarge is the largest instance here",
	} {
		_, err := size.Taken(id, "x86_64", size.Size{CPU: 16384, MiB: 122881})
		require.Error(t, err, id)
		assert.Contains(t, err.Error(), "cpu and memory: got 16384 CPU units and 122881 MiB; "+want)
		assert.NotContains(t, err.Error(), "\n")
	}
}

func TestEveryDeploymentSaysWhatItTakes(t *testing.T) {
	for _, id := range catalog.IDs() {
		for _, architecture := range []string{"arm64", "x86_64"} {
			says, err := size.Taken(id, architecture, size.Size{CPU: 256, MiB: 512})
			require.NoError(t, err, id)
			assert.NotEmpty(t, says, id)
		}
	}
}

// A bill without the price of an instance would not be whole.
func TestEveryInstanceIsKnownAndPriced(t *testing.T) {
	prices, err := price.Embedded()
	require.NoError(t, err)
	var keys []string
	for _, p := range prices.All() {
		keys = append(keys, p.Key)
	}
	for _, machines := range []size.Machines{size.ECSMachines, size.EKSMachines, size.ManagedMachines, size.AutoMachines} {
		for _, names := range machines {
			for _, name := range names {
				_, ok := size.InstanceOf(name)
				assert.True(t, ok, name)
				assert.Contains(t, keys, "ec2."+name)
			}
		}
	}
	for _, names := range size.ManagedMachines {
		for _, name := range names {
			i, _ := size.InstanceOf(name)
			assert.NotZero(t, i.Interfaces, "%s: how many tasks?", name)
		}
	}
}
