package report

import (
	"bytes"
	"fmt"
	"image/color"
	"math"
	"regexp"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"

	"refdeploy/internal/bill"
)

// A Layer is one sheet of a chart. Sheets of a chart lie on each other: one with
// the axes, and one for each deployment, so that a reader can take some away.
type Layer struct {
	IDs []string // the deployments it is about; none for the axes
	SVG string
}

// The size of a chart in points; the page scales it.
const chartWidth, chartHeight vg.Length = 560, 340

// lineColors are told apart with every kind of colour vision (Okabe and Ito),
// and on light and dark paper; dashes tell them apart in black and white.
var (
	lineColors = []color.RGBA{
		{0xd5, 0x5e, 0x00, 0xff}, {0x00, 0x8f, 0xd6, 0xff}, {0x00, 0x9e, 0x73, 0xff}, {0xcc, 0x79, 0xa7, 0xff}, {0xc9, 0x8a, 0x00, 0xff},
	}
	lineDashes = [][]vg.Length{nil, {8, 4}, {2, 3}, {10, 3, 2, 3}, {5, 5}}
)

// hex writes a color for CSS.
func hex(c color.RGBA) string { return fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B) }

func lineColor(i int) color.RGBA { return lineColors[i%len(lineColors)] }

// loadChart draws the monthly bill over the load, both in logarithm, with the
// break-even loads marked.
func (r Report) loadChart() ([]Layer, error) {
	sheet := func(axes bool, add func(*plot.Plot) error) (string, error) {
		return render(r.loadPlot(), axes, add)
	}
	axes, err := sheet(true, func(p *plot.Plot) error { p.Add(plotter.NewGrid()); return nil })
	if err != nil {
		return nil, err
	}
	layers := []Layer{{SVG: axes}}
	for i, d := range r.Deployments {
		points := r.drawn(d.ID)
		if len(points) == 0 {
			continue
		}
		svg, err := sheet(false, func(p *plot.Plot) error {
			line, err := r.line(i, points)
			if err != nil {
				return err
			}
			p.Add(line)
			return nil
		})
		if err != nil {
			return nil, err
		}
		layers = append(layers, Layer{IDs: []string{d.ID}, SVG: svg})
	}
	for _, b := range r.BreakEven {
		svg, err := sheet(false, func(p *plot.Plot) error {
			y := r.at(b.A, b.RequestsPerSecond)
			if y < leastDrawn {
				return nil
			}
			dot, err := plotter.NewScatter(plotter.XYs{{X: b.RequestsPerSecond, Y: y}})
			if err != nil {
				return err
			}
			dot.GlyphStyle = draw.GlyphStyle{Color: color.Black, Radius: 4, Shape: draw.RingGlyph{}}
			p.Add(dot)
			return nil
		})
		if err != nil {
			return nil, err
		}
		layers = append(layers, Layer{IDs: []string{b.A, b.B}, SVG: svg})
	}
	return layers, nil
}

// toSVG draws a chart, in the reader's own font: the drawing library would name
// one that few have.
func toSVG(p *plot.Plot) (string, error) {
	canvas := vgsvg.New(chartWidth, chartHeight)
	p.Draw(draw.New(canvas))
	var b bytes.Buffer
	if _, err := canvas.WriteTo(&b); err != nil {
		return "", err
	}
	return font.ReplaceAllString(b.String(), "font-family:sans-serif"), nil
}

// leastDrawn is the smallest bill on the chart, a cent: nothing has no logarithm.
const leastDrawn = 0.01

// loadPlot is an empty chart of bills over the load, both in logarithm.
func (r Report) loadPlot() *plot.Plot {
	most := leastDrawn
	for _, curve := range r.curves {
		most = math.Max(most, slices.Max(curve))
	}
	p := plot.New()
	p.X.Label.Text, p.Y.Label.Text = "requests a second", "US dollars a month"
	p.X.Scale, p.Y.Scale = plot.LogScale{}, plot.LogScale{}
	p.X.Tick.Marker, p.Y.Tick.Marker = plot.LogTicks{Prec: -1}, plot.LogTicks{Prec: -1}
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = bill.LeastLoad, bill.MostLoad, leastDrawn, math.Pow(10, math.Ceil(math.Log10(most)))
	return p
}

// drawn returns the points of a curve that are on the chart.
func (r Report) drawn(id string) plotter.XYs {
	var points plotter.XYs
	for j, x := range curveLoads() {
		if y := r.curves[id][j]; y >= leastDrawn {
			points = append(points, plotter.XY{X: x, Y: y})
		}
	}
	return points
}

// line draws the curve of the i-th deployment.
func (r Report) line(i int, points plotter.XYs) (*plotter.Line, error) {
	line, err := plotter.NewLine(points)
	if err != nil {
		return nil, err
	}
	line.Color, line.Width, line.Dashes = lineColor(i), 2.5, lineDashes[i%len(lineDashes)]
	return line, nil
}

