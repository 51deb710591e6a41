package bundle

import (
	"encoding/json"
	"fmt"

	"refdeploy/constructs/kube/manifest"
	"refdeploy/internal/settings"
	"refdeploy/internal/versions"
)

// outputs are those of the stack EksAnywhere that its files are made from.
var outputs = []string{"NotesBucket", "Region", "ImageUri", "IssuerUrl", "AppRoleArn"}

// EKSAnywhere returns the files for a cluster of EKS Anywhere: its own spec, for
// three kinds of servers, the app, and what the issuer of the cluster's tokens
// says of itself. It fails when one of the deployed stack's outputs is missing.
func EKSAnywhere(s settings.Settings, deployed map[string]string) ([]File, error) {
	for _, name := range outputs {
		if deployed[name] == "" && !(name == "NotesBucket" && s.Bucket == settings.NoBucket) {
			return nil, fmt.Errorf("no output %s of the stack EksAnywhere; deploy it with `npx cdk deploy EksAnywhere --outputs-file outputs.json`", name)
		}
	}
	issuer := deployed["IssuerUrl"]
	var app []any
	for _, object := range App(s, deployed).Objects() {
		app = append(app, object)
	}
	return []File{
		{Path: "cluster-docker.yaml", Objects: dockerCluster(s, issuer)},
		{Path: "cluster-vsphere.yaml", Head: edit, Objects: vSphereCluster(s, issuer)},
		{Path: "cluster-bare-metal.yaml", Head: edit, Objects: bareMetalCluster(s, issuer)},
		{Path: "app.yaml", Objects: app},
		{Path: "openid-configuration.json", Text: discovery(issuer)},
	}, nil
}

// App is the app for the cluster, from the outputs of the deployed
// stack by name.
func App(s settings.Settings, outputs map[string]string) manifest.App {
	app := anyApp(s)
	app.Image = outputs["ImageUri"]
	app.Bucket, app.Region, app.RoleARN = outputs["NotesBucket"], outputs["Region"], outputs["AppRoleArn"]
	app.PullSecret = "registry"
	app.Platform, app.DataPlane = "EKS Anywhere", "your own servers"
	return app
}

const edit = "# Addresses of 192.0.2.0/24 and names with EXAMPLE stand for yours: change them.\n"

// discovery is the document that AWS reads first, to learn where the keys are
// (OpenID Connect Discovery 1.0, section 3).
func discovery(issuer string) string {
	document, _ := json.MarshalIndent(map[string]any{ // strings only
		"issuer":                                issuer,
		"jwks_uri":                              issuer + "/keys.json",
		"response_types_supported":              []string{"id_token"},
		"subject_types_supported":               []string{"public"},
		"id_token_signing_alg_values_supported": []string{"RS256"},
	}, "", "  ")
	return string(document) + "\n"
}

const clusterName = "refdeploy"

// The objects of anywhere.eks.amazonaws.com/v1alpha1, as far as we use them. The
// Go module of EKS Anywhere has them all, and some hundred other modules.
// tests/eksanywhere validates the files against its schemas.
type (
	object[T any] struct {
		APIVersion string   `json:"apiVersion"`
		Kind       string   `json:"kind"`
		Metadata   metadata `json:"metadata"`
		Spec       T        `json:"spec"`
	}
	metadata struct {
		Name string `json:"name"`
	}
	ref struct {
		Kind string `json:"kind"`
		Name string `json:"name"`
	}

	cluster struct {
		KubernetesVersion string          `json:"kubernetesVersion"`
		ManagementCluster metadata        `json:"managementCluster"`
		ClusterNetwork    clusterNetwork  `json:"clusterNetwork"`
		PodIAMConfig      podIAMConfig    `json:"podIamConfig"`
		DatacenterRef     ref             `json:"datacenterRef"`
		ControlPlane      machines        `json:"controlPlaneConfiguration"`
		ExternalEtcd      *machines       `json:"externalEtcdConfiguration,omitempty"`
		Workers           []namedMachines `json:"workerNodeGroupConfigurations"`
	}
	podIAMConfig struct {
		ServiceAccountIssuer string `json:"serviceAccountIssuer"`
	}
	clusterNetwork struct {
		CNIConfig map[string]struct{} `json:"cniConfig"`
		Pods      cidrs               `json:"pods"`
		Services  cidrs               `json:"services"`
	}
	cidrs struct {
		CIDRBlocks []string `json:"cidrBlocks"`
	}
	machines struct {
		Count           int       `json:"count"`
		Endpoint        *endpoint `json:"endpoint,omitempty"`
		MachineGroupRef *ref      `json:"machineGroupRef,omitempty"`
	}
	endpoint struct {
		Host string `json:"host"`
	}
	namedMachines struct {
		Name     string `json:"name"`
		machines `json:",inline"`
	}

	vSphereDatacenter struct {
		Datacenter string `json:"datacenter"`
		Network    string `json:"network"`
		Server     string `json:"server"`
		Insecure   bool   `json:"insecure"`
		Thumbprint string `json:"thumbprint"`
	}
	vSphereMachine struct {
		Datastore    string `json:"datastore"`
		Folder       string `json:"folder"`
		ResourcePool string `json:"resourcePool"`
		Template     string `json:"template"`
		OSFamily     string `json:"osFamily"`
		NumCPUs      int    `json:"numCPUs"`
		MemoryMiB    int    `json:"memoryMiB"`
		DiskGiB      int    `json:"diskGiB"`
		Users        []user `json:"users"`
	}
	user struct {
		Name              string   `json:"name"`
		SSHAuthorizedKeys []string `json:"sshAuthorizedKeys"`
	}

	tinkerbellDatacenter struct {
		TinkerbellIP string `json:"tinkerbellIP"`
	}
	tinkerbellMachine struct {
		HardwareSelector map[string]string `json:"hardwareSelector"`
		OSFamily         string            `json:"osFamily"`
		Users            []user            `json:"users"`
	}
)

