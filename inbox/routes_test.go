package inbox_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/inbox"
	"github.com/convostore/convostore/suggestion"
)

const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// requireSafe checks what holds for every answer.
func requireSafe(t *testing.T, a *answer, what string) {
	t.Helper()
	require.Equal(t, policy, a.header.Get("Content-Security-Policy"), what)
	require.Equal(t, "nosniff", a.header.Get("X-Content-Type-Options"), what)
	require.Equal(t, "no-referrer", a.header.Get("Referrer-Policy"), what)
	require.Equal(t, "no-store", a.header.Get("Cache-Control"), what)
}

// pathOf is the address of a route for a conversation.
func pathOf(r inbox.Route, id uuid.UUID) string {
	if r.Thread {
		return path(id) + r.Path
	}
	return r.Path
}

// every calls f for each route but for streams of events, which do not end by themselves when they
// are let through.
func every(t *testing.T, f func(t *testing.T, r inbox.Route)) {
	t.Helper()
	routes := inbox.Routes()
	require.Greater(t, len(routes), 20)
	for _, r := range routes {
		t.Run(r.Method+" "+r.Path, func(t *testing.T) { f(t, r) })
	}
}

// fill is a form that every route would take, so that what refuses it is what the test is about.
func fill(s *suggestion.Suggestion, token string) url.Values {
	return decide(s, "90 euros.", "token", token, "note", "a note", "label", "vip", "for", "hour", "assignee", "ann", "seq", "1", "into", uuid.NewString())
}

func TestRefusals(t *testing.T) {
	w := newWorld(t)
	c, m := w.mail("An offer", "How much are ten?")
	s := w.drafted(m, "90 euros.")
	token := w.token("ann")
	before := w.snapshot(c.ID)

	ask := func(r inbox.Route, as string, change func(*http.Request)) *answer {
		var form url.Values
		if r.Method == http.MethodPost {
			form = fill(s, token)
		}
		req := newRequest(t.Context(), r.Method, pathOf(r, c.ID), as, form)
		if change != nil {
			change(req)
		}
		a := w.call(w.inbox, req)
		requireSafe(t, a, r.Path)
		return a
	}
	every(t, func(t *testing.T, r inbox.Route) {
		require.Equal(t, http.StatusUnauthorized, ask(r, "", nil).code, "nobody has logged in")
		require.Equal(t, http.StatusForbidden, ask(r, "banned", nil).code, "the host refuses")
		require.Equal(t, http.StatusForbidden, ask(r, "nobody", nil).code, "nothing is allowed")
		require.Equal(t, http.StatusInternalServerError, ask(r, "broken", nil).code, "the host gave no operator")
		if r.May != inbox.MayRead {
			require.Equal(t, http.StatusForbidden, ask(r, "reader", nil).code, "only reading is allowed")
		}
		require.Equal(t, http.StatusMisdirectedRequest, ask(r, "ann", func(q *http.Request) { q.Host = "evil.example" }).code)
		if r.Thread {
			other := ask(inbox.Route{Method: r.Method, Path: path(c.ID) + r.Path}, "other", func(q *http.Request) {
				if r.Method == http.MethodPost {
					q.Body = body(fill(s, w.token("other")))
				}
			})
			require.Equal(t, http.StatusNotFound, other.code, "another user's conversation")
			require.NotContains(t, other.body, "How much")
			require.Equal(t, http.StatusNotFound, ask(inbox.Route{Method: r.Method, Path: "/c/no-id" + r.Path}, "ann", nil).code)
			require.Equal(t, http.StatusNotFound, ask(inbox.Route{Method: r.Method, Path: path(uuid.New()) + r.Path}, "ann", nil).code)
			require.Equal(t, http.StatusNotFound, ask(inbox.Route{Method: r.Method, Path: "/c/" + uuid.NewString() + "/" + c.ID.String() + r.Path}, "ann", nil).code)
		}
		if r.Method != http.MethodPost {
			return
		}
		require.Equal(t, http.StatusForbidden, ask(r, "ann", func(q *http.Request) { q.Header.Set("Sec-Fetch-Site", "cross-site") }).code)
		require.Equal(t, http.StatusForbidden, ask(r, "ann", func(q *http.Request) {
			q.Header.Del("Sec-Fetch-Site")
			q.Header.Set("Origin", "https://evil.example")
		}).code)
		require.Equal(t, http.StatusForbidden, ask(r, "bob", nil).code, "the token is Ann's")
		for _, bad := range []string{"", "x", token + "x"} {
			form := fill(s, bad)
			require.Equal(t, http.StatusForbidden, ask(r, "ann", func(q *http.Request) { q.Body = body(form) }).code)
		}
		big := fill(s, token)
		big.Set("text", strings.Repeat("x", 1<<20))
		require.Equal(t, http.StatusRequestEntityTooLarge, ask(r, "ann", func(q *http.Request) { q.Body = body(big) }).code)
		require.Equal(t, http.StatusUnsupportedMediaType, ask(r, "ann", func(q *http.Request) { q.Header.Set("Content-Type", "text/plain") }).code)
		if r.Path != "/merge" {
			a := w.get("ann", pathOf(r, c.ID))
			require.Equal(t, http.StatusMethodNotAllowed, a.code, "only a form changes something")
			require.NotEmpty(t, a.header.Get("Allow"))
		}
	})
	require.Equal(t, before, w.snapshot(c.ID), "nothing was changed by what was refused")
}

