// Command refdeploy is the CDK app: it defines one stack for each way of running
// the sample app on AWS. Run it through the CDK CLI, for example
// `npx cdk synth EcsFargate`. The list of stacks is internal/catalog.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"refdeploy/constructs/bootstrap"
	"refdeploy/internal/catalog"
	"refdeploy/internal/kernel"
	"refdeploy/internal/synth"
	"refdeploy/stacks"
)

func main() {
	if err := kernel.Run(define); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// define synthesizes into the directory, and with the context, that the CDK CLI
// names in the environment. It writes nothing when a setting is wrong.
func define() error {
	begin()
	app := awscdk.NewApp(&awscdk.AppProps{
		AnalyticsReporting: jsii.Bool(false),
		StackTraces:        jsii.Bool(false), // they would show jsii, never this code
	})
	context, _ := app.Node().GetAllContext(nil).(map[string]any)
	chosen, err := synth.Parse(context)
	if err != nil {
		return err
	}
	// Each deployment is one stack and deploys on its own. Stacks share
	// constructs, and no resources but those of a shared network.
	for _, deployment := range catalog.Selected(chosen) {
		stacks.New(app, deployment.ID, &stacks.Props{Settings: chosen})
	}
	app.Synth(nil)
	return nil
}

// begin starts what takes long and does not need the CDK, if the settings ask for
// it: the CDK CLI names them in the environment, unless there are too many for it.
func begin() {
	var context map[string]any
	if json.Unmarshal([]byte(os.Getenv("CDK_CONTEXT_JSON")), &context) != nil {
		return
	}
	chosen, err := synth.Parse(context)
	if err != nil {
		return // define tells
	}
	for _, deployment := range catalog.Selected(chosen) {
		if deployment.ID == "Lambda" && chosen.App == "" {
			bootstrap.Start(chosen.Architecture)
		}
	}
}
