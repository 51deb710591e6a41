package nearest_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"refdeploy/internal/nearest"
)

func TestNameFindsTypingMistakesAndNothingElse(t *testing.T) {
	known := []string{"EcsEc2", "EcsFargate", "EksEc2", "Lambda", "AppRunner"}
	for given, want := range map[string]string{
		"lambda": "Lambda", "Lamdba": "Lambda", "EcsFargat": "EcsFargate", "apprunner": "AppRunner", "EksEc": "EksEc2",
		"Heroku": "", "": "", "x": "",
	} {
		got, ok := nearest.Name(given, known)
		assert.Equal(t, want != "", ok, given)
		if ok {
			assert.Equal(t, want, got, given)
		}
	}
	_, ok := nearest.Name("anything", nil)
	assert.False(t, ok)
}
