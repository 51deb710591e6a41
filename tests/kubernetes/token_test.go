package kubernetes_test

import (
	"encoding/base64"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// trusted returns whose tokens the app's role trusts, as the template says it,
// without the name of the issuer. It is empty where the role trusts no tokens.
func (t *template) trusted() string {
	var text strings.Builder
	for name, resource := range t.Resources {
		if resource.Type != "Custom::AWSCDKCfnJson" || !strings.HasPrefix(name, "AppRoleTrust") {
			continue
		}
		join, _ := resource.Properties["Value"].(map[string]any)
		arguments, _ := join["Fn::Join"].([]any)
		for _, argument := range arguments {
			parts, _ := argument.([]any)
			for _, part := range parts {
				if literal, ok := part.(string); ok {
					text.WriteString(literal)
				}
			}
		}
	}
	return text.String()
}

// theRoleTrustsTheToken asks for the token that the pod's volume asks for, and
// reads what AWS would compare.
func theRoleTrustsTheToken(t *testing.T, c *cluster, x *target) {
	pod := podOf(t, x)
	var asked *corev1.ServiceAccountTokenProjection
	for _, volume := range pod.Spec.Volumes {
		if volume.Projected != nil {
			asked = volume.Projected.Sources[0].ServiceAccountToken
		}
	}
	if x.trusted == "" {
		assert.Nil(t, asked, "a token that no role trusts")
		t.Skip("its role trusts no tokens")
	}
	require.NotNil(t, asked)
	claims := func(account string) (subject string, audience []string) {
		request, err := c.CoreV1().ServiceAccounts(namespace).CreateToken(t.Context(), account, &authenticationv1.TokenRequest{
			Spec: authenticationv1.TokenRequestSpec{Audiences: []string{asked.Audience}, ExpirationSeconds: asked.ExpirationSeconds},
		}, metav1.CreateOptions{})
		require.NoError(t, err)
		parts := strings.Split(request.Status.Token, ".")
		require.Len(t, parts, 3)
		payload, err := base64.RawURLEncoding.DecodeString(parts[1])
		require.NoError(t, err)
		var token struct {
			Sub string
			Aud []string
		}
		require.NoError(t, json.Unmarshal(payload, &token))
		return token.Sub, token.Aud
	}
	subject, audience := claims(pod.Spec.ServiceAccountName)
	require.Len(t, audience, 1)
	assert.Contains(t, x.trusted, `:aud":"`+audience[0]+`"`)
	assert.Contains(t, x.trusted, `:sub":"`+subject+`"`)

	_, err := c.CoreV1().ServiceAccounts(namespace).Create(t.Context(), &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "another"}}, metav1.CreateOptions{})
	require.NoError(t, err)
	another, _ := claims("another")
	assert.NotContains(t, x.trusted, another)
	require.NoError(t, c.CoreV1().ServiceAccounts(namespace).Delete(t.Context(), "another", metav1.DeleteOptions{}))
}

// anywhereTrusts returns whose tokens the stack of EKS Anywhere trusts.
func anywhereTrusts(t *testing.T, profile string) string {
	t.Helper()
	template, err := readTemplate(filepath.Join(templates, "EksAnywhere."+profile+".golden.json"))
	require.NoError(t, err)
	trusted := template.trusted()
	require.NotEmpty(t, trusted)
	return trusted
}
