package notes

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"refdeploy/app/contract"
)

// prefix is where the notes are in the bucket.
const prefix = "notes/"

// S3 is a [Store] in a bucket, one object a note.
type S3 struct {
	client *s3.Client
	bucket string
	ttl    TTL
}

// NewS3 returns a store in bucket, whose lifecycle rule has to remove what ttl
// hides. It finds region and credentials where every
// AWS SDK does, and asks nobody before the first request. A server named by
// AWS_ENDPOINT_URL or AWS_ENDPOINT_URL_S3 is spoken to with the bucket in the
// path, because its name has no host names for buckets.
func NewS3(ctx context.Context, bucket string, ttl TTL) (*S3, error) {
	cfg, err := config.LoadDefaultConfig(ctx, config.WithRetryMaxAttempts(2))
	if err != nil {
		return nil, fmt.Errorf("AWS configuration: %w", err)
	}
	client := s3.NewFromConfig(cfg, func(o *s3.Options) {
		o.UsePathStyle = os.Getenv("AWS_ENDPOINT_URL") != "" || os.Getenv("AWS_ENDPOINT_URL_S3") != ""
	})
	return &S3{client, bucket, ttl}, nil
}

func (s *S3) Ready(ctx context.Context) error {
	_, err := s.List(ctx)
	return err
}

func (s *S3) List(ctx context.Context) ([]Note, error) {
	// One page, 1000 objects, holds all notes that may be there, and those that
	// have expired and wait for the lifecycle rule.
	page, err := s.client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: &s.bucket, Prefix: aws.String(prefix)})
	if err != nil {
		return nil, err
	}
	var list []Note
	for _, object := range page.Contents { // sorted by key
		key := strings.TrimPrefix(aws.ToString(object.Key), prefix)
		if ValidKey(key) && !s.ttl.expired(aws.ToTime(object.LastModified)) {
			list = append(list, Note{Key: key, Bytes: aws.ToInt64(object.Size), Modified: aws.ToTime(object.LastModified).UTC()})
		}
	}
	return list, nil
}

func (s *S3) Get(ctx context.Context, key string) (string, error) {
	object, err := s.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &s.bucket, Key: aws.String(prefix + key)})
	if err != nil {
		var missing *types.NoSuchKey
		if errors.As(err, &missing) {
			return "", ErrNotFound
		}
		return "", err
	}
	defer object.Body.Close()
	if s.ttl.expired(aws.ToTime(object.LastModified)) {
		return "", ErrNotFound
	}
	text, err := io.ReadAll(io.LimitReader(object.Body, contract.MaxNoteBytes))
	return string(text), err
}

func (s *S3) Put(ctx context.Context, key, text string) (bool, error) {
	existing, err := s.List(ctx)
	if err != nil {
		return false, err
	}
	created, err := admit(existing, key)
	if err != nil {
		return false, err
	}
	_, err = s.client.PutObject(ctx, &s3.PutObjectInput{
		Bucket:      &s.bucket,
		Key:         aws.String(prefix + key),
		Body:        strings.NewReader(text),
		ContentType: aws.String("text/plain; charset=utf-8"),
	})
	return created, err
}

// Delete looks first, because S3 does not say whether there was an object.
func (s *S3) Delete(ctx context.Context, key string) error {
	existing, err := s.List(ctx)
	if err != nil {
		return err
	}
	if created, err := admit(existing, key); created || err != nil {
		return ErrNotFound
	}
	_, err = s.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &s.bucket, Key: aws.String(prefix + key)})
	return err
}
