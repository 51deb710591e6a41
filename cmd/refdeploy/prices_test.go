package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"refdeploy/internal/price"
	"refdeploy/internal/price/refresh/refreshtest"
	"refdeploy/internal/report"
)

func TestPricesShowTheirAge(t *testing.T) {
	table, err := price.Parse("us-east-1", []byte("key,price,unit,item,source,date,confidence\nnat.hour,0.045,hour,NAT gateway,AWS page,2026-09-20,high\n"))
	require.NoError(t, err)
	var out bytes.Buffer
	require.NoError(t, printPrices(&out, table, time.Date(2026, 9, 30, 12, 0, 0, 0, time.UTC)))
	assert.Contains(t, out.String(), "nat.hour  0.045  hour  us-east-1  NAT gateway  AWS page  2026-09-20  10 days  high")
}

// mine is a file of prices in a directory of its own.
func mine(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "mine.csv")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	return path
}

func TestPricesSayWhoseTheyAre(t *testing.T) {
	stdout, stderr, err := run("prices", "--region", "eu-central-1", "--prices", mine(t, "key,price,region\nnat.hour,0.03,\nalb.hour,0.02,us-east-1\n"))
	require.NoError(t, err, stderr)
	whose := func(key, price, whose string) {
		assert.Regexp(t, `(?m)^`+key+` +`+price+` +[a-z]+ +`+whose+`  `, stdout)
	}
	whose("nat.hour", "0.03", "yours")
	whose("alb.hour", "0.02", "yours, of us-east-1")
	whose("ec2.t4g.small", "0.0192", "eu-central-1")
	whose("eks.cluster", "0.1", "us-east-1")
	assert.Regexp(t, `^eu-central-1, on demand, US dollars before tax; \d+ of \d+ prices are those of us-east-1, because none of eu-central-1 is known\n`, stdout)
}

// billOf returns the total of EcsEc2 under some load, its unit prices by key, and
// what is said beside it.
func billOf(t *testing.T, args ...string) (float64, map[string]float64, report.Report) {
	t.Helper()
	stdout, stderr, err := run(append([]string{"compare", "--assembly", reviewed(t, "EcsEc2"), "--usage", "medium", "--format", "json"}, args...)...)
	require.NoError(t, err, stderr)
	var r report.Report
	require.NoError(t, json.Unmarshal([]byte(stdout), &r))
	prices := map[string]float64{}
	for _, line := range r.Deployments[0].MonthlyUSD.Lines {
		prices[line.PriceKey] = line.UnitPrice
	}
	return r.Deployments[0].MonthlyUSD.Total, prices, r
}

func TestABillTakesTheRegionsPricesThenYoursAndSaysWhatItBorrows(t *testing.T) {
	base, prices, r := billOf(t)
	assert.Empty(t, r.Prices.Borrowed)
	assert.InEpsilon(t, 0.0168, prices["ec2.t4g.small"], 1e-9)

	t.Setenv("AWS_DEFAULT_REGION", "eu-west-1")
	_, prices, _ = billOf(t)
	assert.InEpsilon(t, 0.0184, prices["ec2.t4g.small"], 1e-9)
	t.Setenv("AWS_REGION", "eu-central-1")
	dearer, prices, r := billOf(t)
	assert.InEpsilon(t, 0.0192, prices["ec2.t4g.small"], 1e-9)
	assert.Greater(t, dearer, base)
	assert.Contains(t, r.Prices.Borrowed, "alb.hour")
	assert.NotContains(t, r.Prices.Borrowed, "ec2.t4g.small")
	for _, line := range r.Deployments[0].MonthlyUSD.Lines {
		assert.Equal(t, slices.Contains(r.Prices.Borrowed, line.PriceKey), line.Region == "us-east-1", line.Item)
	}

	_, prices, r = billOf(t, "--region", "us-east-1", "--prices", mine(t, "key,price\nalb.hour,0.02\n"), "--compute-discount", "30")
	assert.InEpsilon(t, 30, r.Usage.ComputeDiscount, 1e-9)
	assert.InEpsilon(t, 0.02, prices["alb.hour"], 1e-9)
	assert.InEpsilon(t, 0.0168*0.7, prices["ec2.t4g.small"], 1e-9)
	assert.InEpsilon(t, 0.008, prices["alb.lcu"], 1e-9)
}

func TestARegionThatIsNewTakesAFile(t *testing.T) {
	_, stderr, err := run("prices", "--region", "eu-central-9")
	require.Error(t, err)
	assert.Contains(t, stderr, "region: got")
	stdout, stderr, err := run("prices", "--region", "eu-central-9", "--prices", mine(t, "key,price\nnat.hour,0.05\n"))
	require.NoError(t, err, stderr)
	assert.Contains(t, stdout, "eu-central-9, on demand")
}

