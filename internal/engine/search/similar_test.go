package search_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/pgtest"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/postgres"
	"github.com/convostore/convostore/store/sqlite"
)

const (
	simDims, simModel = 64, "model-a"
	// For all users there are enough vectors that SQLite goes by their codes; for one user it
	// compares all vectors.
	simMessages, simThread = 2200, 5
)

// simWorld is a store and all that is in its database, so that a test can find the nearest by
// comparing everything.
type simWorld struct {
	st      store.Store
	rand    *rand.Rand
	centers []message.Vector
	users   []uuid.UUID
	threads map[uuid.UUID]*conversation.Conversation
	all     []*simMessage
}

type simMessage struct {
	*message.Message
	vector message.Vector
	gone   bool
}

func simOptions() convostore.Option {
	return convostore.WithMigrate(migrate.Options{Dimensions: simDims})
}

func TestSimilarSQLite(t *testing.T) {
	t.Parallel()
	memory := []convostore.Option{convostore.WithCodesInMemory()}
	for name, opts := range map[string][]convostore.Option{"file": nil, "codes in memory": memory, "trained": nil, "trained in memory": memory} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "similar.db")
			open := func(opts ...convostore.Option) store.Store {
				st, err := sqlite.Open(t.Context(), path, append(opts, simOptions())...)
				require.NoError(t, err)
				t.Cleanup(func() { assert.NoError(t, st.Close()) })
				return st
			}
			w := newSimWorld(t, open(opts...))
			if strings.HasPrefix(name, "trained") {
				w.train(t)
			}
			w.check(t)
			w.checkOthersWrites(t, open())
		})
	}
}

func TestSimilarPostgres(t *testing.T) {
	t.Parallel()
	st, err := postgres.Open(t.Context(), pgtest.Database(t), simOptions())
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, st.Close()) })
	w := newSimWorld(t, st)
	// Until it has statistics, a server that was just filled plans for almost empty tables,
	// and the searches below take minutes.
	require.NoError(t, st.DB(t.Context()).Exec("ANALYZE").Error)
	w.check(t)
	w.checkOthersWrites(t, st)
	w.checkSettings(t)
}

func TestSimilarPostgresHalf(t *testing.T) {
	t.Parallel()
	st, err := postgres.Open(t.Context(), pgtest.Database(t), convostore.WithMigrate(migrate.Options{Dimensions: 2048}))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, st.Close()) })
	user := uuid.New()
	c := &conversation.Conversation{Messages: []*message.Message{{Role: message.RoleUser, Content: "one"}, {Role: message.RoleUser, Content: "two"}}}
	require.NoError(t, st.ForUser(user).Conversations().Create(t.Context(), c))
	v := make(message.Vector, 2048)
	for i, m := range c.Messages {
		v[0], v[1] = 1, float32(i)
		require.NoError(t, st.DB(t.Context()).Create(&message.Embedding{
			MessageID: m.ID, UserID: user, Model: simModel, ConversationID: c.ID, Vector: v,
		}).Error)
	}
	for _, mode := range []store.SimilarMode{store.SearchExact, store.SearchApproximate} {
		got, err := st.ForUser(user).Search().SimilarMessages(t.Context(), store.SimilarTo{Vector: v}, store.SimilarOptions{Model: simModel, Mode: mode})
		require.NoError(t, err)
		require.Len(t, got.Hits, 2)
		assert.Equal(t, c.Messages[1].ID, got.Hits[0].Message.ID)
		assert.InDelta(t, math.Sqrt2/2, got.Hits[1].Similarity, 1e-3)
	}
	_, err = st.ForUser(user).Search().MoreLike(t.Context(), c.Messages[0].ID, store.SimilarOptions{Model: simModel})
	require.NoError(t, err)
}

