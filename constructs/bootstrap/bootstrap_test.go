package bootstrap_test

import (
	"debug/elf"
	"os"
	"path/filepath"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	"github.com/aws/jsii-runtime-go"
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

// An old program, or none, would be deployed if Code did not wait for it.
func TestWhatWasStartedIsCompleteWhenItIsUsed(t *testing.T) {
	checkout := t.TempDir()
	for name, content := range map[string]string{
		"cdk.json": `{"context":{}}`, "go.mod": "module started\n", "app/main.go": "package main\n\nfunc main() {}\n",
	} {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(checkout, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(checkout, name), []byte(content), 0o600))
	}
	t.Chdir(checkout)
	bootstrap.Start(settings.ARM64)
	bootstrap.Code(cdktest.NewStack(t), settings.ARM64)
	program, err := elf.Open(filepath.Join(checkout, "bin", "lambda", "arm64", "bootstrap"))
	require.NoError(t, err)
	defer program.Close()
	assert.Equal(t, elf.EM_AARCH64, program.Machine)

	// It is compiled once for all copies.
	require.NoError(t, os.RemoveAll(filepath.Join(checkout, "app")))
	second := cdktest.NewStack(t)
	bootstrap.Code(second, settings.ARM64)
	assert.Empty(t, *assertions.Annotations_FromStack(second).FindError(jsii.String("*"), assertions.Match_AnyValue()))
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
