package kubernetes_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
)

const (
	templates = "../../stacks/testdata"
	bundles   = "../../internal/bundle/testdata"
	namespace = "notes"
)

// A target is what somebody puts into one cluster.
type target struct {
	name string

	// derived says that another target's releases and drains stand for these: what
	// differs is in the pod or its Service.
	derived bool

	// trusted says whose tokens the app's role trusts. Default: "", none.
	trusted string

	// objects are what it consists of, in the order that they are created in.
	objects []unstructured.Unstructured

	// create, update and remove do what the CDK, or the page of the target, does.
	create func(t *testing.T, c *cluster)
	update func(t *testing.T, c *cluster, image string)
	remove func(t *testing.T, c *cluster)
}

// object returns the target's only object of a kind, or nil.
func (x *target) object(kind string) *unstructured.Unstructured {
	for _, object := range x.objects {
		if object.GetKind() == kind && object.GetNamespace() == namespace {
			return object.DeepCopy()
		}
	}
	return nil
}

// targets returns every template with Kubernetes objects, and every bundle for
// Kubernetes.
func targets(t *testing.T) []*target {
	t.Helper()
	var all []*target
	paths, err := filepath.Glob(filepath.Join(templates, "*.golden.json"))
	require.NoError(t, err)
	for _, path := range paths {
		name := strings.ReplaceAll(strings.TrimSuffix(filepath.Base(path), ".golden.json"), ".", "/")
		if target := fromTemplate(t, name, path); len(target.objects) > 0 {
			all = append(all, target)
		}
	}
	require.Len(t, all, 6, "three stacks in two profiles")
	all = append(all, ownApps(t)...)
	for _, profile := range []string{"sandbox", "production"} {
		all = append(all, eksAnywhere(t, profile))
		overlays, err := os.ReadDir(filepath.Join(bundles, "elsewhere", profile, "kustomize", "overlays"))
		require.NoError(t, err)
		for _, overlay := range overlays {
			all = append(all, fromOverlay(t, profile, overlay.Name(), false), fromOverlay(t, profile, overlay.Name(), true))
		}
	}
	return all
}

// ownApps returns the templates with somebody's own app in place of the sample
// app, and with all that can be set of it. Nobody reviews these, so the CDK writes
// them now.
func ownApps(t *testing.T) []*target {
	t.Helper()
	root, err := filepath.Abs(filepath.Join("..", ".."))
	require.NoError(t, err)
	cdk := filepath.Join(root, "node_modules", ".bin", "cdk")
	require.FileExists(t, cdk, "make test-kubernetes installs it")
	out := t.TempDir()
	ids := []string{"EksAuto", "EksEc2", "EksFargate"}
	cmd := exec.Command(cdk, "synth", "--quiet", "--output", out, "-c", "profile=production", "-c", "stacks="+strings.Join(ids, ","),
		"-c", "app=tests/apps/python", "-c", "port=8000", "-c", "healthPath=/health", "-c", "cpu=512", "-c", "memory=1024",
		"-c", "env=GREETING=costs $(PORT)", "-c", "secrets=API_KEY,DATABASE_URL=/app/database", "-c", "bucket=none")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(cdk)+string(os.PathListSeparator)+os.Getenv("PATH"), "CDK_VALIDATION=false", "CDK_DISABLE_CLI_TELEMETRY=true")
	output, err := cmd.CombinedOutput()
	require.NoError(t, err, string(output))
	var all []*target
	for _, id := range ids {
		x := fromTemplate(t, id+"/own app", filepath.Join(out, id+".template.json"))
		require.NotEmpty(t, x.objects, id)
		x.derived = true
		all = append(all, x)
	}
	return all
}

// each runs a test for every target.
func each(t *testing.T, f func(t *testing.T, x *target)) {
	t.Helper()
	for _, target := range targets(t) {
		t.Run(target.name, func(t *testing.T) { f(t, target) })
	}
}

// unchecked counts the kinds whose schemas nobody publishes, by where they are.
var unchecked = map[string][]string{}

// reportUnchecked says at the end what the tests did not try.
func reportUnchecked() {
	for kind, where := range unchecked {
		fmt.Printf("not checked, for its schema is not public: %s in %s\n", kind, strings.Join(where, ", "))
	}
	if skipped > 0 {
		fmt.Printf("skipped, for they need controllers: %d claims\n", skipped)
	}
}

// closed says whether only EKS itself has the schema of an object.
func closed(object unstructured.Unstructured) bool {
	return strings.HasPrefix(object.GetAPIVersion(), "eks.amazonaws.com/")
}