func newSimWorld(t *testing.T, st store.Store) *simWorld {
	t.Helper()
	w := &simWorld{st: st, rand: rand.New(rand.NewPCG(1, 2)), threads: map[uuid.UUID]*conversation.Conversation{}}
	w.users = []uuid.UUID{uuid.New(), uuid.New(), uuid.New()}
	for range 30 {
		w.centers = append(w.centers, w.noise(1))
	}
	now := message.Now()
	var threads []*conversation.Conversation
	statuses := []conversation.Status{conversation.StatusActive, conversation.StatusNeedsReply, conversation.StatusWaiting}
	roles := []message.Role{message.RoleUser, message.RoleAssistant, message.RoleTool}
	for i := range simMessages / simThread {
		c := &conversation.Conversation{
			ID: uuid.New(), UserID: w.users[(i+1)%6/2], LeadID: fmt.Sprint("lead ", i%50), Status: statuses[i/7%len(statuses)], LastSeq: simThread,
		}
		if i%2 == 0 {
			c.UserID = w.users[0]
		}
		c.Normalize(now)
		w.threads[c.ID] = c
		threads = append(threads, c)
		for seq := range simThread {
			m := &message.Message{
				ID: uuid.New(), UserID: c.UserID, ConversationID: c.ID, Seq: int64(seq + 1), Role: roles[seq%len(roles)],
				Content: fmt.Sprintf("message %d of %d", seq, i), SentAt: now.Add(-time.Duration(i) * time.Minute),
			}
			m.Normalize(now)
			w.all = append(w.all, &simMessage{Message: m, vector: w.vector()})
		}
	}
	require.NoError(t, st.DB(t.Context()).CreateInBatches(threads, 200).Error)
	w.insert(t, w.all)
	return w
}

func (w *simWorld) insert(t *testing.T, ms []*simMessage) {
	t.Helper()
	for part := range slices.Chunk(ms, 500) {
		var rows []*message.Message
		var vectors []*message.Embedding
		for _, m := range part {
			rows = append(rows, m.Message)
			vectors = append(vectors, m.embedding())
		}
		require.NoError(t, w.st.DB(t.Context()).Create(rows).Error)
		require.NoError(t, w.st.DB(t.Context()).Create(vectors).Error)
	}
}

func (m *simMessage) embedding() *message.Embedding {
	return &message.Embedding{MessageID: m.ID, UserID: m.UserID, Model: simModel, ConversationID: m.ConversationID, Vector: m.vector}
}

func (w *simWorld) noise(size float64) message.Vector {
	v := make(message.Vector, simDims)
	for i := range v {
		v[i] = float32(w.rand.NormFloat64() * size)
	}
	return v
}

func (w *simWorld) vector() message.Vector {
	v := w.noise(0.4)
	for i, x := range w.centers[w.rand.IntN(len(w.centers))] {
		v[i] += x
	}
	return v
}

type simHit struct {
	*simMessage
	similarity float64
}

// nearest compares all messages of a user, or of all users if user is uuid.Nil, for which keep,
// if given, returns true.
func (w *simWorld) nearest(user uuid.UUID, v message.Vector, least float64, keep func(*simMessage) bool) []simHit {
	var hits []simHit
	for _, m := range w.all {
		if m.gone || (user != uuid.Nil && m.UserID != user) || (keep != nil && !keep(m)) {
			continue
		}
		var dot, a, b float64
		for i, x := range m.vector {
			dot, a, b = dot+float64(x*v[i]), a+float64(x*x), b+float64(v[i]*v[i])
		}
		if s := dot / math.Sqrt(a*b); least == 0 || s >= least {
			hits = append(hits, simHit{m, s})
		}
	}
	slices.SortFunc(hits, func(a, b simHit) int {
		return cmp.Or(cmp.Compare(b.similarity, a.similarity), bytes.Compare(a.ID[:], b.ID[:]))
	})
	return hits
}

func (w *simWorld) scope(user uuid.UUID) store.Scope {
	if user == uuid.Nil {
		return w.st.AllUsers()
	}
	return w.st.ForUser(user)
}

// compare searches for v and returns the recall: the share of the true hits that came back.
func (w *simWorld) compare(t *testing.T, user uuid.UUID, v message.Vector, o store.SimilarOptions, keep func(*simMessage) bool) float64 {
	t.Helper()
	o.Model = simModel
	want := w.nearest(user, v, o.MinSimilarity, keep)
	want = want[:min(cmp.Or(o.Limit, store.DefaultSimilar), len(want))]
	got, err := w.scope(user).Search().SimilarMessages(t.Context(), store.SimilarTo{Vector: v}, o)
	require.NoError(t, err)
	require.NotNil(t, got.Hits)
	require.LessOrEqual(t, len(got.Hits), len(want))
	found := 0
	for i, h := range got.Hits {
		if got.Exact {
			require.InDelta(t, want[i].similarity, h.Similarity, 1e-5)
		}
		if i > 0 {
			require.LessOrEqual(t, h.Similarity, got.Hits[i-1].Similarity)
		}
		require.Equal(t, h.Message.ConversationID, h.Conversation.ID)
		if slices.ContainsFunc(want, func(s simHit) bool { return s.ID == h.Message.ID }) {
			found++
		}
	}
	if got.Exact || o.Mode == store.SearchAuto {
		require.Len(t, got.Hits, len(want))
	}
	if got.Exact {
		require.Equal(t, len(want), found)
	}
	if o.Mode == store.SearchExact {
		require.True(t, got.Exact)
	}
	if len(want) == 0 {
		return 1
	}
	return float64(found) / float64(len(want))
}