// at reads a curve between its points.
func (r Report) at(id string, load float64) float64 {
	loads := curveLoads()
	i, _ := slices.BinarySearch(loads, load)
	if i == 0 {
		return r.curves[id][0]
	}
	if i >= len(loads) {
		return r.curves[id][len(loads)-1]
	}
	part := math.Log(load/loads[i-1]) / math.Log(loads[i]/loads[i-1])
	return r.curves[id][i-1] + part*(r.curves[id][i]-r.curves[id][i-1])
}

// idleChart draws what the bill is made of while nobody calls, a bar for each
// deployment.
func (r Report) idleChart() ([]Layer, error) {
	items := r.idleItems()
	most := 1.0
	for _, bill := range r.idle {
		most = math.Max(most, bill.Total)
	}
	names := make([]string, len(r.Deployments))
	for i, d := range r.Deployments {
		names[i] = d.ID
	}
	sheet := func(axes bool, add func(*plot.Plot) error) (string, error) {
		p := plot.New()
		p.Y.Label.Text = "US dollars a month"
		p.NominalX(names...)
		p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = -0.6, float64(len(names))-0.4, 0, most*1.05
		return render(p, axes, add)
	}
	axes, err := sheet(true, func(p *plot.Plot) error {
		grid := plotter.NewGrid()
		grid.Vertical.Color = nil
		p.Add(grid)
		return nil
	})
	if err != nil {
		return nil, err
	}
	layers := []Layer{{SVG: axes}}
	for i, d := range r.Deployments {
		svg, err := sheet(false, func(p *plot.Plot) error {
			var below *plotter.BarChart
			for j, item := range items {
				sum := 0.0
				for _, line := range r.idle[d.ID].Lines {
					if line.Item == item {
						sum += line.USD
					}
				}
				if sum == 0 {
					continue
				}
				bar, err := plotter.NewBarChart(plotter.Values{sum}, 60)
				if err != nil {
					return err
				}
				bar.XMin, bar.Color, bar.LineStyle.Width = float64(i), itemColor(j), 0
				if below != nil {
					bar.StackOn(below)
				}
				below = bar
				p.Add(bar)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		layers = append(layers, Layer{IDs: []string{d.ID}, SVG: svg})
	}
	return layers, nil
}

// idleItems returns the items of the idle bills that cost something.
func (r Report) idleItems() []string {
	var items []string
	for _, d := range r.Deployments {
		for _, line := range r.idle[d.ID].Lines {
			if line.USD > 0 && !slices.Contains(items, line.Item) {
				items = append(items, line.Item)
			}
		}
	}
	return items
}

// itemColor gives each item of a bill a color, around the circle by the golden
// angle, which keeps neighbours apart.
func itemColor(i int) color.RGBA {
	hue := math.Mod(30+float64(i)*137.508, 360) / 60
	x := 1 - math.Abs(math.Mod(hue, 2)-1)
	channels := [][3]float64{{1, x, 0}, {x, 1, 0}, {0, 1, x}, {0, x, 1}, {x, 0, 1}, {1, 0, x}}[int(hue)]
	scale := func(c float64) uint8 { return uint8(70 + 130*c) }
	return color.RGBA{scale(channels[0]), scale(channels[1]), scale(channels[2]), 0xff}
}

var (
	font      = regexp.MustCompile(`font-family:[^;]*`)
	prolog    = regexp.MustCompile(`(?s)^.*?(<svg)`)
	invisible = regexp.MustCompile(`(?s)<text.*?</text>\s*|<path[^>]*stroke-opacity:0[;"][^>]*/>\s*`)
)

// render draws a sheet. Without axes it draws them in no color, so that all
// sheets of a chart have the same place for the data.
func render(p *plot.Plot, axes bool, add func(*plot.Plot) error) (string, error) {
	minX, maxX, minY, maxY := p.X.Min, p.X.Max, p.Y.Min, p.Y.Max
	if err := add(p); err != nil {
		return "", err
	}
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = minX, maxX, minY, maxY
	p.BackgroundColor = nil
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Label.TextStyle.Font.Size, axis.Tick.Label.Font.Size = 12, 11
		if !axes {
			axis.Color, axis.Label.TextStyle.Color, axis.Tick.Label.Color, axis.Tick.Color = color.Transparent, color.Transparent, color.Transparent, color.Transparent
		}
	}
	svg, err := toSVG(p)
	if err != nil {
		return "", err
	}
	svg = prolog.ReplaceAllString(svg, "$1")
	if !axes {
		svg = invisible.ReplaceAllString(svg, "")
	}
	return svg, nil
}
