package kubernetes_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// assetsVariable is where controller-runtime's tests look for these programs too.
const assetsVariable = "KUBEBUILDER_ASSETS"

// Programs of a control plane. What `setup-envtest` installs has the first three.
var (
	required = []string{"etcd", "kube-apiserver", "kubectl"}
	optional = []string{"kube-controller-manager", "kube-scheduler", "kwok"}
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
	dir, named := os.LookupEnv(assetsVariable)
	if !named || dir == "" {
		dir = filepath.Join("..", "..", "bin", "kubernetes")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return programs{}, err
	}
	if missing := missing(dir, required); len(missing) > 0 {
		if named {
			return programs{}, fmt.Errorf("%s: %q has no %s; name a directory with %s, or leave the variable out to build them",
				assetsVariable, dir, strings.Join(missing, ", "), strings.Join(required, ", "))
		}
		return programs{}, fmt.Errorf("%s: has no %s; run the tests through `make test-kubernetes`, which builds them", dir, strings.Join(missing, ", "))
	}
	return programs{dir: dir, complete: len(missing(dir, optional)) == 0}, nil
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
