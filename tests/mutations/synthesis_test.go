//go:build mutations

package mutations_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	"github.com/aws/aws-cdk-go/awscdk/v2/cloudformationinclude"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdklabs/cdk-nag-go/cdknag/v2"
	"github.com/stretchr/testify/require"

	"refdeploy/constructs/cdktest"
)

// templates are what validation is asked about.
type templates struct {
	all []*awscdk.PolicyValidationStack
}

func (t *templates) AccountId() *string                               { return nil }
func (t *templates) Region() *string                                  { return nil }
func (t *templates) AppConstruct() constructs.IConstruct              { return nil }
func (t *templates) StackTemplates() *[]*awscdk.PolicyValidationStack { return &t.all }
func (t *templates) TemplatePaths() *[]*string                        { return nil }

// validate asks CloudFormation Validate about every template, as a synthesis
// does. What it calls an error fails the synthesis.
func validate(t *testing.T, dir string, noticed findings) {
	t.Helper()
	var given templates
	for _, template := range all(t, dir) {
		given.all = append(given.all, &awscdk.PolicyValidationStack{StackConstructPath: jsii.String(template.stack), TemplatePath: jsii.String(template.path)})
	}
	report := awscdk.NewCloudFormationValidatePlugin(nil).Validate(&given)
	for _, violation := range *report.Violations {
		if *violation.Severity != "error" && *violation.Severity != "fatal" {
			continue
		}
		for _, at := range *violation.ViolatingResources {
			noticed.by(mutant(*at.TemplatePath), "validation")
		}
	}
}

// nag includes every template in a stack of its own, and runs cdk-nag over that.
// An included template has typed resources where the CDK made untyped ones, so
// a finding counts when the template as it is has none like it.
func nag(t *testing.T, dir string, noticed findings) {
	t.Helper()
	require.Equal(t, "false", os.Getenv("CDK_VALIDATION"), "run it through `make mutations`: it leaves out the validation that fails this synthesis")
	app := cdktest.NewApp(t, nil)
	awscdk.Aspects_Of(app).Add(cdknag.NewAwsSolutionsChecks(&cdknag.NagPackProps{Reports: jsii.Bool(false)}), nil)
	included := map[template]awscdk.Stack{}
	for _, template := range all(t, dir) {
		stack := awscdk.NewStack(app, jsii.String("M-"+template.mutant+"-"+template.stack+"-"+template.profile), &awscdk.StackProps{
			// The parameter of the bootstrap's version is in the template already.
			Synthesizer: awscdk.NewDefaultStackSynthesizer(&awscdk.DefaultStackSynthesizerProps{GenerateBootstrapVersionRule: jsii.Bool(false)}),
		})
		refused := cdktest.Panic(func() {
			cloudformationinclude.NewCfnInclude(stack, jsii.String("Template"), &cloudformationinclude.CfnIncludeProps{TemplateFile: jsii.String(template.path)})
		})
		if refused == "" { // as one is whose reference leads nowhere
			included[template] = stack
		}
	}
	usual := map[string]bool{}
	for template, stack := range included {
		if template.mutant == "untouched" {
			for _, finding := range found(stack) {
				usual[template.stack+template.profile+finding] = true
			}
		}
	}
	for template, stack := range included {
		for _, finding := range found(stack) {
			if !usual[template.stack+template.profile+finding] {
				noticed.by(template.mutant, "cdk-nag")
			}
		}
	}
}

// found returns what cdk-nag says of a stack: where, and which rule.
func found(stack awscdk.Stack) (all []string) {
	annotations := assertions.Annotations_FromStack(stack)
	anything := assertions.Match_AnyValue()
	messages := append(*annotations.FindError(jsii.String("*"), anything), *annotations.FindWarning(jsii.String("*"), anything)...)
	for _, m := range messages {
		_, where, _ := strings.Cut(strings.TrimPrefix(*m.Id, "/"), "/")
		rule, _, _ := strings.Cut(m.Entry.Data.(string), ": ")
		all = append(all, " "+where+" "+rule)
	}
	return all
}

// A template is that of the stack and the profile that a mutant changes, or one
// of the same stack and profile as it is.
type template struct{ mutant, profile, stack, path string }

func all(t *testing.T, dir string) (found []template) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*", "profile-*", "*.template.json"))
	require.NoError(t, err)
	for _, path := range paths {
		profile := strings.TrimPrefix(filepath.Base(filepath.Dir(path)), "profile-")
		stack := strings.TrimSuffix(filepath.Base(path), ".template.json")
		name := mutant(path)
		if name == "untouched" && changed(stack, profile) || changes(name, profile) {
			found = append(found, template{name, profile, stack, path})
		}
	}
	return found
}

// mutant is the name of the one that a template is of.
func mutant(path string) string { return filepath.Base(filepath.Dir(filepath.Dir(path))) }
