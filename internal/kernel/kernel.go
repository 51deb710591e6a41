// Package kernel stops the Node.js process in which jsii runs the CDK. jsii
// starts it by itself, with the `node` on the PATH: npx and the Makefile put the
// one there that package.json pins.
package kernel

import (
	"os"

	"github.com/aws/jsii-runtime-go"
)

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
