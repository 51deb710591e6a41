package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"refdeploy/internal/assembly"
	"refdeploy/internal/catalog"
	"refdeploy/internal/settings"
	"refdeploy/internal/synth"
)

// stacks returns the stacks with the given ids, or all: those of the assembly,
// and what it lacks synthesized from this project. What synthesis has to tell of
// them goes to standard error.
func (in *input) stacks(cmd *cobra.Command, ids []string) ([]assembly.Stack, error) {
	given := cmd.Flags().Changed("assembly")
	overrides, err := in.context()
	if err != nil {
		return nil, err
	}
	var found []assembly.Stack
	if given {
		if found, err = readAssembly(in.assembly); err != nil {
			return nil, err
		}
	}
	missing, err := in.missing(found, ids)
	if err != nil {
		return nil, err
	}
	switch {
	case !given || len(missing) > 0:
		made, err := synthesize(cmd, overrides, missing)
		if err != nil {
			return nil, err
		}
		found = append(found, made...)
	case len(overrides) > 0:
		return nil, fmt.Errorf("context: settings are part of the assembly in %s; leave out -c or --assembly", in.assembly)
	}
	found = assembly.Whole(found, settings.NetworkID)
	found = slices.DeleteFunc(found, func(s assembly.Stack) bool { return s.ID == settings.BudgetID && s.Ours() }) // which runs nothing
	if len(ids) > 0 {
		found = slices.DeleteFunc(found, func(s assembly.Stack) bool { return !slices.Contains(ids, s.ID) })
	}
	return in.tell(cmd.ErrOrStderr(), found, len(ids) > 0)
}

// context returns the settings that were given by -c.
func (in *input) context() (map[string]string, error) {
	all := map[string]string{}
	for _, setting := range in.settings {
		key, value, ok := strings.Cut(setting, "=")
		if !ok || key == "" {
			return nil, fmt.Errorf("context: got %q; allowed: key=value, for example -c profile=production", setting)
		}
		all[key] = value
	}
	return all, nil
}

// readAssembly reads the assembly that a flag names.
func readAssembly(dir string) ([]assembly.Stack, error) {
	if dir == "" {
		return nil, fmt.Errorf("assembly: got an empty name; allowed: a directory that `cdk synth` wrote, such as cdk.out")
	}
	return assembly.Read(dir)
}

// missing returns those of ids that found lacks. It fails when nobody knows one.
func (in *input) missing(found []assembly.Stack, ids []string) ([]string, error) {
	known := catalog.IDs()
	for _, s := range found {
		if !slices.Contains(known, s.ID) {
			known = append(known, s.ID)
		}
	}
	var missing []string
	for _, id := range ids {
		if !slices.Contains(known, id) {
			err := unknown("stack", id, known)
			if in.assembly == "" {
				return nil, fmt.Errorf("%w; for stacks of your own give --assembly DIR", err)
			}
			return nil, err
		}
		if !slices.ContainsFunc(found, func(s assembly.Stack) bool { return s.ID == id }) {
			missing = append(missing, id)
		}
	}
	return missing, nil
}

// synthesize returns this project's stacks with the given ids, or all, in an
// assembly that is thrown away.
func synthesize(cmd *cobra.Command, overrides map[string]string, ids []string) ([]assembly.Stack, error) {
	if _, set := overrides["stacks"]; !set && len(ids) > 0 {
		overrides["stacks"] = strings.Join(ids, ",")
	}
	chosen, err := synth.Settings(overrides)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		if len(chosen.Stacks) > 0 && !slices.Contains(chosen.Stacks, id) {
			return nil, fmt.Errorf("stack: %s is not among the stacks that the settings name (%s)", id, strings.Join(chosen.Stacks, ", "))
		}
	}
	if progress := cmd.ErrOrStderr(); isTerminal(progress) {
		fmt.Fprint(progress, "synthesizing …\r")
		defer fmt.Fprint(progress, "               \r")
	}
	var made []assembly.Stack
	err = synth.Quick(cmd.Context(), overrides, func(dir string) (err error) {
		made, err = assembly.Read(dir)
		return err
	})
	return made, err
}

// tell writes a line for each thing that a reader of the stacks has to know, and
// returns the stacks that are worth reading. Empty ones, which CloudFormation
// would not deploy, are not; it is an error to ask for one.
func (in *input) tell(w io.Writer, stacks []assembly.Stack, named bool) ([]assembly.Stack, error) {
	var kept []assembly.Stack
	for _, s := range stacks {
		if len(s.Template.Resources) == 0 {
			empty := fmt.Errorf("%s: its template has no resources, so there is nothing to compare", s.ID)
			if named {
				return nil, empty
			}
			fmt.Fprintln(w, empty)
			continue
		}
		if slices.Contains(catalog.IDs(), s.ID) && !s.Ours() {
			fmt.Fprintf(w, "%s: the stack of this name in %s is not refdeploy's; it is shown without what the catalog knows\n", s.ID, in.assembly)
		}
		for _, a := range s.Annotations {
			fmt.Fprintf(w, "%s: %s: %s\n", s.ID, a.Level, a.Says)
		}
		kept = append(kept, s)
	}
	if len(kept) == 0 {
		return nil, fmt.Errorf("%s: no stack with resources", in.assembly)
	}
	return kept, nil
}

// isTerminal reports whether people are watching.
func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
