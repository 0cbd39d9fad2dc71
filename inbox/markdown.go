package inbox

import (
	"bytes"
	"html/template"
	"net/url"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/util"
)

// mostMarkdown is the largest number of bytes that are read as markdown. What is longer is shown as
// it is written.
const mostMarkdown = 64 << 10

// markdown reads what language models and people in a chat write. HTML in it is shown and not
// obeyed, pictures become links, and links go to web pages and mail addresses alone.
var markdown = goldmark.New(
	goldmark.WithExtensions(
		extension.NewTable(extension.WithTableCellAlignMethod(extension.TableCellAlignAttribute)),
		extension.Strikethrough, extension.NewLinkify(),
	),
	goldmark.WithRendererOptions(
		html.WithHardWraps(),
		renderer.WithNodeRenderers(util.Prioritized(safeNodes{}, 1)),
	),
)

// renderMarkdown returns the HTML of a markdown text, and false if it is to be shown as it is.
func renderMarkdown(text string) (template.HTML, bool) {
	if len(text) > mostMarkdown || deep(text) {
		return "", false
	}
	var b bytes.Buffer
	if err := markdown.Convert([]byte(text), &b); err != nil {
		return "", false
	}
	return template.HTML(b.String()), true // every text in it was escaped by the renderer
}

// deep tells whether a text nests quotes or lists so deeply that reading it would take long. Nobody
// writes so by hand.
func deep(text string) bool {
	const most = 100
	for line := range strings.Lines(text) {
		marks := 0
		for _, c := range line {
			if !strings.ContainsRune(" \t>-*+", c) {
				break
			}
			marks++
		}
		if marks > most {
			return true
		}
	}
	return strings.Count(text, "[") > 2000 || strings.Count(text, "*")+strings.Count(text, "_") > 20000
}

// safeNodes renders what could run or load something.
type safeNodes struct{}

// RegisterFuncs implements renderer.NodeRenderer.
func (safeNodes) RegisterFuncs(reg renderer.NodeRendererFuncRegisterer) {
	reg.Register(ast.KindRawHTML, rawHTML)
	reg.Register(ast.KindHTMLBlock, htmlBlock)
	reg.Register(ast.KindImage, image)
	reg.Register(ast.KindLink, link)
	reg.Register(ast.KindAutoLink, autoLink)
	reg.Register(ast.KindHeading, heading)
}

// rawHTML shows a tag as it was written.
func rawHTML(w util.BufWriter, source []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
	if entering {
		segments := n.(*ast.RawHTML).Segments
		for i := range segments.Len() {
			at := segments.At(i)
			writeText(w, at.Value(source))
		}
	}
	return ast.WalkSkipChildren, nil
}

func htmlBlock(w util.BufWriter, source []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
	block := n.(*ast.HTMLBlock)
	if !entering {
		if block.HasClosure() {
			writeText(w, block.ClosureLine.Value(source))
		}
		_, _ = w.WriteString("</pre>\n")
		return ast.WalkContinue, nil
	}
	_, _ = w.WriteString("<pre>")
	lines := block.Lines()
	for i := range lines.Len() {
		at := lines.At(i)
		writeText(w, at.Value(source))
	}
	return ast.WalkContinue, nil
}

// image writes a link in the place of a picture: nothing of other sites is loaded.
func image(w util.BufWriter, _ []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
	picture := n.(*ast.Image)
	if entering {
		openLink(w, picture.Destination)
		_, _ = w.WriteString("Picture: ")
	} else {
		closeLink(w, picture.Destination)
	}
	return ast.WalkContinue, nil
}

func link(w util.BufWriter, _ []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
	to := n.(*ast.Link).Destination
	if entering {
		openLink(w, to)
	} else {
		closeLink(w, to)
	}
	return ast.WalkContinue, nil
}

func autoLink(w util.BufWriter, source []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		return ast.WalkContinue, nil
	}
	auto := n.(*ast.AutoLink)
	to := auto.URL(source)
	if auto.AutoLinkType == ast.AutoLinkEmail && !bytes.HasPrefix(bytes.ToLower(to), []byte("mailto:")) {
		to = append([]byte("mailto:"), to...)
	}
	openLink(w, to)
	writeText(w, auto.Label(source))
	closeLink(w, to)
	return ast.WalkContinue, nil
}

// heading puts the headings of a message below those of the page.
func heading(w util.BufWriter, _ []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
	const below, lowest = 3, 6
	tag := "h" + string(rune('0'+min(n.(*ast.Heading).Level+below, lowest))) + ">"
	if entering {
		_, _ = w.WriteString("<" + tag)
	} else {
		_, _ = w.WriteString("</" + tag + "\n")
	}
	return ast.WalkContinue, nil
}

// openLink begins a link, if it may be one.
func openLink(w util.BufWriter, to []byte) {
	if href, ok := safeURL(string(to)); ok {
		_, _ = w.WriteString(`<a rel="noopener noreferrer nofollow" target="_blank" href="`)
		writeText(w, []byte(href))
		_, _ = w.WriteString(`">`)
	}
}

func closeLink(w util.BufWriter, to []byte) {
	if _, ok := safeURL(string(to)); ok {
		_, _ = w.WriteString("</a>")
	}
}

func writeText(w util.BufWriter, text []byte) { template.HTMLEscape(w, text) }

// safeURL returns a link that may be followed: one to a web page or to a mail address. Relative ones
// would lead into the inbox itself.
func safeURL(to string) (string, bool) {
	u, err := url.Parse(strings.TrimSpace(to))
	if err != nil {
		return "", false
	}
	switch strings.ToLower(u.Scheme) {
	case "http", "https":
		return u.String(), u.Host != ""
	case "mailto":
		return u.String(), u.Opaque != ""
	}
	return "", false
}
