// Package account asks an AWS account about what is deployed in it, and turns
// what AWS answers when it does not work into one line that says what to do.
// It changes nothing.
//
// It was tested against servers that answer as AWS documents, not against AWS
// [unverified].
package account

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/logging"
)

// An Account is an account in one region, with credentials that work.
type Account struct {
	ID     string
	ARN    string // of who asks
	Region string
	Config aws.Config
}

// credentialsTimeout is not long: outside EC2, nobody answers for its credentials.
const credentialsTimeout = 5 * time.Second

// Configure returns the SDK's configuration, for the region when one is given.
func Configure(ctx context.Context, region string) (aws.Config, error) {
	options := []func(*config.LoadOptions) error{config.WithLogger(logging.Nop{})}
	if region != "" {
		options = append(options, config.WithRegion(region))
	}
	cfg, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return aws.Config{}, fmt.Errorf("credentials: %s", line(err))
	}
	if cfg.Region == "" {
		return aws.Config{}, errors.New("region: none is set; say --region, for example --region us-east-1, or set AWS_REGION")
	}
	return cfg, nil
}

// Open returns the account that the configuration leads to.
func Open(ctx context.Context, cfg aws.Config) (Account, error) {
	within, cancel := context.WithTimeout(ctx, credentialsTimeout)
	defer cancel()
	if _, err := cfg.Credentials.Retrieve(within); err != nil {
		if ctx.Err() != nil {
			return Account{}, context.Cause(ctx)
		}
		return Account{}, noCredentials(err)
	}
	who, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, nil)
	if err != nil {
		return Account{}, Explain(ctx, err)
	}
	return Account{ID: aws.ToString(who.Account), ARN: aws.ToString(who.Arn), Region: cfg.Region, Config: cfg}, nil
}
