package kubernetes_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/openshift/api/route/v1" // its directory holds the schema
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	_ "sigs.k8s.io/aws-load-balancer-controller/apis/elbv2/v1beta1" // its module holds the schema
	karpenter "sigs.k8s.io/karpenter/pkg/apis"
)

// Who brings definitions of kinds that Kubernetes does not know by itself.
type schemas int

const (
	noSchemas              schemas = iota
	loadBalancerController         // its chart brings them
	autoMode                       // every cluster of EKS Auto Mode has Karpenter's
	openShift
)

// schemasOf returns what a resource of a template adds to what a cluster knows.
func schemasOf(resource resource) schemas {
	switch resource.Type {
	case clusterType:
		if compute, ok := resource.Properties["ComputeConfig"].(map[string]any); ok && compute["Enabled"] == true {
			return autoMode
		}
	case chartType:
		if resource.Properties["Chart"] == "aws-load-balancer-controller" {
			return loadBalancerController
		}
	}
	return noSchemas
}

func schemasOfOverlay(overlay string) schemas {
	if overlay == "openshift" {
		return openShift
	}
	return noSchemas
}

// text returns the definitions as their projects publish them.
func (s schemas) text(t *testing.T) []byte {
	t.Helper()
	var paths []string
	switch s {
	case loadBalancerController:
		paths = []string{filepath.Join(chart(t), "crds", "crds.yaml"), filepath.Join(chart(t), "crds", "gateway-crds.yaml")}
	case autoMode:
		return karpenter.NodePoolCRD
	case openShift:
		paths = []string{filepath.Join(goList(t, "github.com/openshift/api/route/v1"), "zz_generated.crd-manifests", "routes.crd.yaml")}
	}
	var documents [][]byte
	for _, path := range paths {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		documents = append(documents, text)
	}
	return bytes.Join(documents, []byte("\n---\n"))
}

// chart is where the load balancer controller's chart is.
func chart(t *testing.T) string {
	t.Helper()
	return filepath.Join(goList(t, "-m", "sigs.k8s.io/aws-load-balancer-controller"), "helm", "aws-load-balancer-controller")
}

// goList returns the directory of a package or module.
func goList(t *testing.T, args ...string) string {
	t.Helper()
	output, err := exec.Command("go", append([]string{"list", "-f", "{{.Dir}}"}, args...)...).Output()
	require.NoError(t, err, args)
	return strings.TrimSpace(string(output))
}

// define teaches the cluster kinds, and forget takes them out again, so that no
// target profits from what another one brought.
func (c *cluster) define(t *testing.T, schemas schemas) {
	t.Helper()
	if schemas == noSchemas {
		return
	}
	output, err := c.try(schemas.text(t), "create", "-f", "-")
	require.NoError(t, err, output)
	output, err = c.try(schemas.text(t), "wait", "--for=condition=Established", "--timeout=60s", "-f", "-")
	require.NoError(t, err, output)
}

func (c *cluster) forget(t *testing.T, schemas schemas) {
	t.Helper()
	if schemas == noSchemas {
		return
	}
	output, err := c.try(schemas.text(t), "delete", "--ignore-not-found", "-f", "-")
	assert.NoError(t, err, output)
}