func (w *simWorld) check(t *testing.T) {
	t.Helper()
	w.remove(t)
	w.checkNearest(t)
	w.checkFilters(t)
	w.checkConversations(t)
	w.checkMoreLike(t)
	w.checkHybrid(t)
	w.checkRefusals(t)
	w.checkTies(t)
}

// remove deletes some messages and conversations, and restores some of them.
func (w *simWorld) remove(t *testing.T) {
	t.Helper()
	all := w.st.AllUsers()
	for i, m := range w.all {
		switch {
		case i%70 == 0: // some of the other messages are in these
			_, err := all.Conversations().Delete(t.Context(), m.ConversationID)
			require.NoError(t, err)
			if i%140 == 0 {
				_, err = all.Conversations().Restore(t.Context(), m.ConversationID)
				require.NoError(t, err)
				continue
			}
			for _, other := range w.all[i : i+simThread] {
				other.gone = true
			}
		case i%31 == 0 && !m.gone:
			_, err := all.Messages().Delete(t.Context(), m.ID)
			require.NoError(t, err)
			m.gone = true
		}
	}
	w.readStatuses(t)
}

// readStatuses takes over what the database has, since a deletion moves the status of a
// conversation. What it moves to is no matter of search.
func (w *simWorld) readStatuses(t *testing.T) {
	t.Helper()
	var rows []*conversation.Conversation
	require.NoError(t, w.st.DB(t.Context()).Select("id", "status").Find(&rows).Error)
	for _, row := range rows {
		w.threads[row.ID].Status = row.Status
	}
}

func (w *simWorld) checkNearest(t *testing.T) {
	t.Helper()
	recall, n := 0.0, 0
	for _, user := range append([]uuid.UUID{uuid.Nil}, w.users...) {
		for range 2 {
			v := w.vector()
			for _, limit := range []int{0, 1, 200} {
				w.compare(t, user, v, store.SimilarOptions{Mode: store.SearchExact, Limit: limit}, nil)
				w.compare(t, user, v, store.SimilarOptions{Mode: store.SearchExact, Limit: limit, MinSimilarity: 0.6}, nil)
			}
			recall += w.compare(t, user, v, store.SimilarOptions{Mode: store.SearchApproximate}, nil)
			recall += w.compare(t, user, v, store.SimilarOptions{}, nil)
			n += 2
		}
	}
	t.Logf("recall %.3f", recall/float64(n))
	assert.Greater(t, recall/float64(n), 0.95)
	few, err := w.st.AllUsers().Search().SimilarMessages(t.Context(), store.SimilarTo{Vector: w.vector()},
		store.SimilarOptions{Model: simModel, Mode: store.SearchApproximate, Candidates: 1, Limit: 20, MinSimilarity: 0.999})
	require.NoError(t, err)
	assert.False(t, few.Exact)
}

func (w *simWorld) checkFilters(t *testing.T) {
	t.Helper()
	m := w.all[7]
	half := m.SentAt.Add(-4 * time.Hour)
	filters := map[string]struct {
		filter store.SearchFilter
		keep   func(*simMessage) bool
	}{
		"conversation": {store.SearchFilter{ConversationID: m.ConversationID}, func(s *simMessage) bool { return s.ConversationID == m.ConversationID }},
		"lead":         {store.SearchFilter{LeadID: "lead 7"}, func(s *simMessage) bool { return w.threads[s.ConversationID].LeadID == "lead 7" }},
		"status": {store.SearchFilter{Statuses: []conversation.Status{conversation.StatusWaiting}}, func(s *simMessage) bool {
			return w.threads[s.ConversationID].Status == conversation.StatusWaiting
		}},
		"roles":     {store.SearchFilter{Roles: []message.Role{message.RoleTool, message.RoleUser}}, func(s *simMessage) bool { return s.Role != message.RoleAssistant }},
		"direction": {store.SearchFilter{Direction: message.DirectionOutbound}, func(s *simMessage) bool { return s.Direction == message.DirectionOutbound }},
		"time":      {store.SearchFilter{SentSince: half}, func(s *simMessage) bool { return !s.SentAt.Before(half) }},
		"nothing":   {store.SearchFilter{SentBefore: half, SentSince: half}, func(*simMessage) bool { return false }},
	}
	for name, f := range filters {
		for _, user := range []uuid.UUID{uuid.Nil, w.users[0], w.users[1]} {
			for _, mode := range []store.SimilarMode{store.SearchExact, store.SearchAuto, store.SearchApproximate} {
				o := store.SimilarOptions{Filter: f.filter, Mode: mode, Limit: 20}
				recall := w.compare(t, user, w.vector(), o, f.keep)
				if mode != store.SearchApproximate {
					assert.Greater(t, recall, 0.9, name)
				}
			}
		}
	}
}

