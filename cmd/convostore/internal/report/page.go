package report

import (
	_ "embed"
	"html/template"
	"io"
	"regexp"
)

//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// beforeUnit is where a line is not to end.
var beforeUnit = regexp.MustCompile(`(\d) (%|(?:d|h|min|s)\b)`)

// page is what the template shows.
type page struct {
	Title, Subtitle string
	Tiles           []tile
	Charts          []*chart
	Tables          []table
	// Days is the table behind the charts.
	Days table
	// Empty are the charts and tables that have nothing to show.
	Empty []absent
}

type absent struct{ Title, Why string }

// Page writes an HTML page that loads nothing.
func (f *Figures) Page(out io.Writer) error {
	drawn, err := f.charts()
	if err != nil {
		return err
	}
	p := page{Title: f.headline(), Subtitle: f.subtitle(), Tiles: f.tiles(), Days: f.dayTable()}
	for i := range p.Tiles {
		p.Tiles[i].Detail = beforeUnit.ReplaceAllString(p.Tiles[i].Detail, "$1\u00a0$2")
	}
	for _, c := range drawn {
		if c.SVG == "" {
			p.Empty = append(p.Empty, absent{c.Title, c.Empty})
		} else {
			p.Charts = append(p.Charts, c)
		}
	}
	for _, t := range f.rankings() {
		if len(t.Rows) == 0 {
			p.Empty = append(p.Empty, absent{t.Title, t.Empty})
		} else {
			p.Tables = append(p.Tables, t)
		}
	}
	return pageTemplate.Execute(out, p)
}