func TestTypedIsNotLost(t *testing.T) {
	w := newWorld(t)
	c, m := w.mail("An offer", "How much are ten?")
	s := w.drafted(m, "90 euros.")
	form := decide(s, "a long reply", "token", "of yesterday", "feedback", "a reason", "note", "a note")
	a := w.call(w.inbox, newRequest(t.Context(), http.MethodPost, path(c.ID)+"/approve", "ann", form))
	require.Equal(t, http.StatusForbidden, a.code)
	for _, text := range []string{"a long reply", "a reason", "a note"} {
		require.Contains(t, a.body, text)
	}
}

func TestUnknown(t *testing.T) {
	w := newWorld(t)
	for _, p := range []string{"/nothing", "/c/", "/c", "/static/", "/static/none.css", "/static/../pages/queue.html", "/c/" + uuid.NewString() + "/nothing"} {
		a := w.get("ann", p)
		require.Contains(t, []int{http.StatusNotFound, http.StatusTemporaryRedirect, http.StatusMovedPermanently}, a.code, p)
		requireSafe(t, a, p)
	}
	a := w.get("ann", "/?view=nothing")
	require.Equal(t, http.StatusBadRequest, a.code)
	require.Equal(t, http.StatusBadRequest, w.get("ann", "/?after=nothing").code)
	require.Equal(t, http.StatusBadRequest, w.get("ann", "/?sort=nothing").code)
	require.Equal(t, http.StatusBadRequest, w.get("ann", "/?lead=%ff").code)
	require.Equal(t, http.StatusBadRequest, w.get("ann", "/reports?days=0").code)
	r := newRequest(t.Context(), http.MethodDelete, "/", "ann", nil)
	require.Equal(t, http.StatusMethodNotAllowed, w.call(w.inbox, r).code)
}

