package kubernetes_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Whoever names a directory wants to know in one line what is wrong with it,
// before a server starts.
func TestADirectoryWithoutTheProgramsIsOneLine(t *testing.T) {
	empty, partly := t.TempDir(), t.TempDir()
	for _, name := range []string{"etcd", "kube-apiserver"} {
		require.NoError(t, os.WriteFile(filepath.Join(partly, name), []byte("#!/bin/sh\n"), 0o755))
	}
	require.NoError(t, os.WriteFile(filepath.Join(partly, "kubectl"), nil, 0o600))
	tests := []struct{ name, dir, want string }{
		{"empty", empty, `"` + empty + `" has no program etcd, kube-apiserver, kubectl; name a directory with etcd, kube-apiserver, kubectl, or leave the variable out to build them`},
		{"a file that cannot be run", partly, `"` + partly + `" has no program kubectl; name a directory with etcd, kube-apiserver, kubectl, or leave the variable out to build them`},
		{"missing", filepath.Join(empty, "none"), `"` + filepath.Join(empty, "none") + `" has no program etcd, kube-apiserver, kubectl; name a directory with etcd, kube-apiserver, kubectl, or leave the variable out to build them`},
		{"relative", "bin/kubernetes", `"bin/kubernetes" is no absolute path; write it out from /`},
	}
	self, err := os.Executable()
	require.NoError(t, err)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			work := t.TempDir()
			cmd := exec.Command(self)
			cmd.Env = append(os.Environ(), kubeconfigVariable+"=", assetsVariable+"="+tt.dir, "TMPDIR="+work)
			output, err := cmd.CombinedOutput()
			assert.Error(t, err)
			assert.Equal(t, assetsVariable+": "+tt.want, strings.TrimSuffix(string(output), "\n"))
			left, err := os.ReadDir(work)
			require.NoError(t, err)
			assert.Empty(t, left)
		})
	}
}
