package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"

	"refdeploy/internal/catalog"
	"refdeploy/internal/project"
	"refdeploy/internal/settings"
	"refdeploy/internal/synth"
	"refdeploy/internal/watch"
)

func newWatch() *cobra.Command {
	var in input
	cmd := &cobra.Command{
		Use:   "watch STACK",
		Short: "Show how the template of a stack changes with each file you save, until you interrupt",
		RunE: func(cmd *cobra.Command, args []string) error {
			ids := append(catalog.IDs(), settings.NetworkID)
			if len(args) != 1 {
				return fmt.Errorf("watch: got %d stacks; name one, as in `make watch STACK=EcsFargate`; allowed: %s", len(args), strings.Join(ids, ", "))
			}
			if !slices.Contains(ids, args[0]) {
				return unknown("stack", args[0], ids)
			}
			overrides, err := in.context()
			if err != nil {
				return err
			}
			if _, err := synth.Settings(overrides); err != nil {
				return err
			}
			return follow(cmd.Context(), cmd.OutOrStdout(), args[0], overrides)
		},
	}
	cmd.Flags().StringArrayVarP(&in.settings, "context", "c", nil, "a setting, as for cdk: key=value")
	return cmd
}

// follow writes the difference that each save makes to the template of a stack.
// What does not compile, or is no valid setting, is said, and the next save
// compared with the last template that there was.
func follow(ctx context.Context, out io.Writer, id string, overrides map[string]string) (err error) {
	if _, set := overrides["stacks"]; !set && id != settings.NetworkID {
		overrides["stacks"] = id
	}
	root, err := project.Root()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "refdeploy-watch-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	app := filepath.Join(dir, "app")

	saves, err := watch.Saves(ctx, root)
	if err != nil {
		return err
	}
	last, err := template(ctx, app, id, overrides)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s: %d lines of template. Save a file to see what changes; interrupt with Ctrl-C to stop.\n", id, bytes.Count(last, []byte("\n")))
	for save := range saves {
		files := strings.Join(save.Files, ", ")
		now, err := template(ctx, app, id, overrides)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			fmt.Fprintf(out, "\n%s: %v\n", files, err)
			continue
		}
		changed := diff.Diff("before", last, "after", now)
		took := time.Since(save.At).Seconds()
		if len(changed) == 0 {
			fmt.Fprintf(out, "\n%s: the template stays as it is (%.1f s)\n", files, took)
			continue
		}
		_, changed, _ = bytes.Cut(changed, []byte("\n")) // its name for the comparison
		fmt.Fprintf(out, "\n%s: (%.1f s)\n%s", files, took, changed)
		last = now
	}
	return context.Cause(ctx)
}

// template compiles the CDK app and returns the template of a stack, indented.
func template(ctx context.Context, app, id string, overrides map[string]string) ([]byte, error) {
	if err := synth.Build(ctx, app); err != nil {
		return nil, err
	}
	var indented bytes.Buffer
	err := synth.Built(ctx, app, overrides, func(dir string) error {
		data, err := os.ReadFile(filepath.Join(dir, id+".template.json"))
		if err != nil {
			return fmt.Errorf("%s: the settings build no such stack", id)
		}
		return json.Indent(&indented, data, "", "  ")
	})
	indented.WriteByte('\n')
	return indented.Bytes(), err
}
