// Package docs writes the facts that the code knows into the documentation:
// what stands between `<!-- generated: NAME -->` and `<!-- /generated -->`.
package docs

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"refdeploy/app/contract"
	"refdeploy/internal/account"
	"refdeploy/internal/assembly"
	"refdeploy/internal/bill"
	"refdeploy/internal/catalog"
	"refdeploy/internal/cost"
	"refdeploy/internal/inventory"
	"refdeploy/internal/price"
	"refdeploy/internal/report"
	"refdeploy/internal/settings"
	"refdeploy/internal/versions"
)

var section = regexp.MustCompile(`(?s)(<!-- generated: ([a-z-]+) -->\n).*?(<!-- /generated -->)`)

// Render returns every page with generated sections below root, by path, as it
// should be. It fails when a page asks for a section that nobody knows.
func Render(root string) (map[string]string, error) {
	pages := map[string]string{}
	render := func(path string, sections map[string]string) error {
		data, err := os.ReadFile(filepath.Join(root, path))
		if err != nil {
			return err
		}
		var unknown error
		pages[path] = section.ReplaceAllStringFunc(string(data), func(old string) string {
			match := section.FindStringSubmatch(old)
			content, ok := sections[match[2]]
			if !ok {
				unknown = fmt.Errorf("%s: no section is named %q; known: %s", path, match[2], strings.Join(slices.Sorted(maps.Keys(sections)), ", "))
			}
			return match[1] + "\n" + content + "\n" + match[3]
		})
		return unknown
	}

	if err := render("docs/reference.md", map[string]string{
		"settings": settingsTable(), "needs": needs(), "routes": routes(), "bounds": bounds(), "actions": actions(), "versions": versionsTable(),
	}); err != nil {
		return nil, err
	}
	quotas, err := quotas(root)
	if err != nil {
		return nil, err
	}
	apart, err := apart(root)
	if err != nil {
		return nil, err
	}
	if err := render("docs/how-to/deploy-many-at-once.md", map[string]string{"quotas": quotas, "apart": apart}); err != nil {
		return nil, err
	}
	images, https, err := reached(root)
	if err != nil {
		return nil, err
	}
	if err := render("docs/how-to/bring-your-own-image.md", map[string]string{"images": images}); err != nil {
		return nil, err
	}
	if err := render("docs/how-to/bring-your-own-app.md", map[string]string{"own-apps": ownApps(), "sizes": sizes()}); err != nil {
		return nil, err
	}
	if err := render("docs/how-to/add-https-and-a-domain.md", map[string]string{"https": https}); err != nil {
		return nil, err
	}
	promised, err := promised(root)
	if err != nil {
		return nil, err
	}
	if err := render("docs/proof.md", map[string]string{"promises": promised}); err != nil {
		return nil, err
	}
	prices, err := price.Embedded()
	if err != nil {
		return nil, err
	}
	var stacks []assembly.Stack
	resourceCounts := map[string]int{}
	for _, d := range catalog.All() {
		sandbox, err := golden(root, d.ID, settings.Sandbox)
		if err != nil {
			return nil, err
		}
		production, err := golden(root, d.ID, settings.Production)
		if err != nil {
			return nil, err
		}
		stack := assembly.Stack{ID: d.ID, Template: sandbox}
		stacks = append(stacks, stack)
		resourceCounts[d.ID] = len(sandbox.Resources)
		month, err := Monthly(stack, prices)
		if err != nil {
			return nil, err
		}
		if err := render(d.Page, map[string]string{
			"resources":    resources(sandbox, production),
			"suppressions": suppressions(sandbox, production),
			"cost":         month,
			"own-app":      ownApp(d),
			"duties":       fields(append(d.Duties.Fields(), d.Limits.Fields()...)),
		}); err != nil {
			return nil, err
		}
	}

	_, err = settings.Parse(map[string]any{"profil": "production"}, catalog.IDs())
	if err := render("docs/tutorial.md", map[string]string{
		"list": fenced(list(resourceCounts)),
		"typo": fenced(fmt.Sprintln(err)),
	}); err != nil {
		return nil, err
	}

	var reports []report.Report
	for _, usage := range bill.Profiles() {
		r, err := report.Build(stacks, prices, usage)
		if err != nil {
			return nil, err
		}
		reports = append(reports, r)
	}
	for path, paper := range map[string]report.Paper{
		"docs/images/cost-over-load.svg": report.Light, "docs/images/cost-over-load-dark.svg": report.Dark,
	} {
		if pages[path], err = reports[2].Picture(paper); err != nil {
			return nil, err
		}
	}
	exposed, err := exposed(root)
	if err != nil {
		return nil, err
	}
	if err := render("SECURITY.md", map[string]string{"exposed": exposed, "routes": strings.ReplaceAll(routes(), " (below)", ""), "bounds": bounds()}); err != nil {
		return nil, err
	}
	if err := render("README.md", map[string]string{
		"deployments": deployments(),
		"summary":     summary(reports[2], "docs/images/", linked("")),
		"cheapest":    bullets(reports[2].CheapestSentences()),
	}); err != nil {
		return nil, err
	}
	if err := render("docs/choosing.md", map[string]string{
		"summary":   summary(reports[2], "images/", linked("docs/")),
		"decides":   bullets(reports[2].Decides()),
		"totals":    totals(reports),
		"cheapest":  bullets(reports[2].CheapestSentences()),
		"decisions": decisions(reports[0]),
	}); err != nil {
		return nil, err
	}
	return pages, nil
}

