// Package environment holds what the app is told when it starts.
package environment

import (
	"github.com/aws/jsii-runtime-go"

	"refdeploy/constructs/notes"
	"refdeploy/internal/settings"
)

// A Variable is a name with a value, which may be a CDK token.
type Variable struct {
	Name  string
	Value *string
}

// Environment is what the app is told, in order.
type Environment []Variable

// New returns what tells the app of its bucket, if it has one, and after that
// what the user gave it.
func New(bucket notes.Notes, given []settings.Variable) Environment {
	var all Environment
	if bucket.Bucket != nil {
		all = all.With("NOTES_BUCKET", bucket.Bucket.BucketName()).With("NOTES_TTL", bucket.TTL)
	}
	for _, v := range given {
		all = all.With(v.Name, jsii.String(v.Value))
	}
	return all
}

// With returns the environment with one variable more.
func (e Environment) With(name string, value *string) Environment {
	return append(e[:len(e):len(e)], Variable{name, value})
}

// Map returns the environment as most of the CDK's classes take it.
func (e Environment) Map() *map[string]*string {
	all := map[string]*string{}
	for _, v := range e {
		all[v.Name] = v.Value
	}
	return &all
}
