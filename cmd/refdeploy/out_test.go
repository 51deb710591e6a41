package main

import (
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// bothWriteTo runs compare and diff, over an assembly that one test synthesizes,
// with --out.
func bothWriteTo(t *testing.T, dir, path string) map[string]error {
	t.Helper()
	failed := map[string]error{}
	for name, args := range map[string][]string{"compare": {"compare", "Mine"}, "diff": {"diff", "Mine", "Mine"}} {
		_, stderr, err := run(append(args, "--assembly", dir, "--out", path)...)
		if err != nil {
			err = errors.New(stderr)
		}
		failed[name] = err
	}
	return failed
}

// oneStack writes the smallest assembly that can be compared.
func oneStack(t *testing.T) string {
	t.Helper()
	return assemblyOf(t, map[string]string{"Mine": `{"Resources":{"Bucket":{"Type":"AWS::S3::Bucket"}}}`})
}

// assemblyOf writes an assembly of the given templates.
func assemblyOf(t *testing.T, templates map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	var artifacts []string
	for id, template := range templates {
		artifacts = append(artifacts, `"`+id+`":{"type":"aws:cloudformation:stack","properties":{"templateFile":"`+id+`.template.json"}}`)
		require.NoError(t, os.WriteFile(filepath.Join(dir, id+".template.json"), []byte(template), 0o600))
	}
	manifest := `{"version":"54.0.0","artifacts":{` + strings.Join(artifacts, ",") + `}}`
	require.NoError(t, os.WriteFile(filepath.Join(dir, "manifest.json"), []byte(manifest), 0o600))
	return dir
}

func TestOutReplacesFilesOnly(t *testing.T) {
	dir := t.TempDir()
	pipe, socket, folder := filepath.Join(dir, "pipe"), filepath.Join(dir, "socket"), filepath.Join(dir, "folder")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	listener, err := net.Listen("unix", socket)
	require.NoError(t, err)
	defer listener.Close()
	require.NoError(t, os.Mkdir(folder, 0o700))
	link := filepath.Join(dir, "link")
	require.NoError(t, os.Symlink(os.DevNull, link))
	before, err := os.Stat(os.DevNull)
	require.NoError(t, err)

	assembly := oneStack(t)
	for path, want := range map[string]string{
		os.DevNull: "out: /dev/null is a device; allowed: a file, or - for standard output",
		link:       "out: " + link + " is a device",
		pipe:       "out: " + pipe + " is a pipe",
		socket:     "out: " + socket + " is a socket",
		folder:     "out: " + folder + " is a directory",
		"":         "out: got an empty name; allowed: a file, or - for standard output",
	} {
		for name, err := range bothWriteTo(t, assembly, path) {
			if assert.Error(t, err, name) {
				assert.Contains(t, err.Error(), want, name)
				assert.Equal(t, 1, strings.Count(err.Error(), "\n"), name)
			}
		}
	}
	after, err := os.Stat(os.DevNull)
	require.NoError(t, err)
	assert.True(t, os.SameFile(before, after), "the device is the same")
	assert.ElementsMatch(t, []string{"pipe", "socket", "folder", "link"}, entries(t, dir))
}

// A device that is not /dev/null, because a mistake here would destroy it.
func TestOutKeepsADevice(t *testing.T) {
	device := filepath.Join(t.TempDir(), "device")
	if err := syscall.Mknod(device, syscall.S_IFCHR|0o600, 1<<8|3); err != nil {
		t.Skip("only root may make a device")
	}
	for name, err := range bothWriteTo(t, oneStack(t), device) {
		assert.ErrorContains(t, err, "is a device", name)
	}
	info, err := os.Lstat(device)
	require.NoError(t, err)
	assert.NotZero(t, info.Mode()&fs.ModeDevice)
}

func TestOutFollowsLinksAndKeepsTheMode(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "elsewhere", "file")
	require.NoError(t, os.Mkdir(filepath.Dir(file), 0o700))
	require.NoError(t, os.WriteFile(file, []byte("old"), 0o640))
	require.NoError(t, os.Symlink("elsewhere", filepath.Join(dir, "directory")))
	require.NoError(t, os.Symlink(filepath.Join("directory", "file"), filepath.Join(dir, "link")))
	require.NoError(t, os.Symlink("link", filepath.Join(dir, "second")))
	for name, err := range bothWriteTo(t, oneStack(t), filepath.Join(dir, "second")) {
		require.NoError(t, err, name)
	}
	info, err := os.Lstat(file)
	require.NoError(t, err)
	assert.Equal(t, fs.FileMode(0o640), info.Mode(), "a file, with its mode")
	assert.NotEqual(t, int64(len("old")), info.Size())
	for _, name := range []string{"second", "link", "directory"} {
		info, err := os.Lstat(filepath.Join(dir, name))
		require.NoError(t, err)
		assert.NotZero(t, info.Mode()&fs.ModeSymlink, name)
	}
	assert.Equal(t, []string{"file"}, entries(t, filepath.Dir(file)), "nothing beside it")
}

func TestOutMakesTheFileThatALinkMisses(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Symlink("new", filepath.Join(dir, "link")))
	require.NoError(t, write(nil, filepath.Join(dir, "link"), func(w io.Writer) error {
		_, err := io.WriteString(w, "text")
		return err
	}))
	data, err := os.ReadFile(filepath.Join(dir, "new"))
	require.NoError(t, err)
	assert.Equal(t, "text", string(data))
	assert.ElementsMatch(t, []string{"link", "new"}, entries(t, dir))

	require.NoError(t, os.Symlink("round", filepath.Join(dir, "round")))
	assert.ErrorContains(t, writable(filepath.Join(dir, "round")), "symbolic links")
}

func TestANewFileObeysTheUmask(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out")
	cmd := exec.Command("sh", "-c", `umask 077 && exec "$0" "$@"`, binary, "compare", "--assembly", oneStack(t), "--out", path)
	output, err := cmd.CombinedOutput()
	require.NoError(t, err, string(output))
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, fs.FileMode(0o600), info.Mode())
}

func TestWhatFailsLeavesTheFileAsItWas(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(path, []byte("old"), 0o600))
	err := write(nil, path, func(w io.Writer) error {
		io.WriteString(w, "half")
		return errors.New("broken")
	})
	assert.EqualError(t, err, "broken")
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, "old", string(data))
	assert.Equal(t, []string{"file"}, entries(t, dir))
}

func TestAHyphenIsStandardOutput(t *testing.T) {
	dir := oneStack(t)
	for _, args := range [][]string{{"compare", "Mine"}, {"diff", "Mine", "Mine"}} {
		stdout, stderr, err := run(append(args, "--assembly", dir, "--out", "-")...)
		require.NoError(t, err, stderr)
		assert.Contains(t, stdout, "Mine")
		assert.NoFileExists(t, "-")
	}
}
