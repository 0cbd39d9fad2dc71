package report

import (
	"fmt"
	"html/template"
	"math"
	"slices"
	"strings"

	"github.com/go-analyze/charts"
)

// chart is a drawing with its caption.
type chart struct {
	Title string
	// Note says what could be misread, Empty why there is no drawing.
	Note, Empty string
	Series      []series
	// Labels name the places of the values; those that are "" are left out.
	Labels []string
	SVG    template.HTML

	// axis writes a value of the axis.
	axis func(float64) string
	kind chartKind
	// most is what the axis is to end with at least.
	most float64
	// whole values have no tick between two of them.
	whole bool
}

type chartKind int

const (
	stackedBars chartKind = iota
	lines
	// labelledBars lie on their side and say their value.
	labelledBars
)

// series is a colour of a chart. A value of NaN is none.
type series struct {
	Name string
	// Color is one of the palette's, which the page knows by the same name.
	Color  string
	values []float64
}

// palette has colours that people with any eyes tell apart, on white and on black.
var palette = map[string]charts.Color{
	"blue":   charts.ColorRGB(46, 124, 190),
	"orange": charts.ColorRGB(230, 159, 20),
	"green":  charts.ColorRGB(40, 160, 110),
	"red":    charts.ColorRGB(213, 94, 50),
	"grey":   charts.ColorRGB(150, 150, 158),
}

// The colours that the page replaces, so that one drawing serves light and dark.
var (
	textColor = charts.ColorRGB(70, 70, 70)
	lineColor = charts.ColorRGB(224, 230, 242)
)

// Size of a drawing, in units that the page scales.
const (
	chartWidth  = 480
	chartHeight = 230
)

// draw makes the SVG. The library escapes what it writes.
func (c *chart) draw() error {
	if c.SVG = ""; c.nothing() {
		return nil
	}
	if c.kind == stackedBars {
		c.Series = slices.DeleteFunc(c.Series, series.nothing)
	}
	p := charts.NewPainter(charts.PainterOptions{
		OutputFormat: charts.ChartOutputSVG, Width: chartWidth, Height: c.height(),
	})
	if err := c.paint(p); err != nil {
		return fmt.Errorf("draw %q: %w", c.Title, err)
	}
	svg, err := p.Bytes()
	c.SVG = template.HTML(svg) //nolint:gosec // escaped by the library, which a test makes sure of
	return err
}

func (c *chart) nothing() bool {
	return !slices.ContainsFunc(c.Series, func(s series) bool { return !s.nothing() })
}

func (s series) nothing() bool {
	return !slices.ContainsFunc(s.values, func(v float64) bool { return v > 0 })
}

func (c *chart) height() int {
	if c.kind == labelledBars {
		return 16 + 30*len(c.Labels)
	}
	return chartHeight
}

func (c *chart) paint(p *charts.Painter) error {
	switch c.kind {
	case lines:
		return p.LineChart(c.lineOption())
	case labelledBars:
		return p.BarChart(c.labelledOption())
	}
	return p.BarChart(c.barOption())
}

func (c *chart) theme() charts.ColorPalette {
	o := charts.ThemeOption{
		AxisStrokeColor: lineColor, AxisSplitLineColor: lineColor,
		BackgroundColor: charts.ColorTransparent, TextColor: textColor,
	}
	for _, s := range c.Series {
		o.SeriesColors = append(o.SeriesColors, palette[s.Color])
	}
	return charts.MakeTheme(o)
}

func (c *chart) values() [][]float64 {
	all := make([][]float64, len(c.Series))
	for i, s := range c.Series {
		all[i] = make([]float64, len(s.values))
		for j, v := range s.values {
			if all[i][j] = v; math.IsNaN(v) {
				all[i][j] = charts.GetNullValue()
			}
		}
	}
	return all
}

var (
	small    = charts.NewFontStyleWithSize(9)
	noLegend = charts.LegendOption{Show: charts.Ptr(false)}
	padding  = charts.NewBox(14, 10, 14, 4) // a first and a last label reach over the axis
)

