package eksanywhere_test

import (
	"testing"

	"github.com/aws/eks-anywhere/pkg/api/v1alpha1"
	"github.com/stretchr/testify/require"
)

func TestX(t *testing.T) {
	_, err := v1alpha1.GetAndValidateClusterConfig("x.yaml")
	require.NoError(t, err)
}
