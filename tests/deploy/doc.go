// Package deploy holds the tests that deploy every stack with the CDK CLI to an
// emulator of AWS on this machine: `make test-deploy`. What they prove, and what
// only an account can show, is in docs/proof.md.
package deploy