func (c *chart) valueAxis() charts.ValueAxisOption {
	top, ticks := scale(c.top(), c.whole)
	return charts.ValueAxisOption{
		Min: charts.Ptr(0.0), Max: charts.Ptr(top), LabelCount: ticks, PreferNiceIntervals: charts.Ptr(false),
		LabelFontStyle: small, ValueFormatter: c.axis, SplitLineShow: charts.Ptr(true),
	}
}

func (c *chart) categoryAxis() charts.CategoryAxisOption {
	return charts.CategoryAxisOption{
		Labels: slices.Clone(c.Labels), LabelCount: len(c.Labels), LabelFontStyle: small, BoundaryGap: charts.Ptr(true),
	}
}

func (c *chart) barOption() charts.BarChartOption {
	// The library begins the axis of stacked bars one below the smallest value, unless that is 0: a last
	// series of zeros, which draws nothing, keeps it at 0.
	o := charts.NewBarChartOptionWithData(append(c.values(), make([]float64, len(c.Labels))))
	o.Theme, o.Padding, o.Legend, o.StackSeries = c.theme(), padding, noLegend, charts.Ptr(true)
	o.BarSize = 0.75 // by its own choice the library draws none where there are a hundred
	o.ValueAxis, o.CategoryAxis = []charts.ValueAxisOption{c.valueAxis()}, c.categoryAxis()
	return o
}

// labelledOption needs no axis of values: each bar says its own. The first one is drawn at
// the bottom.
func (c *chart) labelledOption() charts.BarChartOption {
	o := c.barOption()
	o.Horizontal, o.StackSeries = true, charts.Ptr(false)
	o.Padding = charts.NewBox(4, 4, 52, 4) // for the label of the longest bar
	o.ValueAxis[0].Show, o.ValueAxis[0].SplitLineShow = charts.Ptr(false), charts.Ptr(false)
	slices.Reverse(o.CategoryAxis.Labels)
	for i := range o.CategoryAxis.Labels {
		o.CategoryAxis.Labels[i] += "   " // or they touch the bars
	}
	for i := range o.SeriesList {
		slices.Reverse(o.SeriesList[i].Values)
		o.SeriesList[i].Label = charts.SeriesLabel{Show: charts.Ptr(true), FontStyle: small, ValueFormatter: c.axis}
	}
	return o
}

func (c *chart) lineOption() charts.LineChartOption {
	o := charts.NewLineChartOptionWithData(c.values())
	o.Theme, o.Padding, o.Legend, o.LineStrokeWidth = c.theme(), padding, noLegend, 2
	o.Symbol = charts.Symbol{Shape: charts.SymbolDot, Size: 2}
	o.YAxis, o.XAxis = []charts.ValueAxisOption{c.valueAxis()}, c.categoryAxis()
	return o
}

// top is the highest line, or the highest stack.
func (c *chart) top() float64 {
	top := c.most
	for i := range c.Labels {
		var stack float64
		for _, s := range c.Series {
			switch v := s.values[i]; {
			case math.IsNaN(v):
			case c.kind == stackedBars:
				stack += v
			default:
				stack = max(stack, v)
			}
		}
		top = max(top, stack)
	}
	return top
}

// scale is where an axis ends that has room for top, and how many ticks it has: about
// five of them, at round values.
func scale(top float64, whole bool) (end float64, ticks int) {
	step := math.Pow(10, math.Floor(math.Log10(top/4)))
	for _, factor := range []float64{1, 2, 5, 10} {
		if factor*step*5 >= top {
			step *= factor
			break
		}
	}
	if whole {
		step = max(step, 1)
	}
	steps := math.Ceil(top/step - 1e-9)
	return steps * step, int(steps) + 1
}

// Described is for people who hear the page.
func (c *chart) Described() string {
	names := make([]string, len(c.Series))
	for i, s := range c.Series {
		names[i] = s.Name
	}
	return c.Title + ": " + strings.Join(names, ", ")
}
