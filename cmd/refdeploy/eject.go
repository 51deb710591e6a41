package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/pmezard/go-difflib/difflib"
	"github.com/spf13/cobra"

	"refdeploy/internal/assembly"
	"refdeploy/internal/catalog"
	"refdeploy/internal/eject"
	"refdeploy/internal/project"
	"refdeploy/internal/settings"
	"refdeploy/internal/synth"
)

// changed is the exit status of a diff that found something.
const changed exitStatus = 2

func newEject() *cobra.Command {
	var in input
	var module, name, app string
	var keep, diff bool
	cmd := &cobra.Command{
		Use:   "eject STACK DIR",
		Short: "Write a deployment as a project of your own: code, tests, app, documentation",
		Long: "Write a deployment as a Go project of your own to DIR: its stack, the constructs that it uses, its tests,\n" +
			"the app, and a README. What you chose with -c is written as plain values. DIR is new or empty.\n" +
			"With --diff, nothing is written: it shows what this version would write otherwise into a DIR that an\n" +
			"older one wrote, and ends with status 2 when there is something, 0 when there is not, 1 when it failed.",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 2 {
				return fmt.Errorf("eject: got %d arguments; it takes two, STACK and DIR, for example eject EcsFargate ../service", len(args))
			}
			id, dir := args[0], args[1]
			if err := known([]string{id}); err != nil {
				return err
			}
			root, err := project.Root()
			if err != nil {
				return err
			}
			if diff {
				for _, flag := range []string{"module", "name", "app", "keep-settings", "context"} {
					if cmd.Flags().Changed(flag) {
						return fmt.Errorf("%s: the project in %s says itself how it was made; leave it out with --diff", flag, dir)
					}
				}
				return ejectDiff(cmd, root, id, dir)
			}
			given, err := in.context()
			if err != nil {
				return err
			}
			if cmd.Flags().Changed("app") {
				if _, twice := given["app"]; twice {
					return fmt.Errorf("app: got --app and -c app=…; give one of them")
				}
				if given["app"], err = filepath.Abs(app); err != nil {
					return fmt.Errorf("app: %w", err)
				}
			}
			if err := eject.Writable(root, dir); err != nil {
				return err
			}
			options, err := ejectOptions(id, dir, module, name, keep, given)
			if err != nil {
				return err
			}
			options.Version = eject.Version(root)
			if err := ejectTemplate(cmd.Context(), &options); err != nil {
				return err
			}
			if err := eject.Write(cmd.Context(), root, dir, options); err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: %s as a project of your own; go there and run `make test`, then read README.md\n", dir, id)
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&module, "module", "", "the path of the Go module (default example.com/ and the name of DIR)")
	f.StringVar(&name, "name", "", "the name of the stack in CloudFormation (default the name of DIR)")
	f.StringVar(&app, "app", "", "the directory of your own app, which has a Dockerfile and stays where it is (default the sample app, copied)")
	f.BoolVar(&keep, "keep-settings", false, "keep the settings, to be given with -c, instead of what they decide")
	f.BoolVar(&diff, "diff", false, "show what this version would write otherwise, and change nothing")
	f.StringArrayVarP(&in.settings, "context", "c", nil, "a setting, as for cdk: key=value")
	return cmd
}

// odd matches what no part of a module's path and no stack's name may hold.
var odd = regexp.MustCompile(`[^A-Za-z0-9-]+`)

