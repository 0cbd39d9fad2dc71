package storetest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"reflect"
	"runtime/debug"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

// subtests are independent of one another: each gets a fresh world.
type subtests map[string]func(t *testing.T, w *world)

func (s subtests) run(t *testing.T, f Factory, c Capabilities) {
	t.Helper()
	for name, test := range s {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			defer func() {
				// A backend that panics in one method should hear about the others as well.
				if p := recover(); p != nil {
					t.Errorf("panic: %v\n%s", p, debug.Stack())
				}
			}()
			w := newWorld(t, f)
			w.can = c
			test(t, w)
		})
	}
}

// epoch is the time at which every world begins. It is far from now, so that a time from the
// wall clock instead of the store's clock is noticed; it has microseconds and is before a leap
// day.
var epoch = time.Date(2024, time.February, 28, 23, 59, 58, 123456000, time.UTC)

// clock stands still until it is told to move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	return c.now
}

// world is a fresh store with a clock that stands still, and a user in it.
type world struct {
	factory Factory
	can     Capabilities // of subtests.run alone
	st      store.Store
	clock   *clock
	user    uuid.UUID
	mine    store.Scope
}

func newWorld(tb testing.TB, f Factory, opts ...convostore.Option) *world {
	tb.Helper()
	w := &world{factory: f, clock: &clock{now: epoch}, user: uuid.New()}
	w.st = f(tb, append([]convostore.Option{convostore.WithClock(w.clock.Now)}, opts...)...)
	w.mine = w.st.ForUser(w.user)
	return w
}

// tick moves the clock by a minute and returns the new time.
func (w *world) tick() time.Time { return w.clock.add(time.Minute) }

// other is the scope of a user that has nothing yet.
func (w *world) other() store.Scope { return w.st.ForUser(uuid.New()) }

func (w *world) conversation(t testing.TB) *conversation.Conversation {
	t.Helper()
	return w.create(t, &conversation.Conversation{})
}

func (w *world) create(t testing.TB, c *conversation.Conversation) *conversation.Conversation {
	t.Helper()
	require.NoError(t, w.mine.Conversations().Create(t.Context(), c))
	return c
}

// thread makes a conversation with n inbound messages, "1", "2", "3" …, a second apart.
func (w *world) thread(t testing.TB, n int) *conversation.Conversation {
	t.Helper()
	c := &conversation.Conversation{}
	for i := range n {
		c.Messages = append(c.Messages, &message.Message{
			Role: message.RoleUser, Content: fmt.Sprint(i + 1), SentAt: epoch.Add(time.Duration(i) * time.Second),
		})
	}
	return w.create(t, c)
}

func (w *world) append(t testing.TB, c *conversation.Conversation, m *message.Message) *message.Message {
	t.Helper()
	created, err := w.mine.Messages().Append(t.Context(), c.ID, m)
	require.NoError(t, err)
	require.True(t, created, "a new message")
	return m
}

func (w *world) inbound(t testing.TB, c *conversation.Conversation) *message.Message {
	t.Helper()
	return w.append(t, c, &message.Message{Direction: message.DirectionInbound, Content: "in"})
}

func (w *world) suggest(t testing.TB, c *conversation.Conversation, replyTo *message.Message) *suggestion.Suggestion {
	t.Helper()
	s := &suggestion.Suggestion{ConversationID: c.ID, SuggestedContent: "draft"}
	if replyTo != nil {
		s.InReplyToMessageID = new(replyTo.ID)
	}
	require.NoError(t, w.mine.Suggestions().Create(t.Context(), s))
	return s
}

// embed writes a vector beside a message, as a search index would.
func (w *world) embed(t testing.TB, m *message.Message, model string) {
	t.Helper()
	e := &message.Embedding{
		MessageID: m.ID, UserID: m.UserID, ConversationID: m.ConversationID,
		Model: model, Vector: axis(0), CreatedAt: message.Now(),
	}
	require.NoError(t, w.st.DB(t.Context()).Create(e).Error)
}

func (w *world) get(t testing.TB, id uuid.UUID) *conversation.Conversation {
	t.Helper()
	c, err := w.mine.Conversations().Get(t.Context(), id)
	require.NoError(t, err)
	return c
}

