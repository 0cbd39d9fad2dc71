package embeddings_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/bothtest"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
)

const embedDims = 8

// embedWorld is a database with one conversation of one user.
type embedWorld struct {
	store.Store
	reopen       func() store.Store
	user         uuid.UUID
	mine         store.Embeddings
	conversation uuid.UUID
	sqlite       bool
}

// onBoth runs a test on both databases.
func onBoth(t *testing.T, test func(t *testing.T, w *embedWorld)) {
	t.Helper()
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		w := newEmbedWorld(t, d)
		w.sqlite = d.SQLite
		test(t, w)
	})
}

func newEmbedWorld(t *testing.T, d bothtest.Database) *embedWorld {
	t.Helper()
	w := &embedWorld{user: uuid.New()}
	w.reopen = func() store.Store {
		return d.Store(t, convostore.WithMigrate(migrate.Options{Dimensions: embedDims, WithoutVectorIndex: true}))
	}
	w.Store = w.reopen()
	w.mine = w.ForUser(w.user).Embeddings()
	w.conversation = w.newConversation(t, w.user)
	return w
}

func (w *embedWorld) newConversation(t *testing.T, user uuid.UUID) uuid.UUID {
	t.Helper()
	c := &conversation.Conversation{}
	require.NoError(t, w.ForUser(user).Conversations().Create(t.Context(), c))
	return c.ID
}

// add appends messages and returns their ids.
func (w *embedWorld) add(t *testing.T, contents ...string) []uuid.UUID {
	t.Helper()
	ms := make([]*message.Message, len(contents))
	for i, content := range contents {
		ms[i] = &message.Message{Role: message.RoleUser, Content: content}
	}
	_, err := w.ForUser(w.user).Messages().AppendMany(t.Context(), w.conversation, ms, store.AppendOptions{})
	require.NoError(t, err)
	ids := make([]uuid.UUID, len(ms))
	for i, m := range ms {
		ids[i] = m.ID
	}
	return ids
}

func (w *embedWorld) addMany(t *testing.T, n int) []uuid.UUID {
	t.Helper()
	contents := make([]string, n)
	for i := range contents {
		contents[i] = fmt.Sprint("message number ", i)
	}
	return w.add(t, contents...)
}

func (w *embedWorld) rows(t *testing.T, table string) (n int) {
	t.Helper()
	require.NoError(t, w.DB(t.Context()).Raw("SELECT count(*) FROM "+table).Scan(&n).Error)
	return n
}

func (w *embedWorld) missing(t *testing.T, s store.Scope, f store.EmbedFilter) (ids []uuid.UUID) {
	t.Helper()
	for m, err := range s.Embeddings().Missing(t.Context(), "m", f) {
		require.NoError(t, err)
		ids = append(ids, m.ID)
	}
	return ids
}

func vec(fs ...float32) message.Vector { return append(fs, make([]float32, embedDims-len(fs))...) }

func TestSetAndGetEmbedding(t *testing.T) {
	onBoth(t, func(t *testing.T, w *embedWorld) {
		ctx := t.Context()
		id := w.add(t, "a")[0]
		_, err := w.mine.Get(ctx, id, "m")
		require.ErrorIs(t, err, store.ErrNotEmbedded)
		for _, v := range []message.Vector{vec(1, 2), vec(-3, 0.5)} {
			require.NoError(t, w.mine.Set(ctx, id, "m", v))
			e, err := w.mine.Get(ctx, id, "m")
			require.NoError(t, err)
			assert.Equal(t, v, e.Vector)
			assert.Equal(t, []uuid.UUID{id, w.user, w.conversation}, []uuid.UUID{e.MessageID, e.UserID, e.ConversationID})
			assert.Equal(t, "m", e.Model)
			assert.WithinDuration(t, time.Now(), e.CreatedAt, time.Minute)
		}
		_, err = w.mine.Get(ctx, id, "other")
		require.ErrorIs(t, err, store.ErrNotEmbedded)
		_, err = w.mine.Get(ctx, id, "")
		require.ErrorIs(t, err, store.ErrInvalid)

		nan, inf := float32(math.NaN()), float32(math.Inf(1))
		for _, bad := range []message.Vector{nil, {1}, vec(0), vec(nan), vec(inf)} {
			require.ErrorIs(t, w.mine.Set(ctx, id, "m", bad), store.ErrInvalid)
		}
		require.ErrorIs(t, w.mine.Set(ctx, id, "", vec(1)), store.ErrInvalid)
		require.ErrorIs(t, w.mine.Set(ctx, id, strings.Repeat("m", 1025), vec(1)), store.ErrInvalid)
		require.ErrorIs(t, w.mine.Set(ctx, uuid.New(), "m", vec(1)), store.ErrNotFound)

		theirs := w.ForUser(uuid.New()).Embeddings()
		require.ErrorIs(t, theirs.Set(ctx, id, "m", vec(1)), store.ErrNotFound)
		_, err = theirs.Get(ctx, id, "m")
		require.ErrorIs(t, err, store.ErrNotFound)
		require.ErrorIs(t, w.ForUser(uuid.Nil).Embeddings().Set(ctx, id, "m", vec(1)), store.ErrInvalid)
		require.NoError(t, w.AllUsers().Embeddings().Set(ctx, id, "m", vec(9)))

		_, err = w.ForUser(w.user).Messages().Delete(ctx, id)
		require.NoError(t, err)
		require.ErrorIs(t, w.mine.Set(ctx, id, "m", vec(1)), store.ErrNotFound)
		_, err = w.mine.Get(ctx, id, "m")
		require.ErrorIs(t, err, store.ErrNotFound)
		_, err = w.ForUser(w.user).Messages().Restore(ctx, id)
		require.NoError(t, err)
		e, err := w.mine.Get(ctx, id, "m")
		require.NoError(t, err)
		assert.Equal(t, vec(9), e.Vector, "deleting keeps it")
	})
}

