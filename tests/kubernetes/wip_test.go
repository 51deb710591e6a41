package kubernetes_test

import (
	"os"
	"os/exec"
	"testing"

	_ "github.com/openshift/api/route/v1"
	_ "github.com/stretchr/testify/assert"
	_ "github.com/stretchr/testify/require"
	_ "k8s.io/api/apps/v1"
	_ "k8s.io/client-go/kubernetes"
	_ "k8s.io/client-go/metadata"
	_ "sigs.k8s.io/aws-load-balancer-controller/apis/elbv2/v1beta1"
	_ "sigs.k8s.io/karpenter/pkg/apis"
)

func reportUnchecked() {}

func TestWIP(t *testing.T) {
	c := exec.Command("/work/wt/kubernetes/bin/kubernetes/kubectl", "--kubeconfig", os.Getenv(kubeconfigVariable), "get", "all,sa,cm", "-A")
	o, err := c.CombinedOutput()
	t.Log(string(o), err)
}