func (w *world) message(t testing.TB, id uuid.UUID) *message.Message {
	t.Helper()
	m, err := w.mine.Messages().Get(t.Context(), id)
	require.NoError(t, err)
	return m
}

func (w *world) suggestion(t testing.TB, id uuid.UUID) *suggestion.Suggestion {
	t.Helper()
	s, err := w.mine.Suggestions().Get(t.Context(), id)
	require.NoError(t, err)
	return s
}

func (w *world) delete(t testing.TB, c *conversation.Conversation) {
	t.Helper()
	_, err := w.mine.Conversations().Delete(t.Context(), c.ID)
	require.NoError(t, err)
}

func (w *world) deleteMessage(t testing.TB, m *message.Message) {
	t.Helper()
	_, err := w.mine.Messages().Delete(t.Context(), m.ID)
	require.NoError(t, err)
}

// messages are the contents of a conversation in the order of the thread.
func (w *world) messages(t testing.TB, c *conversation.Conversation) []string {
	t.Helper()
	ms, err := collect(w.mine.Messages().All(t.Context(), c.ID, store.MessageFilter{}))
	require.NoError(t, err)
	return contents(ms)
}

// counts are those of all users, so that nothing can hide.
func (w *world) counts(t testing.TB) store.Counts {
	t.Helper()
	n, err := w.st.AllUsers().Maintenance().Counts(t.Context())
	require.NoError(t, err)
	return n
}

// unchanged runs do and requires that no row was added or removed.
func (w *world) unchanged(t testing.TB, do func()) {
	t.Helper()
	before := w.counts(t)
	do()
	require.Equal(t, before, w.counts(t), "rows of each table")
}

// must is for calls with a result that the test does not look at.
func must[T any](t testing.TB) func(T, error) {
	return func(_ T, err error) {
		t.Helper()
		require.NoError(t, err)
	}
}

// missing requires that a call returned ErrNotFound.
func missing[T any](t testing.TB) func(T, error) {
	return func(_ T, err error) {
		t.Helper()
		require.ErrorIs(t, err, store.ErrNotFound)
	}
}

// invalid requires an InvalidError that names one of the fields.
func invalid(t testing.TB, err error, fields ...string) {
	t.Helper()
	require.ErrorIs(t, err, store.ErrInvalid)
	var bad *store.InvalidError
	require.ErrorAs(t, err, &bad)
	require.Contains(t, fields, bad.Field)
	require.NotEmpty(t, bad.Rule, "the rule that was broken")
}

// same compares models by their content: times by the instant, documents by their values
// whatever the order of their keys, numbers by their digits.
func same(t testing.TB, want, got any) {
	t.Helper()
	require.Equal(t, plain(t, want), plain(t, got))
}

// plain turns a model into maps and lists. Numbers stay text: a float64 would call two
// of thirty digits equal that differ in the last.
func plain(t testing.TB, v any) any {
	t.Helper()
	doc, err := json.Marshal(v)
	require.NoError(t, err)
	d := json.NewDecoder(bytes.NewReader(doc))
	d.UseNumber()
	var out any
	require.NoError(t, d.Decode(&out))
	return out
}

func sameJSON(t testing.TB, want string, got message.JSON) {
	t.Helper()
	require.Equal(t, plain(t, message.JSON(want)), plain(t, got), "document %s", got)
}

// filled requires that every column of a model is set, so that a column that is added
// later cannot be left out of a round trip.
func filled(t testing.TB, model any, except ...string) {
	t.Helper()
	v := reflect.Indirect(reflect.ValueOf(model))
	for i := range v.NumField() {
		if name := v.Type().Field(i).Name; !slices.Contains(except, name) {
			require.False(t, v.Field(i).IsZero(), "%s of %T is not set", name, model)
		}
	}
}

// isUTC requires times in UTC, not in the zone of the server or the machine.
func isUTC(t testing.TB, times ...time.Time) {
	t.Helper()
	for _, at := range times {
		require.Equal(t, time.UTC, at.Location())
	}
}

