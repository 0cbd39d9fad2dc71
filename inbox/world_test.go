package inbox_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/inbox"
	"github.com/convostore/convostore/inbox/internal/seed"
	"github.com/convostore/convostore/internal/pgtest"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/postgres"
	"github.com/convostore/convostore/store/sqlite"
	"github.com/convostore/convostore/suggestion"
)

// clock is one that a test sets forward.
type clock struct{ now atomic.Pointer[time.Time] }

func newClock() *clock {
	c := new(clock)
	c.now.Store(new(time.Now().UTC().Truncate(time.Microsecond)))
	return c
}

func (c *clock) Now() time.Time { return *c.now.Load() }

func (c *clock) advance(d time.Duration) { c.now.Store(new(c.Now().Add(d))) }

// world is an inbox over a database of its own.
type world struct {
	t     *testing.T
	st    store.Store
	user  uuid.UUID
	mine  store.Scope
	clock *clock
	inbox *inbox.Inbox
}

// people are the operators of a test by the name that a request gives in its header.
func people(user uuid.UUID) map[string]inbox.Operator {
	return map[string]inbox.Operator{
		"ann":    {ID: "ann", Name: "Ann", UserID: user, May: inbox.MayAll},
		"bob":    {ID: "bob", Name: "Bob", UserID: user, May: inbox.MayAll},
		"reader": {ID: "reader", UserID: user, May: inbox.MayRead},
		"other":  {ID: "other", UserID: uuid.NewSHA1(uuid.NameSpaceOID, []byte("other")), May: inbox.MayAll},
		"root":   {ID: "root", AllUsers: true, May: inbox.MayAll},
		"nobody": {ID: "nobody", UserID: user},
		"broken": {ID: "", UserID: user},
	}
}

func optionsFor(user uuid.UUID, c *clock) inbox.Options {
	return inbox.Options{
		Operator: func(r *http.Request) (inbox.Operator, error) {
			switch name := r.Header.Get("X-Operator"); name {
			case "":
				return inbox.Operator{}, inbox.ErrUnauthenticated
			case "banned":
				return inbox.Operator{}, errors.New("they left")
			default:
				return people(user)[name], nil
			}
		},
		Secret: []byte(strings.Repeat("s", 32)), Clock: c.Now, Logger: slog.New(slog.DiscardHandler),
	}
}

func newWorld(t *testing.T, change ...func(*inbox.Options)) *world {
	t.Helper()
	c := newClock()
	st, err := sqlite.OpenMemory(t.Context(), convostore.WithClock(c.Now))
	require.NoError(t, err)
	return worldOn(t, st, c, change...)
}

// onBoth runs a test on SQLite and, where there is a server, on PostgreSQL.
func onBoth(t *testing.T, test func(*testing.T, *world)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, newWorld(t)) })
	t.Run("postgres", func(t *testing.T) {
		c := newClock()
		st, err := postgres.Open(t.Context(), pgtest.Database(t), convostore.WithClock(c.Now), convostore.WithMigrate(migrate.Options{}))
		require.NoError(t, err)
		test(t, worldOn(t, st, c))
	})
}

func worldOn(t *testing.T, st store.Store, c *clock, change ...func(*inbox.Options)) *world {
	t.Helper()
	t.Cleanup(func() { require.NoError(t, st.Close()) })
	user := uuid.New()
	w := &world{t: t, st: st, user: user, mine: st.ForUser(user), clock: c}
	w.inbox = w.another(change...)
	return w
}

// another is one more inbox on the same database, as a second process has it.
func (w *world) another(change ...func(*inbox.Options)) *inbox.Inbox {
	w.t.Helper()
	o := optionsFor(w.user, w.clock)
	for _, f := range change {
		f(&o)
	}
	in, err := inbox.New(w.st, o)
	require.NoError(w.t, err)
	w.t.Cleanup(in.Close)
	return in
}

// mail is a conversation with one mail of a lead.
func (w *world) mail(subject, text string) (*conversation.Conversation, *message.Message) {
	w.t.Helper()
	w.clock.advance(time.Second)
	c := &conversation.Conversation{Subject: subject, LeadID: "lead-1"}
	require.NoError(w.t, w.mine.Conversations().Create(w.t.Context(), c))
	return c, w.arrives(c.ID, text)
}

// arrives appends a mail of the lead.
func (w *world) arrives(id uuid.UUID, text string) *message.Message {
	w.t.Helper()
	w.clock.advance(time.Second)
	m := seed.Mail(text)
	_, err := w.mine.Messages().Append(w.t.Context(), id, m)
	require.NoError(w.t, err)
	return m
}

// drafted is a draft that answers a message.
func (w *world) drafted(to *message.Message, text string) *suggestion.Suggestion {
	w.t.Helper()
	s := seed.Draft(to, text)
	require.NoError(w.t, w.mine.Suggestions().Create(w.t.Context(), s))
	return s
}