func TestWhatPricesPrintsAsCSVIsAFileOfYours(t *testing.T) {
	stdout, stderr, err := run("prices", "--region", "sa-east-1", "--format", "csv")
	require.NoError(t, err, stderr)
	rows, err := csv.NewReader(strings.NewReader(stdout)).ReadAll()
	require.NoError(t, err)
	assert.Equal(t, []string{"key", "region", "price"}, rows[0][:3])
	stdout, stderr, err = run("prices", "--region", "sa-east-1", "--prices", mine(t, stdout))
	require.NoError(t, err, stderr)
	assert.Equal(t, len(rows)-1, strings.Count(stdout, "  yours"))
}

// checkout makes the working directory a checkout that consists of its prices,
// without credentials, and returns the file.
func checkout(t *testing.T) (path, before string) {
	t.Helper()
	data, err := os.ReadFile("../../internal/price/prices.csv")
	require.NoError(t, err)
	dir := t.TempDir()
	path = filepath.Join(dir, "internal", "price", "prices.csv")
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, data, 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "cdk.json"), []byte(`{"context":{}}`), 0o644))
	t.Chdir(dir)
	t.Setenv("HOME", dir)
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_MAX_ATTEMPTS", "1")
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_WEB_IDENTITY_TOKEN_FILE"} {
		t.Setenv(name, "")
	}
	return path, string(data)
}

func serve(t *testing.T, handler http.Handler) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server
}

// renew runs `prices --refresh` here, where the public files are those of the
// handler.
func renew(t *testing.T, files http.Handler, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	before := priceListClient
	t.Cleanup(func() { priceListClient = before })
	priceListClient = refreshtest.Client(serve(t, files))
	var out, errs bytes.Buffer
	cmd := newCommand()
	cmd.SetArgs(append([]string{"prices", "--refresh"}, args...))
	cmd.SetOut(&out)
	cmd.SetErr(&errs)
	err = cmd.Execute()
	return out.String(), errs.String(), err
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(data)
}

func frankfurt() http.Handler {
	return refreshtest.Files("eu-central-1", refreshtest.Products("eu-central-1", "EUC1-"))
}

func TestRefreshNeedsNoCredentialsAndFillsAFileForAnyRegion(t *testing.T) {
	path, before := checkout(t)
	out := filepath.Join(t.TempDir(), "frankfurt.csv")
	stdout, stderr, err := renew(t, frankfurt(), "--region", "eu-central-1", "--out", out)
	require.NoError(t, err, stderr)
	assert.Empty(t, stderr, "no progress when piped")
	assert.Contains(t, stdout, "of eu-central-1 renewed from the public price list files, in "+out)
	assert.Contains(t, stdout, "take them with --region eu-central-1 --prices "+out)
	assert.Contains(t, stdout, "not looked up: ")
	assert.NotContains(t, stdout, "not in its price list")
	assert.Equal(t, before, read(t, path), "the checkout's stay")

	stdout, stderr, err = run("prices", "--region", "eu-central-1", "--prices", out)
	require.NoError(t, err, stderr)
	assert.Regexp(t, `(?m)^fargate.x86.vcpu +0.04656 +vCPU-hour +yours +Fargate, Linux/x86 +AWS price list files +`+time.Now().Format(time.DateOnly), stdout)
	_, stderr, err = run("prices", "--prices", out)
	require.Error(t, err)
	assert.Contains(t, stderr, "is one of eu-central-1; take --region eu-central-1")
}

func TestRefreshInACheckoutRenewsItsTable(t *testing.T) {
	path, before := checkout(t)
	stdout, stderr, err := renew(t, frankfurt(), "--region", "eu-central-1")
	require.NoError(t, err, stderr)
	assert.Contains(t, stdout, "in internal/price/prices.csv\n")
	table, err := price.Parse("eu-central-1", []byte(read(t, path)))
	require.NoError(t, err)
	p, err := table.Get("fargate.arm.vcpu")
	require.NoError(t, err)
	assert.Equal(t, "eu-central-1", p.Region)
	assert.InEpsilon(t, 0.03725, p.USD, 1e-9)
	old, err := price.Parse("us-east-1", []byte(before))
	require.NoError(t, err)
	others, err := price.Parse("us-east-1", []byte(read(t, path)))
	require.NoError(t, err)
	assert.Equal(t, old, others, "other regions' prices stay")
}

