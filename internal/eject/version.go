package eject

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// released matches the newest version in the changelog.
var released = regexp.MustCompile(`(?m)^## \[?v?(\d+\.\d+\.\d+)\]?`)

// Version says which version of the project is at root: as git describes it, or
// else the changelog.
func Version(root string) string {
	cmd := exec.Command("git", "describe", "--tags", "--always", "--dirty")
	cmd.Dir = root
	if text, err := cmd.Output(); err == nil && strings.TrimSpace(string(text)) != "" {
		return strings.TrimSpace(string(text))
	}
	changelog, err := os.ReadFile(filepath.Join(root, "CHANGELOG.md"))
	if err == nil {
		if match := released.FindSubmatch(changelog); match != nil {
			return string(match[1])
		}
	}
	return "unreleased"
}
