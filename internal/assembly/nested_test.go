package assembly_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"refdeploy/internal/assembly"
)

// parent reads a stack with the resources and outputs, beside files.
func parent(t *testing.T, template string, files map[string]string) assembly.Template {
	t.Helper()
	all := map[string]string{
		"manifest.json":     `{"artifacts":{"Web":{"type":"aws:cloudformation:stack","properties":{"templateFile":"Web.template.json"}}}}`,
		"Web.template.json": template,
	}
	for name, content := range files {
		all[name] = content
	}
	stacks, err := assembly.Read(place(t, all))
	require.NoError(t, err)
	require.Len(t, stacks, 1)
	return stacks[0].Template
}

func TestNestedStacksStandBesideTheirParentsResources(t *testing.T) {
	got := parent(t, `{
		"Resources":{
			"Role":{"Type":"AWS::IAM::Role"},
			"Net":{"Type":"AWS::CloudFormation::Stack","Metadata":{"aws:asset:path":"net.json"}},
			"Run":{"Type":"AWS::CloudFormation::Stack","Condition":"Prod","DependsOn":["Role"],"Metadata":{"aws:asset:path":"run.json"},
				"Properties":{"Parameters":{"Subnet":{"Fn::GetAtt":["Net","Outputs.Subnet"]}}}},
			"Last":{"Type":"AWS::SNS::Topic","DependsOn":"Net"}},
		"Outputs":{"Subnet":{"Value":{"Fn::GetAtt":["Net","Outputs.Subnet"]}}}}`,
		map[string]string{
			"net.json": `{
				"Resources":{"VPC":{"Type":"AWS::EC2::VPC"},
					"Subnet":{"Type":"AWS::EC2::Subnet","DependsOn":"VPC","Properties":{"VpcId":{"Ref":"VPC"},"Tag":{"Fn::Sub":"${VPC.CidrBlock}-${AWS::Region}"}}}},
				"Outputs":{"Subnet":{"Value":{"Ref":"Subnet"}}}}`,
			"run.json": `{
				"Parameters":{"Subnet":{"Type":"String"},"Size":{"Type":"String","Default":"small"}},
				"Transform":"AWS::LanguageExtensions",
				"Resources":{"Service":{"Type":"AWS::ECS::Service","Properties":{"Subnets":[{"Ref":"Subnet"}],"Size":{"Ref":"Size"},"Region":{"Ref":"AWS::Region"}}}}}`,
		})
	r := got.Resources
	require.Len(t, r, 7)
	assert.True(t, r["Net"].Read)
	assert.Equal(t, map[string]any{"VpcId": map[string]any{"Ref": "Net.VPC"}, "Tag": map[string]any{"Fn::Sub": "${Net.VPC.CidrBlock}-${AWS::Region}"}}, r["Net.Subnet"].Properties)
	assert.Equal(t, []string{"Net.VPC"}, r["Net.Subnet"].DependsOn)
	assert.Equal(t, map[string]any{
		"Subnets": []any{map[string]any{"Ref": "Net.Subnet"}}, "Size": map[string]any{"Ref": "Run.Size"}, "Region": map[string]any{"Ref": "AWS::Region"},
	}, r["Run.Service"].Properties, "what one nested stack gives another")
	assert.Equal(t, []string{"Role"}, r["Run.Service"].DependsOn, "it waits for what its stack waits for")
	assert.Equal(t, "Prod", r["Run.Service"].Condition, "it exists only if its stack does")
	assert.ElementsMatch(t, []string{"Net", "Net.VPC", "Net.Subnet"}, r["Last"].DependsOn)
	assert.Equal(t, "small", got.Parameters["Run.Size"].Default)
	assert.NotContains(t, got.Parameters, "Run.Subnet")
	assert.Equal(t, []string{"AWS::LanguageExtensions"}, got.Transforms)
	assert.Equal(t, map[string]any{"Ref": "Net.Subnet"}, got.Outputs["Subnet"].Value)
}

func TestStacksNestInNestedOnes(t *testing.T) {
	nested := func(path string) string {
		return fmt.Sprintf(`{"Type":"AWS::CloudFormation::Stack","Metadata":{"aws:asset:path":%q}}`, path)
	}
	got := parent(t, `{"Resources":{"A":`+nested("a.json")+`}}`, map[string]string{
		"a.json": `{"Resources":{"B":` + nested("b.json") + `,"Policy":{"Type":"AWS::IAM::Policy","Properties":{"Of":{"Fn::GetAtt":["B","Outputs.Arn"]}}}}}`,
		"b.json": `{"Resources":{"Bucket":{"Type":"AWS::S3::Bucket"}},"Outputs":{"Arn":{"Value":{"Fn::GetAtt":["Bucket","Arn"]}}}}`,
	})
	assert.Equal(t, "AWS::S3::Bucket", got.Resources["A.B.Bucket"].Type)
	assert.Equal(t, map[string]any{"Of": map[string]any{"Fn::GetAtt": []any{"A.B.Bucket", "Arn"}}}, got.Resources["A.Policy"].Properties)
}

func TestANestedStackThatCannotBeReadStaysAsItIs(t *testing.T) {
	for name, tt := range map[string]struct{ stack, file string }{
		"no file":              {`"Metadata":{"aws:asset:path":"gone.json"}`, `{}`},
		"a file elsewhere":     {`"Metadata":{"aws:asset:path":"../web/n.json"}`, `{}`},
		"YAML":                 {`"Metadata":{"aws:asset:path":"n.json"}`, `Resources: {}`},
		"itself":               {`"Metadata":{"aws:asset:path":"Web.template.json"}`, `{}`},
		"an address elsewhere": {`"Properties":{"TemplateURL":"https://example.com/n.json"}`, `{}`},
		"an unknown upload":    {`"Properties":{"TemplateURL":"https://example.com/4841ff53548bb457510a5bf0e33ad774a53826210e10d4a125ab8258419fb6ac.json"}`, `{}`},
		"odd metadata":         {`"Metadata":{"aws:asset:path":7}`, `{}`},
	} {
		t.Run(name, func(t *testing.T) {
			got := parent(t, `{"Resources":{"N":{"Type":"AWS::CloudFormation::Stack",`+tt.stack+`}}}`, map[string]string{"n.json": tt.file})
			require.Len(t, got.Resources, 1)
			assert.False(t, got.Resources["N"].Read)
		})
	}
}

func TestATemplateIsFoundByTheNameOfItsUpload(t *testing.T) {
	const digest = "4841ff53548bb457510a5bf0e33ad774a53826210e10d4a125ab8258419fb6ac"
	got := parent(t, `{"Resources":{"N":{"Type":"AWS::CloudFormation::Stack","Properties":{"TemplateURL":
		{"Fn::Join":["",["https://s3.",{"Ref":"AWS::Region"},".",{"Ref":"AWS::URLSuffix"},"/bucket/`+digest+`.json"]]}}}}}`,
		map[string]string{
			"Web.assets.json": `{"files":{"` + digest + `":{"source":{"path":"n.json"}}}}`,
			"n.json":          `{"Resources":{"Topic":{"Type":"AWS::SNS::Topic"}}}`,
		})
	assert.Equal(t, "AWS::SNS::Topic", got.Resources["N.Topic"].Type)
}
