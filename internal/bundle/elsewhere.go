package bundle

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"text/template"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"refdeploy/app/contract"
	"refdeploy/constructs/kube/manifest"
	"refdeploy/internal/settings"
)

// LocalImage is the image's name when the user names none. Its first part keeps
// every runtime from asking a public registry, where the name could be a
// stranger's.
const LocalImage = "localhost/refdeploy:1"

//go:embed elsewhere
var elsewhere embed.FS

// Elsewhere returns the files for orchestrators that are not AWS's: a kustomize
// base with overlays for clusters of Kubernetes, a stack for Docker Swarm, and a
// Compose file. They need nothing from AWS. Notes go to a directory that goes
// away with the container; each of the three has an addition that keeps them in a
// bucket.
func Elsewhere(s settings.Settings) ([]File, error) {
	image := s.Image
	if image == "" {
		image = LocalImage
	}
	app := anyApp(s)
	app.Image, app.Platform, app.DataPlane = image, "Kubernetes", "nodes of the cluster"
	var objects []any
	for _, object := range app.Objects() {
		objects = append(objects, object)
	}
	files := []File{
		{Path: "kustomize/base/app.yaml", Objects: objects},
		{Path: "kustomize/components/s3/autoscaler.yaml", Objects: []any{app.Autoscaler()}},
		{Path: "kustomize/overlays/openshift/route.yaml", Objects: []any{newRoute(app.Service(), s.AllowCIDR)}},
	}
	texts, err := fs.Sub(elsewhere, "elsewhere")
	if err != nil {
		return nil, err
	}
	err = fs.WalkDir(texts, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		page, err := template.New(entry.Name()).Option("missingkey=error").ParseFS(texts, path)
		if err != nil {
			return err
		}
		var b bytes.Buffer
		err = page.Execute(&b, map[string]any{"Image": image, "TTL": app.TTL, "Replicas": app.Replicas, "AllowCIDR": s.AllowCIDR})
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		files = append(files, File{Path: path, Text: b.String()})
		return nil
	})
	return files, err
}

// anyApp is what the app is on every cluster outside of AWS.
func anyApp(s settings.Settings) manifest.App {
	ttl := contract.SandboxTTL
	if s.IsProduction() {
		ttl = ""
	}
	cpu, memory := s.PodSize()
	return manifest.App{
		Architecture: s.Architecture.GOARCH(),
		Port:         int32(s.Port),
		HealthPath:   s.HealthPath,
		NoNotes:      s.Bucket == settings.NoBucket,
		Env:          s.Env,
		Secrets:      s.Secrets,
		CPU:          cpu,
		MemoryMiB:    memory,
		TmpMiB:       s.TmpMiB(),
		TTL:          ttl,
		Replicas:     int32(s.Replicas()),
	}
}

// The part of OpenShift's route.openshift.io/v1 that we use; tests/bundles
// decodes it strictly into OpenShift's own types.
type (
	route struct {
		metav1.TypeMeta `json:",inline"`
		Metadata        routeMetadata `json:"metadata"`
		Spec            routeSpec     `json:"spec"`
	}
	routeMetadata struct {
		Name        string            `json:"name"`
		Namespace   string            `json:"namespace"`
		Labels      map[string]string `json:"labels"`
		Annotations map[string]string `json:"annotations,omitempty"`
	}
	routeSpec struct {
		To   ref       `json:"to"`
		Port routePort `json:"port"`
		TLS  routeTLS  `json:"tls"`
	}
	routePort struct {
		TargetPort string `json:"targetPort"`
	}
	routeTLS struct {
		Termination                   string `json:"termination"`
		InsecureEdgeTerminationPolicy string `json:"insecureEdgeTerminationPolicy"`
	}
)

// newRoute gives a service a name below the cluster's domain, with the router's
// certificate, for those in the range.
func newRoute(service manifest.Object, allowCIDR string) route {
	r := route{
		TypeMeta: metav1.TypeMeta{APIVersion: "route.openshift.io/v1", Kind: "Route"},
		Metadata: routeMetadata{Name: service.GetName(), Namespace: service.GetNamespace(), Labels: service.GetLabels()},
		Spec: routeSpec{
			To:   ref{Kind: "Service", Name: service.GetName()},
			Port: routePort{manifest.PortName},
			TLS:  routeTLS{Termination: "edge", InsecureEdgeTerminationPolicy: "Redirect"},
		},
	}
	if allowCIDR != settings.Everyone {
		// A router ignores what it does not know, and lets everyone in: older ones
		// know the second name only.
		r.Metadata.Annotations = map[string]string{
			"haproxy.router.openshift.io/ip_allowlist": allowCIDR,
			"haproxy.router.openshift.io/ip_whitelist": allowCIDR,
		}
	}
	return r
}
