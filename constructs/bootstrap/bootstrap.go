// Package bootstrap compiles the app for Lambda, whose provided runtimes start
// an executable of that name.
package bootstrap

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"refdeploy/internal/project"
	"refdeploy/internal/settings"
)

// Code compiles app/ for the architecture and returns it as a function's code.
// The same source and Go version give the same bytes in any directory, so an
// unchanged app is not deployed again. An app that does not compile is an error
// on scope, so that other stacks still synthesize.
func Code(scope constructs.Construct, architecture settings.Architecture) awslambda.Code {
	dir := project.Path("bin", "lambda", string(architecture))
	if err := once(dir, architecture); err != nil {
		awscdk.Annotations_Of(scope).AddError(jsii.String(err.Error()))
		return awslambda.Code_FromAsset(jsii.String(project.Path("app")), nil)
	}
	return awslambda.Code_FromAsset(jsii.String(dir), nil)
}

// Start compiles what [Code] will ask for while the caller does something else:
// it takes about as long as the CDK takes to start.
func Start(architecture settings.Architecture) {
	if root, err := project.Root(); err == nil { // else Code tells
		go once(filepath.Join(root, "bin", "lambda", string(architecture)), architecture)
	}
}

// builds holds what is compiled or on its way, by directory: every copy of the
// function has the same program.
var builds sync.Map

func once(dir string, architecture settings.Architecture) error {
	compile, _ := builds.LoadOrStore(dir, sync.OnceValue(func() error { return build(dir, architecture) }))
	return compile.(func() error)()
}

func build(dir string, architecture settings.Architecture) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("lambda bootstrap: %w", err)
	}
	// -trimpath and -buildvcs=false keep the directory and the commit out of
	// the binary. lambda.norpc leaves out the retired go1.x runtime's protocol.
	// The build id stays in: it lets Go see that nothing has changed.
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-tags=lambda.norpc", "-ldflags=-s -w",
		"-o", dir+"/bootstrap", "./app")
	cmd.Dir = project.Path()
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+architecture.GOARCH(), "GOFLAGS=")
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("lambda bootstrap: %s: %w: %s", strings.Join(cmd.Args, " "), err, strings.TrimSpace(string(output)))
	}
	return nil
}
