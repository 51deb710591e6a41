package catalog_test

import (
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"refdeploy/internal/catalog"
	"refdeploy/internal/settings"
)

func TestEveryEntryIsComplete(t *testing.T) {
	seen := map[string]bool{}
	for _, d := range catalog.All() {
		assert.Regexp(t, regexp.MustCompile(`^[A-Z][A-Za-z0-9]+$`), d.ID)
		assert.False(t, seen[d.ID], "%s twice", d.ID)
		seen[d.ID] = true
		assert.NotEmpty(t, d.ControlPlane, d.ID)
		assert.NotEmpty(t, d.DataPlane, d.ID)
		assert.NotEmpty(t, d.Tells(), "%s: what does /info tell there?", d.ID)
		if d.ClosedSince != "" {
			_, err := time.Parse(time.DateOnly, d.ClosedSince)
			assert.NoError(t, err, d.ID)
		}
	}
	assert.Equal(t, []string{"EcsEc2", "EcsFargate", "EcsManagedInstances", "EcsExpress", "EcsAnywhere", "EksEc2", "EksAuto", "EksFargate", "EksAnywhere", "Lambda", "AppRunner"}, catalog.IDs())
}

func TestSelectedKeepsTheCatalogsOrder(t *testing.T) {
	var ids []string
	for _, d := range catalog.Selected(settings.Settings{Stacks: []string{"Lambda", "EcsEc2"}}) {
		ids = append(ids, d.ID)
	}
	assert.Equal(t, []string{"EcsEc2", "Lambda"}, ids)
	assert.Len(t, catalog.Selected(settings.Default()), len(catalog.All()))
}
