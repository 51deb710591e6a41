// Command refdeploy is the CDK app: it defines one stack for each way of running
// the sample app on AWS. Run it through the CDK CLI, for example
// `npx cdk synth EcsFargate`.
package main

import (
	"fmt"
	"os"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"refdeploy/internal/catalog"
	"refdeploy/internal/kernel"
	"refdeploy/internal/settings"
	"refdeploy/stacks"
)

func main() {
	err := synth()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	kernel.Close()
	if err != nil {
		os.Exit(1)
	}
}

func synth() error {
	app := awscdk.NewApp(&awscdk.AppProps{
		StackTraces: jsii.Bool(false), // they would show jsii, never this code
	})
	context, _ := app.Node().GetAllContext(nil).(map[string]any)
	chosen, err := settings.Parse(context, catalog.IDs())
	if err != nil {
		return err
	}
	// Each deployment is one stack and deploys on its own. Stacks share
	// constructs, never resources.
	for _, deployment := range catalog.Selected(chosen) {
		deployment.New(app, deployment.ID, &stacks.Props{Settings: chosen})
	}
	app.Synth(nil)
	return nil
}
