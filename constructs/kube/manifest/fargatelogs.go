package manifest

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// FargateLogs returns the objects that make the log router of Fargate's pods
// send their lines to a log group which exists: the namespace and the ConfigMap
// have to have these names, and the pods that start before them log to nobody
// (AWS documentation, logging of Fargate on EKS, read 2026-11-27). The
// containers' lines arrive as they were written, without what the container
// runtime adds, so that a line of JSON stays one.
func FargateLogs(group, region string) []Object {
	const namespace = "aws-observability"
	return []Object{
		&corev1.Namespace{
			TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Namespace"},
			ObjectMeta: metav1.ObjectMeta{Name: namespace, Labels: map[string]string{"aws-observability": "enabled"}},
		},
		&corev1.ConfigMap{
			TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"},
			ObjectMeta: metav1.ObjectMeta{Name: "aws-logging", Namespace: namespace},
			Data: map[string]string{
				"flb_log_cw": "false", // the router's own log
				"filters.conf": `[FILTER]
    Name parser
    Match *
    Key_Name log
    Parser cri
`,
				"parsers.conf": `[PARSER]
    Name cri
    Format regex
    Regex ^(?<time>[^ ]+) (?<stream>stdout|stderr) (?<logtag>P|F) (?<log>.*)$
    Time_Key time
    Time_Format %Y-%m-%dT%H:%M:%S.%L%z
`,
				// A group that the router makes has no expiry and no owner.
				"output.conf": fmt.Sprintf(`[OUTPUT]
    Name cloudwatch_logs
    Match *
    region %s
    log_group_name %s
    log_stream_prefix pod-
    log_key log
    auto_create_group false
`, region, group),
			},
		},
	}
}