func TestReplacingGivesANewRowID(t *testing.T) {
	onBoth(t, func(t *testing.T, w *embedWorld) {
		if !w.sqlite {
			t.Skip("PostgreSQL has none")
		}
		id := w.add(t, "a")[0]
		var rowIDs []int64
		for range 2 {
			require.NoError(t, w.mine.Set(t.Context(), id, "m", vec(1)))
			var rowID int64
			require.NoError(t, w.DB(t.Context()).Raw("SELECT row_id FROM message_embeddings").Scan(&rowID).Error)
			rowIDs = append(rowIDs, rowID)
		}
		assert.Greater(t, rowIDs[1], rowIDs[0])
	})
}

func TestSetManyIsAllOrNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, w *embedWorld) {
		ctx := t.Context()
		var vectors []store.MessageVector
		for i, id := range w.addMany(t, 120) {
			vectors = append(vectors, store.MessageVector{MessageID: id, Vector: vec(float32(i + 1))})
		}
		require.NoError(t, w.mine.SetMany(ctx, "m", nil))
		change := func(change func(vs []store.MessageVector) []store.MessageVector) error {
			return w.mine.SetMany(ctx, "m", change(slices.Clone(vectors)))
		}
		for _, bad := range []struct {
			err    error
			index  int
			change func(vs []store.MessageVector) []store.MessageVector
		}{
			{store.ErrNotFound, 70, func(vs []store.MessageVector) []store.MessageVector {
				vs[70].MessageID = uuid.New()
				return vs
			}},
			{store.ErrInvalid, 71, func(vs []store.MessageVector) []store.MessageVector {
				vs[71].Vector = vec(0)
				return vs
			}},
			{store.ErrInvalid, 72, func(vs []store.MessageVector) []store.MessageVector {
				vs[72].MessageID = vs[3].MessageID
				return vs
			}},
		} {
			err := change(bad.change)
			require.ErrorIs(t, err, bad.err)
			var batch *store.BatchError
			require.ErrorAs(t, err, &batch)
			assert.Equal(t, bad.index, batch.Index)
		}
		require.ErrorIs(t, w.mine.SetMany(ctx, "m", make([]store.MessageVector, 10001)), store.ErrInvalid)
		assert.Zero(t, w.rows(t, "message_embeddings"))
		require.NoError(t, w.mine.SetMany(ctx, "m", vectors))
		assert.Equal(t, 120, w.rows(t, "message_embeddings"))
	})
}

