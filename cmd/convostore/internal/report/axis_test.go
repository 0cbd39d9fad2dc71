package report

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestAxesBeginAtZero draws bars of every size, with days on which nothing was paid: no axis goes below
// zero, and none is twice as high as its highest bar.
func TestAxesBeginAtZero(t *testing.T) {
	t.Parallel()
	text := regexp.MustCompile(`<text[^>]*>([^<]*)</text>`)
	for _, top := range []float64{0.0007, 0.03, 0.4, 0.8, 1, 7, 12345} {
		for _, values := range [][]float64{{top}, {0, top, 0}, {0, 0, 0, 0, top / 3, 0, top}, make([]float64, 30)} {
			if len(values) == 30 {
				values[29] = top
			}
			c := &chart{Title: "Cost", axis: decimals, Labels: make([]string, len(values)), Series: []series{{"cost", "blue", values}}}
			require.NoError(t, c.draw())
			var ticks []string
			for _, m := range text.FindAllStringSubmatch(string(c.SVG), -1) {
				if m[1] != "" {
					ticks = append(ticks, m[1])
				}
			}
			end, _ := scale(top, false)
			assert.Contains(t, ticks, "0", "%v", values)
			assert.Contains(t, ticks, decimals(end), "%v of %v", values, ticks)
			assert.LessOrEqual(t, end, 2*top)
			assert.NotContains(t, strings.Join(ticks, " "), "-", "%v", values)
			assert.NotContains(t, strings.Join(ticks, " "), "−", "%v", values)
		}
	}
}
