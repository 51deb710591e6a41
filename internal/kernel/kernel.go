// Package kernel prepares and stops the Node.js process in which jsii runs the
// CDK. jsii starts it by itself on the first use of a construct.
package kernel

import (
	"os"

	"github.com/aws/jsii-runtime-go"

	"refdeploy/internal/project"
)

// UsePinnedNode makes jsii run the Node.js that package.json pins, unless the
// user chose one with JSII_NODE. The one on the PATH may be older than what
// jsii supports, and then every command starts with a warning. Before `npm ci`
// there is no pinned one, and the PATH's is used.
func UsePinnedNode() error {
	if os.Getenv("JSII_NODE") != "" {
		return nil
	}
	root, err := project.Root()
	if err != nil {
		return err
	}
	for _, name := range []string{"node", "node.exe"} {
		node := root + "/node_modules/node/bin/" + name
		if _, err := os.Stat(node); err == nil {
			return os.Setenv("JSII_NODE", node)
		}
	}
	return nil
}

// Close stops the process and removes its temporary files. It is the last thing
// a program does: stderr is gone afterwards, because jsii 1.140.0 waits for the
// process twice, and when the second wait finds it gone already, says so there
// although nothing is wrong.
func Close() {
	if null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0); err == nil {
		os.Stderr = null
	}
	jsii.Close()
}