func TestSetManyOfAllUsers(t *testing.T) {
	onBoth(t, func(t *testing.T, w *embedWorld) {
		ctx, all := t.Context(), w.AllUsers().Embeddings()
		other := uuid.New()
		c := w.newConversation(t, other)
		shared := uuid.New()
		for user, id := range map[uuid.UUID]uuid.UUID{w.user: w.conversation, other: c} {
			_, err := w.ForUser(user).Messages().Append(ctx, id, &message.Message{ID: shared, Role: message.RoleUser, Content: "both have this id"})
			require.NoError(t, err)
		}
		theirs := &message.Message{Role: message.RoleUser, Content: "theirs"}
		_, err := w.ForUser(other).Messages().Append(ctx, c, theirs)
		require.NoError(t, err)
		vectors := []store.MessageVector{{MessageID: theirs.ID, Vector: vec(1)}, {MessageID: w.add(t, "mine")[0], Vector: vec(2)}}
		require.NoError(t, all.SetMany(ctx, "m", vectors))
		e, err := w.ForUser(other).Embeddings().Get(ctx, theirs.ID, "m")
		require.NoError(t, err)
		assert.Equal(t, other, e.UserID)
		require.ErrorIs(t, all.SetMany(ctx, "m", append(vectors, store.MessageVector{MessageID: shared, Vector: vec(1)})), store.ErrConflict)
		require.ErrorIs(t, all.Set(ctx, shared, "m", vec(1)), store.ErrConflict)
		require.ErrorIs(t, all.SetMany(ctx, "m", append(vectors, store.MessageVector{MessageID: uuid.New(), Vector: vec(1)})), store.ErrNotFound)
		require.NoError(t, w.mine.SetMany(ctx, "m", []store.MessageVector{{MessageID: shared, Vector: vec(1)}}))
		_, err = all.Get(ctx, shared, "m")
		require.ErrorIs(t, err, store.ErrConflict)

		models, err := all.Models(ctx)
		require.NoError(t, err)
		assert.Equal(t, []store.ModelCount{{Model: "m", Vectors: 3}}, models)
		n, err := all.DropModel(ctx, "m")
		require.NoError(t, err)
		assert.EqualValues(t, 3, n)
	})
}

func TestModelsAndDropModel(t *testing.T) {
	onBoth(t, func(t *testing.T, w *embedWorld) {
		ctx := t.Context()
		models, err := w.mine.Models(ctx)
		require.NoError(t, err)
		assert.Empty(t, models)
		ids := w.addMany(t, 2100)
		for model, n := range map[string]int{"b": 2100, "a": 3, "B": 1} {
			var vectors []store.MessageVector
			for _, id := range ids[:n] {
				vectors = append(vectors, store.MessageVector{MessageID: id, Vector: vec(1)})
			}
			require.NoError(t, w.mine.SetMany(ctx, model, vectors))
		}
		models, err = w.mine.Models(ctx)
		require.NoError(t, err)
		assert.Equal(t, []store.ModelCount{{Model: "B", Vectors: 1}, {Model: "a", Vectors: 3}, {Model: "b", Vectors: 2100}}, models)
		n, err := w.ForUser(uuid.New()).Embeddings().DropModel(ctx, "b")
		require.NoError(t, err)
		assert.Zero(t, n, "another user's")
		n, err = w.mine.DropModel(ctx, "b")
		require.NoError(t, err)
		assert.EqualValues(t, 2100, n)
		n, err = w.mine.DropModel(ctx, "none")
		require.NoError(t, err)
		assert.Zero(t, n)
		assert.Equal(t, 4, w.rows(t, "message_embeddings"))
	})
}

func TestMissing(t *testing.T) {
	onBoth(t, func(t *testing.T, w *embedWorld) {
		ctx, mine, zero := t.Context(), w.ForUser(w.user), store.EmbedFilter{}
		ids := w.addMany(t, 2005)
		w.add(t, "", " \t\r\n")
		deleted := w.add(t, "deleted")[0]
		_, err := mine.Messages().Delete(ctx, deleted)
		require.NoError(t, err)
		assert.Equal(t, ids, w.missing(t, mine, zero), "oldest first, over pages")
		assert.Equal(t, ids, w.missing(t, w.AllUsers(), zero))
		require.NoError(t, w.mine.Set(ctx, ids[0], "m", vec(1)))
		require.NoError(t, w.mine.Set(ctx, ids[1], "other", vec(1)))
		assert.Equal(t, ids[1:], w.missing(t, mine, zero))
		assert.Empty(t, w.missing(t, w.ForUser(uuid.New()), zero))
		assert.Empty(t, w.missing(t, mine, store.EmbedFilter{Roles: []message.Role{message.RoleTool}}))
		assert.Empty(t, w.missing(t, mine, store.EmbedFilter{CreatedSince: time.Now().Add(time.Hour)}))
		assert.Len(t, w.missing(t, mine, store.EmbedFilter{Roles: message.Roles(), CreatedSince: time.Now().Add(-time.Hour)}), 2004)
		for _, err := range w.mine.Missing(ctx, "m", store.EmbedFilter{Roles: []message.Role{"?"}}) {
			require.ErrorIs(t, err, store.ErrInvalid)
		}
		for _, err := range w.mine.Missing(ctx, "", zero) {
			require.ErrorIs(t, err, store.ErrInvalid)
		}
		_, err = mine.Conversations().Delete(ctx, w.conversation)
		require.NoError(t, err)
		assert.Empty(t, w.missing(t, mine, zero))
	})
}

