package report

import (
	"bytes"
	"cmp"
	"image/color"
	"math"
	"regexp"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Paper is what a picture is drawn on.
type Paper struct {
	ink, soft, ground color.RGBA
	lines             []color.RGBA
}

// The papers of a page that is light, or dark. Lines are told apart with every
// kind of colour vision (after Okabe and Ito), and by their dashes without any.
var (
	Light = Paper{
		ink: gray(0x1f), soft: gray(0xd8), ground: gray(0xff),
		lines: colors(0xb84f00, 0x0072b2, 0x007a5a, 0xa8457f, 0x8f6a00, 0x5b4bb5, 0x2f6f2f, 0x9b1c31, 0x006d77, 0x6b4226, 0x444b57),
	}
	Dark = Paper{
		ink: gray(0xe6), soft: gray(0x3a), ground: color.RGBA{0x0d, 0x11, 0x17, 0xff},
		lines: colors(0xff9a4d, 0x5cb8ff, 0x3fd6a8, 0xf09ccb, 0xe6bf3c, 0xb3a5ff, 0x8bd17c, 0xff8a98, 0x5fd3dc, 0xd0a077, 0xb4bcc8),
	}
)

func gray(v uint8) color.RGBA { return color.RGBA{v, v, v, 0xff} }

func colors(all ...uint32) []color.RGBA {
	out := make([]color.RGBA, len(all))
	for i, c := range all {
		out[i] = color.RGBA{uint8(c >> 16), uint8(c >> 8), uint8(c), 0xff}
	}
	return out
}

// dashes tell lines apart without colour.
var dashes = [][]vg.Length{
	nil, {8, 4}, {2, 3}, {10, 3, 2, 3}, {5, 5}, {12, 4, 2, 4, 2, 4}, {3, 6}, {8, 2}, {1, 2}, {14, 5}, {6, 2, 1, 2},
}

// The size of a picture in points, and how far apart the names of lines stand.
const pictureWidth, pictureHeight, nameHeight vg.Length = 720, 420, 13

// leastPicturedUSD is the smallest bill on a picture: nothing has no logarithm.
const leastPicturedUSD = 0.1

// A picture's loads: below and above, little changes.
const leastPictured, mostPictured = 0.01, 10_000

// font is what the drawing library names, and few have.
var font = regexp.MustCompile(`font-family:[^;]*`)

// Picture draws what the deployments cost over the load, both in logarithm,
// without what all of them pay alike: that decides nothing. A line is thin where
// its template ends. Servers of your own, which no bill of AWS holds, are left
// out. The names stand at the lines' ends.
func (r Report) Picture(paper Paper) (string, error) {
	p := plot.New()
	p.BackgroundColor = paper.ground
	p.X.Label.Text, p.Y.Label.Text = "requests a second", "US dollars a month"
	most := leastPicturedUSD
	for _, curve := range r.curves {
		most = math.Max(most, slices.Max(curve))
	}
	top := most * 1.5
	p.X.Scale, p.Y.Scale = plot.LogScale{}, plot.LogScale{}
	p.X.Tick.Marker, p.Y.Tick.Marker = decades(leastPictured, mostPictured), decades(leastPicturedUSD, most)
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Color, axis.Label.TextStyle.Color, axis.Tick.Label.Color, axis.Tick.Color = paper.ink, paper.ink, paper.ink, paper.ink
		axis.Label.TextStyle.Font.Size, axis.Tick.Label.Font.Size, axis.Tick.Length = 12, 11, 3
	}
	grid := plotter.NewGrid()
	grid.Vertical.Color, grid.Horizontal.Color = paper.soft, paper.soft
	p.Add(grid)

	type end struct {
		id    string
		y     float64 // in logarithm
		color color.RGBA
	}
	var ends []end
	for i, d := range r.Deployments {
		if r.own[d.ID] {
			continue
		}
		var inside, outside plotter.XYs
		for j, x := range curveLoads() {
			y := r.curves[d.ID][j]
			if x < leastPictured*0.999 || y < leastPicturedUSD {
				continue
			}
			point := plotter.XY{X: x, Y: y}
			if r.models[i].Takes(at(r.usage, x)) {
				inside = append(inside, point)
				outside = plotter.XYs{point}
			} else {
				outside = append(outside, point)
			}
		}
		ink := paper.lines[i%len(paper.lines)]
		for _, part := range []struct {
			points plotter.XYs
			width  vg.Length
		}{{outside, 0.7}, {inside, 2.4}} {
			if len(part.points) < 2 {
				continue
			}
			line, err := plotter.NewLine(part.points)
			if err != nil {
				return "", err
			}
			line.Color, line.Width = ink, part.width
			if line.Width > 1 {
				line.Dashes = dashes[i%len(dashes)]
			}
			p.Add(line)
		}
		last := r.curves[d.ID][len(curveLoads())-1]
		ends = append(ends, end{d.ID, math.Log10(math.Max(last, leastPicturedUSD)), ink})
	}

	// Names that would stand on each other move apart.
	slices.SortFunc(ends, func(a, b end) int { return cmp.Compare(b.y, a.y) })
	gap := float64(nameHeight/(pictureHeight*0.86)) * math.Log10(top/leastPicturedUSD)
	for i := 1; i < len(ends); i++ {
		ends[i].y = math.Min(ends[i].y, ends[i-1].y-gap)
	}
	for _, e := range ends {
		labels, err := plotter.NewLabels(plotter.XYLabels{
			XYs: plotter.XYs{{X: mostPictured * 1.12, Y: math.Pow(10, e.y)}}, Labels: []string{e.id},
		})
		if err != nil {
			return "", err
		}
		labels.TextStyle[0].Color, labels.TextStyle[0].Font.Size, labels.TextStyle[0].YAlign = e.color, 11, -0.3
		p.Add(labels)
	}
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = leastPictured, mostPictured*25, leastPicturedUSD, top

	canvas := vgsvg.New(pictureWidth, pictureHeight)
	p.Draw(draw.New(canvas))
	var b bytes.Buffer
	if _, err := canvas.WriteTo(&b); err != nil {
		return "", err
	}
	// The reader's own font: the drawing library would name one that few have.
	return font.ReplaceAllString(b.String(), "font-family:sans-serif"), nil
}

// decades marks each factor of ten.
func decades(low, high float64) plot.ConstantTicks {
	var ticks plot.ConstantTicks
	for x := low; x <= high*1.001; x *= 10 {
		ticks = append(ticks, plot.Tick{Value: x, Label: load(x)})
	}
	return ticks
}
