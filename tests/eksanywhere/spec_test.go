// Package eksanywhere_test validates the cluster files of `refdeploy bundles`
// against the schemas of EKS Anywhere, and with its own checks. It is a module of
// its own, for it brings some hundred others.
package eksanywhere_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/eks-anywhere/pkg/api/v1alpha1"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"sigs.k8s.io/yaml"
)

const files = "../../internal/bundle/testdata/eks-anywhere"

// problems returns what EKS Anywhere, or an API server with its schemas, would
// say against a cluster file.
func problems(t *testing.T, path string) []string {
	t.Helper()
	var found []string
	if _, err := v1alpha1.GetAndValidateClusterConfig(path); err != nil {
		found = append(found, err.Error())
	}
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	for document := range bytes.SplitSeq(content, []byte("---\n")) {
		var object map[string]any
		require.NoError(t, yaml.Unmarshal(document, &object))
		found = append(found, againstSchema(t, object)...)
	}
	return found
}

// againstSchema validates as an API server does, and names fields that the
// schema does not have, which a server would drop.
func againstSchema(t *testing.T, object map[string]any) []string {
	t.Helper()
	kind := strings.ToLower(object["kind"].(string)) + "s"
	content, err := os.ReadFile(filepath.Join(crds(t), "anywhere.eks.amazonaws.com_"+kind+".yaml"))
	require.NoError(t, err)
	var definition apiextensionsv1.CustomResourceDefinition
	require.NoError(t, yaml.Unmarshal(content, &definition))
	for _, version := range definition.Spec.Versions {
		if object["apiVersion"] != definition.Spec.Group+"/"+version.Name {
			continue
		}
		var schema apiextensions.JSONSchemaProps
		require.NoError(t, apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(version.Schema.OpenAPIV3Schema, &schema, nil))
		validator, _, err := validation.NewSchemaValidator(&schema)
		require.NoError(t, err)
		var found []string
		for _, problem := range validation.ValidateCustomResource(nil, object, validator) {
			found = append(found, problem.Error())
		}
		structural, err := structuralschema.NewStructural(&schema)
		require.NoError(t, err)
		for _, field := range pruning.PruneWithOptions(object, structural, true, structuralschema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true}) {
			found = append(found, "unknown field "+field)
		}
		return found
	}
	require.Failf(t, "no schema", "%v %v", object["apiVersion"], object["kind"])
	return nil
}

var dir string

// crds returns the directory with EKS Anywhere's definitions, in its module.
func crds(t *testing.T) string {
	t.Helper()
	if dir == "" {
		out, err := exec.CommandContext(context.Background(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/aws/eks-anywhere").Output()
		require.NoError(t, err)
		dir = filepath.Join(strings.TrimSpace(string(out)), "config", "crd", "bases")
	}
	return dir
}

func TestEveryClusterFileIsValid(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join(files, "*", "cluster-*.yaml"))
	require.NoError(t, err)
	require.Len(t, paths, 6, "three kinds of servers, two profiles")
	for _, path := range paths {
		t.Run(strings.TrimPrefix(path, files), func(t *testing.T) { assert.Empty(t, problems(t, path)) })
	}
}

func TestAWrongFileIsRefused(t *testing.T) {
	tests := []struct{ name, file, old, new, want string }{
		{"a wrong field", "cluster-docker.yaml", "kubernetesVersion:", "kubernetesVersions:", "kubernetesVersions"},
		{"a wrong type", "cluster-docker.yaml", "serviceAccountIssuer: https://d111111abcdef8.cloudfront.net", "serviceAccountIssuer: 5", "serviceAccountIssuer"},
		{"a negative number of nodes", "cluster-docker.yaml", "- count: 1", "- count: -1", "count"},
		{"an even number of etcd members", "cluster-docker.yaml", "externalEtcdConfiguration:\n    count: 1", "externalEtcdConfiguration:\n    count: 2", "cannot be an even number"},
		{"a wrong field of vSphere", "cluster-vsphere.yaml", "datastore:", "dataStore:", "dataStore"},
		{"a wrong type on bare metal", "cluster-bare-metal.yaml", "type: worker", "type: [worker]", "hardwareSelector"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			content, err := os.ReadFile(filepath.Join(files, "sandbox", tt.file))
			require.NoError(t, err)
			require.Contains(t, string(content), tt.old)
			path := filepath.Join(t.TempDir(), tt.file)
			require.NoError(t, os.WriteFile(path, []byte(strings.Replace(string(content), tt.old, tt.new, 1)), 0o600))
			assert.Contains(t, strings.Join(problems(t, path), "\n"), tt.want)
		})
	}
}