func anywhere[T any](kind, name string, spec T) object[T] {
	return object[T]{"anywhere.eks.amazonaws.com/v1alpha1", kind, metadata{name}, spec}
}

// spec is what the variants have in common: a cluster that manages itself, whose
// tokens AWS can check. Production has three of what has to agree, so that one
// may fail.
func spec(s settings.Settings, issuer, datacenter string) cluster {
	control := 1
	if s.IsProduction() {
		control = 3
	}
	return cluster{
		KubernetesVersion: fmt.Sprintf("1.%d", versions.KubernetesMinor),
		ManagementCluster: metadata{clusterName},
		ClusterNetwork: clusterNetwork{
			CNIConfig: map[string]struct{}{"cilium": {}},
			Pods:      cidrs{[]string{"192.168.0.0/16"}},
			Services:  cidrs{[]string{"10.96.0.0/12"}},
		},
		PodIAMConfig:  podIAMConfig{issuer},
		DatacenterRef: ref{datacenter, clusterName},
		ControlPlane:  machines{Count: control},
		Workers:       []namedMachines{{Name: "md-0", machines: machines{Count: s.Replicas()}}},
	}
}

// dockerCluster has containers for nodes, on one machine: for development only.
func dockerCluster(s settings.Settings, issuer string) []any {
	c := spec(s, issuer, "DockerDatacenterConfig")
	c.ExternalEtcd = &machines{Count: c.ControlPlane.Count}
	return []any{
		anywhere("Cluster", clusterName, c),
		anywhere("DockerDatacenterConfig", clusterName, struct{}{}),
	}
}

var admin = []user{{Name: "capv", SSHAuthorizedKeys: []string{"ssh-ed25519 EXAMPLE"}}}

// vSphereCluster has virtual machines of vSphere for nodes.
func vSphereCluster(s settings.Settings, issuer string) []any {
	c := spec(s, issuer, "VSphereDatacenterConfig")
	group := &ref{"VSphereMachineConfig", clusterName}
	c.ControlPlane.Endpoint, c.ControlPlane.MachineGroupRef = &endpoint{"192.0.2.10"}, group
	c.ExternalEtcd = &machines{Count: c.ControlPlane.Count, MachineGroupRef: group}
	c.Workers[0].MachineGroupRef = group
	return []any{
		anywhere("Cluster", clusterName, c),
		anywhere("VSphereDatacenterConfig", clusterName, vSphereDatacenter{
			Datacenter: "EXAMPLE-datacenter", Network: "/EXAMPLE-datacenter/network/EXAMPLE", Server: "vcenter.EXAMPLE", Thumbprint: "EXAMPLE",
		}),
		anywhere("VSphereMachineConfig", clusterName, vSphereMachine{
			Datastore: "/EXAMPLE-datacenter/datastore/EXAMPLE", Folder: "/EXAMPLE-datacenter/vm/EXAMPLE",
			ResourcePool: "/EXAMPLE-datacenter/host/EXAMPLE/Resources", Template: "/EXAMPLE-datacenter/vm/EXAMPLE-ubuntu",
			OSFamily: "ubuntu", NumCPUs: 2, MemoryMiB: 8192, DiskGiB: 25, Users: admin,
		}),
	}
}

// bareMetalCluster has your servers for nodes; the labels choose them from the
// hardware file. etcd runs beside the control plane.
func bareMetalCluster(s settings.Settings, issuer string) []any {
	c := spec(s, issuer, "TinkerbellDatacenterConfig")
	const control, workers = clusterName + "-cp", clusterName
	c.ControlPlane.Endpoint, c.ControlPlane.MachineGroupRef = &endpoint{"192.0.2.10"}, &ref{"TinkerbellMachineConfig", control}
	c.Workers[0].MachineGroupRef = &ref{"TinkerbellMachineConfig", workers}
	machine := func(kind string) tinkerbellMachine {
		return tinkerbellMachine{
			HardwareSelector: map[string]string{"type": kind}, OSFamily: "ubuntu",
			Users: []user{{Name: "ec2-user", SSHAuthorizedKeys: admin[0].SSHAuthorizedKeys}},
		}
	}
	return []any{
		anywhere("Cluster", clusterName, c),
		anywhere("TinkerbellDatacenterConfig", clusterName, tinkerbellDatacenter{TinkerbellIP: "192.0.2.11"}),
		anywhere("TinkerbellMachineConfig", control, machine("cp")),
		anywhere("TinkerbellMachineConfig", workers, machine("worker")),
	}
}
