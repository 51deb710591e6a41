package eject

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"refdeploy/internal/assembly"
	"refdeploy/internal/catalog"
	"refdeploy/internal/docs"
	"refdeploy/internal/price"
	"refdeploy/internal/settings"
)

// A page is the README as it is made from a pattern's page.
type page struct {
	o     Options
	n     names
	d     catalog.Deployment
	knobs map[string]string // names in the code, by name of the setting's key
	files map[string][]byte
}

// readme writes the project's README from the pattern's page.
func (pg page) readme(root string, template assembly.Template) ([]byte, error) {
	text, err := os.ReadFile(filepath.Join(root, pg.d.Page))
	if err != nil {
		return nil, err
	}
	text = []byte(strings.NewReplacer(
		"go run ./cmd/"+reference+" bundles --outputs outputs.json --out bundles", "go run ./cmd/bundles",
		"`"+reference+" bundles`", "`go run ./cmd/bundles`",
	).Replace(string(text)))
	intro, sections := split(string(text), "## ")
	var body strings.Builder
	for _, s := range sections {
		title, content, _ := strings.Cut(s, "\n")
		switch {
		case strings.HasPrefix(title, "When to use it"), title == "Taking it home", title == "Findings we accept", title == "Resources":
			continue
		case title == "What it promises":
			promises, err := pg.promises()
			if err != nil {
				return nil, err
			}
			content = promises
		case title == "Cost in the sandbox":
			title = "Cost"
			if content, err = pg.cost(template); err != nil {
				return nil, err
			}
		case title == "What rings in production":
			if pg.o.Settings.Profile != settings.Production && !pg.o.Keep {
				continue
			}
			if !pg.o.Keep {
				title = "What rings"
			}
			content = pg.text(content)
		case title == "Validate" && !pg.o.sample() && strings.Contains(content, "OutputKey=='Url'"):
			content = pg.validate()
		case title == "With your own app":
			if pg.o.sample() && !pg.o.Keep {
				continue // how to bring it is the reference's
			}
			if !pg.o.Keep {
				title = "What the app finds"
			}
			content = pg.text(content)
		case title == "Duties and limits" && !pg.o.sample():
			content = pg.text(ownFacts(pg.d, content))
		case title == "Tear down":
			content = pg.text(pg.tearDown(content))
		default:
			content = pg.text(content)
		}
		fmt.Fprintf(&body, "## %s\n\n%s\n\n", title, strings.TrimSpace(content))
	}
	_, intro, _ = strings.Cut(intro, "\n")
	made, err := render("README.md.tmpl", map[string]any{
		"Stack": pg.n.stack, "Intro": strings.TrimSpace(pg.text(intro)) + "\n\n" + pg.profile(), "Go": goVersion(pg.files["go.mod"]),
		"Source": pg.d.Source, "Constructs": pg.constructs(), "App": pg.app(), "AppSays": pg.appSays(),
		"Change": pg.change(), "Body": body.String(), "Provenance": pg.provenance(),
	})
	return made, err
}

// validate asks an app that is not the sample app what every platform asks.
func (pg page) validate() string {
	return "```sh\nURL=$(aws cloudformation describe-stacks --stack-name " + pg.n.stack + " \\\n" +
		"  --query \"Stacks[0].Outputs[?OutputKey=='Url'].OutputValue\" --output text)\n" +
		"curl -i $URL" + pg.o.Settings.HealthPath + "\n```\n\nThe answer has the status 200."
}

// tearDown leaves how the profile goes: in production the first destroy is refused,
// and not all of it goes.
func (pg page) tearDown(content string) string {
	at := strings.Index(content, "In the production profile")
	if at < 0 || pg.o.Keep {
		return content
	}
	if pg.o.Settings.Profile != settings.Production {
		return content[:at]
	}
	if stays := regexp.MustCompile(`(?:Two|Three|Some) things stay: .*`).FindString(content[:at]); stays != "" {
		return content[at:] + "\n\n" + stays
	}
	return content[at:]
}

