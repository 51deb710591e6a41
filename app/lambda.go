package main

import (
	"context"
	"net/http"

	"github.com/akrylysov/algnhsa"
	"github.com/aws/aws-lambda-go/lambda"
)

// events serves HTTP requests that come as Lambda events.
type events struct{ readable, unreadable lambda.Handler }

func newEvents(handler, unreadable http.Handler) events {
	return events{algnhsa.New(handler, nil), algnhsa.New(unreadable, nil)}
}

// Invoke answers an event. One that is no HTTP request, as with % and no digits
// in its path, gets an answer and no error: a function URL makes a 502 of an
// error, and whoever sends such a path would ring the alarm that undoes a
// release.
func (e events) Invoke(ctx context.Context, event []byte) ([]byte, error) {
	response, err := e.readable.Invoke(ctx, event)
	if err != nil {
		return e.unreadable.Invoke(ctx, []byte(`{"version":"2.0","rawPath":"/","requestContext":{"http":{"method":"GET"}}}`))
	}
	return response, nil
}
