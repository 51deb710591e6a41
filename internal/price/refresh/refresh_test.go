package refresh_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/pricing"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"refdeploy/internal/price"
	"refdeploy/internal/price/refresh"
	"refdeploy/internal/price/refresh/refreshtest"
)

var now = time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)

func serve(t *testing.T, handler http.Handler) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server
}

func files(t *testing.T, handler http.Handler) refresh.Files {
	t.Helper()
	return refresh.Files{Client: refreshtest.Client(serve(t, handler))}
}

func api(t *testing.T, handler http.Handler) refresh.API {
	t.Helper()
	return refresh.API{Client: pricing.New(pricing.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(serve(t, handler).URL),
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
		// A server that answers at once can catch the SDK before it has seen the
		// end of its own request. Then the SDK loses the answer and asks again.
		Retryer: retry.NewStandard(func(o *retry.StandardOptions) {
			o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
		}),
	})}
}

func table(t *testing.T, region string) price.Table {
	t.Helper()
	table, err := price.For(region)
	require.NoError(t, err)
	return table
}

// Regions name their usage types differently.
var prefixes = map[string]string{"us-east-1": "", "eu-central-1": "EUC1-", "eu-west-1": "EU-", "ap-southeast-7": "APS9-"}

func TestBothWaysReadTheSamePricesOfAnyRegion(t *testing.T) {
	for region, prefix := range prefixes {
		t.Run(region, func(t *testing.T) {
			products := refreshtest.Products(region, prefix)
			fromFiles, err := refresh.Prices(t.Context(), files(t, refreshtest.Files(region, products)), table(t, region), now)
			require.NoError(t, err)
			fromAPI, err := refresh.Prices(t.Context(), api(t, refreshtest.API(products)), table(t, region), now)
			require.NoError(t, err)

			assert.Empty(t, fromFiles.Missing)
			assert.Equal(t, fromFiles.Other, fromAPI.Other)
			require.Equal(t, len(fromFiles.Renewed), len(fromAPI.Renewed))
			assert.Greater(t, len(fromFiles.Renewed), 65)
			for i, p := range fromFiles.Renewed {
				assert.Less(t, p.USD, 8.0, "%s is the price of something else", p.Key)
				assert.Equal(t, region, p.Region)
				assert.Equal(t, now, p.Date)
				assert.Equal(t, "AWS price list files", p.Source)
				assert.Equal(t, "AWS Price List API", fromAPI.Renewed[i].Source)
				p.Source = fromAPI.Renewed[i].Source
				assert.Equal(t, p, fromAPI.Renewed[i])
			}
		})
	}
}

func TestUnitsAndTiersAreOurs(t *testing.T) {
	products := refreshtest.Products("eu-central-1", "EUC1-")
	got, err := refresh.Prices(t.Context(), files(t, refreshtest.Files("eu-central-1", products)), table(t, "eu-central-1"), now)
	require.NoError(t, err)
	prices := map[string]float64{}
	for _, p := range got.Renewed {
		prices[p.Key] = p.USD
	}
	for key, want := range map[string]float64{
		"lambda.requests":     0.20,         // AWS: one request
		"lambda.x86.duration": 0.0000166667, // the first of three tiers, which stand in any order
		"s3.put":              0.0054,       // AWS: one request
		"apigateway.http":     1.20,
		"nat.hour":            0.052,
		"nat.gb":              0.053,
		"ec2.t3.micro":        0.01,
		"ec2.credits.t3":      0.05, // Linux, not Windows; t3, not t3a
		"kms.requests":        0.03, // after those that are free
		"data.out":            0.09,
		"data.out.10tb":       0.085,
		"data.out.50tb":       0.07,
		"data.out.150tb":      0.05,
		"data.zone":           0.01,
	} {
		assert.InEpsilon(t, want, prices[key], 1e-9, key)
	}
}

func TestWhatARegionLacksIsToldAndElsewhereAnError(t *testing.T) {
	without := func(region, prefix string) http.Handler {
		var products []refreshtest.Product
		for _, p := range refreshtest.Products(region, prefix) {
			if p.Attributes["instanceType"] != "m7g.medium" && p.Service != "AmazonApiGateway" { // one product, and a service
				products = append(products, p)
			}
		}
		return refreshtest.Files(region, products)
	}
	got, err := refresh.Prices(t.Context(), files(t, without("eu-central-1", "EUC1-")), table(t, "eu-central-1"), now)
	require.NoError(t, err)
	assert.Equal(t, []string{"ec2.m7g.medium", "apigateway.http"}, got.Missing)
	for _, p := range got.Renewed {
		assert.NotContains(t, got.Missing, p.Key)
	}

	_, err = refresh.Prices(t.Context(), files(t, without("us-east-1", "USE1-")), table(t, "us-east-1"), now)
	assert.EqualError(t, err, "us-east-1: the price list does not have ec2.m7g.medium, apigateway.http")
	_, err = refresh.Prices(t.Context(), files(t, refreshtest.Files("eu-west-1", nil)), table(t, "eu-west-1"), now)
	assert.EqualError(t, err, "eu-west-1: the price list has nothing of it; is it the name of a region?")
}

