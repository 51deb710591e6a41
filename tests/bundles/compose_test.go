package bundles_test

import (
	"context"
	"maps"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// bucket is what the shell has to hold for notes in a bucket.
var bucket = map[string]string{
	"NOTES_BUCKET": "notes", "AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL_S3": "https://s3.example.com",
	"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret",
}

// load reads files as `docker compose` does, of which `docker stack` reads the
// same fields.
func load(dir string, shell map[string]string, names ...string) (*types.Project, error) {
	var paths, env []string
	for _, name := range names {
		paths = append(paths, filepath.Join(dir, name))
	}
	for _, name := range slices.Sorted(maps.Keys(shell)) {
		env = append(env, name+"="+shell[name])
	}
	options, err := cli.NewProjectOptions(paths, cli.WithName("notes"), cli.WithEnv(env), cli.WithConsistency(true))
	if err != nil {
		return nil, err
	}
	return options.LoadProject(context.Background())
}

func app(t *testing.T, dir string, shell map[string]string, names ...string) types.ServiceConfig {
	t.Helper()
	project, err := load(dir, shell, names...)
	require.NoError(t, err)
	require.Len(t, project.Services, 1)
	return project.Services["app"]
}

func TestEveryContainerOfDockerIsRestricted(t *testing.T) {
	for _, profile := range profiles {
		for _, file := range []string{"compose/compose.yaml", "swarm/stack.yaml"} {
			t.Run(profile+"/"+file, func(t *testing.T) {
				service := app(t, copyOf(t, profile), nil, file)
				assert.Equal(t, "65532:65532", service.User)
				assert.True(t, service.ReadOnly, "the root")
				assert.Equal(t, []string{"ALL"}, service.CapDrop)
				assert.Empty(t, service.CapAdd)
				assert.False(t, service.Privileged)
				assert.Equal(t, types.UnitBytes(128<<20), service.Deploy.Resources.Limits.MemoryBytes)
				assert.EqualValues(t, 0.25, service.Deploy.Resources.Limits.NanoCPUs)
				require.Len(t, service.Volumes, 1)
				assert.Equal(t, types.VolumeTypeTmpfs, service.Volumes[0].Type)
				assert.Equal(t, *service.Environment["NOTES_DIR"], service.Volumes[0].Target)
				assert.Greater(t, time.Duration(*service.StopGracePeriod), 11*time.Second, "the app takes 10 s for requests and 1 s for the log")
			})
		}
	}
}

func TestComposeListensOnThisComputerOnly(t *testing.T) {
	service := app(t, copyOf(t, "sandbox"), nil, "compose/compose.yaml")
	require.Len(t, service.Ports, 1)
	assert.Equal(t, "127.0.0.1", service.Ports[0].HostIP)
	assert.Equal(t, []string{"no-new-privileges:true"}, service.SecurityOpt)
}

// What `docker stack deploy` ignores with a warning (Docker 28.2.2, tried
// 2026-11-27).
func TestTheStackHasNothingThatSwarmIgnores(t *testing.T) {
	for _, names := range [][]string{{"swarm/stack.yaml"}, {"swarm/stack.yaml", "swarm/s3.yaml"}} {
		service := app(t, copyOf(t, "production"), bucket, names...)
		assert.Empty(t, service.SecurityOpt)
		assert.Nil(t, service.Build)
		assert.Empty(t, service.Restart)
		assert.Empty(t, service.ContainerName)
		assert.Empty(t, service.DependsOn)
		assert.Empty(t, service.NetworkMode)
		assert.Empty(t, service.Pid)
		assert.Empty(t, service.Tmpfs)
		assert.Equal(t, "ingress", service.Ports[0].Mode)
		assert.Equal(t, "rollback", service.Deploy.UpdateConfig.FailureAction)
	}
}

func TestASwarmHasOneCopyUnlessTheNotesAreInABucket(t *testing.T) {
	for profile, want := range map[string]int{"sandbox": 1, "production": 2} {
		dir := copyOf(t, profile)
		assert.Equal(t, 1, *app(t, dir, nil, "swarm/stack.yaml").Deploy.Replicas)
		assert.Equal(t, want, *app(t, dir, bucket, "swarm/stack.yaml", "swarm/s3.yaml").Deploy.Replicas)
	}
}

func TestABucketTakesItsPlaceFromTheShell(t *testing.T) {
	dir := copyOf(t, "sandbox")
	for _, names := range [][]string{{"swarm/stack.yaml", "swarm/s3.yaml"}, {"compose/compose.yaml", "compose/s3.yaml"}} {
		service := app(t, dir, bucket, names...)
		for _, name := range []string{"NOTES_BUCKET", "AWS_REGION", "AWS_ENDPOINT_URL_S3"} {
			assert.Equal(t, bucket[name], *service.Environment[name], names)
			without := maps.Clone(bucket)
			delete(without, name)
			_, err := load(dir, without, names...)
			assert.ErrorContains(t, err, "required variable "+name+" is missing a value", names)
		}
	}
}

func TestComposePassesTemporaryCredentialsOn(t *testing.T) {
	dir := copyOf(t, "sandbox")
	names := []string{"compose/compose.yaml", "compose/s3.yaml"}
	assert.Nil(t, app(t, dir, bucket, names...).Environment["AWS_SESSION_TOKEN"], "none, which is not an empty one")
	temporary := maps.Clone(bucket)
	temporary["AWS_SESSION_TOKEN"] = "token"
	assert.Equal(t, "token", *app(t, dir, temporary, names...).Environment["AWS_SESSION_TOKEN"])
	// Without the second file, the container gets no key of the shell.
	for name := range app(t, dir, temporary, "compose/compose.yaml").Environment {
		assert.NotContains(t, name, "AWS_")
	}
}

func TestSwarmKeepsTheKeyInASecretOfTheAppsUser(t *testing.T) {
	service := app(t, copyOf(t, "sandbox"), bucket, "swarm/stack.yaml", "swarm/s3.yaml")
	require.Len(t, service.Secrets, 1)
	secret := service.Secrets[0]
	assert.Equal(t, "/run/secrets/"+secret.Target, *service.Environment["AWS_SHARED_CREDENTIALS_FILE"])
	assert.Equal(t, service.User, secret.UID+":"+secret.GID)
	assert.EqualValues(t, 0o400, *secret.Mode)
	assert.NotContains(t, service.Environment, "AWS_SECRET_ACCESS_KEY")
}

func TestAWrongFieldOfComposeIsRefused(t *testing.T) {
	for _, name := range []string{"compose/compose.yaml", "swarm/stack.yaml"} {
		dir := copyOf(t, "sandbox")
		edit(t, filepath.Join(dir, name), "read_only: true", "readonly: true")
		_, err := load(dir, nil, name)
		assert.ErrorContains(t, err, "readonly", name)
	}
}
