package stacks_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"refdeploy/constructs/cdktest"
	"refdeploy/internal/settings"
)

// mutant is the directory of the templates to test in place of what the stacks
// synthesize to, or "".
var mutant string

// TestMain runs the tests once, or for tests/mutations once for each directory of
// changed templates, with the tests that its file "run" names.
func TestMain(m *testing.M) {
	mutants := os.Getenv("REFDEPLOY_MUTANTS")
	if mutants == "" {
		os.Exit(m.Run())
	}
	flag.Parse()
	entries, err := os.ReadDir(mutants)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for _, entry := range entries {
		mutant = filepath.Join(mutants, entry.Name())
		synthesized = map[string]map[string]*cdktest.Stack{}
		run, err := os.ReadFile(filepath.Join(mutant, "run"))
		if err == nil {
			err = flag.Set("test.run", string(run))
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Printf("mutant %s\n", entry.Name())
		m.Run()
	}
	os.Exit(0)
}

// changed returns the changed templates of a profile, and none of the shared
// network. A test of other settings has nothing to look at.
func changed(t testing.TB, chosen settings.Settings) map[string]*cdktest.Stack {
	t.Helper()
	if chosen.Network == settings.Shared {
		return map[string]*cdktest.Stack{}
	}
	plain := settings.Default()
	plain.Profile = chosen.Profile
	if fmt.Sprintf("%+v", chosen) != fmt.Sprintf("%+v", plain) {
		t.Skip("nothing is changed with these settings")
	}
	return cdktest.Read(t, filepath.Join(mutant, "profile-"+string(chosen.Profile)))
}