// golden reads a deployment's reviewed template.
func golden(root, id string, profile settings.Profile) (assembly.Template, error) {
	var template assembly.Template
	path := filepath.Join(root, "stacks", "testdata", fmt.Sprintf("%s.%s.golden.json", id, profile))
	data, err := os.ReadFile(path)
	if err != nil {
		return template, err
	}
	if err := json.Unmarshal(data, &template); err != nil {
		return template, fmt.Errorf("%s: %w", path, err)
	}
	return template, nil
}

// quotas counts what all deployments take of the quotas that an account meets
// first, with networks of their own and with one.
func quotas(root string) (string, error) {
	rows := [][]string{{"`network`", "`profile`", "VPCs, of 5", "Elastic IP addresses, of 5"}}
	for _, network := range []settings.Network{settings.Own, settings.Shared} {
		ids := catalog.IDs()
		if network == settings.Shared {
			ids = []string{settings.NetworkID} // what stands in it has neither
		}
		for _, profile := range []settings.Profile{settings.Sandbox, settings.Production} {
			vpcs, addresses := 1, 0
			for _, id := range ids {
				template, err := golden(root, id, profile)
				if err != nil {
					return "", err
				}
				for _, r := range template.Resources {
					switch r.Type {
					case "AWS::EC2::VPC":
						vpcs++
					case "AWS::EC2::EIP":
						addresses++
					}
				}
			}
			rows = append(rows, []string{string(network), string(profile), fmt.Sprint(vpcs), fmt.Sprint(addresses)})
		}
	}
	return table(rows...), nil
}

// table renders rows, the first of which is the head.
func table(rows ...[]string) string {
	var b strings.Builder
	for i, row := range rows {
		fmt.Fprintf(&b, "| %s |\n", strings.Join(row, " | "))
		if i == 0 {
			fmt.Fprintf(&b, "|%s\n", strings.Repeat("---|", len(row)))
		}
	}
	return b.String()
}

// list is what `refdeploy list` prints, whose layout its own test holds.
func list(resources map[string]int) string {
	var b strings.Builder
	table := tabwriter.NewWriter(&b, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "STACK\tCONTROL PLANE\tDATA PLANE\tRESOURCES")
	for _, d := range catalog.All() {
		fmt.Fprintf(table, "%s\t%s\t%s\t%d\n", d.ID, d.ControlPlane, d.DataPlane, resources[d.ID])
	}
	_ = table.Flush() // a strings.Builder takes everything
	return b.String()
}

// fenced renders what a command prints.
func fenced(output string) string { return "```\n" + output + "```\n" }

func deployments() string {
	rows := [][]string{{"Stack", "Control plane", "Data plane", "Code"}}
	for _, d := range catalog.All() {
		name := fmt.Sprintf("[%s](%s)", d.ID, d.Page)
		if d.ClosedSince != "" {
			name += ", closed to new customers since " + d.ClosedSince
		}
		rows = append(rows, []string{name, d.ControlPlane, d.DataPlane, fmt.Sprintf("[`%s`](%s)", filepath.Base(d.Source), d.Source)})
	}
	return table(rows...)
}

func settingsTable() string {
	rows := [][]string{{"Key", "Allowed", "Default", "Effect"}}
	for _, key := range settings.Keys(catalog.IDs()) {
		rows = append(rows, []string{"`" + key.Name + "`", key.Allowed, key.Default, key.Effect})
	}
	return table(rows...)
}

