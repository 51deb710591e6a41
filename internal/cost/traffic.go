package cost

import (
	"math"

	"refdeploy/internal/assembly"
	"refdeploy/internal/inventory"
)

// Assumptions about what is not in a template.
const (
	logBytes       = 300 // of a request's log line
	lambdaLogBytes = 300 // of START, END and REPORT, which Lambda logs of each request

	freeOutGB = 100 // a month, of data out to the internet

	// A load balancer capacity unit an hour holds 25 new connections a second,
	// or 1 GB an hour (AWS, Elastic Load Balancing pricing). Connections are
	// used again: one in ten requests opens a new one.
	lcuConnections     = 25
	lcuGB              = 1
	requestsConnection = 10

	imageGB = 0.005 // the app's image, compressed (4.7 MB, measured 2026-11-23)
)

func (m *bill) logGB() float64 { return m.usage.Requests() * m.logBytes / 1e9 }

// logBytesOf is what CloudWatch Logs takes in of a request. Pods on EKS log to
// their node, where nothing of ours collects it; Lambda adds lines of its own.
func logBytesOf(template assembly.Template) float64 {
	bytes := float64(logBytes)
	for _, r := range template.Resources {
		switch r.Type {
		case "AWS::EKS::Cluster":
			return 0
		case "AWS::Lambda::Url":
			bytes = logBytes + lambdaLogBytes
		}
	}
	return bytes
}

func (m *bill) outGB() float64 { return m.usage.Requests() * m.usage.ResponseKB * 1000 / 1e9 }

// loadBalancer prices hours, capacity units, and an address a subnet.
func (m *bill) loadBalancer(id string, r assembly.Resource) {
	if kind := r.Properties["Type"]; kind != nil && kind != "application" {
		return // see extras
	}
	m.line("load balancer", "alb.hour", HoursPerMonth, id)
	subnets := float64(len(inventory.List(r.Properties["Subnets"])))
	if r.Properties["Scheme"] != "internal" { // internet-facing is the default
		m.line("public IPv4 of the load balancer", "ipv4", subnets*HoursPerMonth, id)
	}
	if m.usage.RequestsPerSecond > 0 {
		byConnections := m.usage.RequestsPerSecond / requestsConnection / lcuConnections
		byBytes := m.usage.RequestsPerSecond * 3600 * m.usage.ResponseKB * 1000 / 1e9 / lcuGB
		m.line("load balancer capacity", "alb.lcu", math.Max(byConnections, byBytes)*m.usage.LoadedHours(), id)
	}
}

// traffic prices what follows from requests alone: logs, answers, and the image.
func (m *bill) traffic() {
	if len(m.stack.ImagePlatforms) > 0 {
		m.line("image in ECR", "ecr.storage", imageGB*float64(len(m.stack.ImagePlatforms)), "image")
	}
	if m.usage.Requests() == 0 {
		return
	}
	if m.logBytes == 0 {
		m.warn("nothing collects the pods' logs, so nothing is paid for logs; a collector would pay as the others do")
	}
	if logs := m.logGB(); logs > 0 {
		m.line("logs taken in", "logs.ingest", logs, "logs")
		m.line("logs stored", "logs.storage", logs*m.retentionDays()/30, "logs")
	}
	if out := m.outGB() - freeOutGB; out > 0 {
		m.line("data out to the internet, above 100 GB", "data.out", out, "answers")
	}
}

// retentionDays is how long the longest-lived log group keeps, or 30 where the
// template has none.
func (m *bill) retentionDays() float64 {
	days := 0.0
	for _, r := range m.stack.Template.Resources {
		if r.Type == "AWS::Logs::LogGroup" {
			days = math.Max(days, inventory.Number(r.Properties["RetentionInDays"]))
		}
	}
	if days == 0 {
		return 30
	}
	return days
}