func TestTwoProductsThatMatchAreAnErrorThatNamesBoth(t *testing.T) {
	products := refreshtest.Products("eu-central-1", "EUC1-")
	for i, p := range products {
		if p.Attributes["usagetype"] == "EUC1-NatGateway-Hours" {
			p.SKU, p.Tiers = "TWIN", []string{"0", "0.0600000000"}
			products = append(products, p)
			const want = "nat.hour: two products match: %s for 0.052 and TWIN for 0.06"
			for name, source := range map[string]refresh.Source{
				"files": files(t, refreshtest.Files("eu-central-1", products)), "API": api(t, refreshtest.API(products)),
			} {
				got, err := refresh.Prices(t.Context(), source, table(t, "eu-central-1"), now)
				assert.EqualError(t, err, fmt.Sprintf(want, products[i].SKU), name)
				assert.Empty(t, got.Renewed)
			}
			return
		}
	}
	t.Fatal("the list sells no NAT gateway")
}

// answers returns a handler that lets the list answer into a buffer, and hands
// what it answered for EC2's file to spoil.
func answers(products []refreshtest.Product, spoil func(http.ResponseWriter, []byte)) http.Handler {
	list := refreshtest.Files("eu-central-1", products)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "AmazonEC2/20261120/eu-central-1/index.csv") {
			list.ServeHTTP(w, r)
			return
		}
		whole := httptest.NewRecorder()
		list.ServeHTTP(whole, r)
		spoil(w, whole.Body.Bytes())
	})
}

func zip(data []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write(data)
	w.Close()
	return b.Bytes()
}

func TestPackedFilesReadTheSame(t *testing.T) {
	products := refreshtest.Products("eu-central-1", "EUC1-")
	plain, err := refresh.Prices(t.Context(), files(t, refreshtest.Files("eu-central-1", products)), table(t, "eu-central-1"), now)
	require.NoError(t, err)
	packed, err := refresh.Prices(t.Context(), files(t, answers(products, func(w http.ResponseWriter, data []byte) {
		w.Header().Set("Content-Encoding", "gzip")
		w.Write(zip(data))
	})), table(t, "eu-central-1"), now)
	require.NoError(t, err)
	assert.Equal(t, plain, packed)
}

func TestWhatIsCutOrNoPriceListIsAnErrorAndNoPrices(t *testing.T) {
	products := refreshtest.Products("eu-central-1", "EUC1-")
	half := func(data []byte) []byte { return data[:len(data)/2] }
	row := func(data []byte) []byte { return data[:bytes.LastIndexByte(half(data), '\n')+1] }
	hang := func(w http.ResponseWriter, head string, data []byte) {
		connection, b, _ := w.(http.Hijacker).Hijack()
		fmt.Fprintf(b, "HTTP/1.1 200 OK\r\n%s\r\n", head)
		b.Write(data)
		b.Flush()
		connection.Close()
	}
	for name, tt := range map[string]struct {
		spoil func(http.ResponseWriter, []byte)
		want  string
	}{
		"cut within a row": {func(w http.ResponseWriter, data []byte) {
			hang(w, fmt.Sprintf("Content-Length: %d\r\n", len(data)), half(data))
		}, "AmazonEC2: the download was cut short"},
		"cut between rows": {func(w http.ResponseWriter, data []byte) {
			hang(w, fmt.Sprintf("Content-Length: %d\r\n", len(data)), row(data))
		}, "AmazonEC2: the download was cut short"},
		"cut between rows, in chunks": {func(w http.ResponseWriter, data []byte) {
			hang(w, "Transfer-Encoding: chunked\r\n", fmt.Appendf(nil, "%x\r\n%s\r\n", len(row(data)), row(data)))
		}, "AmazonEC2: the download was cut short"},
		"cut between rows, with no end known": {func(w http.ResponseWriter, data []byte) { hang(w, "", row(data)) }, "does not say where it ends"},
		"cut and packed": {func(w http.ResponseWriter, data []byte) {
			w.Header().Set("Content-Encoding", "gzip")
			w.Write(half(zip(data)))
		}, "AmazonEC2: the download was cut short"},
		"the first lines alone": {func(w http.ResponseWriter, data []byte) { w.Write(data[:bytes.IndexByte(data, '\n')+1]) }, "AmazonEC2: the download was cut short"},
		"nothing":               {func(http.ResponseWriter, []byte) {}, "AmazonEC2: the download was cut short"},
		"busy":                  {func(w http.ResponseWriter, _ []byte) { w.WriteHeader(http.StatusServiceUnavailable) }, "AmazonEC2/20261120/eu-central-1/index.csv answered 503 Service Unavailable"},
		"a web page": {func(w http.ResponseWriter, _ []byte) {
			io.WriteString(w, strings.Repeat("<html>sign in to the hotel\n", 9))
		}, "which is no head of a price list"},
		"a row of another length": {func(w http.ResponseWriter, data []byte) {
			w.Write(append(bytes.Clone(data), "\"a\",\"b\"\n"...))
		}, "not the CSV of a price list"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := refresh.Prices(t.Context(), files(t, answers(products, tt.spoil)), table(t, "eu-central-1"), now)
			require.ErrorContains(t, err, tt.want)
			assert.NotContains(t, err.Error(), "\n")
			assert.Equal(t, refresh.Result{}, got)
		})
	}
}

