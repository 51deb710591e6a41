package eject

import (
	"fmt"
	"go/types"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"refdeploy/internal/catalog"
	"refdeploy/internal/project"
	"refdeploy/internal/settings"
)

func TestDebug(t *testing.T) {
	id := os.Getenv("ID")
	d, ok := catalog.ByID(id)
	require.True(t, ok)
	chosen := settings.Default()
	chosen.Profile = settings.Profile(os.Getenv("PROFILE"))
	start := time.Now()
	p, err := load(project.Path(), stacksPath)
	require.NoError(t, err)
	require.NoError(t, p.check())
	fmt.Println("loaded", time.Since(start))
	name, err := p.constructor(d)
	require.NoError(t, err)
	require.NoError(t, p.specialize(func() map[types.Object]bool { return p.lookup(stacksPath, name) }, chosen, []string{stacksPath}, false))
	fmt.Println("done", Rounds, time.Since(start))
	out := os.Getenv("OUT")
	for name, text := range p.sources() {
		os.MkdirAll(out+"/"+name, 0o755)
		os.Remove(out + "/" + name)
		os.WriteFile(out+"/"+name, text, 0o644)
	}
}
