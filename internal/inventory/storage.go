package inventory

import (
	"fmt"

	"refdeploy/internal/assembly"
)

// encrypted are the types whose data a property encrypts, and which do not
// without it.
var encrypted = map[string]struct{ what, property string }{
	"AWS::DocDB::DBCluster":              {"database", "StorageEncrypted"},
	"AWS::EC2::Volume":                   {"disk", "Encrypted"},
	"AWS::EFS::FileSystem":               {"file system", "Encrypted"},
	"AWS::ElastiCache::ReplicationGroup": {"cache", "AtRestEncryptionEnabled"},
	"AWS::Neptune::DBCluster":            {"database", "StorageEncrypted"},
	"AWS::RDS::DBCluster":                {"database", "StorageEncrypted"},
	"AWS::Redshift::Cluster":             {"warehouse", "Encrypted"},
}

// storage notes how a resource encrypts what it stores or sends, and how long it
// keeps logs.
func (r *reader) storage(id string, resource assembly.Resource) {
	p := resource.Properties
	add := func(to *[]Fact, says string) { *to = append(*to, Fact{Resource: id, Type: resource.Type, Says: says}) }
	disks := func(mappings any) {
		for _, mapping := range Either(mappings) {
			if ebs, ok := Object(mapping)["Ebs"]; ok {
				add(&r.Storage, "disk "+isEncrypted(Object(ebs)["Encrypted"]))
			}
		}
	}
	if e, ok := encrypted[resource.Type]; ok {
		add(&r.Storage, e.what+" "+isEncrypted(p[e.property]))
	}
	switch resource.Type {
	case "AWS::S3::Bucket":
		says := "encrypted by S3 by default"
		for _, rule := range Either(Object(p["BucketEncryption"])["ServerSideEncryptionConfiguration"]) {
			if algorithm, ok := Object(Object(rule)["ServerSideEncryptionByDefault"])["SSEAlgorithm"].(string); ok {
				says = "encrypted, " + algorithm
			}
		}
		add(&r.Storage, says)
	case "AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable":
		add(&r.Storage, "encrypted by DynamoDB by default")
	case "AWS::RDS::DBInstance":
		if p["DBClusterIdentifier"] == nil { // or the cluster says
			add(&r.Storage, "database "+isEncrypted(p["StorageEncrypted"]))
		}
	case "AWS::EC2::LaunchTemplate":
		disks(Object(p["LaunchTemplateData"])["BlockDeviceMappings"])
	case "AWS::EC2::Instance":
		disks(p["BlockDeviceMappings"])
	case "AWS::ElasticLoadBalancingV2::Listener":
		protocol, ok := p["Protocol"].(string)
		if !ok {
			protocol = "a protocol chosen on deploy"
		}
		add(&r.Storage, "speaks "+protocol)
	case "AWS::Logs::LogGroup":
		days := Number(p["RetentionInDays"])
		switch {
		case days > 0:
			add(&r.Logs, fmt.Sprintf("kept for %g days", days))
		case p["RetentionInDays"] == nil:
			add(&r.Logs, "kept for ever")
		default:
			add(&r.Logs, "kept for as long as is chosen on deploy")
		}
	}
}

// isEncrypted says what a property of encryption means.
func isEncrypted(value any) string {
	switch {
	case may(value, true) && !may(value, false):
		return "encrypted"
	case value == nil || may(value, false) && !may(value, true):
		return "not encrypted"
	}
	return "encrypted or not, as is chosen on deploy"
}
