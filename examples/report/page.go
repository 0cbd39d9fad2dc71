package main

import (
	_ "embed"
	"html/template"
	"io"
	"os"
)

//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// page is what the template shows.
type page struct {
	Title, Subtitle string
	Tiles           []tile
	Charts          []*chart
	Tables          []table
	// Days is the table behind the charts.
	Days table
}

func writePage(path string, f *figures) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := f.page(file); err != nil {
		_ = file.Close() // the page is broken anyhow
		return err
	}
	return file.Close()
}

func (f *figures) page(out io.Writer) error {
	drawn, err := f.charts()
	if err != nil {
		return err
	}
	return pageTemplate.Execute(out, page{
		Title: f.headline(), Subtitle: f.subtitle(), Tiles: f.tiles(),
		Charts: drawn, Tables: f.rankings(), Days: f.dayTable(),
	})
}