func collect[T any](seq iter.Seq2[T, error]) ([]T, error) {
	var all []T
	for v, err := range seq {
		if err != nil {
			return all, err
		}
		all = append(all, v)
	}
	return all, nil
}

// list reads pages of size until there are no more.
func list[T any](size int, read func(store.PageRequest) (store.Page[T], error)) ([]T, error) {
	var all []T
	p := store.PageRequest{Limit: size}
	for {
		page, err := read(p)
		if err != nil {
			return all, err
		}
		if len(page.Items) > size {
			return all, fmt.Errorf("a page of %d has %d items", size, len(page.Items))
		}
		all = append(all, page.Items...)
		if page.Next == "" {
			return all, nil
		}
		if len(page.Items) == 0 {
			return all, errors.New("an empty page has a next one")
		}
		p.After = page.Next
	}
}

func (w *world) listed(t testing.TB, f store.ConversationFilter) []*conversation.Conversation {
	t.Helper()
	page, err := w.mine.Conversations().List(t.Context(), f, store.PageRequest{})
	require.NoError(t, err)
	return page.Items
}

func (w *world) listedMessages(t testing.TB, c *conversation.Conversation, f store.MessageFilter) []string {
	t.Helper()
	page, err := w.mine.Messages().List(t.Context(), c.ID, f, store.PageRequest{})
	require.NoError(t, err)
	return contents(page.Items)
}

func titles(cs []*conversation.Conversation) []string {
	out := make([]string, 0, len(cs))
	for _, c := range cs {
		out = append(out, c.Title)
	}
	return out
}

func contents(ms []*message.Message) []string {
	out := make([]string, 0, len(ms))
	for _, m := range ms {
		out = append(out, m.Content)
	}
	return out
}

func drafts(ss []*suggestion.Suggestion) []string {
	out := make([]string, 0, len(ss))
	for _, s := range ss {
		out = append(out, s.SuggestedContent)
	}
	return out
}

// text is a message of the user.
func text(content string) *message.Message {
	return &message.Message{Role: message.RoleUser, Content: content}
}

// rowsOf is what Import reads.
func rowsOf(ms ...*message.Message) iter.Seq2[*message.Message, error] {
	return func(yield func(*message.Message, error) bool) {
		for _, m := range ms {
			if !yield(m, nil) {
				return
			}
		}
	}
}

// canceled is a context that is over.
func canceled(t testing.TB) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

// digits has more than a float64 holds, deep keys, and keys that a path expression
// would read otherwise.
const digits = `{"n":123456789012345678901234567890,"f":0.1234567890123456789012345678901,` +
	`"deep":{"a":{"b":{"c":[1,{"d":null},"é",true]}}},"a.b":1,"$x":{"[0]":2},"q\"uote":3,"emoji":"😀"}`

// scripts is a text that a narrow encoding or a careless cut would break.
const scripts = "naïve 😀👩‍👩‍👧 漢字かな 한국어 שלום مرحبا \u202Ertl\u202C e\u0301 \t\r\n '\"\\%_;-- <b>"

// walksWell checks what all iterators promise: the caller may leave early and may use
// the store while walking, and an error comes once and last.
func walksWell[T any](t testing.TB, walk, broken iter.Seq2[T, error], meanwhile func()) {
	t.Helper()
	seen := 0
	for _, err := range walk {
		require.NoError(t, err)
		meanwhile()
		if seen++; seen == 2 {
			break
		}
	}
	require.Equal(t, 2, seen)
	steps := 0
	for _, err := range broken {
		require.Error(t, err)
		steps++
	}
	require.Equal(t, 1, steps, "a walk ends after the first error")
}

// setLastSeq pretends that the conversation has seq messages. The model keeps GORM from writing
// the column, so it names the table.
func (w *world) setLastSeq(tb testing.TB, c *conversation.Conversation, seq int64) {
	tb.Helper()
	db := w.st.DB(tb.Context())
	require.NoError(tb, db.Table(c.TableName(db.NamingStrategy)).
		Where("id = ? AND user_id = ?", c.ID, c.UserID).UpdateColumn("last_seq", seq).Error)
}