// split cuts a page at its headings of one level.
func split(text, heading string) (before string, sections []string) {
	parts := strings.Split("\n"+text, "\n"+heading)
	return strings.TrimPrefix(parts[0], "\n"), parts[1:]
}

func (pg page) profile() string {
	if pg.o.Keep {
		return "Its settings are given in the `context` of `cdk.json`, or with `-c`, as in `npx cdk synth -c profile=production`. They are described in `internal/settings`."
	}
	if pg.o.Settings.Profile == settings.Production {
		return "It is made for production: two copies of the app over two zones in private subnets where the platform has them, alarms, and notes and logs that outlive the stack."
	}
	return "It is made for a sandbox: one copy of the app, no NAT gateway where there is a way without, and nothing that outlives the stack."
}

// provenance is the one line that says where the project comes from, and how to
// make it again.
func (pg page) provenance() string {
	return fmt.Sprintf("Written by refdeploy %s: `%s`", pg.o.Version, pg.o.command())
}

// command is what writes the same project again, for another directory.
func (o Options) command() string {
	words := []string{"eject", o.Stack, "DIR", "--module", o.Module, "--name", o.Name}
	if o.Keep {
		words = append(words, "--keep-settings")
	}
	given := o.given()
	for _, key := range slices.Sorted(maps.Keys(given)) {
		if key == "app" {
			words = append(words, "--app", "DIR/"+filepath.ToSlash(given[key]))
			continue
		}
		words = append(words, "-c", key+"="+given[key])
	}
	return strings.Join(words, " ")
}

// given returns the settings that the user gave, with the app's directory as it is
// from the project: nobody else has it where the user has it.
func (o Options) given() map[string]string {
	given := maps.Clone(o.Given)
	if _, ok := given["app"]; ok {
		given["app"] = o.Settings.App
	}
	return given
}

func goVersion(mod []byte) string {
	match := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindSubmatch(mod)
	if match == nil {
		return ""
	}
	return string(match[1])
}

// app is where the app is.
func (pg page) app() string { return cmp.Or(pg.o.Settings.App, pg.o.Settings.Image, "app") }

func (pg page) appSays() string {
	switch {
	case pg.o.Settings.App != "":
		return "your app, with its Dockerfile; it stays where it is"
	case pg.o.Settings.Image != "":
		return "the image that runs"
	}
	return "the app, with its Dockerfile and its tests"
}

// constructs lists the packages beside the stack with what their docs say.
func (pg page) constructs() [][2]string {
	var rows [][2]string
	for _, name := range slices.Sorted(maps.Keys(pg.files)) {
		dir := path.Dir(name)
		if !strings.HasPrefix(name, "constructs/") && !strings.HasPrefix(name, "internal/") || strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, pg.files[name], parser.ParseComments|parser.PackageClauseOnly)
		if err != nil || file.Doc == nil {
			continue
		}
		says := strings.TrimPrefix(strings.Join(strings.Fields(file.Doc.Text()), " "), "Package "+file.Name.Name+" ")
		says, _, _ = strings.Cut(says, ". ")
		rows = append(rows, [2]string{dir, strings.TrimSuffix(says, ".")})
	}
	return rows
}

// change says what people change first.
func (pg page) change() string {
	var lines []string
	for _, key := range slices.Sorted(maps.Keys(pg.knobs)) {
		name := pg.knobs[key]
		says := strings.TrimPrefix(knobTexts[name], "// ")
		lines = append(lines, fmt.Sprintf("- `%s` in `%s`: %s", name, pg.d.Source, lowerFirst(strings.TrimSuffix(says, "."))))
	}
	lines = append(lines,
		fmt.Sprintf("- Sizes and numbers: they stand in `%s`, where they are used", pg.d.Source),
		fmt.Sprintf("- The app: `%s`. It listens on port %d and answers `%s` with 200 while it is well", pg.app(), pg.o.Settings.Port, pg.o.Settings.HealthPath),
		"- After each change, run `make test`. The golden template shows what CloudFormation would be told: `make golden`, and read the difference")
	return strings.Join(lines, "\n")
}

func lowerFirst(s string) string {
	if strings.HasPrefix(s, "An ") || strings.HasPrefix(s, "Who ") {
		return strings.ToLower(s[:1]) + s[1:]
	}
	return s
}