func TestPages(t *testing.T) {
	w := newWorld(t)
	c, m := w.mail("An offer", "How much are ten?")
	w.drafted(m, "90 euros.")
	for _, p := range []string{"/", "/?view=drafts", "/?view=mine", "/?view=unassigned", "/?view=snoozed", "/?view=all", "/?view=archived", "/search", "/search?q=ten", "/reports", "/health", "/health?sizes=1", path(c.ID), path(c.ID) + "/merge"} {
		a := w.get("ann", p)
		require.Equal(t, http.StatusOK, a.code, p+a.body)
		requireSafe(t, a, p)
		require.Equal(t, "text/html; charset=utf-8", a.header.Get("Content-Type"))
		require.NotContains(t, a.body, "ZgotmplZ", p)
		requireStrict(t, a, p)
		if strings.HasPrefix(p, "/health") {
			continue // it is not of one user
		}
		other := w.get("other", p)
		require.NotContains(t, other.body, "An offer", p)
		require.NotContains(t, other.body, c.ID.String()+"\"", p)
	}
	for _, p := range []string{"/static/inbox.css", "/static/inbox.js", "/static/icon.svg"} {
		a := w.get("", p)
		require.Equal(t, http.StatusOK, a.code, p)
		requireSafe(t, a, p)
	}
}

// requireStrict finds in a page what its policy would refuse, and what a screen reader would miss.
func requireStrict(t *testing.T, a *answer, what string) {
	t.Helper()
	for _, n := range a.doc().find(func(*nodeOf) bool { return true }) {
		for _, at := range n.Attr {
			require.False(t, strings.HasPrefix(at.Key, "on") || at.Key == "style", "%s: %s=%s", what, at.Key, at.Val)
		}
		switch n.Data {
		case "script":
			require.Empty(t, n.text(), what)
			require.True(t, strings.HasSuffix(n.attr("src"), "static/inbox.js"), what)
		case "style", "iframe", "object", "embed", "base":
			t.Errorf("%s has an element %s", what, n.Data)
		case "form":
			if n.attr("method") == "post" {
				require.NotEmpty(t, n.find(named("token")), what)
			}
		}
	}
	ids := map[string]bool{}
	for _, n := range a.with("id") {
		require.False(t, ids[n.attr("id")], "%s: two elements have the id %s", what, n.attr("id"))
		ids[n.attr("id")] = true
	}
}

// An operator of all users sees everybody's conversations, each under its user.
func TestAllUsers(t *testing.T) {
	w := newWorld(t)
	c, m := w.mail("An offer", "How much are ten?")
	s := w.drafted(m, "90 euros.")
	own := "/c/" + w.user.String() + "/" + c.ID.String()
	page := w.get("root", "/")
	require.Contains(t, page.body, strings.TrimPrefix(own, "/"))
	require.Equal(t, http.StatusNotFound, w.get("root", path(c.ID)).code)
	require.Equal(t, http.StatusOK, w.get("root", own).code)
	a := w.post("root", own+"/approve", decide(s, "90 euros."))
	require.Equal(t, http.StatusSeeOther, a.code, a.body)
	require.Equal(t, suggestion.StatusApproved, w.suggestion(s.ID).Status)
	require.Equal(t, http.StatusOK, w.get("ann", own).code, "it is hers as well")
}

// Wherever the handler is mounted, links and redirects lead into it.
func TestMounts(t *testing.T) {
	w := newWorld(t)
	c, m := w.mail("An offer", "How much are ten?")
	mux := http.NewServeMux()
	mux.Handle("/stripped/", http.StripPrefix("/stripped", w.inbox))
	mux.Handle("/own/deep/", w.another(func(o *inbox.Options) { o.Prefix = "/own/deep/" }))
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		r.Header.Set("X-Operator", "ann")
		mux.ServeHTTP(rw, r)
	}))
	defer server.Close()
	for _, prefix := range []string{"/stripped/", "/own/deep/"} {
		s := w.drafted(m, "90 euros.")
		seen := map[string]bool{}
		crawl(t, server, prefix, seen)
		require.Contains(t, seen, prefix+"c/"+c.ID.String())
		require.Contains(t, seen, prefix+"static/inbox.css")
		form := decide(s, "90 euros.", "token", w.token("ann"), "queue", "view=drafts")
		res, err := server.Client().PostForm(server.URL+prefix+"c/"+c.ID.String()+"/reject", form)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Equal(t, http.StatusOK, res.StatusCode)
		require.Equal(t, prefix, res.Request.URL.Path, "there is no other draft: back to the queue")
	}
}
