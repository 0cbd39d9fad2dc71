package inbox

import "strings"

// Route is a route as tests see it.
type Route struct {
	Method, Path string
	May          Permissions
	Thread       bool
}

// Routes are all routes, so that no test forgets one. The path of a conversation's is what follows
// that of the conversation.
func Routes() []Route {
	var all []Route
	for _, one := range routeTable {
		method, path, _ := strings.Cut(one.pattern, " ")
		all = append(all, Route{method, strings.TrimSuffix(path, "{$}"), one.may, false})
	}
	for _, one := range threadTable {
		method, path, _ := strings.Cut(one.pattern, " ")
		all = append(all, Route{method, path, one.may, true})
	}
	return all
}

// For tests of what is inside.
var (
	Split          = split
	WordDiff       = wordDiff
	RenderMarkdown = renderMarkdown
	OneLine        = oneLine
	NiceStep       = niceStep
	Decimal        = decimal
	Scale          = scale
	TimeScale      = timeScale
)

// DiffPart is a part of a word diff.
type DiffPart = diffPart
