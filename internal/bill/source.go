//go:build !js

package bill

import "embed"

// Source is this package's own source: the page that refdeploy writes compiles
// it to WebAssembly.
//
//go:embed *.go
var Source embed.FS
