package cost

import "math"

// The range of loads that comparisons look at, in requests a second.
const (
	LeastLoad = 0.001
	MostLoad  = 10_000

	// Steps a factor of ten is how finely the range is searched. Two bills that
	// cross and cross back within a step are not told apart.
	Steps = 100
)

// Loads returns the loads that a curve is drawn through, evenly in logarithm,
// with n points a factor of ten.
func Loads(n int) []float64 {
	decades := int(math.Round(math.Log10(MostLoad / LeastLoad)))
	loads := make([]float64, n*decades+1)
	for i := range loads {
		loads[i] = LeastLoad * math.Pow(10, float64(i)/float64(n))
	}
	return loads
}

// BreakEven returns the loads at which one bill stops being the cheaper of two,
// in ascending order. Bills grow in steps, an instance at a time, so there can
// be several, and what lies on both sides of one is not a line.
func BreakEven(a, b func(requestsPerSecond float64) float64) []float64 {
	var found []float64
	last, lastLoad := 0.0, 0.0
	for _, load := range Loads(Steps) {
		difference := a(load) - b(load)
		if difference == 0 {
			continue
		}
		if last*difference < 0 {
			found = append(found, bisect(a, b, lastLoad, load, last))
		}
		last, lastLoad = difference, load
	}
	return found
}

// bisect narrows a change of sign between two loads to a thousandth.
func bisect(a, b func(float64) float64, low, high, atLow float64) float64 {
	for high/low > 1.001 {
		middle := math.Sqrt(low * high)
		if (a(middle)-b(middle))*atLow > 0 {
			low = middle
		} else {
			high = middle
		}
	}
	return high
}
