package account

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/smithy-go"
)

// The SDK's client of EC2 takes longer to compile than all the rest of the
// command. Four questions do not need its thousands of types: they are asked
// through the query API, signed and retried by the SDK.

// VPCs returns the ids of the region's VPCs, and that of the default one, or "".
func (a Account) VPCs(ctx context.Context) (ids []string, standard string, err error) {
	var answer struct {
		VPCs []struct {
			ID        string `xml:"vpcId"`
			IsDefault bool   `xml:"isDefault"`
		} `xml:"vpcSet>item"`
	}
	if err := a.ec2(ctx, "DescribeVpcs", &answer); err != nil {
		return nil, "", err
	}
	for _, v := range answer.VPCs {
		ids = append(ids, v.ID)
		if v.IsDefault {
			standard = v.ID
		}
	}
	return ids, standard, nil
}

// Addresses returns how many Elastic IPs the region has.
func (a Account) Addresses(ctx context.Context) (int, error) {
	var answer struct {
		Addresses []struct{} `xml:"addressesSet>item"`
	}
	err := a.ec2(ctx, "DescribeAddresses", &answer)
	return len(answer.Addresses), err
}

// A Zone is an availability zone. Its name is the account's own, its id is
// everybody's.
type Zone struct {
	Name string `xml:"zoneName"`
	ID   string `xml:"zoneId"`
}

// Zones returns the region's availability zones.
func (a Account) Zones(ctx context.Context) ([]Zone, error) {
	var answer struct {
		Zones []Zone `xml:"availabilityZoneInfo>item"`
	}
	err := a.ec2(ctx, "DescribeAvailabilityZones", &answer)
	return answer.Zones, err
}

// ec2 asks for everything that an operation describes, in one answer: none of
// them has pages unless one asks for pages.
func (a Account) ec2(ctx context.Context, operation string, into any) error {
	retryer := retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = cmp.Or(a.Config.RetryMaxAttempts, retry.DefaultMaxAttempts)
	})
	for attempt := 1; ; attempt++ {
		err := a.ask(ctx, operation, into)
		if err == nil {
			return nil
		}
		err = &smithy.OperationError{ServiceID: "EC2", OperationName: operation, Err: err}
		delay, stop := retryer.RetryDelay(attempt, err)
		if attempt >= retryer.MaxAttempts() || !retryer.IsErrorRetryable(err) || stop != nil {
			return err
		}
		select {
		case <-time.After(delay):
		case <-ctx.Done():
			return err
		}
	}
}

func (a Account) ask(ctx context.Context, operation string, into any) error {
	endpoint := cmp.Or(os.Getenv("AWS_ENDPOINT_URL_EC2"), value(a.Config.BaseEndpoint), "https://ec2."+a.Region+".amazonaws.com")
	body := []byte(url.Values{"Action": {operation}, "Version": {"2016-11-15"}}.Encode())
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint+"/", bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	credentials, err := a.Config.Credentials.Retrieve(ctx)
	if err != nil {
		return err
	}
	digest := sha256.Sum256(body)
	if err := v4.NewSigner().SignHTTP(ctx, credentials, request, hex.EncodeToString(digest[:]), "ec2", a.Region, time.Now()); err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		var refused struct {
			Code    string `xml:"Errors>Error>Code"`
			Message string `xml:"Errors>Error>Message"`
		}
		if err := xml.Unmarshal(data, &refused); err != nil || refused.Code == "" {
			return fmt.Errorf("status %s", response.Status)
		}
		return &smithy.GenericAPIError{Code: refused.Code, Message: refused.Message}
	}
	return xml.Unmarshal(data, into)
}

func value(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
