package smoke

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"refdeploy/app/contract"
)

// requestTimeout is longer than an app and what stands before it may take.
const requestTimeout = 30 * time.Second

// maxBody is more than the app ever answers.
const maxBody = 4 << 20

// A client sends requests to one app, over connections of its own.
type client struct {
	base string
	http *http.Client
}

func newClient(base string) client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	return client{strings.TrimSuffix(base, "/"), &http.Client{
		Transport:     transport,
		Timeout:       requestTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

func (c client) close() { c.http.CloseIdleConnections() }

// send returns the answer, and as an error why there was none: in a few words,
// because the request stands beside it.
func (c client) send(ctx context.Context, method, path, body string, header []string) (contract.Answer, error) {
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, strings.NewReader(body))
	if err != nil {
		return contract.Answer{}, err
	}
	for i := 0; i+1 < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := c.http.Do(request)
	if err != nil {
		return contract.Answer{}, why(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(io.LimitReader(response.Body, maxBody))
	if err != nil {
		return contract.Answer{}, why(err)
	}
	return contract.Answer{Status: response.StatusCode, Header: response.Header, Body: string(data)}, nil
}

// why is an error without the method and the address, which stand beside it.
func why(err error) error {
	var sent *url.Error
	if errors.As(err, &sent) {
		if sent.Timeout() {
			return errors.New("no answer within " + requestTimeout.String())
		}
		return sent.Err
	}
	return err
}