func TestEditingContentRemovesVectors(t *testing.T) {
	onBoth(t, func(t *testing.T, w *embedWorld) {
		ctx, messages := t.Context(), w.ForUser(w.user).Messages()
		ids := w.add(t, "a", "b")
		for _, id := range ids {
			require.NoError(t, w.mine.Set(ctx, id, "m", vec(1)))
			require.NoError(t, w.mine.Set(ctx, id, "n", vec(1)))
		}
		_, err := messages.Update(ctx, ids[0], store.MessageUpdate{Metadata: new(message.JSON(`{"a":1}`))})
		require.NoError(t, err)
		assert.Equal(t, 4, w.rows(t, "message_embeddings"))
		m, err := messages.Update(ctx, ids[0], store.MessageUpdate{Content: new("changed")})
		require.NoError(t, err)
		assert.Equal(t, "changed", m.Content)
		assert.Equal(t, 2, w.rows(t, "message_embeddings"))
		assert.Equal(t, ids[:1], w.missing(t, w.ForUser(w.user), store.EmbedFilter{}))
		_, err = w.AllUsers().Messages().Update(ctx, ids[1], store.MessageUpdate{Content: new("changed")})
		require.NoError(t, err)
		assert.Zero(t, w.rows(t, "message_embeddings"))
		_, err = messages.Update(ctx, uuid.New(), store.MessageUpdate{Content: new("changed")})
		require.ErrorIs(t, err, store.ErrNotFound)
	})
}

func TestMessagesBringTheirVectors(t *testing.T) {
	onBoth(t, func(t *testing.T, w *embedWorld) {
		ctx, mine := t.Context(), w.ForUser(w.user)
		with := func(key string, v message.Vector) *message.Message {
			m := &message.Message{Role: message.RoleUser, Content: key, IdempotencyKey: key}
			require.NoError(t, m.SetEmbedding("m", v))
			require.NoError(t, m.SetEmbedding("n", v))
			return m
		}
		stored := 0
		assertStored := func(more int, m *message.Message) {
			t.Helper()
			stored += more
			assert.Equal(t, stored, w.rows(t, "message_embeddings"))
			e, err := w.mine.Get(ctx, m.ID, "m")
			require.NoError(t, err)
			assert.Equal(t, m.ConversationID, e.ConversationID)
		}
		for i, want := range []bool{true, false} {
			m := with("one", vec(1))
			created, err := mine.Messages().Append(ctx, w.conversation, m)
			require.NoError(t, err)
			assert.Equal(t, want, created)
			assertStored(2*(1-i), m)
		}
		many := []*message.Message{with("one", vec(2)), with("two", vec(1)), {Role: message.RoleUser, Content: "without"}, with("two", vec(3))}
		_, err := mine.Messages().AppendMany(ctx, w.conversation, many, store.AppendOptions{})
		require.NoError(t, err)
		assertStored(2, many[1])

		c := &conversation.Conversation{Messages: []*message.Message{with("three", vec(1))}}
		require.NoError(t, mine.Conversations().Create(ctx, c))
		assertStored(2, c.Messages[0])

		m := with("four", vec(1))
		m.ConversationID = c.ID
		_, err = w.AllUsers().Messages().Import(ctx, func(yield func(*message.Message, error) bool) { yield(m, nil) }, store.ImportOptions{})
		require.NoError(t, err)
		assertStored(2, m)

		bad := &message.Message{Role: message.RoleUser, Content: "too short a vector", IdempotencyKey: "five"}
		require.NoError(t, bad.SetEmbedding("m", message.Vector{1}))
		_, err = mine.Messages().Append(ctx, c.ID, bad)
		require.ErrorIs(t, err, store.ErrInvalid)
		_, err = mine.Messages().AppendMany(ctx, c.ID, []*message.Message{with("six", vec(1)), bad}, store.AppendOptions{})
		require.ErrorIs(t, err, store.ErrInvalid)
		twice := with("seven", vec(1))
		twice.Embeddings[1].Model = "m"
		_, err = mine.Messages().Append(ctx, c.ID, twice)
		require.ErrorIs(t, err, store.ErrInvalid)
		assertStored(0, m)
		last, err := mine.Messages().Last(ctx, c.ID, 1)
		require.NoError(t, err)
		assert.Equal(t, "four", last[0].Content, "the message is not there without its vector")
	})
}
