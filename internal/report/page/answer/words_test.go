package answer

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestNumbersAreWrittenForPeople(t *testing.T) {
	for want, got := range map[string]string{
		"0.00": usd(0), "12.30": usd(12.3), "999.99": usd(999.99), "1,234.50": usd(1234.5), "1,234,567.00": usd(1234567), "-1,234.00": usd(-1234), "-12.00": usd(-12),
		"0.10": unitPrice(0.1), "0.0225": unitPrice(0.0225), "0.0000133334": unitPrice(0.0000133334), "5.00": unitPrice(5),
		"131,400 requests": quantity(131400, "requests"), "0.947394 GB": quantity(0.9473941, "GB"), "0 GB": quantity(0, "GB"),
		"no load": loadText(0), "0.001 requests/s": loadText(0.001), "26.6 requests/s": loadText(26.613), "150 requests/s": loadText(150),
		"1,240 requests/s": loadText(1236), "10,000 requests/s": loadText(10000),
	} {
		assert.Equal(t, want, got)
	}
}