// ejectOptions checks what the user gave and fills in the rest.
func ejectOptions(id, dir, module, name string, keep bool, given map[string]string) (eject.Options, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return eject.Options{}, fmt.Errorf("dir: %w", err)
	}
	base := strings.Trim(odd.ReplaceAllString(filepath.Base(abs), "-"), "-")
	if module == "" {
		module = "example.com/" + strings.ToLower(base)
	}
	if name == "" {
		name = base
	}
	if err := eject.CheckModule(module); err != nil {
		return eject.Options{}, err
	}
	if err := eject.CheckName(name); err != nil {
		return eject.Options{}, err
	}
	chosen, err := synth.Settings(given)
	if err != nil {
		return eject.Options{}, err
	}
	switch {
	case chosen.Network == settings.Shared:
		return eject.Options{}, fmt.Errorf("network: got %q; a project of one deployment has a network of its own: leave it out", settings.Shared)
	case len(chosen.Stacks) > 0:
		return eject.Options{}, fmt.Errorf("stacks: got %q; the project has one, %s: leave it out", strings.Join(chosen.Stacks, ","), id)
	}
	if chosen.App != "" {
		// Where it is from the project, which may move with it.
		there := project.Resolve(chosen.App)
		if chosen.App, err = filepath.Rel(abs, there); err != nil {
			chosen.App = there
		}
		given["app"] = there
	}
	return eject.Options{Stack: id, Module: module, Name: name, Keep: keep, Settings: chosen, Given: given}, nil
}

// ejectTemplate synthesizes what settings come to that no golden template is for.
func ejectTemplate(ctx context.Context, o *eject.Options) error {
	if !o.NeedsTemplate() {
		return nil
	}
	overrides := maps.Clone(o.Given)
	overrides["stacks"] = o.Stack
	return synth.Quick(ctx, overrides, func(dir string) error {
		stacks, err := assembly.Read(dir)
		if err != nil {
			return err
		}
		for _, s := range stacks {
			for _, a := range s.Annotations {
				if s.ID == o.Stack && a.Level == "error" {
					return fmt.Errorf("%s: %s", s.ID, a.Says)
				}
			}
		}
		text, err := os.ReadFile(filepath.Join(dir, o.Stack+".template.json"))
		if err != nil {
			return err
		}
		o.Template, err = eject.Golden(text)
		return err
	})
}

// ejectDiff shows what this version would write otherwise.
func ejectDiff(cmd *cobra.Command, root, id, dir string) error {
	record, err := eject.ReadRecord(dir)
	if err != nil {
		return err
	}
	if record.Stack != id {
		if known([]string{record.Stack}) != nil {
			return fmt.Errorf("stack: the project in %s was made of %s, which is no deployment any more; there are %s", dir, record.Stack, strings.Join(catalog.IDs(), ", "))
		}
		return fmt.Errorf("stack: got %s; the project in %s was made of %s", id, dir, record.Stack)
	}
	if app, ok := record.Settings["app"]; ok && !filepath.IsAbs(app) {
		if record.Settings["app"], err = filepath.Abs(filepath.Join(dir, app)); err != nil {
			return fmt.Errorf("app: %w", err)
		}
	}
	options, err := ejectOptions(id, dir, record.Module, record.Name, record.Keep, record.Settings)
	if err != nil {
		return err
	}
	if err := ejectTemplate(cmd.Context(), &options); err != nil {
		return err
	}
	changes, err := eject.Changes(cmd.Context(), root, dir, options, record)
	if err != nil {
		return err
	}
	for _, c := range changes {
		if err := writeChange(cmd.OutOrStdout(), c); err != nil {
			return err
		}
	}
	if len(changes) > 0 {
		return changed
	}
	return nil
}

// writeChange writes a file's change as `diff -u` does.
func writeChange(w io.Writer, c eject.Change) error {
	from, to := "a/"+c.Path, "b/"+c.Path
	switch {
	case c.New && c.Was == "":
		from = "/dev/null"
	case c.Old:
		to = "/dev/null"
	}
	text, err := difflib.GetUnifiedDiffString(difflib.UnifiedDiff{
		A: difflib.SplitLines(c.Was), B: difflib.SplitLines(c.Is), FromFile: from, ToFile: to, Context: 3,
	})
	if err != nil {
		return err
	}
	if c.Edited {
		if _, err := fmt.Fprintf(w, "%s: you changed it too; what you did shows as taken back\n", c.Path); err != nil {
			return err
		}
	}
	_, err = io.WriteString(w, text)
	return err
}
