//go:build runtimes

package runtimes_test

import (
	"encoding/json"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	"sigs.k8s.io/yaml"
)

// A check is how a platform asks an app whether it is well.
type check struct {
	Path string // "" where nobody asks

	// Within is how long the app may take until it answers for the first time:
	// after that it is taken for dead.
	Within time.Duration
}

// patience is for templates that say nothing: the shortest that another says.
const patience = 30 * time.Second

// checkIn finds the check in a template.
func checkIn(template []byte) (check, error) {
	var parsed struct {
		Resources map[string]struct {
			Type       string
			Properties json.RawMessage
		}
	}
	if err := json.Unmarshal(template, &parsed); err != nil {
		return check{}, err
	}
	var found check
	for id, resource := range parsed.Resources {
		var err error
		switch resource.Type {
		case "AWS::ElasticLoadBalancingV2::TargetGroup", "AWS::ECS::ExpressGatewayService":
			var asks struct{ HealthCheckPath string }
			err = json.Unmarshal(resource.Properties, &asks)
			err = found.add(check{Path: asks.HealthCheckPath}, err)
		case "AWS::AppRunner::Service":
			var asks struct {
				HealthCheckConfiguration struct{ Path string }
			}
			err = json.Unmarshal(resource.Properties, &asks)
			err = found.add(check{Path: asks.HealthCheckConfiguration.Path}, err)
		case "AWS::ECS::Service":
			var service struct{ HealthCheckGracePeriodSeconds int }
			err = json.Unmarshal(resource.Properties, &service)
			err = found.add(check{Within: time.Duration(service.HealthCheckGracePeriodSeconds) * time.Second}, err)
		case "Custom::AWSCDK-EKS-KubernetesResource":
			var objects []json.RawMessage
			objects, err = manifests(resource.Properties)
			for _, object := range objects {
				if err == nil {
					var of check
					of, err = checkOf(object)
					err = found.add(of, err)
				}
			}
		}
		if err != nil {
			return check{}, fmt.Errorf("%s: %w", id, err)
		}
	}
	if found.Within == 0 {
		found.Within = patience
	}
	return found, nil
}

// checkOf reads the probes of a Deployment's pod: when the liveness probe has
// failed as often as it may, Kubernetes kills the container.
func checkOf(object []byte) (check, error) {
	var deployment appsv1.Deployment
	if err := yaml.Unmarshal(object, &deployment); err != nil || deployment.Kind != "Deployment" {
		return check{}, nil // of another kind
	}
	container := deployment.Spec.Template.Spec.Containers[0]
	alive, ready := container.LivenessProbe, container.ReadinessProbe
	if alive == nil || ready == nil || alive.HTTPGet == nil || ready.HTTPGet == nil || container.StartupProbe != nil {
		return check{}, fmt.Errorf("the pod has other probes than one each that asks whether it is alive and ready; teach tests/runtimes")
	}
	times := alive.FailureThreshold
	if times == 0 {
		times = 3 // Kubernetes' default
	}
	all := check{Path: alive.HTTPGet.Path, Within: time.Duration(alive.InitialDelaySeconds+alive.PeriodSeconds*times) * time.Second}
	return all, all.add(check{Path: ready.HTTPGet.Path}, nil)
}

// add takes what another resource says. Two that do not agree are an error: then
// one of them would find the app dead.
func (c *check) add(other check, err error) error {
	if err != nil {
		return err
	}
	if c.Path != "" && other.Path != "" && c.Path != other.Path {
		return fmt.Errorf("one asks for %s, another for %s", c.Path, other.Path)
	}
	if other.Path != "" {
		c.Path = other.Path
	}
	c.Within = max(c.Within, other.Within)
	return nil
}
