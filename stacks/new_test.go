package stacks_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"refdeploy/constructs/cdktest"
	"refdeploy/internal/catalog"
	"refdeploy/stacks"
)

func TestNewDefinesEveryDeploymentOfTheCatalogAndNoOther(t *testing.T) {
	for _, id := range catalog.IDs() {
		assert.Empty(t, cdktest.Panic(func() { stacks.New(cdktest.NewApp(t, nil), id, nil) }), id)
	}
	assert.Contains(t, cdktest.Panic(func() { stacks.New(cdktest.NewApp(t, nil), "Heroku", nil) }), `no deployment is called "Heroku"`)
}
