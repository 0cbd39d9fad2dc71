package inbox

import (
	"math"
	"strconv"
)

// chart is a picture of one or more series over the days of a report. It is made of shapes that a
// template writes: nothing in it is a text of anybody's but the names of days and series.
type chart struct {
	Title         string
	Width, Height int
	Plot          box
	Ticks         []tick
	Days          []tick
	Series        []series
	// Empty says that there is nothing to show.
	Empty bool
}

type box struct{ Left, Top, Right, Bottom float64 }

// tick is a mark on an axis: where it is, and what it says.
type tick struct {
	At    string
	Label string
}

// series is one line or one set of bars.
type series struct {
	Name   string
	Class  string
	Points string
	// Dots are the places of a line's values: one that stands alone has no line.
	Dots []dot
	Bars []bar
}

type dot struct{ X, Y string }

type bar struct{ X, Y, Width, Height, Label string }

// values are a series as a report has it: NaN where there is nothing.
type values struct {
	name string
	of   []float64
}

const (
	chartWidth, chartHeight = 480, 200
	chartLeft, chartRight   = 56, 8
	chartTop, chartBottom   = 8, 24
	mostDayLabels           = 6
)

// newChart draws series over days. unit writes a number of the axis; whole says that there are only
// whole ones, so that the axis has no halves. The axis begins with 0: none of what a report counts,
// or adds up, is below.
func newChart(title string, days []string, all []values, lines, whole bool, unit func(float64) string) *chart {
	c := &chart{
		Title: title, Width: chartWidth, Height: chartHeight,
		Plot: box{chartLeft, chartTop, chartWidth - chartRight, chartHeight - chartBottom},
	}
	top, found := 0.0, false
	for _, s := range all {
		for _, v := range s.of {
			if !math.IsNaN(v) && v > 0 {
				top, found = max(top, v), true
			}
		}
	}
	if c.Empty = !found || len(days) == 0; c.Empty {
		return c
	}
	step, top := niceStep(top, whole)
	y := func(v float64) float64 { return c.Plot.Bottom - v/top*(c.Plot.Bottom-c.Plot.Top) }
	for i := 0; float64(i)*step <= top*(1+1e-9); i++ {
		c.Ticks = append(c.Ticks, tick{number(y(float64(i) * step)), unit(float64(i) * step)})
	}
	width := (c.Plot.Right - c.Plot.Left) / float64(len(days))
	every := (len(days) + mostDayLabels - 1) / mostDayLabels
	for i, day := range days {
		if i%every == 0 {
			c.Days = append(c.Days, tick{number(c.Plot.Left + (float64(i)+0.5)*width), day})
		}
	}
	for i, s := range all {
		one := series{Name: s.name, Class: "s" + strconv.Itoa(i%4)}
		if lines {
			one.Points, one.Dots = points(s.of, c.Plot.Left, width, y)
		} else {
			one.Bars = bars(s, days, i, len(all), c.Plot, width, y, unit)
		}
		c.Series = append(c.Series, one)
	}
	return c
}

// points are the path of a line, which is broken where there is nothing.
func points(of []float64, left, width float64, y func(float64) float64) (path string, dots []dot) {
	pen := "M"
	for i, v := range of {
		if math.IsNaN(v) {
			pen = "M"
			continue
		}
		x := number(left + (float64(i)+0.5)*width)
		path += pen + x + " " + number(y(v))
		dots = append(dots, dot{x, number(y(v))})
		pen = "L"
	}
	return path, dots
}

// bars stand side by side within each day.
func bars(s values, days []string, place, count int, plot box, width float64, y func(float64) float64, unit func(float64) string) []bar {
	const filled = 0.8
	own := width * filled / float64(count)
	var all []bar
	for i, v := range s.of {
		if math.IsNaN(v) || v <= 0 {
			continue
		}
		x := plot.Left + float64(i)*width + width*(1-filled)/2 + float64(place)*own
		all = append(all, bar{number(x), number(y(v)), number(own), number(plot.Bottom - y(v)), days[i] + ": " + s.name + " " + unit(v)})
	}
	return all
}

// niceStep is the distance of an axis's marks, 1, 2 or 5 times a power of ten, and the last mark:
// the first at or above the highest value, with five marks at most.
func niceStep(highest float64, whole bool) (step, top float64) {
	const most = 5
	power := math.Pow(10, math.Floor(math.Log10(highest/most)))
	for _, times := range []float64{1, 2, 5, 10} {
		if step = times * power; step*most >= highest*(1-1e-9) {
			break
		}
	}
	if whole && step < 1 {
		step = 1
	}
	return step, math.Ceil(highest/step-1e-9) * step
}

// number writes a place in a picture.
func number(v float64) string {
	return strconv.FormatFloat(math.Round(v*100)/100, 'f', -1, 64)
}
