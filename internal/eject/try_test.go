package eject_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"refdeploy/internal/eject"
	"refdeploy/internal/project"
	"refdeploy/internal/settings"
)

func TestTry(t *testing.T) {
	out := os.Getenv("OUT")
	if out == "" {
		t.Skip()
	}
	chosen := settings.Default()
	chosen.Profile = settings.Profile(os.Getenv("PROFILE"))
	start := time.Now()
	files, err := eject.Make(project.Path(), eject.Options{Stack: os.Getenv("ID"), Module: "example.com/me/orders", Name: "Orders", Settings: chosen, Keep: os.Getenv("KEEP") != ""})
	require.NoError(t, err)
	fmt.Println("made", time.Since(start))
	for name, text := range files {
		path := filepath.Join(out, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, text, 0o644))
	}
}
