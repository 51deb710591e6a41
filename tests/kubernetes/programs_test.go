package kubernetes_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// assetsVariable is where controller-runtime's tests look for these programs too.
const assetsVariable = "KUBEBUILDER_ASSETS"

// Programs of a control plane. What `setup-envtest` installs has the first three.
var (
	required = []string{"etcd", "kube-apiserver", "kubectl"}
	optional = []string{"kube-controller-manager", "kube-scheduler", "kwok", "helm"}
)

// programs is a directory with a control plane's programs.
type programs struct {
	dir      string
	complete bool // has the optional ones too, so that a Deployment makes pods
}

func (p programs) path(name string) string { return filepath.Join(p.dir, name) }

// findPrograms takes the directory that the user names, or the one that `make
// test-kubernetes` builds.
func findPrograms() (programs, error) {
	dir := os.Getenv(assetsVariable)
	if dir != "" {
		// The tests run in another directory than make.
		if !filepath.IsAbs(dir) {
			return programs{}, fmt.Errorf("%s: %q is no absolute path; write it out from /", assetsVariable, dir)
		}
		if missing := missing(dir, required); len(missing) > 0 {
			return programs{}, fmt.Errorf("%s: %q has no program %s; name a directory with %s, or leave the variable out to build them",
				assetsVariable, dir, strings.Join(missing, ", "), strings.Join(required, ", "))
		}
		return programs{dir: dir, complete: len(missing(dir, optional)) == 0}, nil
	}
	dir, err := filepath.Abs(filepath.Join("..", "..", "bin", "kubernetes"))
	if err != nil {
		return programs{}, err
	}
	if missing := missing(dir, slices.Concat(required, optional)); len(missing) > 0 {
		return programs{}, fmt.Errorf("%s: has no program %s; run the tests through `make test-kubernetes`, which builds them", dir, strings.Join(missing, ", "))
	}
	return programs{dir: dir, complete: true}, nil
}

// missing returns which programs a directory has not.
func missing(dir string, names []string) []string {
	var missing []string
	for _, name := range names {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.IsDir() || info.Mode()&0o111 == 0 {
			missing = append(missing, name)
		}
	}
	return missing
}