// cost is the bill of the template, with where each price is from.
func (pg page) cost(template assembly.Template) (string, error) {
	prices, err := price.Embedded()
	if err != nil {
		return "", err
	}
	table, err := docs.Monthly(assembly.Stack{ID: pg.d.ID, Template: template}, prices)
	if err != nil {
		return "", err
	}
	return "A month of 730 hours in US dollars, in us-east-1 and on demand, before tax and without free tiers, for three loads. It was computed from the golden template and the prices of the day in the last column. A request takes 5 ms of CPU, is answered with 2 kB and reads one note.\n\n" + table, nil
}

// promises lists what the tests hold, in their own words.
func (pg page) promises() (string, error) {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(pg.files)) {
		if path.Dir(name) != "stacks" || !strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, pg.files[name], 0)
		if err != nil {
			return "", err
		}
		lines = append(lines, fmt.Sprintf("\nIn `%s`:\n", name))
		seen := map[string]bool{}
		ast.Inspect(file, func(n ast.Node) bool {
			var says ast.Expr
			switch n := n.(type) {
			case *ast.KeyValueExpr:
				if key, ok := n.Key.(*ast.Ident); ok && key.Name == "name" {
					says = n.Value
				}
			case *ast.CallExpr:
				if s, ok := n.Fun.(*ast.SelectorExpr); ok && s.Sel.Name == "Run" && len(n.Args) == 2 {
					says = n.Args[0]
				}
			}
			if lit, ok := says.(*ast.BasicLit); ok && !seen[lit.Value] {
				seen[lit.Value] = true
				lines = append(lines, "- "+importPath(lit.Value))
			}
			return true
		})
	}
	return strings.Join(lines, "\n"), nil
}

var (
	marker      = regexp.MustCompile(`(?m)^<!-- /?generated.*-->\n?`)
	link        = regexp.MustCompile(`\[([^\]]*)\]\(([^)]*)\)`)
	code        = regexp.MustCompile("`([^`]*)`")
	cdkCommand  = regexp.MustCompile(`(npx cdk (?:deploy|destroy|diff|synth)) [A-Z]\w+`)
	profileFlag = regexp.MustCompile(` -c profile=\w+`)
	inProfile   = regexp.MustCompile(`\b[Ii]n (?:the |a )?(?:production|sandbox)(?: profile)?,? (\w)`)
)

// text makes a part of a page one of the project's.
func (pg page) text(text string) string {
	text = marker.ReplaceAllString(text, "")
	before, subsections := split(text, "### ")
	out := pg.blocks(before)
	for _, s := range subsections {
		title, content, _ := strings.Cut(s, "\n")
		if pg.switches(content) {
			continue // it shows what another setting does
		}
		if title == "In production" {
			title = ""
		}
		if content = pg.blocks(content); strings.TrimSpace(content) != "" {
			out += "\n\n### " + title + "\n\n" + content
		}
	}
	if !pg.o.sample() {
		sample := settings.Default()
		out = strings.ReplaceAll(out, "notes and logs included", "logs included")
		out = strings.NewReplacer(strconv.Itoa(sample.Port), strconv.Itoa(pg.o.Settings.Port), sample.HealthPath, pg.o.Settings.HealthPath).Replace(out)
	}
	return pg.n.rename(out)
}

// ownFacts puts what is known of a deployment with the user's own app in the
// place of what is known of it with the sample app.
func ownFacts(d catalog.Deployment, table string) string {
	own := d.ForOwnApp()
	of := func(d catalog.Deployment) []catalog.Field { return append(d.Duties.Fields(), d.Limits.Fields()...) }
	rows := of(own)
	for i, sample := range of(d) {
		table = strings.ReplaceAll(table, "| "+sample.Label+" | "+sample.Value+" |", "| "+rows[i].Label+" | "+rows[i].Value+" |")
	}
	return table
}

// switches reports whether commands in a text give settings.
func (pg page) switches(text string) bool {
	return !pg.o.Keep && strings.Contains(profileFlag.ReplaceAllString(text, ""), " -c ")
}