func TestARefreshThatFailsWritesNothing(t *testing.T) {
	path, before := checkout(t)
	empty := t.TempDir()
	for _, args := range [][]string{{"--region", "eu-central-1"}, {"--region", "eu-central-1", "--out", filepath.Join(empty, "x.csv")}} {
		_, _, err := renew(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.URL.Path, "/awskms/") { // the last
				w.WriteHeader(http.StatusBadGateway)
				return
			}
			frankfurt().ServeHTTP(w, r)
		}), args...)
		require.Error(t, err)
		assert.Contains(t, err.Error(), "prices: awskms: https://pricing.us-east-1.amazonaws.com/offers/v1.0/aws/awskms/current/region_index.json answered 502 Bad Gateway; nothing is written")
	}
	assert.Equal(t, before, read(t, path))
	entries, err := os.ReadDir(empty)
	require.NoError(t, err)
	assert.Empty(t, entries)

	t.Chdir(empty)
	_, _, err = renew(t, frankfurt(), "--region", "eu-central-1")
	assert.EqualError(t, err, "prices: this is no checkout of refdeploy; say where to write with --out FILE")
}

func TestRefreshAsksTheAPIWhereCredentialsAllowIt(t *testing.T) {
	path, before := checkout(t)
	t.Setenv("AWS_ACCESS_KEY_ID", "test")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "test")
	list := refreshtest.API(refreshtest.Products("us-east-1", "USE1-"))
	api := func(after int, status int, kind string) {
		answered := 0
		t.Setenv("AWS_ENDPOINT_URL_PRICING", serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			// A client may lose an answer that comes before it has sent everything.
			body, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(body))
			if answered++; answered > after {
				w.Header().Set("Content-Type", "application/x-amz-json-1.1")
				w.WriteHeader(status)
				io.WriteString(w, `{"__type":"`+kind+`","message":"no"}`)
				return
			}
			list.ServeHTTP(w, r)
		})).URL)
	}
	nobody := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the files were asked for") })

	api(7, 500, "InternalErrorException")
	_, _, err := renew(t, nobody)
	assert.ErrorContains(t, err, "InternalErrorException")
	assert.ErrorContains(t, err, "nothing is written")
	assert.Equal(t, before, read(t, path))

	api(1000, 0, "")
	stdout, stderr, err := renew(t, nobody)
	require.NoError(t, err, stderr)
	assert.Contains(t, stdout, "renewed from the Price List API, in internal/price/prices.csv")
	assert.Contains(t, read(t, path), "nat.hour,us-east-1,0.052,hour,NAT gateway,AWS Price List API,"+time.Now().Format(time.DateOnly))

	api(0, 400, "AccessDeniedException")
	stdout, stderr, err = renew(t, refreshtest.Files("us-east-1", refreshtest.Products("us-east-1", "USE1-")))
	require.NoError(t, err, stderr)
	assert.Equal(t, "the credentials do not allow pricing:GetProducts; reading the public files instead\n", stderr)
	assert.Contains(t, stdout, "renewed from the public price list files")
}

// With nobody to answer, the command says so in a line, as users run it.
func TestRefreshWithoutANetworkIsOneLine(t *testing.T) {
	checkout(t)
	var errs bytes.Buffer
	cmd := exec.Command(binary, "prices", "--refresh")
	cmd.Stderr = &errs
	cmd.Env = append(os.Environ(), "HTTPS_PROXY=http://127.0.0.1:1")
	require.Error(t, cmd.Run())
	assert.Contains(t, errs.String(), "pricing.us-east-1.amazonaws.com")
	assert.Contains(t, errs.String(), "nothing is written")
	assert.Equal(t, 1, strings.Count(errs.String(), "\n"), errs.String())
}

func TestTheBarShowsWhatCameAndGoesAway(t *testing.T) {
	for name, size := range map[string]int64{"known size": 2_000_000, "unknown size": -1} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			b := bar(&out, "AmazonEC2", size)
			for range 2 {
				_, err := b.Write(make([]byte, 1_000_000))
				require.NoError(t, err)
				time.Sleep(110 * time.Millisecond) // it draws ten times a second
			}
			assert.Contains(t, out.String(), "AmazonEC2")
			assert.Contains(t, out.String(), "MB")
			require.NoError(t, b.Close())
			drawn := strings.Split(strings.TrimRight(out.String(), "\r"), "\r")
			assert.Empty(t, strings.TrimSpace(drawn[len(drawn)-1]), "the line is left empty: %q", out.String())
		})
	}
}

func TestTheFilesOfTheHowToAreTaken(t *testing.T) {
	page := read(t, "../../docs/how-to/use-your-own-prices.md")
	files := strings.Split(page, "```csv\n")[1:]
	require.Len(t, files, 2)
	for _, file := range files {
		file, _, _ = strings.Cut(file, "```")
		stdout, stderr, err := run("prices", "--prices", mine(t, file))
		require.NoError(t, err, stderr)
		assert.Equal(t, strings.Count(file, "\n")-1, strings.Count(stdout, "  yours  "))
	}
}
