package engine_test

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/bothtest"
	"github.com/convostore/convostore/internal/pgtest"
	"github.com/convostore/convostore/internal/searchtest"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
)

// twin is a store on SQLite and one on PostgreSQL, to which the same happens.
type twin [2]store.Store

// newTwin opens both with a clock that stands still.
func newTwin(t *testing.T) twin {
	t.Helper()
	return newTwinWith(t, migrate.Options{})
}

func newTwinWith(t *testing.T, o migrate.Options, opts ...convostore.Option) twin {
	t.Helper()
	at := time.Date(2026, time.March, 1, 9, 0, 0, 0, time.UTC)
	clock := convostore.WithClock(func() time.Time { return at })
	opts = append(opts, clock, convostore.WithMigrate(o))
	return twin{
		bothtest.Database{SQLite: true, DSN: filepath.Join(t.TempDir(), "chat.db")}.Store(t, opts...),
		bothtest.Database{DSN: pgtest.Database(t)}.Store(t, opts...),
	}
}

// wordHit is what a search says of a hit, the score to the last bit.
type wordHit struct {
	id       uuid.UUID
	score    uint64
	text     string
	marks    string
	best     uuid.UUID
	messages int64
}

func (h wordHit) number() float64 { return math.Float64frombits(h.score) }

// tb is a test, or one round of a test with random input.
type tb interface {
	require.TestingT
	Helper()
}

// ask returns the messages and the conversations that a query finds, and fails if the databases
// differ in anything.
func (w twin) ask(ctx *testing.T, t tb, of func(st store.Store) store.Scope, ask string, o store.TextOptions) (messages, threads []wordHit) {
	t.Helper()
	var all [2][2][]wordHit
	for i, st := range w {
		all[i][0] = messageHits(ctx, t, of(st), ask, o)
		all[i][1] = threadHits(ctx, t, of(st), ask, o)
	}
	require.Equal(t, all[0][0], all[1][0], "messages of %.80q on SQLite and on PostgreSQL, options %+v", ask, o)
	require.Equal(t, all[0][1], all[1][1], "conversations of %.80q on SQLite and on PostgreSQL, options %+v", ask, o)
	for _, hits := range all[0] {
		require.True(t, slices.IsSortedFunc(hits, func(a, b wordHit) int {
			return cmp.Or(cmp.Compare(b.number(), a.number()), bytes.Compare(b.id[:], a.id[:]))
		}) || o.Order == store.Newest || o.Match == store.MatchSubstring, "%.80q by score and id", ask)
	}
	return all[0][0], all[0][1]
}

func messageHits(ctx *testing.T, t tb, sc store.Scope, ask string, o store.TextOptions) (hits []wordHit) {
	t.Helper()
	page, err := sc.Search().Messages(ctx.Context(), ask, o, store.PageRequest{Limit: 500})
	require.NoError(t, err, "%.80q", ask)
	for _, h := range page.Items {
		hits = append(hits, wordHit{id: h.Message.ID, score: math.Float64bits(h.Score), text: h.Snippet.Text, marks: fmt.Sprint(h.Snippet.Matches)})
	}
	return hits
}

func threadHits(ctx *testing.T, t tb, sc store.Scope, ask string, o store.TextOptions) (hits []wordHit) {
	t.Helper()
	page, err := sc.Search().Conversations(ctx.Context(), ask, o, store.PageRequest{Limit: 500})
	require.NoError(t, err, "%.80q", ask)
	for _, h := range page.Items {
		hit := wordHit{id: h.Conversation.ID, score: math.Float64bits(h.Score), text: h.Snippet.Text, marks: fmt.Sprint(h.Snippet.Matches), messages: h.Messages}
		if h.Best != nil {
			hit.best = h.Best.ID
		}
		hits = append(hits, hit)
	}
	return hits
}

// groupUser is the user who has the texts of a group.
func groupUser(g searchtest.Group) uuid.UUID { return uuid.NewSHA1(uuid.NameSpaceURL, []byte(g.Kind)) }

// TestWordsOnBothDatabases asks every query of the table of one user, who has all texts of a
// group, and of all users: the same hits with the same scores and snippets to the last bit, and
// the scores of plain Go. The second time the texts are packed, and all users are asked too.
func TestWordsOnBothDatabases(t *testing.T) {
	t.Parallel()
	both := newTwin(t)
	ids := map[string][]uuid.UUID{}
	for _, g := range searchtest.Groups() {
		ids[g.Kind] = both.tell(t, g)
	}
	for _, packed := range []bool{false, true} {
		for _, g := range searchtest.Groups() {
			t.Run(fmt.Sprintf("%s, packed %t", g.Kind, packed), func(t *testing.T) { both.compareGroup(t, g, ids[g.Kind], packed) })
		}
		both.crowd(t, t)
	}
}

// tell writes the texts of a group and returns the ids of the messages.
func (w twin) tell(t *testing.T, g searchtest.Group) (ids []uuid.UUID) {
	t.Helper()
	for _, text := range g.Texts {
		thread, id := uuid.New(), uuid.New()
		ids = append(ids, id)
		for _, st := range w {
			require.NoError(t, st.ForUser(groupUser(g)).Conversations().Create(t.Context(), &conversation.Conversation{
				ID: thread, Subject: text.Name, Language: g.Languages[text.Name], Messages: []*message.Message{{ID: id, Role: message.RoleUser, Content: text.Value}},
			}), text.Name)
		}
	}
	return ids
}

func (w twin) compareGroup(t *testing.T, g searchtest.Group, ids []uuid.UUID, packed bool) {
	t.Helper()
	own := func(st store.Store) store.Scope { return st.ForUser(groupUser(g)) }
	everybody := func(st store.Store) store.Scope { return st.AllUsers() }
	for _, q := range g.Queries {
		o := store.TextOptions{Match: store.Match(q.How)}
		found, _ := w.ask(t, t, own, q.Ask, o)
		want := map[uuid.UUID]float64{}
		for _, hit := range searchtest.Find(g.Values(), q.Ask, q.How) {
			want[ids[hit.Text]] = hit.Score
		}
		sameScores(t, want, found, q.Ask)
		w.ask(t, t, own, q.Ask, store.TextOptions{Match: o.Match, Order: store.Newest})
		if packed {
			w.ask(t, t, everybody, q.Ask, o)
		}
	}
}

// sameScores compares with plain Go, which adds up the same numbers in another order.
func sameScores(t tb, want map[uuid.UUID]float64, got []wordHit, ask string) {
	t.Helper()
	require.Len(t, got, len(want), "hits of %.80q", ask)
	for _, hit := range got {
		score, ok := want[hit.id]
		require.True(t, ok, "%.80q finds %q", ask, hit.text)
		require.InDelta(t, score, hit.number(), 1e-12*max(1, score), "%.80q: the score of %q", ask, hit.text)
	}
}

// crowd writes so much that what was new before is packed.
func (w twin) crowd(ctx *testing.T, t tb) {
	t.Helper()
	user, thread := uuid.New(), uuid.New()
	for _, st := range w {
		c := &conversation.Conversation{ID: thread}
		for i := range 600 {
			c.Messages = append(c.Messages, &message.Message{
				ID: uuid.NewSHA1(thread, []byte{byte(i), byte(i >> 8)}), Role: message.RoleUser, Content: fmt.Sprintf("filler %d of a crowd", i),
			})
		}
		require.NoError(t, st.ForUser(user).Conversations().Create(ctx.Context(), c))
	}
}