// versionsTable has no days left: a page is not written again every day.
func versionsTable() string {
	rows := [][]string{{"What", "Version", "Set in", "Support ends", "What ends, and where that was read"}}
	for _, v := range versions.All() {
		var files []string
		for _, path := range v.SetIn {
			files = append(files, fmt.Sprintf("[%s](../%s)", filepath.Base(path), path))
		}
		ends, then := "–", v.Then
		if v.Ends != "" {
			ends, then = v.Ends, fmt.Sprintf("%s (%s, read %s)", v.Then, v.Source, v.Read)
		}
		if v.Unverified {
			ends += " [unverified]"
		}
		rows = append(rows, []string{v.Name, v.Version, strings.Join(files, ", "), ends, then})
	}
	return table(rows...)
}

// apart tells which deployments bring no network.
func apart(root string) (string, error) {
	var ids []string
	for _, id := range catalog.IDs() {
		template, err := golden(root, id, settings.Production)
		if err != nil {
			return "", err
		}
		if !has(template, "AWS::EC2::VPC") {
			ids = append(ids, id)
		}
	}
	last := len(ids) - 1
	return fmt.Sprintf("%s and %s bring no network of their own and are the same either way.\n", strings.Join(ids[:last], ", "), ids[last]), nil
}

// reached tells which deployments the settings image and certificateArn reach,
// a table each: what a deployment asks of an image, and whose HTTPS it has.
func reached(root string) (images, https string, err error) {
	ofImages := [][]string{{"Deployment", "Takes an image from", "Built for", "Disk", "User"}}
	ofHTTPS := [][]string{{"Deployment", "HTTPS"}}
	link := linked("docs/")
	for _, d := range catalog.All() {
		template, err := golden(root, d.ID, settings.Sandbox)
		if err != nil {
			return "", "", err
		}
		name := strings.Replace(link(d.ID), "](", "](../", 1)

		kubernetes := strings.Contains(d.ControlPlane, "EKS")
		from, disk, user := "ECR, and registries without a login", "can be written", "the image's"
		switch {
		case has(template, "AWS::Lambda::Url"):
			from, disk, user = "nowhere: it runs `app/`", "–", "–"
		case has(template, "AWS::AppRunner::Service"):
			from = "ECR, private or public"
		case kubernetes:
			disk, user = "read-only", "65532"
		case readOnly(template):
			disk = "read-only"
		}
		built := d.Limits.Architectures
		if strings.Contains(built, ",") {
			built = "what `architecture` says"
		}
		ofImages = append(ofImages, []string{name, from, built, disk, user})

		of := "AWS's own address has it; `certificateArn` has no effect"
		switch {
		case has(template, "AWS::ElasticLoadBalancingV2::LoadBalancer"):
			of = "with `certificateArn`"
		case d.OwnServers:
			of = "what you put before your servers; `certificateArn` has no effect"
		}
		ofHTTPS = append(ofHTTPS, []string{name, of})
	}
	return table(ofImages...), table(ofHTTPS...), nil
}

// exposed tells what of each deployment the internet reaches.
func exposed(root string) (string, error) {
	rows := [][]string{{"Deployment", "Sandbox", "Production, without a certificate"}}
	for _, d := range catalog.All() {
		row := []string{linked("")(d.ID)}
		for _, profile := range []settings.Profile{settings.Sandbox, settings.Production} {
			template, err := golden(root, d.ID, profile)
			if err != nil {
				return "", err
			}
			var doors []string
			for _, e := range inventory.Of(template).Exposure {
				kind := template.Resources[e.Resource].Type
				what, ok := map[string]string{
					"AWS::ElasticLoadBalancingV2::LoadBalancer": "load balancer",
					"AWS::EKS::Cluster":                         "API of the cluster, which asks for credentials",
					"AWS::Lambda::Url":                          "function URL",
					"AWS::ECS::ExpressGatewayService":           "load balancer that Express Mode makes",
					"AWS::AppRunner::Service":                   "address of App Runner",
					"AWS::CloudFront::Distribution":             "public keys of the cluster",
				}[kind]
				if !ok {
					return "", fmt.Errorf("%s: SECURITY.md has no words for a port that %s opens", d.ID, kind)
				}
				doors = append(doors, fmt.Sprintf("%d: %s", e.Port, what))
			}
			if d.OwnServers {
				doors = append(doors, "your servers, as your own firewall decides")
			}
			text := strings.Join(slices.Compact(doors), "<br>")
			if profile == settings.Production && text == row[1] {
				text = "the same"
			}
			row = append(row, text)
		}
		rows = append(rows, row)
	}
	return table(rows...), nil
}

