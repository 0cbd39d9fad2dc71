package inbox_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/convostore/convostore/inbox/internal/hostile"
	"github.com/convostore/convostore/store"
)

// allowed are the elements and attributes that the templates, and markdown, write.
var (
	allowedTags = strings.Fields(`html head meta title link script body a header nav form label input button span main div article b p i ol ul li
		details summary pre time h1 h2 h3 h4 h5 h6 section aside textarea dl dt dd dialog kbd select option del ins mark bdi footer
		table thead tbody tr td th code em strong blockquote br hr fieldset legend`)
	allowedAttrs = strings.Fields(`lang charset name content rel href src defer class id data-root data-token data-tab data-operator data-conversation data-user
		data-base data-seq data-position data-live data-draft data-message data-action data-view data-autosave data-status data-countdown data-load
		aria-label aria-labelledby aria-current aria-pressed aria-live role action method type value placeholder dir maxlength title tabindex
		rows cols required readonly open size for formaction formnovalidate datetime target align start autocomplete selected checked scope`)
)

// requireWritten fails for an element or attribute that no template wrote, and for a link that runs.
func requireWritten(t *testing.T, a *answer, what string) {
	t.Helper()
	for _, n := range a.doc().find(func(*html.Node) bool { return true }) {
		if !slices.Contains(allowedTags, n.Data) {
			t.Fatalf("%s has an element %s", what, n.Data)
		}
		for _, at := range n.Attr {
			if !slices.Contains(allowedAttrs, at.Key) {
				t.Fatalf("%s: %s has an attribute %s", what, n.Data, at.Key)
			}
			if at.Key == "href" || at.Key == "src" || at.Key == "action" || at.Key == "formaction" {
				u, err := url.Parse(at.Val)
				require.NoError(t, err, what)
				require.Contains(t, []string{"", "http", "https", "mailto"}, u.Scheme, what)
			}
		}
		if n.Data == "script" {
			require.Empty(t, n.text(), what)
		}
		if n.Data != "textarea" && n.FirstChild != nil && n.FirstChild.Type == html.TextNode { // fields keep what they send
			require.NotContains(t, n.FirstChild.Data, "\x1b", "%s: %s shows a control character", what, n.Data)
		}
	}
	require.NotContains(t, a.body, "ZgotmplZ", what)
}

// Texts of everybody's are shown and do nothing: the page has the elements and the attributes of its
// template, and no other ones.
func TestHostile(t *testing.T) {
	w := newWorld(t)
	r := rand.New(rand.NewPCG(7, 7))
	const threads = 80 // of about thirty texts each
	for i := range threads {
		c := hostile.Thread(t, w.mine, r)
		what := fmt.Sprint("thread ", i)
		page := w.get("ann", path(c.ID)+"?view=all&lead="+url.QueryEscape(hostile.Line(r, 50)))
		require.Equal(t, http.StatusOK, page.code, page.body)
		requireWritten(t, page, what)
		requireWritten(t, w.get("ann", path(c.ID)+"/merge?find="+url.QueryEscape(hostile.Line(r, 20))), what)
		list, err := w.mine.Suggestions().ListByConversation(t.Context(), c.ID, store.PageRequest{})
		require.NoError(t, err)
		a := w.post("bob", path(c.ID)+"/approve", url.Values{"suggestion": {list.Items[0].ID.String()}, "text": {hostile.Text(r)}})
		require.Equal(t, http.StatusConflict, a.code, "somebody's edit is in the way")
		requireWritten(t, a, what)
		a = w.post("bob", path(c.ID)+"/assign", url.Values{"assignee": {hostile.Text(r)}, "from": {"x"}})
		requireWritten(t, a, what)
		a = w.post("bob", path(c.ID)+"/approve", url.Values{"suggestion": {uuid.NewString()}, "text": {hostile.Text(r)}, "feedback": {hostile.Text(r)}, "note": {hostile.Text(r)}})
		requireWritten(t, a, what)
		q := url.QueryEscape(hostile.Text(r))
		requireWritten(t, w.get("ann", "/search?q="+q+"&label="+q), what)
		requireWritten(t, w.get("ann", "/?view="+q+"&done="+q+"&of="+q), what)
	}
	for _, p := range []string{"/?view=all", "/reports", "/health", "/search?q=EVIL", "/search?q=evil*&archived=1"} {
		a := w.get("ann", p)
		require.Equal(t, http.StatusOK, a.code, a.body)
		if p == "/reports" {
			continue // it has pictures as well, and is made of numbers
		}
		requireWritten(t, a, p)
	}
}

func TestHuge(t *testing.T) {
	w := newWorld(t)
	c, m := w.mail(strings.Repeat("long ", 2000), strings.Repeat("word ", 100_000)+"END-OF-IT")
	w.drafted(m, "short")
	page := w.get("ann", path(c.ID))
	require.Equal(t, http.StatusOK, page.code)
	require.Less(t, len(page.body), 100_000, "what nobody reads at once is not sent at once")
	require.NotContains(t, page.body, "END-OF-IT")
	require.Contains(t, page.byID("m1").text(), "Show all of it")
	require.Contains(t, w.get("ann", path(c.ID)+"?all=1").body, "END-OF-IT")
	require.Less(t, len(w.get("ann", "/").body), 20_000)
}
