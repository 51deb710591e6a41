package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"refdeploy/internal/settings"
	"refdeploy/internal/size"
)

// warnUntold tells a user of production that no one is told of an alarm.
func warnUntold(stack awscdk.Stack, s settings.Settings) {
	if s.IsProduction() && s.AlarmEmail == "" {
		warn(stack, "alarmEmail", "alarms ring and nobody is told; set alarmEmail to an address")
	}
}

// warnOpen tells a user of production that traffic to a load balancer is not
// encrypted, or that everyone may send some.
func warnOpen(stack awscdk.Stack, s settings.Settings) {
	if !s.IsProduction() {
		return
	}
	if s.CertificateARN == "" {
		warn(stack, "certificateArn", "requests and answers travel unencrypted; set certificateArn to an ACM certificate")
	}
	if s.AllowCIDR == settings.Everyone {
		warn(stack, "allowCidr", "everyone on the internet may connect, and the app has no login; set allowCidr to who should")
	}
}

// warnUnfiltered tells a user who narrowed allowCidr, or who runs production,
// that a deployment without a load balancer in its template is open to everyone.
func warnUnfiltered(stack awscdk.Stack, s settings.Settings) {
	switch {
	case s.AllowCIDR != settings.Everyone:
		warn(stack, "allowCidr", "allowCidr: "+s.AllowCIDR+" narrows load balancers of the templates only; this template has none, and the app stays open to the internet")
	case s.IsProduction():
		warn(stack, "allowCidr", "everyone on the internet may connect, and the app has no login; allowCidr has no effect without a load balancer in the template: put a login, or CloudFront with a web ACL, before the app")
	}
}

// warnOwnServers tells a user of production that traffic to servers of their own
// is not encrypted, and one who narrowed allowCidr that it does not reach there.
func warnOwnServers(stack awscdk.Stack, s settings.Settings) {
	if s.AllowCIDR != settings.Everyone {
		warn(stack, "allowCidr", "allowCidr: "+s.AllowCIDR+" does not reach your servers; their own firewall decides who may connect")
	}
	if s.IsProduction() {
		warn(stack, "certificateArn", "requests to your servers travel unencrypted, and certificateArn does not reach there; put something that speaks HTTPS before them")
	}
}

// tellSize tells a user who asked for a size which one the deployment takes. More
// than its platform offers is an error, so that other stacks still synthesize.
func tellSize(stack awscdk.Stack, id string, s settings.Settings) {
	asked, ok := s.AskedSize()
	if !ok {
		return
	}
	taken, err := size.Taken(id, string(s.Architecture), asked)
	if err != nil {
		awscdk.Annotations_Of(stack).AddError(jsii.String(err.Error()))
		return
	}
	awscdk.Annotations_Of(stack).AddInfoV2(jsii.String("refdeploy:size"), jsii.String(taken))
}

// refuseImage tells a user whose image comes from a registry that Lambda does not
// run it. What describes that image would describe something else there.
func refuseImage(stack awscdk.Stack, s settings.Settings) bool {
	if s.Image == "" || !s.DescribesApp() {
		return false
	}
	awscdk.Annotations_Of(stack).AddError(jsii.Sprintf(
		"image: got %q; Lambda runs the sample app in its place, which takes no port, healthPath, env, secrets or bucket: set app to a directory in place of image, or leave Lambda out with the stacks setting", s.Image))
	return true
}

// warn adds a warning that concerns a setting, and that the setting, or
// Annotations.AcknowledgeWarning with the id refdeploy:SETTING, silences.
func warn(stack awscdk.Stack, setting, says string) {
	awscdk.Annotations_Of(stack).AddWarningV2(jsii.String("refdeploy:"+setting), jsii.String(says))
}
