package cost

import (
	"math"

	"refdeploy/internal/bill"
	"refdeploy/internal/inventory"
)

// What the platforms write, with the 26 bytes that CloudWatch Logs adds to each
// event (Amazon CloudWatch pricing, 2026-11-23).
const (
	eventBytes = 26

	// lambdaLineBytes is what START, END and REPORT of an invocation add, 88, 51
	// and 130 bytes in their documented format, as three events.
	lambdaLineBytes = 88 + 51 + 130 + 3*eventBytes

	// compressed is how much of a log CloudWatch stores (AWS Pricing Calculator,
	// CloudWatch Logs, storage compression factor 0.15, as quoted by
	// classmethod.jp, 2021-09-18).
	compressed = 0.15

	// forEver is how many months a bill is for that keeps growing, because
	// something is never deleted: a year.
	forEver = 12

	// A request through a load balancer is some 450 bytes of access log, a tenth
	// of it after compression: an estimate.
	accessLogBytes = 45

	// A flow log writes a record for each direction of a connection and
	// interface that it passes: the load balancer's outside, its inside and the
	// app's. A record is some 110 bytes: an estimate.
	flowRecords, flowBytes = 6, 110

	// controlPlaneGB is what the five logs of an EKS control plane take in a
	// month while few talk to it: an estimate, most of it audit.
	controlPlaneGB = 10

	imageGB = 0.005 // the app's image, compressed (4.7 MB, measured 2026-11-23)

	// ownImageGB stands for the image of somebody's own app, whose size no template
	// tells.
	ownImageGB = 0.2

	// noteKB is the largest note that the app takes. It keeps 100 at most, so
	// only old versions of notes weigh anything.
	noteKB = 4.096
)

// collected is whether CloudWatch Logs takes in what the app logs. Pods on EKS
// log to their node, where nothing of ours collects it, unless Fargate's router
// does.
func (r *reader) collected() bool {
	return r.workload.deployment == nil || r.workload.collected
}

// loadBalancer prices hours, capacity units, an address a subnet, and the log.
func (r *reader) loadBalancer(id string, p map[string]any) {
	if kind := p["Type"]; kind != nil && kind != "application" {
		return // see extras
	}
	r.hourly("load balancer", "alb.hour", id)
	if p["Scheme"] != "internal" { // internet-facing is the default
		r.charge("public IPv4 of the load balancer", "ipv4", bill.Month, float64(len(inventory.List(p["Subnets"])))*bill.HoursPerMonth, id)
	}
	r.charge("load balancer capacity", "alb.lcu", bill.LCUHours, 1, id)
	for _, attribute := range inventory.List(p["LoadBalancerAttributes"]) {
		if a := inventory.Object(attribute); a["Key"] == "access_logs.s3.bucket" {
			months := forEver * 1.0
			for _, rule := range inventory.List(field(r.find(a["Value"]).Properties, "LifecycleConfiguration", "Rules")) {
				if days := inventory.Number(inventory.Object(rule)["ExpirationInDays"]); days > 0 {
					months = days / 30
				}
			}
			r.charge("access logs stored", "s3.storage", bill.Requests, accessLogBytes/1e9*months, id)
		}
	}
	if r.plan.Limits.Seconds == 0 {
		r.plan.Limits.Seconds, r.plan.Limits.SecondsBy = 60, "the load balancer's idle timeout"
		for _, attribute := range inventory.List(p["LoadBalancerAttributes"]) {
			if a := inventory.Object(attribute); a["Key"] == "idle_timeout.timeout_seconds" {
				r.plan.Limits.Seconds = inventory.Number(a["Value"])
			}
		}
	}
}

// flowLog prices a flow log to CloudWatch Logs.
func (r *reader) flowLog(id string, p map[string]any) {
	if p["LogDestinationType"] != "cloud-watch-logs" {
		r.cannotPrice("AWS::EC2::FlowLog", "not to CloudWatch Logs")
		return
	}
	gb := flowRecords * (flowBytes + eventBytes) / 1e9
	r.charge("log ingestion, flow logs", "logs.vended", bill.Connections, gb, id)
	r.charge("log storage, flow logs", "logs.storage", bill.Connections, gb*compressed*months(r.find(p["LogGroupName"]).Properties), id)
}

// months is how many months a log group keeps what is written to it.
func months(group map[string]any) float64 {
	if days := inventory.Number(group["RetentionInDays"]); days > 0 {
		return days / 30
	}
	return forEver
}