func (w *simWorld) checkConversations(t *testing.T) {
	t.Helper()
	for _, user := range []uuid.UUID{uuid.Nil, w.users[0], w.users[2]} {
		for _, least := range []float64{0, 0.3} {
			v := w.vector()
			var order []simHit
			counts := map[uuid.UUID]int64{}
			for _, h := range w.nearest(user, v, least, func(m *simMessage) bool { return m.Role == message.RoleUser }) {
				if counts[h.ConversationID]++; counts[h.ConversationID] == 1 {
					order = append(order, h)
				}
			}
			got, err := w.scope(user).Search().SimilarConversations(t.Context(), store.SimilarTo{Vector: v}, store.SimilarOptions{
				Model: simModel, MinSimilarity: least, Limit: 30, Mode: store.SearchExact,
				Filter: store.SearchFilter{Roles: []message.Role{message.RoleUser}},
			})
			require.NoError(t, err)
			require.Len(t, got.Hits, min(30, len(order)))
			for i, h := range got.Hits {
				assert.Equal(t, order[i].ID, h.Best.ID)
				assert.Equal(t, order[i].ConversationID, h.Conversation.ID)
				assert.Equal(t, counts[h.Conversation.ID], h.Relevant)
			}
		}
	}
	none, err := w.st.ForUser(uuid.New()).Search().SimilarConversations(t.Context(), store.SimilarTo{Vector: w.vector()}, store.SimilarOptions{Model: simModel})
	require.NoError(t, err)
	text, err := json.Marshal(none)
	require.NoError(t, err)
	assert.JSONEq(t, `{"hits":[],"model":"model-a","exact":true,"short":false}`, string(text))
}

func (w *simWorld) checkMoreLike(t *testing.T) {
	t.Helper()
	m := w.all[slices.IndexFunc(w.all, func(m *simMessage) bool { return !m.gone })]
	for _, scope := range []uuid.UUID{uuid.Nil, m.UserID} {
		got, err := w.scope(scope).Search().MoreLike(t.Context(), m.ID, store.SimilarOptions{Model: simModel, Limit: 3, Mode: store.SearchExact})
		require.NoError(t, err)
		want := w.nearest(scope, m.vector, 0, func(other *simMessage) bool { return other != m })
		require.Len(t, got.Hits, 3)
		for i, h := range got.Hits {
			assert.Equal(t, want[i].ID, h.Message.ID)
		}
	}
	mine := w.st.ForUser(m.UserID)
	_, err := mine.Search().MoreLike(t.Context(), m.ID, store.SimilarOptions{Model: "model-b"})
	require.ErrorIs(t, err, store.ErrNotEmbedded)
	_, err = w.st.ForUser(uuid.New()).Search().MoreLike(t.Context(), m.ID, store.SimilarOptions{Model: simModel})
	require.ErrorIs(t, err, store.ErrNotFound)
}

