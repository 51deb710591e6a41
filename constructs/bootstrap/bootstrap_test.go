package bootstrap_test

import (
	"debug/elf"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"refdeploy/constructs/bootstrap"
	"refdeploy/constructs/cdktest"
	"refdeploy/internal/project"
	"refdeploy/internal/settings"
)

func TestTheBootstrapIsAStaticLinuxProgramForTheArchitecture(t *testing.T) {
	for architecture, machine := range map[settings.Architecture]elf.Machine{settings.ARM64: elf.EM_AARCH64, settings.X86_64: elf.EM_X86_64} {
		t.Run(string(architecture), func(t *testing.T) {
			bootstrap.Code(cdktest.NewStack(t), architecture)
			path := project.Path("bin", "lambda", string(architecture), "bootstrap")
			program, err := elf.Open(path)
			require.NoError(t, err)
			defer program.Close()
			assert.Equal(t, machine, program.Machine)
			libraries, err := program.ImportedLibraries()
			require.NoError(t, err)
			assert.Empty(t, libraries)
			info, err := os.Stat(path)
			require.NoError(t, err)
			assert.Less(t, info.Size(), int64(12_000_000))
		})
	}
}

func TestAnAppThatDoesNotCompileIsAnErrorOnTheStack(t *testing.T) {
	broken := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(broken, "app"), 0o755))
	for name, content := range map[string]string{
		"cdk.json": `{"context":{}}`, "go.mod": "module broken\n", "app/main.go": "package main\n\nfunc main() { missing() }\n",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(broken, name), []byte(content), 0o600))
	}
	t.Chdir(broken)
	stack := cdktest.NewStack(t)
	bootstrap.Code(stack, settings.ARM64)
	cdktest.HasError(t, stack, "lambda bootstrap: go build [^]*undefined: missing")
}
