// Package manifest holds the app as typed Kubernetes objects, for clusters on AWS
// and elsewhere. It knows nothing of the CDK, so that what only writes them down
// starts without it.
package manifest

import (
	"encoding/json"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// An Object is a Kubernetes object with a name.
type Object interface {
	runtime.Object
	metav1.Object
}

// Fields returns an object as JSON has it, for whoever writes it down. It panics
// when the object cannot be encoded, which no valid object does.
func Fields(object Object) *map[string]any {
	var fields map[string]any
	encoded, err := json.Marshal(object)
	if err == nil {
		err = json.Unmarshal(encoded, &fields)
	}
	if err != nil {
		panic(fmt.Errorf("manifest of %T %q: %w", object, object.GetName(), err))
	}
	// The server fills status in; sending an empty one is an error to strict
	// readers.
	delete(fields, "status")
	return &fields
}