// blocks rewrites paragraphs, lists, tables and commands.
func (pg page) blocks(text string) string {
	var out []string
	silent := false // what introduced the next block is gone
	for _, block := range blocksOf(text) {
		switch {
		case strings.HasPrefix(strings.TrimSpace(block), "```"):
			if !silent && !strings.Contains(block, "./cmd/"+reference) && !pg.switches(block) {
				out = append(out, pg.commands(block))
			}
			silent = false
		case strings.HasPrefix(block, "|"):
			if !silent {
				out = append(out, pg.table(block))
			}
			silent = false
		default:
			var kept []string
			for _, line := range strings.Split(block, "\n") {
				is, rest := pg.prose(line)
				silent = rest && strings.HasSuffix(strings.TrimSpace(line), ":")
				if strings.TrimSpace(strings.TrimLeft(is, "-0123456789. ")) != "" {
					kept = append(kept, is)
				}
			}
			if len(kept) > 0 {
				out = append(out, strings.Join(kept, "\n"))
			}
		}
	}
	return strings.Join(out, "\n\n")
}

// blocksOf splits at empty lines outside of commands.
func blocksOf(text string) []string {
	var blocks []string
	var block []string
	fenced := false
	for _, line := range strings.Split(text+"\n", "\n") {
		if strings.HasPrefix(strings.TrimSpace(line), "```") {
			fenced = !fenced
		}
		if line != "" || fenced {
			block = append(block, line)
			continue
		}
		if len(block) > 0 {
			blocks = append(blocks, strings.Join(block, "\n"))
		}
		block = nil
	}
	return blocks
}

func (pg page) commands(block string) string {
	if pg.o.Settings.Bucket == settings.NoBucket && strings.Contains(block, "```mermaid") {
		block = strings.Join(slices.DeleteFunc(strings.Split(block, "\n"), func(line string) bool { return ofBucket.MatchString(line) }), "\n")
	}
	if pg.o.Settings.Profile != settings.Production && !pg.o.Keep && strings.Contains(block, "```mermaid") {
		block = strings.Join(slices.DeleteFunc(strings.Split(block, "\n"), func(line string) bool { return strings.Contains(line, "in production") }), "\n")
	}
	if !pg.o.Keep {
		block = profileFlag.ReplaceAllString(block, "")
	}
	block = cdkCommand.ReplaceAllString(block, "$1")
	return pg.stackNames(block)
}

// stackNames writes the stack's name where AWS is asked for it.
func (pg page) stackNames(text string) string {
	return strings.NewReplacer(
		"--stack-name "+pg.d.ID, "--stack-name "+pg.n.stack,
		pg.d.ID[:min(6, len(pg.d.ID))]+"-", pg.n.stack[:min(6, len(pg.n.stack))]+"-",
	).Replace(text)
}

func (pg page) table(block string) string {
	var rows []string
	for i, row := range strings.Split(block, "\n") {
		if i < 2 {
			rows = append(rows, pg.links(row))
			continue
		}
		cells := strings.Split(strings.Trim(row, "|"), "|")
		for k, cell := range cells {
			is, _ := pg.prose(strings.TrimSpace(cell))
			cells[k] = cmp.Or(strings.TrimSpace(is), "–")
		}
		if len(cells) > 1 && cells[0] == "–" && !strings.HasPrefix(row, "|  |") {
			continue
		}
		rows = append(rows, "| "+strings.Join(cells, " | ")+" |")
	}
	return strings.Join(rows, "\n")
}

// Numbers of copies that the pages give for a sandbox, and what production makes
// of them.
var (
	doubled = map[string]string{"1 to 4": "2 to 8", "1 to 2": "2 to 4", "one to four": "two to eight", "one to two": "two to four", "up to four": "up to eight", "up to two": "up to four"}
	twice   = regexp.MustCompile(`\b(?:1 to [24]|one to (?:four|two)|up to (?:four|two))\b`)
)

// sentence matches one, with what ends it.
var sentence = regexp.MustCompile(`.*?(?:[.:!?](?: |$)|$)`)

