//go:build deploy

package deploy_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The faults use the stack that deploys fastest.
const quick = "Lambda"

type fault struct {
	Type    string `json:"type,omitempty"`    // its creation fails
	Service string `json:"service,omitempty"` // it answers with the error
	Status  int    `json:"status"`
	Code    string `json:"code"`
	Message string `json:"message"`
	Times   int    `json:"times"`
}

// arrange makes the emulator fail, until the end of the test at most.
func arrange(t *testing.T, f fault) {
	t.Helper()
	if !pinned {
		t.Skip("only the pinned emulator fails on demand")
	}
	set := func(f fault) {
		body, err := json.Marshal(f)
		require.NoError(t, err)
		answer, err := http.Post(endpoint+"/_fault", "application/json", bytes.NewReader(body))
		require.NoError(t, err)
		answer.Body.Close()
	}
	set(f)
	t.Cleanup(func() { set(fault{}) })
}

func try(dir string, verb ...string) (string, error) {
	return cdk(append(verb, quick, "--app", dir)...)
}

var deployIt = []string{"deploy", "--require-approval", "never"}

// A begun thing is one stack, deployed or not, in an account with a bootstrap.
func begin(t *testing.T) (dir string, before []string) {
	t.Helper()
	bootstrap(t)
	before, err := exists()
	require.NoError(t, err)
	return synth(t, "stacks="+quick), before
}

// again holds that a second try works, and that nothing stays of either.
func again(t *testing.T, dir string, before []string) {
	t.Helper()
	output, err := try(dir, deployIt...)
	require.NoError(t, err, tail(output))
	output, err = try(dir, "destroy", "--force")
	require.NoError(t, err, tail(output))
	assert.Empty(t, left(t, before))
}

func TestADeployThatFailsHalfWayRollsBack(t *testing.T) {
	dir, before := begin(t)
	arrange(t, fault{Type: "AWS::Lambda::Url", Message: "the service had a bad day", Times: 1})
	output, err := try(dir, deployIt...)
	require.Error(t, err)
	assert.Contains(t, output, "the service had a bad day")
	assert.Equal(t, "ROLLBACK_COMPLETE", status(quick))
	check := failing(t, dir, "stack "+quick)
	assert.Contains(t, check.Says, "ROLLBACK_COMPLETE")
	assert.Equal(t, "npx cdk destroy "+quick, check.Mend)
	again(t, dir, before)
}

func TestADestroyWithWritersStillWritingCanBeRepeated(t *testing.T) {
	dir, before := begin(t)
	output, err := try(dir, deployIt...)
	require.NoError(t, err, tail(output))
	bucket := notes(t, quick)

	stop := make(chan struct{})
	var writers sync.WaitGroup
	for writer := range 2 {
		writers.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				case <-time.After(20 * time.Millisecond):
					_ = write(bucket, fmt.Sprintf("writer-%d-%d", writer, n)) // until the bucket is gone
				}
			}
		})
	}
	output, err = try(dir, "destroy", "--force")
	close(stop)
	writers.Wait()
	if err != nil {
		assert.Contains(t, output, "BucketNotEmpty")
		assert.Contains(t, output, bucket)
		output, err = try(dir, "destroy", "--force")
	}
	if err != nil {
		// The emptier is gone by then, and only a person can empty the bucket.
		assert.Contains(t, output, bucket)
		empty(t, bucket)
		output, err = try(dir, "destroy", "--force")
	}
	require.NoError(t, err, tail(output))
	assert.Empty(t, left(t, before))
}

// empty does what `aws s3 rm --recursive` does.
func empty(t *testing.T, bucket string) {
	t.Helper()
	for _, key := range keys(t, bucket) {
		_, err := send("s3", http.MethodDelete, "/"+bucket+"/"+key, nil, "", "")
		require.NoError(t, err)
	}
}

func TestAnExpiredTokenIsSaid(t *testing.T) {
	dir, before := begin(t)
	arrange(t, fault{Service: "sts", Status: 403, Code: "ExpiredToken", Message: "The security token included in the request is expired", Times: 1000})
	output, err := try(dir, deployIt...)
	require.Error(t, err)
	assert.Contains(t, output, "The security token included in the request is expired")
	assert.Contains(t, failing(t, dir, "credentials").Says, "the session's token has expired")
	assert.Equal(t, before, must(t, exists))
	arrange(t, fault{})
	again(t, dir, before)
}

func TestAThrottledAPIIsAskedAgain(t *testing.T) {
	dir, before := begin(t)
	arrange(t, fault{Service: "cloudformation", Status: 400, Code: "Throttling", Message: "Rate exceeded", Times: 3})
	again(t, dir, before)
}

func TestARegionWithoutBootstrapIsSaid(t *testing.T) {
	dir, before := begin(t)
	home := region
	region = "eu-west-1"
	output, err := try(dir, deployIt...)
	check := failing(t, dir, "CDK bootstrap")
	region = home
	require.Error(t, err)
	assert.Equal(t, "npx cdk bootstrap aws://"+account+"/eu-west-1", check.Mend)
	assert.Contains(t, output, "cdk bootstrap")
	assert.Contains(t, output, "eu-west-1")
	assert.Equal(t, before, must(t, exists))
}

func TestAStackThatWasChangedByHandGoes(t *testing.T) {
	dir, before := begin(t)
	output, err := try(dir, deployIt...)
	require.NoError(t, err, tail(output))
	bucket := notes(t, quick)
	_, err = send("s3", http.MethodDelete, "/"+bucket+"?policy", nil, "", "")
	require.NoError(t, err)
	groups, err := of(quick, "AWS::Logs::LogGroup")
	require.NoError(t, err)
	for _, group := range groups {
		body, err := json.Marshal(map[string]string{"logGroupName": group})
		require.NoError(t, err)
		_, err = send("logs", http.MethodPost, "/", body, "application/x-amz-json-1.1", "Logs_20140328.DeleteLogGroup")
		require.NoError(t, err)
	}
	output, err = try(dir, "destroy", "--force")
	require.NoError(t, err, tail(output))
	assert.Empty(t, left(t, before))
}

func must[T any](t *testing.T, f func() (T, error)) T {
	t.Helper()
	value, err := f()
	require.NoError(t, err)
	return value
}