func TestABadIndexOrAnAPIsErrorIsAnError(t *testing.T) {
	for name, tt := range map[string]struct {
		source refresh.Source
		want   string
	}{
		"index elsewhere": {files(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, `{"regions":{"eu-central-1":{"currentVersionUrl":"https://example.com/index.json"}}}`)
		})), `names "https://example.com/index.json"`},
		"no index": {files(t, http.NotFoundHandler()), "region_index.json answered 404"},
		"no JSON":  {files(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html>") })), "invalid character"},
		"API":      {api(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) })), "StatusCode: 500"},
		"API's page": {api(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, `{"PriceList":["<html>"]}`)
		})), "the Price List API's answer"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := refresh.Prices(t.Context(), tt.source, table(t, "eu-central-1"), now)
			require.ErrorContains(t, err, tt.want)
			assert.Equal(t, refresh.Result{}, got)
		})
	}
}

func TestWhoStopsIsHeard(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	_, err := refresh.Prices(ctx, files(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})), table(t, "eu-central-1"), now)
	assert.ErrorIs(t, err, context.Canceled)
}

func TestADownloadMayBeSlowButNotStandStill(t *testing.T) {
	defer refresh.SetStall(refresh.SetStall(200 * time.Millisecond))
	products := refreshtest.Products("eu-central-1", "EUC1-")
	_, err := refresh.Prices(t.Context(), files(t, answers(products, func(w http.ResponseWriter, data []byte) {
		for part := range 6 { // twice as long as it may stand still
			w.Write(data[part*len(data)/6 : (part+1)*len(data)/6])
			w.(http.Flusher).Flush()
			time.Sleep(70 * time.Millisecond)
		}
	})), table(t, "eu-central-1"), now)
	require.NoError(t, err)

	release := make(chan struct{})
	defer close(release)
	_, err = refresh.Prices(t.Context(), files(t, answers(products, func(w http.ResponseWriter, data []byte) {
		w.Write(data[:len(data)/2])
		w.(http.Flusher).Flush()
		<-release
	})), table(t, "eu-central-1"), now)
	assert.EqualError(t, err, "AmazonEC2: nothing came for 200ms")
}

// EC2's file has hundreds of megabytes. Reading 300 of them takes as little
// memory as reading three, and its size is told to the progress.
func TestAFileOfHundredsOfMegabytesIsNeverHeld(t *testing.T) {
	const size = 300_000_000
	products := refreshtest.Products("eu-central-1", "EUC1-")
	var filler bytes.Buffer
	for _, p := range products {
		if p.Attributes["operatingSystem"] == "Windows" {
			for range 50 {
				p.SKU = fmt.Sprintf("SKU%09d", filler.Len())
				filler.WriteString(strings.Join([]string{p.SKU, "JRTCKXETXF", p.SKU + ".R", "OnDemand"}, ","))
				filler.WriteString(strings.Repeat(",\"some words\"", 32) + "\n")
			}
		}
	}
	var peak atomic.Uint64
	sent := 0
	source := files(t, answers(products, func(w http.ResponseWriter, data []byte) {
		w.Header().Set("Content-Length", fmt.Sprint(len(data)+size/filler.Len()*filler.Len()))
		w.Write(data)
		for range size / filler.Len() {
			n, _ := w.Write(filler.Bytes())
			if sent += n; sent%(10*filler.Len()) == 0 {
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				peak.Store(max(peak.Load(), m.HeapSys-m.HeapReleased))
			}
		}
	}))
	counted := map[string]*counter{}
	source.Progress = func(service string, size int64) io.WriteCloser {
		counted[service] = &counter{size: size}
		return counted[service]
	}
	began := time.Now()
	got, err := refresh.Prices(t.Context(), source, table(t, "eu-central-1"), now)
	require.NoError(t, err)
	assert.Empty(t, got.Missing)
	assert.Greater(t, sent, size*9/10)
	assert.NotZero(t, peak.Load())
	assert.Less(t, peak.Load(), uint64(64<<20), "the heap, the server's part included")
	t.Logf("%d MB in %s, heap %d MB", sent/1e6, time.Since(began).Round(time.Millisecond), peak.Load()>>20)

	require.Contains(t, counted, "AmazonEC2")
	assert.Len(t, counted, 12, "a file for each service")
	for service, c := range counted {
		assert.True(t, c.closed, service)
		if c.size >= 0 {
			assert.Equal(t, c.size, c.came, service)
		}
	}
	assert.Greater(t, counted["AmazonEC2"].size, int64(size*9/10))
}

type counter struct {
	size, came int64
	closed     bool
}

func (c *counter) Write(p []byte) (int, error) { c.came += int64(len(p)); return len(p), nil }
func (c *counter) Close() error                { c.closed = true; return nil }
