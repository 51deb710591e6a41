package doctor

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"refdeploy/internal/bill"
)

// builderTimeout is how long a container builder may take to answer.
const builderTimeout = 10 * time.Second

func (e *examination) credentials() {
	if e.Account == nil {
		says, mend, _ := strings.Cut(e.NoAccount.Error(), "; ")
		e.add("credentials", Fail, strings.TrimPrefix(says, "credentials: "), mend)
		return
	}
	e.add("credentials", Pass, fmt.Sprintf("%s, region %s", e.Account.ARN, e.Account.Region), "")
}

// cli looks for what `npx cdk` runs.
func (e *examination) cli() {
	if _, err := os.Stat(filepath.Join(e.Root, "node_modules", ".bin", "cdk")); err != nil {
		e.add("CDK CLI", Fail, "the pinned CDK CLI is not installed", "npm ci")
		return
	}
	e.add("CDK CLI", Pass, "installed, in the pinned version", "")
}

// builder looks for the program that builds images, as the CDK CLI would call it.
func (e *examination) builder(ctx context.Context) {
	const name = "container builder"
	var platforms []string
	for _, s := range e.Stacks {
		for _, p := range s.ImagePlatforms {
			if !slices.Contains(platforms, p) {
				platforms = append(platforms, p)
			}
		}
	}
	if len(platforms) == 0 {
		return
	}
	slices.Sort(platforms)
	program := cmp.Or(os.Getenv("CDK_DOCKER"), "docker")
	if _, err := exec.LookPath(program); err != nil {
		mend := "install Docker, or set CDK_DOCKER=finch or CDK_DOCKER=podman, or deploy an image with -c image=…"
		for _, other := range []string{"docker", "finch", "podman"} {
			if _, err := exec.LookPath(other); err == nil {
				mend = "export CDK_DOCKER=" + other
				break
			}
		}
		e.add(name, Fail, fmt.Sprintf("no program %q to build images for %s", program, strings.Join(platforms, ", ")), mend)
		return
	}
	if said, err := ask(ctx, program, "info"); err != nil {
		mend := "start it"
		if strings.Contains(filepath.Base(program), "finch") {
			mend = "finch vm start"
		}
		e.add(name, Fail, fmt.Sprintf("%s does not answer: %s", program, said), mend)
		return
	}
	if !strings.Contains(filepath.Base(program), "docker") {
		e.add(name, Pass, fmt.Sprintf("%s answers; it builds for %s", program, strings.Join(platforms, ", ")), "")
		return
	}
	// Without BuildKit, Docker ignores which platform the Dockerfile compiles for.
	if said, err := ask(ctx, program, "buildx", "version"); err != nil {
		e.add(name, Fail, fmt.Sprintf("%s has no buildx, which builds for %s: %s", program, strings.Join(platforms, ", "), said), "install docker-buildx-plugin (docs.docker.com/build)")
		return
	}
	e.add(name, Pass, fmt.Sprintf("%s with buildx answers; it builds for %s", program, strings.Join(platforms, ", ")), "")
}

// ask runs a program and returns the first line that it writes.
func ask(ctx context.Context, program string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, builderTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.WaitDelay = time.Second // for children that hold its output open
	output, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		return "no answer within " + builderTimeout.String(), err
	}
	lines := strings.Split(strings.TrimSpace(string(output)), "\n")
	if err != nil { // the reason comes last
		return cmp.Or(strings.TrimSpace(lines[len(lines)-1]), err.Error()), err
	}
	return lines[0], nil
}

func (e *examination) cost() {
	e.add("cost", Pass, fmt.Sprintf("%.3f $ an hour while nobody calls, %.2f $ a month (%s)", e.Hourly, e.Hourly*bill.HoursPerMonth, e.HourlySays), "")
}
