// Package bootstrap makes the app's program for Lambda: an executable of that name,
// which the provided runtimes start, or an image.
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

	"refdeploy/constructs/adapter"
	"refdeploy/constructs/environment"
	"refdeploy/internal/project"
	"refdeploy/internal/settings"
)

// runtimePort is where Lambda's runtime API listens beside the app (AWS Lambda Web
// Adapter 1.0.0, read 2026-11-27).
const runtimePort = 9001

// A Program is what a function runs, and what it has to be told for that.
type Program struct {
	Code    awslambda.Code
	Runtime awslambda.Runtime
	Handler *string

	// Environment is for what stands between Lambda and the app.
	Environment environment.Environment

	// Seconds are how long a request may take.
	Seconds float64
}

// Props configures [New].
type Props struct {
	// Architecture is what the program is built for. Required.
	Architecture settings.Architecture

	// Directory is the user's own app, as [refdeploy/constructs/image.Props] has it.
	// Default: "", app/.
	Directory string

	// Port is where the user's own app listens, HealthPath the route that says that
	// it does. Required with Directory.
	Port       int
	HealthPath string
}

// New returns the sample app as an executable, or the image of the user's own app
// with the Lambda Web Adapter, which turns events into requests to its port. What
// cannot be built is an error on scope, so that other stacks still synthesize.
func New(scope constructs.Construct, id string, props *Props) Program {
	if props.Directory == "" {
		return Program{
			Code:    Code(scope, props.Architecture),
			Runtime: awslambda.Runtime_PROVIDED_AL2023(),
			Handler: jsii.String("bootstrap"),
			Seconds: 10,
		}
	}
	if props.Port == runtimePort {
		awscdk.Annotations_Of(scope).AddError(jsii.Sprintf("port: got %d, where Lambda itself listens; let the app listen elsewhere, or leave Lambda out with the stacks setting", runtimePort))
	}
	img, err := adapter.New(scope, id, &adapter.Props{Directory: props.Directory, Architecture: props.Architecture})
	if err != nil {
		awscdk.Annotations_Of(scope).AddError(jsii.Sprintf("app: %v", err))
		return New(scope, id, &Props{Architecture: props.Architecture})
	}
	return Program{
		Code:    awslambda.Code_FromEcrImage(img.Repository(), &awslambda.EcrImageCodeProps{TagOrDigest: img.ImageTag()}),
		Runtime: awslambda.Runtime_FROM_IMAGE(),
		Handler: awslambda.Handler_FROM_IMAGE(),
		Environment: environment.Environment{}.
			With("AWS_LWA_PORT", jsii.Sprintf("%d", props.Port)).
			With("AWS_LWA_READINESS_CHECK_PATH", jsii.String(props.HealthPath)).
			// Or Lambda starts an app again that is not there after ten seconds.
			With("AWS_LWA_ASYNC_INIT", jsii.String("true")),
		Seconds: 60, // as long as load balancers wait
	}
}

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