// traffic prices what follows from requests alone: logs, answers, notes, and the
// image.
func (r *reader) traffic() {
	if n := float64(len(r.stack.ImagePlatforms)); n > 0 && r.stack.Template.Setting("app") != "" {
		r.charge("image in ECR, 200 MB assumed", "ecr.storage", bill.Month, ownImageGB*n, "image")
	} else if n > 0 {
		r.charge("image in ECR", "ecr.storage", bill.Month, imageGB*n, "image")
	}
	if len(r.plan.Capacity) == 0 {
		return // nothing that we know serves requests
	}
	if r.collected() {
		ingestion := "logs.ingest"
		if r.count("AWS::Lambda::Url") > 0 {
			ingestion = "logs.vended" // up to 10 TB a month at the same price
			r.plan.LogBytes = lambdaLineBytes
		}
		r.charge("log ingestion", ingestion, bill.LogGB, 1, "logs")
		r.charge("log storage", "logs.storage", bill.LogGB, compressed*r.retention(), "logs")
		// Notes take the S3 endpoint, which is free. Logs go through NAT.
		if r.count("AWS::EC2::NatGateway") > 0 {
			r.charge("data through NAT, logs", "nat.gb", bill.LogGB, 1, "logs")
		}
	} else {
		r.plan.Remarks = append(r.plan.Remarks, "its pods' logs are not collected")
	}
	for _, tier := range []struct {
		driver    bill.Driver
		item, key string
	}{
		{bill.OutGB, "data out to the internet, above 100 GB", "data.out"},
		{bill.OutGB10, "data out to the internet, above 10 TB", "data.out.10tb"},
		{bill.OutGB50, "data out to the internet, above 50 TB", "data.out.50tb"},
		{bill.OutGB150, "data out to the internet, above 150 TB", "data.out.150tb"},
	} {
		r.charge(tier.item, tier.key, tier.driver, 1, "responses").Everyone = !r.plan.NotesLeave
	}
	if r.ours() {
		r.notes()
	}
}

// notes prices what the app does with its bucket.
func (r *reader) notes() {
	for id, bucket := range r.stack.Template.Resources {
		// Buckets for logs, and those that wear no lifecycle of notes, are none.
		if bucket.Type != "AWS::S3::Bucket" || !r.isNotes(id) {
			continue
		}
		r.charge("S3 requests, lists", "s3.put", bill.Lists, 1e-3, id).Everyone = true
		r.charge("S3 requests, writes", "s3.put", bill.Writes, 1e-3, id).Everyone = true
		r.charge("S3 requests, reads", "s3.get", bill.Reads, 1e-3, id).Everyone = true
		if field(bucket.Properties, "VersioningConfiguration", "Status") == "Enabled" {
			kept := forEver * 1.0
			for _, rule := range inventory.List(field(bucket.Properties, "LifecycleConfiguration", "Rules")) {
				if days := inventory.Number(field(rule, "NoncurrentVersionExpiration", "NoncurrentDays")); days > 0 {
					kept = days / 30
				}
			}
			r.charge("S3 storage, old versions", "s3.storage", bill.Writes, noteKB/1e6*kept, id)
		}
	}
}

// isNotes is whether a bucket is neither one that a load balancer writes its logs
// to nor one that CloudFront reads.
func (r *reader) isNotes(id string) bool {
	for _, found := range r.stack.Template.Resources {
		for _, origin := range inventory.List(field(found.Properties, "DistributionConfig", "Origins")) {
			if inventory.Target(inventory.Object(origin)["DomainName"]) == id {
				return false
			}
		}
		for _, attribute := range inventory.List(found.Properties["LoadBalancerAttributes"]) {
			if a := inventory.Object(attribute); a["Key"] == "access_logs.s3.bucket" && inventory.Target(a["Value"]) == id {
				return false
			}
		}
	}
	return true
}

// retention is for how many months the longest-lived log group of the app keeps
// what it takes in. Groups of App Runner are not in the template and never
// expire.
func (r *reader) retention() float64 {
	if r.count("AWS::AppRunner::Service") > 0 {
		return forEver
	}
	longest := 0.0
	for _, found := range r.stack.Template.Resources {
		if found.Type == "AWS::Logs::LogGroup" {
			longest = math.Max(longest, months(found.Properties))
		}
	}
	if longest == 0 {
		return forEver
	}
	return longest
}