// checkTies searches among copies of one vector, which come in the order of ids.
func (w *simWorld) checkTies(t *testing.T) {
	t.Helper()
	c, v := &conversation.Conversation{ID: uuid.New(), UserID: w.users[2], LastSeq: 30}, w.vector()
	c.Normalize(message.Now())
	require.NoError(t, w.st.DB(t.Context()).Create(c).Error)
	w.threads[c.ID] = c
	var same []*simMessage
	for i := range 30 {
		m := &message.Message{ID: uuid.New(), UserID: c.UserID, ConversationID: c.ID, Seq: int64(i + 1), Role: message.RoleUser, Content: "same"}
		m.Normalize(message.Now())
		same = append(same, &simMessage{Message: m, vector: v})
	}
	w.insert(t, same)
	w.all = append(w.all, same...)
	slices.SortFunc(same, func(a, b *simMessage) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	got, err := w.st.ForUser(c.UserID).Search().SimilarMessages(t.Context(), store.SimilarTo{Vector: v}, store.SimilarOptions{Model: simModel, Mode: store.SearchExact})
	require.NoError(t, err)
	for i, h := range got.Hits {
		assert.Equal(t, same[i].ID, h.Message.ID)
	}
}

// checkOthersWrites changes vectors through another handle, which must not leave the search
// with an outdated copy in memory.
func (w *simWorld) checkOthersWrites(t *testing.T, other store.Store) {
	t.Helper()
	ctx, v := t.Context(), w.vector()
	first := func() uuid.UUID {
		got, err := w.st.AllUsers().Search().SimilarMessages(ctx, store.SimilarTo{Vector: v}, store.SimilarOptions{Model: simModel, Limit: 1})
		require.NoError(t, err)
		require.Len(t, got.Hits, 1)
		return got.Hits[0].Message.ID
	}
	live := slices.Collect(func(yield func(*simMessage) bool) {
		for _, m := range w.all {
			if !m.gone && !yield(m) {
				return
			}
		}
	})
	a, b := live[0], live[1]
	require.NotEqual(t, a.ID, first())
	replace := func(m *simMessage, v message.Vector) {
		m.vector = v
		require.NoError(t, other.DB(ctx).Where("message_id = ?", m.ID).Delete(&message.Embedding{}).Error)
		require.NoError(t, other.DB(ctx).Create(m.embedding()).Error)
	}
	replace(a, v)
	assert.Equal(t, a.ID, first(), "a vector that was replaced")
	replace(a, w.vector())
	replace(b, v)
	assert.Equal(t, b.ID, first(), "the old vector is gone")
	_, err := other.AllUsers().Conversations().Erase(ctx, b.ConversationID)
	require.NoError(t, err)
	for _, m := range w.all {
		m.gone = m.gone || m.ConversationID == b.ConversationID
	}
	assert.NotEqual(t, b.ID, first())
	_, err = w.st.AllUsers().Conversations().Erase(ctx, live[200].ConversationID)
	require.NoError(t, err)
	for _, m := range w.all {
		m.gone = m.gone || m.ConversationID == live[200].ConversationID
	}
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range 5 {
				_, err := w.st.AllUsers().Search().SimilarMessages(ctx, store.SimilarTo{Vector: v}, store.SimilarOptions{Model: simModel})
				assert.NoError(t, err)
			}
		})
	}
	group.Wait()
	for range 5 {
		assert.Greater(t, w.compare(t, uuid.Nil, w.vector(), store.SimilarOptions{}, nil), 0.9)
	}
	w.checkTransaction(t)
}

// checkTransaction: a transaction finds its own vectors, and nobody finds them after a rollback.
func (w *simWorld) checkTransaction(t *testing.T) {
	t.Helper()
	m, v := w.all[len(w.all)-1], w.vector()
	o := store.SimilarOptions{Model: simModel, Limit: 1, Mode: store.SearchApproximate}
	undo := fmt.Errorf("undo")
	err := w.st.Transaction(t.Context(), func(tx store.Store) error {
		db := tx.DB(t.Context())
		require.NoError(t, db.Where("message_id = ?", m.ID).Delete(&message.Embedding{}).Error)
		require.NoError(t, db.Create((&simMessage{Message: m.Message, vector: v}).embedding()).Error)
		got, err := tx.AllUsers().Search().SimilarMessages(t.Context(), store.SimilarTo{Vector: v}, o)
		require.NoError(t, err)
		require.Len(t, got.Hits, 1)
		assert.Equal(t, m.ID, got.Hits[0].Message.ID)
		return undo
	})
	require.ErrorIs(t, err, undo)
	got, err := w.st.AllUsers().Search().SimilarMessages(t.Context(), store.SimilarTo{Vector: v}, o)
	require.NoError(t, err)
	assert.Less(t, got.Hits[0].Similarity, 0.999)
}

// checkSettings: a search in the host's transaction leaves the host's settings alone.
func (w *simWorld) checkSettings(t *testing.T) {
	t.Helper()
	show := func(db *gorm.DB) (ef string) {
		require.NoError(t, db.Raw("SELECT current_setting('hnsw.ef_search') || ' ' || current_setting('hnsw.iterative_scan')").Row().Scan(&ef))
		return ef
	}
	o := store.SimilarOptions{Model: simModel, Mode: store.SearchApproximate, Candidates: 77}
	require.NoError(t, w.st.DB(t.Context()).Transaction(func(tx *gorm.DB) error {
		require.NoError(t, tx.Exec("SET LOCAL hnsw.ef_search = 123").Error)
		for range 2 {
			got, err := w.st.WithTx(tx).AllUsers().Search().SimilarMessages(t.Context(), store.SimilarTo{Vector: w.vector()}, o)
			require.NoError(t, err)
			require.Len(t, got.Hits, 10)
		}
		assert.Equal(t, "123 off", show(tx))
		return nil
	}))
}
