package report

import (
	"encoding/json"
	"fmt"

	"refdeploy/internal/inventory"
)

// unknown stands in a table where only the catalog would know, and the stack is
// not in it.
const unknown = "–"

// knows returns what the catalog says of a deployment, or that it is unknown.
func (d Deployment) knows(text string) string {
	if !d.InCatalog {
		return unknown
	}
	return text
}

// MarshalJSON writes null for what only the catalog knows, where the stack is not
// in it: nothing and unknown are not the same.
func (d Deployment) MarshalJSON() ([]byte, error) {
	type plain Deployment
	if d.InCatalog {
		return json.Marshal(plain(d))
	}
	type null = *struct{}
	return json.Marshal(struct {
		plain
		Status       null `json:"status"`
		ControlPlane null `json:"controlPlane"`
		DataPlane    null `json:"dataPlane"`
		Outside      null `json:"outside"`
		Identity     null `json:"identity"`
		Duties       null `json:"duties"`
		Limits       null `json:"limits"`
		Needs        null `json:"needs"`
		Leftovers    null `json:"leftovers"`
	}{plain: plain(d)})
}

// Ports is the port for people, or the range of them.
func (e Exposure) Ports() string {
	switch {
	case e.Port == 0 && e.ToPort == inventory.LastPort:
		return "every port"
	case e.ToPort > e.Port:
		return fmt.Sprintf("ports %d to %d", e.Port, e.ToPort)
	}
	return fmt.Sprintf("port %d", e.Port)
}
