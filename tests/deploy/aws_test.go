//go:build deploy

package deploy_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// versions are those of the APIs that take a form and answer XML.
var versions = map[string]string{
	"cloudformation": "2010-05-15", "ec2": "2016-11-15", "elasticloadbalancing": "2015-12-01", "iam": "2010-05-08", "sts": "2011-06-15",
}

// call asks a service for an action with parameters given as key, value, ….
func call(service, action string, keyValues ...string) (string, error) {
	form := url.Values{"Action": {action}, "Version": {versions[service]}}
	for i := 0; i < len(keyValues); i += 2 {
		form.Set(keyValues[i], keyValues[i+1])
	}
	return send(service, http.MethodPost, "/", []byte(form.Encode()), "application/x-www-form-urlencoded", "")
}

// ask is [call] for ECS, which takes and answers JSON.
func ask(action string, request, answer any) error {
	body, err := json.Marshal(request)
	if err != nil {
		return err
	}
	text, err := send("ecs", http.MethodPost, "/", body, "application/x-amz-json-1.1", "AmazonEC2ContainerServiceV20141113."+action)
	if err != nil {
		return err
	}
	return json.Unmarshal([]byte(text), answer)
}

func send(service, method, path string, body []byte, kind, target string) (string, error) {
	request, err := http.NewRequest(method, endpoint+path, bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	if kind != "" {
		request.Header.Set("Content-Type", kind)
	}
	if target != "" {
		request.Header.Set("X-Amz-Target", target)
	}
	sum := sha256.Sum256(body)
	hash := hex.EncodeToString(sum[:])
	request.Header.Set("X-Amz-Content-Sha256", hash)
	if err := v4.NewSigner().SignHTTP(context.Background(), signer, request, hash, service, region, time.Now()); err != nil {
		return "", err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return "", err
	}
	if answer.StatusCode >= 400 {
		return "", fmt.Errorf("%s %s %s: %s: %s", service, method, path, answer.Status, text)
	}
	return string(text), nil
}

type resource struct {
	Logical  string `xml:"LogicalResourceId"`
	Physical string `xml:"PhysicalResourceId"`
	Type     string `xml:"ResourceType"`
	Status   string `xml:"ResourceStatus"`
}

// resources lists what a stack holds.
func resources(stack string) ([]resource, error) {
	text, err := call("cloudformation", "DescribeStackResources", "StackName", stack)
	if err != nil {
		return nil, err
	}
	var answer struct {
		Members []resource `xml:"DescribeStackResourcesResult>StackResources>member"`
	}
	return answer.Members, xml.Unmarshal([]byte(text), &answer)
}

// of returns the physical ids of one type in a stack.
func of(stack, kind string) ([]string, error) {
	all, err := resources(stack)
	var ids []string
	for _, r := range all {
		if r.Type == kind {
			ids = append(ids, r.Physical)
		}
	}
	return ids, err
}

// status is the stack's, or "" when there is none.
func status(stack string) string {
	text, err := call("cloudformation", "DescribeStacks", "StackName", stack)
	if err != nil {
		return ""
	}
	return between(text, "<StackStatus>", "</StackStatus>")
}

// between returns what stands between two marks for the first time, or "".
func between(text, from, to string) string {
	_, text, _ = strings.Cut(text, from)
	text, _, ok := strings.Cut(text, to)
	if !ok {
		return ""
	}
	return text
}

// write puts a note into a bucket.
func write(bucket, key string) error {
	_, err := send("s3", http.MethodPut, "/"+bucket+"/"+key, []byte("a note"), "text/plain", "")
	return err
}

// foreign lists what an emulator holds that is not the pinned one: what its own
// APIs say of the things that a stack is most likely to leave behind.
func foreign() (f found, err error) {
	asked := []struct{ service, action, from, to string }{
		{"cloudformation", "DescribeStacks", "<StackName>", "</StackName>"},
		{"ec2", "DescribeVpcs", "<vpcId>", "</vpcId>"},
		{"ec2", "DescribeAddresses", "<allocationId>", "</allocationId>"},
		{"elasticloadbalancing", "DescribeLoadBalancers", "<LoadBalancerArn>", "</LoadBalancerArn>"},
		{"iam", "ListRoles", "<RoleName>", "</RoleName>"},
		{"s3", "", "<Name>", "</Name>"},
	}
	for _, ask := range asked {
		var text string
		if ask.service == "s3" {
			text, err = send("s3", http.MethodGet, "/", nil, "", "")
		} else {
			text, err = call(ask.service, ask.action)
		}
		if err != nil {
			return f, err
		}
		for id := between(text, ask.from, ask.to); id != ""; id = between(text, ask.from, ask.to) {
			f.Exists = append(f.Exists, ask.service+" "+id)
			_, text, _ = strings.Cut(text, ask.from+id+ask.to)
		}
	}
	groups, err := logGroups()
	for _, name := range groups {
		f.Exists = append(f.Exists, "logs "+name)
	}
	return f, err
}

// logGroups lists the names of all log groups.
func logGroups() (names []string, err error) {
	for token := ""; ; {
		request := map[string]any{"limit": 50}
		if token != "" {
			request["nextToken"] = token
		}
		body, err := json.Marshal(request)
		if err != nil {
			return nil, err
		}
		text, err := send("logs", http.MethodPost, "/", body, "application/x-amz-json-1.1", "Logs_20140328.DescribeLogGroups")
		if err != nil {
			return nil, err
		}
		var page struct {
			NextToken string
			LogGroups []struct{ LogGroupName string }
		}
		if err := json.Unmarshal([]byte(text), &page); err != nil {
			return nil, err
		}
		for _, group := range page.LogGroups {
			names = append(names, group.LogGroupName)
		}
		if token = page.NextToken; token == "" {
			return names, nil
		}
	}
}
