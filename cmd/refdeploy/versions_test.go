package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"refdeploy/internal/versions"
)

// versionsOn returns what the command prints on a day.
func versionsOn(t *testing.T, day string, args ...string) string {
	t.Helper()
	now, err := time.Parse(time.DateOnly, day)
	require.NoError(t, err)
	var out bytes.Buffer
	cmd := newVersions(func() time.Time { return now })
	cmd.SetOut(&out)
	cmd.SetArgs(args)
	require.NoError(t, cmd.Execute())
	return out.String()
}

func TestVersionsSayWhatIsDueAndWhatToDo(t *testing.T) {
	early := versionsOn(t, "2026-11-27")
	assert.Regexp(t, `(?m)^Kubernetes +1\.\d+ +2027-08-02 +248 +.*\[unverified\]$`, early)
	assert.True(t, strings.HasSuffix(early, "\nNothing is due within 90 days.\n"), early)

	soon := versionsOn(t, "2027-05-05")
	assert.Contains(t, soon, "\nDue: Kubernetes 1.36: until 2027-08-02, standard support")
	assert.Contains(t, soon, "raise KubernetesMinor")
	assert.NotContains(t, soon, "Past: ")

	assert.Contains(t, versionsOn(t, "2027-08-02"), "\nPast: Kubernetes 1.36: until 2027-08-02")
}

func TestVersionsAsJSONHaveEveryFact(t *testing.T) {
	var all []map[string]any
	require.NoError(t, json.Unmarshal([]byte(versionsOn(t, "2027-05-05", "--format", "json")), &all))
	require.Len(t, all, len(versions.All()))
	for _, v := range all {
		for _, key := range []string{"name", "version", "setIn", "ends", "then", "source", "read", "unverified", "update", "daysLeft", "due"} {
			assert.Contains(t, v, key)
		}
	}
	assert.Equal(t, "Kubernetes", all[0]["name"])
	assert.Equal(t, 89.0, all[0]["daysLeft"])
	assert.Equal(t, true, all[0]["due"])
}

func TestVersionsRefuseAFormatInOneLine(t *testing.T) {
	_, stderr, err := run("versions", "--format", "jsn")
	require.Error(t, err)
	assert.Equal(t, "format: got \"jsn\" (did you mean json?); allowed: table, json\n", stderr)
}