// fromTemplate does with a stack's template what CloudFormation and the CDK's
// handler of Kubernetes objects do.
func fromTemplate(t *testing.T, name, path string) *target {
	t.Helper()
	template, err := readTemplate(path)
	require.NoError(t, err)
	order, err := template.order()
	require.NoError(t, err)
	x := &target{name: name, trusted: template.trusted()}

	manifests := map[string][]unstructured.Unstructured{} // by resource
	for _, name := range order {
		if template.Resources[name].Type != manifestType {
			continue
		}
		objects, err := template.manifests(name)
		require.NoError(t, err)
		for _, object := range objects {
			if kind := object.GetAPIVersion() + " " + object.GetKind(); !closed(object) {
				manifests[name] = append(manifests[name], object)
			} else if !slices.Contains(unchecked[kind], x.name) {
				unchecked[kind] = append(unchecked[kind], x.name)
			}
		}
		x.objects = append(x.objects, manifests[name]...)
	}

	x.create = func(t *testing.T, c *cluster) {
		t.Helper()
		for _, name := range order {
			resource := template.Resources[name]
			if resource.Type == chartType && c.complete {
				c.install(t, template, name)
			} else {
				c.define(t, schemasOf(resource))
			}
			if objects := manifests[name]; len(objects) > 0 {
				output, err := c.try(stream(t, objects...), "create", "-f", "-", "--save-config")
				require.NoError(t, err, "%s: %s", name, output)
			}
		}
	}
	x.update = func(t *testing.T, c *cluster, image string) {
		t.Helper()
		changed := x.object("Deployment")
		container(t, changed)["image"] = image
		output, err := c.try(stream(t, *changed), "apply", "-f", "-")
		require.NoError(t, err, output)
	}
	x.remove = func(t *testing.T, c *cluster) {
		t.Helper()
		for _, name := range slices.Backward(order) {
			c.remove(t, manifests[name]...)
			if resource := template.Resources[name]; resource.Type == chartType && c.complete {
				c.uninstall(t, resource)
			}
		}
		for _, name := range order {
			c.forget(t, schemasOf(template.Resources[name]))
		}
	}
	return x
}

var imageLine = regexp.MustCompile(`(?m)^(\s+image: ).*$`)

// useImage writes another image into a file of manifests.
func useImage(t *testing.T, path, image string) {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Len(t, imageLine.FindAll(text, -1), 1, path)
	require.NoError(t, os.WriteFile(path, imageLine.ReplaceAll(text, []byte("${1}"+image)), 0o600))
}

// eksAnywhere is the bundle for one's own servers, as its page starts it.
func eksAnywhere(t *testing.T, profile string) *target {
	t.Helper()
	file := filepath.Join(t.TempDir(), "app.yaml")
	text, err := os.ReadFile(filepath.Join(bundles, "eks-anywhere", profile, "app.yaml"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, text, 0o600))
	x := &target{name: "EksAnywhere/" + profile, objects: decode(t, string(text)), trusted: anywhereTrusts(t, profile)}
	x.create = func(t *testing.T, c *cluster) {
		t.Helper()
		c.kubectl(t, "create namespace notes")
		c.kubectl(t, "-n notes create secret docker-registry registry --docker-username=AWS --docker-server="+account+".dkr.ecr.us-east-1.amazonaws.com --docker-password=secret")
		c.kubectl(t, "apply -f "+file)
	}
	x.update = func(t *testing.T, c *cluster, image string) {
		t.Helper()
		useImage(t, file, image)
		c.kubectl(t, "apply -f "+file)
	}
	x.remove = func(t *testing.T, c *cluster) {
		t.Helper()
		c.removeNamespace(t, x)
	}
	return x
}

// fromOverlay is a bundle for Kubernetes elsewhere, as its page starts it, with
// the notes in a directory or in a bucket.
func fromOverlay(t *testing.T, profile, overlay string, bucket bool) *target {
	t.Helper()
	x := &target{name: overlay + "/" + profile, derived: overlay != "kubernetes"}
	root := t.TempDir()
	require.NoError(t, os.CopyFS(root, os.DirFS(filepath.Join(bundles, "elsewhere", profile, "kustomize"))))
	dir := filepath.Join(root, "overlays", overlay)
	if bucket {
		x.name += "/s3"
		path := filepath.Join(dir, "kustomization.yaml")
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		const commented = "# components:\n#   - ../../components/s3\n"
		require.Equal(t, 1, strings.Count(string(text), commented), path)
		changed := strings.Replace(string(text), commented, "components:\n  - ../../components/s3\n", 1)
		require.NoError(t, os.WriteFile(path, []byte(changed), 0o600))
	}
	c := connect(t)
	built, err := c.try(nil, "kustomize", dir)
	require.NoError(t, err, built)
	x.objects = decode(t, built)
	schemas := schemasOfOverlay(overlay)

	x.create = func(t *testing.T, c *cluster) {
		t.Helper()
		c.define(t, schemas)
		if bucket {
			c.kubectl(t, "create namespace notes")
			c.kubectl(t, "-n notes create secret generic notes-store --from-literal=NOTES_BUCKET=notes --from-literal=AWS_REGION=us-east-1")
		}
		c.kubectl(t, "apply -k "+dir)
	}
	x.update = func(t *testing.T, c *cluster, image string) {
		t.Helper()
		useImage(t, filepath.Join(root, "base", "app.yaml"), image)
		c.kubectl(t, "apply -k "+dir)
	}
	x.remove = func(t *testing.T, c *cluster) {
		t.Helper()
		c.removeNamespace(t, x)
		c.forget(t, schemas)
	}
	return x
}

// decode reads a stream of YAML documents.
func decode(t *testing.T, text string) []unstructured.Unstructured {
	t.Helper()
	var objects []unstructured.Unstructured
	for document := range strings.SplitSeq(text, "\n---\n") {
		var object unstructured.Unstructured
		require.NoError(t, yaml.Unmarshal([]byte(document), &object.Object))
		objects = append(objects, object)
	}
	return objects
}

// container returns the only container of a Deployment's pods, to edit.
func container(t *testing.T, deployment *unstructured.Unstructured) map[string]any {
	t.Helper()
	containers, found, err := unstructured.NestedFieldNoCopy(deployment.Object, "spec", "template", "spec", "containers")
	require.NoError(t, err)
	require.True(t, found)
	require.Len(t, containers, 1)
	return containers.([]any)[0].(map[string]any)
}