func (w *world) suggestion(id uuid.UUID) *suggestion.Suggestion {
	w.t.Helper()
	s, err := w.mine.Suggestions().Get(w.t.Context(), id)
	require.NoError(w.t, err)
	return s
}

// outbox are the open entries.
func (w *world) outbox() []*message.OutboxEntry {
	w.t.Helper()
	list, err := w.mine.Deliveries().List(w.t.Context(), store.DeliveryFilter{State: store.DeliveryOpen}, store.PageRequest{})
	require.NoError(w.t, err)
	return list.Items
}

// answer is what came back.
type answer struct {
	t        *testing.T
	code     int
	header   http.Header
	body     string
	location string
}

// call sends a request as an operator would from the pages of the inbox.
func (w *world) call(in http.Handler, r *http.Request) *answer {
	w.t.Helper()
	rec := httptest.NewRecorder()
	in.ServeHTTP(rec, r)
	body, err := io.ReadAll(rec.Body)
	require.NoError(w.t, err)
	return &answer{w.t, rec.Code, rec.Header(), string(body), rec.Header().Get("Location")}
}

func newRequest(ctx context.Context, method, path, as string, form url.Values) *http.Request {
	r := httptest.NewRequestWithContext(ctx, method, "http://localhost"+path, strings.NewReader(form.Encode()))
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.Header.Set("X-Operator", as)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return r
}

func (w *world) get(as, path string) *answer {
	w.t.Helper()
	return w.call(w.inbox, newRequest(w.t.Context(), http.MethodGet, path, as, nil))
}

// post sends a form with the token that the operator's pages have.
func (w *world) post(as, path string, form url.Values) *answer {
	w.t.Helper()
	return w.postTo(w.inbox, as, path, form)
}

func (w *world) postTo(in http.Handler, as, path string, form url.Values) *answer {
	w.t.Helper()
	full := url.Values{"token": {w.token(as)}}
	for name, values := range form {
		full[name] = values
	}
	return w.call(in, newRequest(w.t.Context(), http.MethodPost, path, as, full))
}

// token reads the token of an operator's forms from a page.
func (w *world) token(as string) string {
	w.t.Helper()
	page := w.get(as, "/")
	return page.doc().find(func(n *html.Node) bool { return n.Data == "body" })[0].attr("data-token")
}

// decide is the form of a draft.
func decide(s *suggestion.Suggestion, text string, more ...string) url.Values {
	form := url.Values{"suggestion": {s.ID.String()}, "text": {text}}
	if s.DraftAt != nil {
		form.Set("expected", s.DraftAt.UTC().Format(time.RFC3339Nano))
	}
	for i := 0; i+1 < len(more); i += 2 {
		form.Set(more[i], more[i+1])
	}
	return form
}

func path(id uuid.UUID) string { return "/c/" + id.String() }

// node is a part of a page.
type node struct{ *html.Node }

func (a *answer) doc() node {
	a.t.Helper()
	n, err := html.Parse(strings.NewReader(a.body))
	require.NoError(a.t, err)
	return node{n}
}

// find returns the elements that a test asks for, in the order of the page.
func (n node) find(want func(*html.Node) bool) []node {
	var all []node
	for one := range n.Descendants() {
		if one.Type == html.ElementNode && want(one) {
			all = append(all, node{one})
		}
	}
	return all
}

func (n node) attr(name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func (n node) has(name string) bool {
	for _, a := range n.Attr {
		if a.Key == name {
			return true
		}
	}
	return false
}

func (n node) text() string {
	var b strings.Builder
	for one := range n.Descendants() {
		if one.Type == html.TextNode {
			b.WriteString(one.Data)
		}
	}
	return b.String()
}

// byID returns the element with an id, and fails without it.
func (a *answer) byID(id string) node {
	a.t.Helper()
	found := a.doc().find(func(n *html.Node) bool { return node{n}.attr("id") == id })
	require.Len(a.t, found, 1, "elements with the id %s", id)
	return found[0]
}

// with returns the elements that have an attribute.
func (a *answer) with(name string) []node {
	a.t.Helper()
	return a.doc().find(func(n *html.Node) bool { return node{n}.has(name) })
}

func (a *answer) json(into any) {
	a.t.Helper()
	require.NoError(a.t, json.Unmarshal([]byte(a.body), into), a.body)
}

func action(name string) func(*html.Node) bool {
	return func(n *html.Node) bool { return node{n}.attr("data-action") == name }
}

var isUndo, isTakeBack = action("undo"), action("take-back")

// named finds the fields with a name.
func named(name string) func(*html.Node) bool {
	return func(n *html.Node) bool { return node{n}.attr("name") == name }
}
