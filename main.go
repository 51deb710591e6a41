// Command refdeploy is the CDK app: it defines one stack for each way of running
// the sample app on AWS. Run it through the CDK CLI, for example
// `npx cdk synth EcsFargate`. The list of stacks is internal/catalog.
package main

import (
	"fmt"
	"os"

	"refdeploy/internal/kernel"
	"refdeploy/internal/synth"
)

func main() {
	err := synth.Run()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	kernel.Close()
	if err != nil {
		os.Exit(1)
	}
}
