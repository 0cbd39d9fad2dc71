package inbox_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

type nodeOf = html.Node

func body(form url.Values) io.ReadCloser { return io.NopCloser(strings.NewReader(form.Encode())) }

// crawl follows every link of a page, and requires that it leads somewhere.
func crawl(t *testing.T, server *httptest.Server, at string, seen map[string]bool) {
	t.Helper()
	base, err := url.Parse(server.URL + at)
	require.NoError(t, err)
	if seen[base.Path] {
		return
	}
	seen[base.Path] = true
	res, err := server.Client().Get(base.String())
	require.NoError(t, err)
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusOK, res.StatusCode, at)
	if !strings.HasPrefix(res.Header.Get("Content-Type"), "text/html") {
		return
	}
	a := &answer{t: t, body: string(text)}
	for _, attr := range []string{"href", "src"} {
		for _, n := range a.with(attr) {
			to, err := base.Parse(n.attr(attr))
			require.NoError(t, err)
			if to.Host == base.Host {
				crawl(t, server, to.RequestURI(), seen)
			}
		}
	}
}

// snapshot is what a conversation has that a form could change.
type snapshot struct {
	Conversation conversation.Conversation
	Suggestions  []*suggestion.Suggestion
	Outbox       int
	Labels       []string
}

func (w *world) snapshot(id uuid.UUID) snapshot {
	w.t.Helper()
	c, err := w.mine.Conversations().Thread(w.t.Context(), id)
	require.NoError(w.t, err)
	list, err := w.mine.Conversations().Overview(w.t.Context(), store.ConversationFilter{}, store.OverviewOptions{Labels: true}, store.PageRequest{})
	require.NoError(w.t, err)
	s := snapshot{*c, c.Suggestions, len(w.outbox()), list.Items[0].Labels}
	s.Conversation.Suggestions = nil
	return s
}
