package inbox

import (
	"embed"
	"html/template"
	"io/fs"
	"strings"
)

//go:embed pages static
var files embed.FS

// pages are the templates of the pages by name: each has the layout and the shared parts.
type pages map[string]*template.Template

// shared are the files of pages/ that are parts of others.
var shared = []string{"pages/layout.html", "pages/parts.html"}

// functions are those of the templates.
var functions = template.FuncMap{
	"line": oneLine,
	// words are the parts of a name, after each of which a line may end.
	"words": func(name string) []string { return strings.SplitAfter(name, "_") },
	"cond": func(which bool, yes, no string) string {
		if which {
			return yes
		}
		return no
	},
	"act": func(page *threadPage, action, label, name string) act { return act{page, action, label, name} },
}

// act is a button of a conversation's page that needs no field.
type act struct {
	Page                *threadPage
	Action, Label, Name string
}

func parsePages() (pages, error) {
	names, err := fs.Glob(files, "pages/*.html")
	if err != nil {
		return nil, err
	}
	base, err := template.New("base").Funcs(functions).ParseFS(files, shared...)
	if err != nil {
		return nil, err
	}
	all := pages{}
	for _, name := range names {
		page, err := base.Clone()
		if err != nil {
			return nil, err
		}
		if page, err = page.ParseFS(files, name); err != nil {
			return nil, err
		}
		all[strings.TrimSuffix(strings.TrimPrefix(name, "pages/"), ".html")] = page
	}
	return all, nil
}
