package account

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Codes of AWS's errors, of which services have several for the same thing.
var (
	expired = []string{"ExpiredToken", "ExpiredTokenException", "RequestExpired"}
	invalid = []string{"InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch", "InvalidSignatureException", "AuthFailure", "InvalidAccessKeyId"}
	denied  = []string{"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "UnauthorizedAccess"}
)

// noCode is what the SDK calls an error that names no code.
const noCode = "UnknownError"

// explained is an error that says all that there is to say.
type explained string

func (e explained) Error() string { return string(e) }

func tell(format string, args ...any) error { return explained(fmt.Sprintf(format, args...)) }

// Explain turns an error of the SDK into one line: what was asked, what AWS
// said, and what to do.
func Explain(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var done explained
	if errors.As(err, &done) {
		return err
	}
	asked := "AWS"
	var operation *smithy.OperationError
	if errors.As(err, &operation) {
		asked = prefix(operation.Service()) + ":" + operation.Operation()
	}
	var answer smithy.APIError
	code := ""
	if errors.As(err, &answer) {
		code = answer.ErrorCode()
	}
	var unreachable net.Error
	var response *smithyhttp.ResponseError
	switch {
	case slices.Contains(expired, code):
		return tell("credentials: the session's token has expired; sign in again, for example with `aws sso login`, and run the command again")
	case slices.Contains(invalid, code):
		return tell("credentials: AWS does not take them (%s); check AWS_PROFILE, or the access key and the secret", code)
	case slices.Contains(denied, code):
		return tell("permission: AWS refuses %s; it has to be allowed to who runs the command: see `refdeploy permissions`", asked)
	case throttled(code):
		return tell("throttled: AWS answers %s too rarely just now (%s); wait a minute and run the command again", asked, code)
	case code == noCode && errors.As(err, &response):
		return tell("%s: the endpoint answers status %d without a reason, as an emulator does for what it does not have", asked, response.HTTPStatusCode())
	case code != "":
		return tell("%s: %s: %s", asked, code, oneLine(answer.ErrorMessage()))
	case errors.As(err, &unreachable):
		return tell("network: %s cannot be reached: %s", asked, line(err))
	}
	return tell("%s: %s", asked, line(err))
}

// Coded reports whether AWS answered with one of the codes.
func Coded(err error, codes ...string) bool {
	var answer smithy.APIError
	return errors.As(err, &answer) && slices.Contains(codes, answer.ErrorCode())
}

func throttled(code string) bool {
	_, ok := retry.DefaultThrottleErrorCodes[code]
	return ok
}

func noCredentials(err error) error {
	return tell("credentials: found none that work (%s); sign in, for example with `aws sso login`, or set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY", line(err))
}

// prefix is how IAM calls a service.
func prefix(service string) string {
	switch service {
	case "Resource Groups Tagging API":
		return "tag"
	case "CloudWatch Logs":
		return "logs"
	case "Service Quotas":
		return "servicequotas"
	}
	return strings.ToLower(strings.ReplaceAll(service, " ", ""))
}

// line is the innermost reason of an error: those around it repeat what the
// caller says better.
func line(err error) string {
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
		err = inner
	}
	return oneLine(err.Error())
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// NotServed reports whether the account is one of an emulator that does not have
// the operation. AWS's own answer to such a request would be a fault of ours.
func (a Account) NotServed(err error) bool {
	return a.Config.BaseEndpoint != nil && Coded(err, "InvalidAction", "UnknownOperationException", "NotImplemented", "NotImplementedException")
}