// prose rewrites a line, and reports whether its last sentence is gone.
func (pg page) prose(line string) (text string, lastGone bool) {
	other := regexp.MustCompile(`(?i)\bproduction\b`)
	if pg.o.Settings.Profile == settings.Production {
		other = regexp.MustCompile(`(?i)\bsandbox\b`)
	}
	var out strings.Builder
	prefix := listItem.FindString(line)
	out.WriteString(prefix)
	for i, s := range sentence.FindAllString(line[len(prefix):], -1) {
		if strings.Contains(s, "outside-aws.md") {
			lastGone = true
			continue
		}
		if prefix != "" && i == 1 && lastGone {
			return "", true // the rest speaks of what is gone
		}
		s = pg.links(s)
		if s == "" {
			continue
		}
		if pg.o.Keep {
			if lastGone = strings.Contains(s, "cmd/"+reference) || strings.HasPrefix(s, "Words that are new to you"); !lastGone {
				out.WriteString(s)
			}
			continue
		}
		if lastGone = other.MatchString(s) || pg.foreign(s); !lastGone {
			s = inProfile.ReplaceAllStringFunc(s, func(match string) string {
				first := match[len(match)-1:]
				if match[0] == 'I' {
					return strings.ToUpper(first)
				}
				return first
			})
			out.WriteString(s)
		}
	}
	text = out.String()
	if pg.o.Keep {
		return pg.stackNames(cdkCommand.ReplaceAllString(text, "$1")), lastGone
	}
	text = profileFlag.ReplaceAllString(text, "")
	text = cdkCommand.ReplaceAllString(text, "$1")
	if pg.o.Settings.Profile == settings.Production {
		text = twice.ReplaceAllStringFunc(text, func(match string) string { return doubled[match] })
	}
	text = strings.ReplaceAll(text, "The setting `", "The constant `")
	for key, name := range pg.knobs {
		text = strings.ReplaceAll(text, "`"+key+"`", "`"+name+"`")
	}
	return strings.TrimRight(pg.stackNames(text), " "), lastGone
}

// listItem matches what begins a line of a list.
var listItem = regexp.MustCompile(`^\s*(?:-|\d+\.) `)

// ofSample matches what the sample app alone does.
var ofSample = regexp.MustCompile("\\b[Nn]otes?\\b|X-Request-Id|/readyz|/info|/work|line of JSON")

// ofBucket matches what is said of the bucket.
var ofBucket = regexp.MustCompile("\\b(?:[Bb]ucket|S3)\\b")

// foreign reports whether a sentence speaks of what the project has not: other
// settings, or the reference's own commands and documents.
func (pg page) foreign(s string) bool {
	if !pg.o.sample() && ofSample.MatchString(strings.ReplaceAll(s, "notes and logs included", "")) {
		return true
	}
	if pg.o.Settings.Bucket == settings.NoBucket && ofBucket.MatchString(s) {
		return true
	}
	if strings.Contains(s, "./cmd/"+reference) || strings.Contains(s, "cmd/"+reference) || strings.Contains(s, "this project's") ||
		strings.HasPrefix(s, "Words that are new to you") || strings.Contains(s, "profile only") || strings.Contains(s, "other deployments") ||
		strings.Contains(s, "in the place of the sample app") || s == "What it finds here:" {
		return true
	}
	for _, match := range code.FindAllStringSubmatch(s, -1) {
		word, _, _ := strings.Cut(match[1], "=")
		if slices.ContainsFunc(settings.Keys(nil), func(k settings.Key) bool { return k.Name == word && pg.knobs[word] == "" }) {
			return true
		}
	}
	return false
}

// links keeps those that lead somewhere from the project.
func (pg page) links(text string) string {
	return link.ReplaceAllStringFunc(text, func(match string) string {
		parts := link.FindStringSubmatch(match)
		target := strings.TrimPrefix(parts[2], "../../")
		switch {
		case strings.Contains(target, "://"):
			return match
		case pg.files[target] != nil:
			return fmt.Sprintf("[%s](%s)", parts[1], target)
		}
		return parts[1]
	})
}
