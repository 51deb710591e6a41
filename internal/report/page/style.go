package page

// colors is how many colors page.css has for lines.
const colors = 12

// A style tells a deployment's line from others: by color, and without it by
// dashes and marks. Twelve deployments have a style each; more begin again.
type style struct {
	Color int
	Dash  []int  // as SVG and canvas take it; empty is solid
	Mark  string // an SVG path around 0,0
	Open  bool   // whether the mark is hollow
}

var (
	dashes = [][]int{{}, {9, 4}, {2, 3}, {10, 3, 2, 3}}
	marks  = []string{
		"M4.5 0A4.5 4.5 0 1 1 -4.5 0A4.5 4.5 0 1 1 4.5 0Z", // circle
		"M-4 -4H4V4H-4Z",                     // square
		"M0 -5.2L5 3.8H-5Z",                  // triangle
		"M0 -5.6L5.6 0L0 5.6L-5.6 0Z",        // diamond
		"M0 5.2L5 -3.8H-5Z",                  // triangle, upside down
		"M-5 -2H-2V-5H2V-2H5V2H2V5H-2V2H-5Z", // cross
	}
)

func styleOf(i int) style {
	return style{Color: i % colors, Dash: dashes[i%len(dashes)], Mark: marks[i%len(marks)], Open: i/len(marks)%2 == 1}
}
