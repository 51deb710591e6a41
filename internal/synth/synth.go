// Package synth defines and synthesizes the deployments that the settings ask
// for.
package synth

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"refdeploy/internal/catalog"
	"refdeploy/internal/project"
	"refdeploy/internal/settings"
	"refdeploy/stacks"
)

// Run synthesizes into the directory, and with the context, that the CDK CLI
// names in the environment. It writes nothing when a setting is wrong.
func Run() error {
	app := awscdk.NewApp(&awscdk.AppProps{
		AnalyticsReporting: jsii.Bool(false),
		StackTraces:        jsii.Bool(false), // they would show jsii, never this code
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

// Settings returns what cdk.json and the given keys, which go before it, ask
// for.
func Settings(overrides map[string]string) (settings.Settings, error) {
	context, err := contextWith(overrides)
	if err != nil {
		return settings.Settings{}, err
	}
	return settings.Parse(context, catalog.IDs())
}

func contextWith(overrides map[string]string) (map[string]any, error) {
	context, err := project.Context()
	if err != nil {
		return nil, err
	}
	context = maps.Clone(context)
	for key, value := range overrides {
		context[key] = value
	}
	return context, nil
}

// Quick makes program, whose arguments are args, call [Run] in a process of its
// own, and so writes a cloud assembly to dir as the CDK CLI would, but without
// validation and without copying assets: nobody deploys it. That has to be said
// in the environment before the process starts, because jsii reads it before
// main does.
func Quick(dir string, overrides map[string]string, program string, args ...string) error {
	context, err := contextWith(overrides)
	if err != nil {
		return err
	}
	context["aws:cdk:disable-asset-staging"] = true
	encoded, err := json.Marshal(context)
	if err != nil {
		return err
	}
	var stderr bytes.Buffer
	cmd := exec.Command(program, args...)
	cmd.Stderr = &stderr
	cmd.Env = append(os.Environ(), "CDK_VALIDATION=false", "CDK_OUTDIR="+dir, "CDK_CONTEXT_JSON="+string(encoded),
		"PATH="+project.Path("node_modules", ".bin")+string(filepath.ListSeparator)+os.Getenv("PATH"))
	if err := cmd.Run(); err != nil {
		if said := strings.TrimSpace(stderr.String()); said != "" {
			return fmt.Errorf("%s", said)
		}
		return fmt.Errorf("synthesis: %w", err)
	}
	return nil
}