func has(template assembly.Template, kind string) bool {
	for _, r := range template.Resources {
		if r.Type == kind {
			return true
		}
	}
	return false
}

// readOnly reports whether a template's tasks cannot write to their disk.
func readOnly(template assembly.Template) bool {
	for _, r := range template.Resources {
		containers, _ := r.Properties["ContainerDefinitions"].([]any)
		for _, c := range containers {
			if c, _ := c.(map[string]any); c["Name"] == "App" && c["ReadonlyRootFilesystem"] == true {
				return true
			}
		}
	}
	return false
}

func needs() string {
	rows := [][]string{{"Stack", "Needs"}}
	for _, d := range catalog.All() {
		text := "nothing more"
		if len(d.Needs) > 0 {
			text = strings.Join(d.Needs, "; ")
		}
		rows = append(rows, []string{d.ID, text})
	}
	return table(rows...)
}

// actions lists what the commands that look at an account have to be allowed.
func actions() string {
	rows := [][]string{{"Command", "Actions"}}
	for _, command := range slices.Sorted(maps.Keys(account.Actions)) {
		rows = append(rows, []string{"`" + command + "`", strings.Join(account.Actions[command], ", ")})
	}
	return table(rows...)
}

// routes lists what the app answers, and bounds where it stops.
func routes() string {
	rows := [][]string{{"Route", "What", "Status"}}
	for _, r := range contract.Routes {
		var statuses []string
		for _, status := range r.Statuses {
			statuses = append(statuses, fmt.Sprint(status))
		}
		path := strings.ReplaceAll(r.Path, "{$}", "") + r.Query
		rows = append(rows, []string{"`" + r.Method + " " + path + "`", r.What, strings.Join(statuses, ", ")})
	}
	return table(rows...)
}

func bounds() string {
	rows := [][]string{{"Bound", "Value", "Answer beyond it"}}
	for _, b := range contract.Bounds() {
		rows = append(rows, []string{b.What, b.Value, b.Beyond})
	}
	return table(rows...)
}

// resources counts resources by type, for both profiles.
func resources(sandbox, production assembly.Template) string {
	count := func(template assembly.Template) map[string]int {
		byType := map[string]int{}
		for _, r := range template.Resources {
			byType[r.Type]++
		}
		return byType
	}
	inSandbox, inProduction := count(sandbox), count(production)
	types := maps.Clone(inSandbox)
	maps.Copy(types, inProduction)

	rows := [][]string{{"Resource type", "sandbox", "production"}}
	for _, name := range slices.Sorted(maps.Keys(types)) {
		rows = append(rows, []string{"`" + name + "`", fmt.Sprint(inSandbox[name]), fmt.Sprint(inProduction[name])})
	}
	rows = append(rows, []string{"**all**", fmt.Sprint(len(sandbox.Resources)), fmt.Sprint(len(production.Resources))})
	return table(rows...)
}

// suppressions lists the findings of cdk-nag that are accepted, and why.
func suppressions(templates ...assembly.Template) string {
	seen := map[string]bool{}
	var rows [][]string
	for _, template := range templates {
		for _, r := range template.Resources {
			for _, s := range r.Suppressions() {
				row := []string{"`" + s.Rule + "`", s.Reason}
				if !seen[strings.Join(row, "")] {
					seen[strings.Join(row, "")] = true
					rows = append(rows, row)
				}
			}
		}
	}
	slices.SortFunc(rows, slices.Compare)
	return table(append([][]string{{"Rule", "Why it is accepted"}}, rows...)...)
}

