package kube_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"refdeploy/constructs/cdktest"
	"refdeploy/constructs/kube"
	"refdeploy/internal/project"
)

func TestTheVersionOfTheClusterAndOfKubectlAreOne(t *testing.T) {
	pins, err := os.ReadFile(project.Path("package.json"))
	require.NoError(t, err)
	var minor int
	_, err = fmt.Sscanf(*kube.Version().Version(), "1.%d", &minor)
	require.NoError(t, err)
	assert.Contains(t, string(pins), fmt.Sprintf(`"@aws-cdk/lambda-layer-kubectl-v%d"`, minor))
}

func TestAMissingLayerIsAnErrorThatSaysWhatToRun(t *testing.T) {
	empty := t.TempDir()
	require.NoError(t, os.WriteFile(empty+"/cdk.json", []byte(`{"context":{}}`), 0o600))
	t.Chdir(empty)
	stack := cdktest.NewStack(t)
	kube.KubectlLayer(stack, "Kubectl")
	cdktest.HasError(t, stack, "kubectl layer: .*run `npm ci`")
}
