package refresh

import (
	"compress/gzip"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// host serves the price list to everyone (AWS Billing user guide, "Getting price
// list files manually", 2026-11-27).
const host = "https://pricing.us-east-1.amazonaws.com"

// stall is how long a download may stand still. It has no other limit: EC2's
// file is hundreds of megabytes, and lines are slow.
var stall = time.Minute

// Files are the public price list files, one for each service and region. They
// are read as they come and never held: what is kept are the rows that match.
type Files struct {
	Client *http.Client

	// Progress, unless nil, is told of each file: its service, its size in bytes
	// or -1, and then, through the writer, of what came. It is closed at the end.
	Progress func(service string, size int64) io.WriteCloser
}

func (Files) name() string { return "AWS price list files" }

func (f Files) offers(ctx context.Context, region string, wanted map[string]product) (map[string][]offer, error) {
	byService := map[string]map[string]product{}
	for key, p := range wanted {
		if byService[p.service] == nil {
			byService[p.service] = map[string]product{}
		}
		byService[p.service][key] = p
	}
	found := map[string][]offer{}
	for _, service := range slices.Sorted(maps.Keys(byService)) {
		path, err := f.path(ctx, service, region)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", service, err)
		}
		if path == "" { // the service is not in the region
			continue
		}
		err = f.get(ctx, path, service, func(r io.Reader) error { return read(r, region, byService[service], found) })
		if err != nil {
			return nil, fmt.Errorf("%s: %w", service, err)
		}
	}
	return found, nil
}

// path returns where a service's CSV of a region is, "" when there is none.
func (f Files) path(ctx context.Context, service, region string) (string, error) {
	var index struct {
		Regions map[string]struct{ CurrentVersionURL string }
	}
	err := f.get(ctx, "/offers/v1.0/aws/"+service+"/current/region_index.json", "", func(r io.Reader) error {
		return json.NewDecoder(io.LimitReader(r, 1<<20)).Decode(&index)
	})
	if err != nil {
		return "", err
	}
	at, ok := index.Regions[region]
	if !ok {
		return "", nil
	}
	path, isJSON := strings.CutSuffix(at.CurrentVersionURL, ".json")
	if !isJSON || !strings.HasPrefix(path, "/offers/") {
		return "", fmt.Errorf("the index of regions names %q, which is no price list file", at.CurrentVersionURL)
	}
	return path + ".csv", nil
}

// get reads what is at a path, to its end. What ends early is an error: a file
// that is cut between two rows would look like one with fewer products.
func (f Files) get(ctx context.Context, path, service string, read func(io.Reader) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watch := time.AfterFunc(stall, func() { cancel(fmt.Errorf("nothing came for %s", stall)) })
	defer watch.Stop()

	request, err := http.NewRequestWithContext(ctx, http.MethodGet, host+path, nil)
	if err != nil {
		return err
	}
	// With a header of our own, the client leaves the packed bytes and their
	// number alone, which the progress is measured in.
	request.Header.Set("Accept-Encoding", "gzip")
	response, err := f.Client.Do(request)
	if err != nil {
		return because(ctx, err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %s", host+path, response.Status)
	}
	if response.ContentLength < 0 && response.ProtoMajor == 1 && !slices.Contains(response.TransferEncoding, "chunked") {
		return fmt.Errorf("%s does not say where it ends", host+path)
	}
	body := io.Reader(&watched{response.Body, func() { watch.Reset(stall) }})
	if f.Progress != nil && service != "" {
		bar := f.Progress(service, response.ContentLength)
		defer bar.Close()
		body = io.TeeReader(body, bar)
	}
	packed := body
	if response.Header.Get("Content-Encoding") == "gzip" {
		unpacked, err := gzip.NewReader(body)
		if err != nil {
			return because(ctx, cut(err))
		}
		body = unpacked
	}
	if err := read(body); err != nil {
		return because(ctx, cut(err))
	}
	for _, rest := range []io.Reader{body, packed} {
		if _, err := io.Copy(io.Discard, rest); err != nil {
			return because(ctx, cut(err))
		}
	}
	return nil
}

// watched calls back for whatever comes.
type watched struct {
	io.Reader
	came func()
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	if n > 0 {
		w.came()
	}
	return n, err
}

// because prefers the reason why a request was ended to what it ended with.
func because(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

func cut(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("the download was cut short; try again: %w", err)
	}
	return err
}

// A match is a product in terms of a file's columns.
type match struct {
	key   string
	cells []cell // that have to be equal
	usage string
}

type cell struct {
	column int
	value  string
}

// read adds the offers of a service's CSV to found. The file has five lines
// about itself, a head, and a row for each price (AWS Billing user guide,
// "Reading the service price list file", 2026-11-27).
func read(r io.Reader, region string, wanted map[string]product, found map[string][]offer) error {
	rows := csv.NewReader(r)
	rows.ReuseRecord = true
	rows.FieldsPerRecord = -1
	var head []string
	for range 6 {
		row, err := rows.Read()
		if err != nil {
			return notCSV(err)
		}
		head = slices.Clone(row)
	}
	column := map[string]int{}
	for i, name := range head {
		column[plain(name)] = i
	}
	at := func(name string) int {
		if i, ok := column[plain(name)]; ok {
			return i
		}
		return -1
	}
	sku, term, begin, usd, currency, usage := at("SKU"), at("TermType"), at("StartingRange"), at("PricePerUnit"), at("Currency"), at("usageType")
	if slices.Contains([]int{sku, term, begin, usd, currency, usage}, -1) {
		return fmt.Errorf("its sixth line is %.60q, which is no head of a price list", strings.Join(head, ","))
	}
	var matches []match
	for key, p := range wanted {
		m := match{key: key, usage: p.usage}
		for name, value := range p.with(p.region(), region).attributes {
			m.cells = append(m.cells, cell{at(name), value})
		}
		// Without the column, the service does not tell products apart by it.
		if !slices.ContainsFunc(m.cells, func(c cell) bool { return c.column < 0 }) {
			matches = append(matches, m)
		}
	}
	rows.FieldsPerRecord = len(head)
	tiers := map[[2]string][]tier{} // by key and SKU
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return notCSV(err)
		}
		if row[term] != "OnDemand" || row[currency] != "USD" {
			continue
		}
		for _, m := range matches {
			if m.matches(row, usage) {
				id := [2]string{m.key, strings.Clone(row[sku])}
				tiers[id] = append(tiers[id], tierOf(row[begin], row[usd]))
			}
		}
	}
	for id, t := range tiers {
		found[id[0]] = append(found[id[0]], offer{sku: id[1], tiers: t})
	}
	return nil
}

func (m match) matches(row []string, usage int) bool {
	if m.usage != "" && !strings.HasSuffix(row[usage], m.usage) { // cheap, and rules most out
		return false
	}
	for _, c := range m.cells {
		if row[c.column] != c.value {
			return false
		}
	}
	return m.usage == "" || withoutPrefix(row[usage]) == m.usage
}

// plain is how a column's name is compared with an attribute's: "Instance Type"
// in a file is instanceType to the API.
func plain(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, strings.ToLower(name))
}

// notCSV keeps what went wrong in reading, and says so of the rest. A row that
// ends with the file was cut.
func notCSV(err error) error {
	var syntax *csv.ParseError
	switch {
	case errors.As(err, &syntax):
		return fmt.Errorf("not the CSV of a price list: %w", err)
	case errors.Is(err, io.EOF):
		return io.ErrUnexpectedEOF
	}
	return err
}
