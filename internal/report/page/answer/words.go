package answer

import (
	"math"
	"strconv"
	"strings"

	"refdeploy/internal/bill"
)

// kinds are what the lines of a bill are summed up to: a bar of thirty items
// tells nothing.
var kinds = []struct {
	name     string
	prefixes []string // of the keys of prices
}{
	{"Compute", []string{"ec2.", "fargate.", "lambda.", "apprunner.", "ecs."}},
	{"Control plane", []string{"eks."}},
	{"Load balancer", []string{"alb.", "nlb.", "elb."}},
	{"NAT and endpoints", []string{"nat.", "vpce.", "endpoint."}},
	{"Public addresses", []string{"ipv4"}},
	{"Data transfer", []string{"data.", "transfer."}},
	{"Logs and metrics", []string{"logs.", "insights.", "cloudwatch.", "xray."}},
	{"Storage", []string{"s3.", "ecr.", "ebs.", "dynamodb."}},
	{"Other", nil},
	{"The same for all", nil},
}

// Kinds returns the names of the kinds that bars are made of.
func Kinds() []string {
	names := make([]string, len(kinds))
	for i, kind := range kinds {
		names[i] = kind.name
	}
	return names
}

// kindOf returns which of the kinds a line belongs to.
func kindOf(line bill.Line) int {
	switch {
	case line.Everyone:
		return len(kinds) - 1
	case strings.HasPrefix(line.PriceKey, "eks.auto"):
		return 0 // a fee on instances
	}
	for i, kind := range kinds {
		for _, prefix := range kind.prefixes {
			if strings.HasPrefix(line.PriceKey, prefix) {
				return i
			}
		}
	}
	return len(kinds) - 2
}

// KindOf returns the kind of what a price is for, as [Kinds] names it.
func KindOf(key string) string { return kinds[kindOf(bill.Line{PriceKey: key})].name }

// usd writes an amount with cents.
func usd(amount float64) string { return commas(strconv.FormatFloat(amount, 'f', 2, 64)) }

// unitPrice writes a price with all of its digits, and with cents at least.
func unitPrice(amount float64) string {
	text := digits(amount, 10)
	whole, fraction, _ := strings.Cut(text, ".")
	for len(fraction) < 2 {
		fraction += "0"
	}
	return whole + "." + fraction
}

// quantity writes a quantity with its unit.
func quantity(quantity float64, unit string) string {
	return commas(digits(quantity, 6)) + " " + unit
}

// commas puts commas between the thousands of a number.
func commas(number string) string {
	whole, fraction, found := strings.Cut(number, ".")
	for i := len(whole) - 3; i > 0 && whole[i-1] != '-'; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if found {
		whole += "." + fraction
	}
	return whole
}

// digits writes a number with so many digits at most, without an exponent.
func digits(x float64, n int) string {
	if x == 0 {
		return "0"
	}
	decimals := max(0, n-1-int(math.Floor(math.Log10(math.Abs(x)))))
	text := strconv.FormatFloat(x, 'f', decimals, 64)
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	return text
}

// loadNumber writes a load with three digits: prices and assumptions bear no
// more.
func loadNumber(perSecond float64) string {
	if perSecond >= 1000 {
		unit := math.Pow(10, math.Floor(math.Log10(perSecond))-2)
		return commas(digits(math.Round(perSecond/unit)*unit, 9))
	}
	return digits(perSecond, 3)
}

func loadText(perSecond float64) string {
	if perSecond == 0 {
		return "no load"
	}
	return loadNumber(perSecond) + " requests/s"
}

func plural(n int, noun string) string {
	if n == 1 {
		return noun
	}
	return noun + "s"
}

func capital(text string) string { return strings.ToUpper(text[:1]) + text[1:] }