// Monthly is what a sandbox costs a month, by item, under three loads.
func Monthly(stack assembly.Stack, prices price.Table) (string, error) {
	profiles := bill.Profiles()[:3] // idle, small and medium
	model, err := cost.NewModel(stack, prices)
	if err != nil {
		return "", err
	}
	var order []string
	lines := map[string][]bill.Line{}
	head, all := []string{"Item", "Unit price"}, []string{"**all**", ""}
	for i, usage := range profiles {
		estimate := model.Estimate(usage)
		for _, line := range estimate.Lines {
			if lines[line.Item] == nil {
				lines[line.Item] = make([]bill.Line, len(profiles))
				order = append(order, line.Item)
			}
			lines[line.Item][i] = line
		}
		head = append(head, load(usage.Profile, usage.RequestsPerSecond))
		all = append(all, fmt.Sprintf("**%.2f**", estimate.Total))
	}
	rows := [][]string{append(head, "Price from")}
	for _, item := range order {
		last := lines[item][len(profiles)-1] // the largest load has every item
		p, err := prices.Get(last.PriceKey)
		if err != nil {
			return "", err
		}
		row := []string{item, unitPrice(p)}
		for _, line := range lines[item] {
			row = append(row, fmt.Sprintf("%.2f", line.USD))
		}
		rows = append(rows, append(row, fmt.Sprintf("%s, %s", p.Source, p.Date.Format(time.DateOnly))))
	}
	return table(append(rows, append(all, ""))...), nil
}

// unitPrice writes a price as a price list does: 0.10 per hour, and as many
// digits more as it has.
func unitPrice(p price.Price) string {
	if whole, ok := strings.CutPrefix(p.Unit, "share of "); ok {
		return fmt.Sprintf("%g %% of the %s", p.USD*100, whole)
	}
	usd := strconv.FormatFloat(p.USD, 'f', -1, 64)
	if whole, cents, _ := strings.Cut(usd, "."); len(cents) < 2 {
		usd = whole + "." + cents + strings.Repeat("0", 2-len(cents))
	}
	return fmt.Sprintf("%s per %s", usd, p.Unit)
}

// load names a column after the load that it assumes.
func load(profile string, rate float64) string {
	switch rate {
	case 0:
		return profile + ": no requests"
	case 1:
		return profile + ": 1 request per second"
	default:
		return fmt.Sprintf("%s: %g requests per second", profile, rate)
	}
}

// fields renders facts by name.
func fields(all []catalog.Field) string {
	rows := [][]string{{"", ""}}
	for _, f := range all {
		rows = append(rows, []string{f.Label, strings.ReplaceAll(f.Value, "|", `\|`)})
	}
	return table(rows...)
}

// summary is the comparison's summary, and its picture for a light or a dark
// page. Images is the way to the pictures.
func summary(r report.Report, images string, link func(id string) string) string {
	return r.SummaryMarkdown(link) + fmt.Sprintf(`
<picture>
  <source media="(prefers-color-scheme: dark)" srcset="%[1]scost-over-load-dark.svg">
  <img src="%[1]scost-over-load.svg" alt="The bill of a month by load, a line for each deployment, both axes logarithmic. Lines are thin where the load is more than the template allows.">
</picture>

%[2]s The picture leaves out what all pay alike, S3 requests and data out. A line is thin where the load is more than the template allows.
`, images, r.Assumptions())
}

// linked writes a deployment's name as a link to its page, from a page in
// directory.
func linked(directory string) func(id string) string {
	return func(id string) string {
		for _, d := range catalog.All() {
			if d.ID == id {
				return fmt.Sprintf("[%s](%s)", id, strings.TrimPrefix(d.Page, directory))
			}
		}
		return id
	}
}

// totals is what each deployment costs a month under each load.
func totals(reports []report.Report) string {
	head := []string{"Deployment"}
	for _, r := range reports {
		head = append(head, load(r.Usage.Profile, r.Usage.RequestsPerSecond))
	}
	rows := [][]string{head}
	for i, d := range reports[0].Deployments {
		row := []string{d.ID}
		for _, r := range reports {
			row = append(row, fmt.Sprintf("%.2f", r.Deployments[i].MonthlyUSD.Total))
		}
		rows = append(rows, row)
	}
	return table(rows...)
}

// decisions is the table to choose by.
func decisions(r report.Report) string {
	head := []string{""}
	for _, d := range r.Deployments {
		head = append(head, d.ID)
	}
	rows := [][]string{head}
	for _, section := range r.Sections() {
		for _, row := range section.Rows {
			switch row.Label {
			case "Identity of the app", "Host OS", "Runtime", "Scales to zero", "Longest request", "Largest request", "GPU", "Architectures", "Adds capacity in", "cdk destroy leaves", "Status":
				rows = append(rows, append([]string{row.Label}, row.Cells...))
			}
		}
	}
	return table(rows...)
}

func bullets(lines []string) string { return "- " + strings.Join(lines, "\n- ") + "\n" }
