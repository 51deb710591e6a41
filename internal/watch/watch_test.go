package watch_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"refdeploy/internal/watch"
)

// watched is a directory like a checkout, and what is saved in it.
func watched(t *testing.T) (root string, saves <-chan watch.Save) {
	t.Helper()
	root = t.TempDir()
	for _, dir := range []string{"stacks/testdata", "node_modules/aws-cdk", ".git"} {
		require.NoError(t, os.MkdirAll(filepath.Join(root, dir), 0o755))
	}
	ctx, cancel := context.WithCancel(context.Background())
	saves, err := watch.Saves(ctx, root)
	require.NoError(t, err)
	t.Cleanup(func() {
		cancel()
		for range saves { // until it is closed
		}
	})
	return root, saves
}

func write(t *testing.T, root, name string) {
	t.Helper()
	path := filepath.Join(root, name)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(name), 0o600))
}

func next(t *testing.T, saves <-chan watch.Save) []string {
	t.Helper()
	select {
	case save := <-saves:
		assert.WithinDuration(t, time.Now(), save.At, 5*time.Second)
		return save.Files
	case <-time.After(10 * time.Second):
		require.Fail(t, "no save was seen")
		return nil
	}
}

func TestFilesThatAreSavedTogetherAreOneSave(t *testing.T) {
	root, saves := watched(t)
	write(t, root, "stacks/b.go")
	write(t, root, "cdk.json")
	write(t, root, "stacks/b.go")
	assert.Equal(t, []string{"cdk.json", "stacks/b.go"}, next(t, saves))
}

func TestEditorsThatReplaceFilesAreSeen(t *testing.T) {
	root, saves := watched(t)
	write(t, root, "stacks/.a.go.swp")
	require.NoError(t, os.Rename(filepath.Join(root, "stacks/.a.go.swp"), filepath.Join(root, "stacks/a.go")))
	assert.Equal(t, []string{"stacks/a.go"}, next(t, saves))
}

func TestANewDirectoryIsWatched(t *testing.T) {
	root, saves := watched(t)
	require.NoError(t, os.Mkdir(filepath.Join(root, "constructs"), 0o755))
	assert.Eventually(t, func() bool { // until the directory has been seen
		write(t, root, "constructs/c.go")
		select {
		case save := <-saves:
			return assert.Equal(t, []string{"constructs/c.go"}, save.Files)
		case <-time.After(200 * time.Millisecond):
			return false
		}
	}, 10*time.Second, time.Millisecond)
}

func TestWhatDecidesNothingIsNoSave(t *testing.T) {
	root, saves := watched(t)
	for _, name := range []string{"stacks/a_test.go", "stacks/testdata/a.go", "node_modules/aws-cdk/a.go", ".git/a.go", "README.md"} {
		write(t, root, name)
	}
	require.NoError(t, os.Chmod(filepath.Join(root, "README.md"), 0o644))
	time.Sleep(200 * time.Millisecond)
	write(t, root, "main.go")
	assert.Equal(t, []string{"main.go"}, next(t, saves))
}
