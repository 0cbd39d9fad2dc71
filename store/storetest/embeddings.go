package storetest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/naming"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

func embeddingTests() subtests {
	return subtests{
		"EmbeddingsSet":      testEmbeddingsSet,
		"EmbeddingsSetMany":  testEmbeddingsSetMany,
		"EmbeddingsRefuse":   testEmbeddingsRefuse,
		"EmbeddingsAppended": testEmbeddingsAppended,
		"EmbeddingsEdited":   testEmbeddingsEdited,
		"EmbeddingsMissing":  testEmbeddingsMissing,
		"EmbeddingsModels":   testEmbeddingsModels,
		"EmbeddingsTrain":    testEmbeddingsTrain,
	}
}

// vector is that of model m.
func (w *world) vector(t testing.TB, m *message.Message) message.Vector {
	t.Helper()
	e, err := w.mine.Embeddings().Get(t.Context(), m.ID, "m")
	require.NoError(t, err)
	require.Equal(t, []any{m.ID, m.UserID, m.ConversationID, "m"}, []any{e.MessageID, e.UserID, e.ConversationID, e.Model})
	isUTC(t, e.CreatedAt)
	return e.Vector
}

func testEmbeddingsSet(t *testing.T, w *world) {
	ctx, role := t.Context(), w.mine.Embeddings()
	c := w.conversation(t)
	m := w.append(t, c, text("a"))
	_, err := role.Get(ctx, m.ID, "m")
	require.ErrorIs(t, err, store.ErrNotEmbedded)
	missing[*message.Embedding](t)(role.Get(ctx, uuid.New(), "m"))
	v := axis(1)
	v[7], v[8] = -0.25, 1e-9
	require.NoError(t, role.Set(ctx, m.ID, "m", v))
	require.Equal(t, v, w.vector(t, m), "bit by bit")
	require.NoError(t, role.Set(ctx, m.ID, "m", axis(2)))
	require.Equal(t, axis(2), w.vector(t, m), "replaced")
	require.EqualValues(t, 1, w.counts(t).Embeddings)
	require.NoError(t, w.st.AllUsers().Embeddings().Set(ctx, m.ID, "m", axis(3)))
	require.Equal(t, axis(3), w.vector(t, m))
	require.ErrorIs(t, w.other().Embeddings().Set(ctx, m.ID, "m", axis(4)), store.ErrNotFound)
	w.deleteMessage(t, m)
	require.ErrorIs(t, role.Set(ctx, m.ID, "m", axis(4)), store.ErrNotFound)
	missing[*message.Embedding](t)(role.Get(ctx, m.ID, "m"))
	must[*message.Message](t)(w.mine.Messages().Restore(ctx, m.ID))
	require.Equal(t, axis(3), w.vector(t, m), "kept for the restore")
	w.delete(t, c)
	require.ErrorIs(t, role.Set(ctx, m.ID, "m", axis(4)), store.ErrNotFound)
}

func testEmbeddingsSetMany(t *testing.T, w *world) {
	ctx, role := t.Context(), w.mine.Embeddings()
	require.NoError(t, role.SetMany(ctx, "m", nil))
	c := w.thread(t, 120)
	var vectors []store.MessageVector
	for i, m := range c.Messages {
		vectors = append(vectors, store.MessageVector{MessageID: m.ID, Vector: axis(i)})
	}
	require.NoError(t, role.SetMany(ctx, "m", vectors))
	for i, m := range c.Messages {
		require.Equal(t, axis(i), w.vector(t, m))
	}
	for i, bad := range map[int]store.MessageVector{
		0: {MessageID: uuid.New(), Vector: axis(1)}, 60: {MessageID: uuid.New(), Vector: axis(1)},
		119: {MessageID: c.Messages[119].ID, Vector: message.Vector{1}},
	} {
		broken := append([]store.MessageVector{}, vectors...)
		for j := range broken {
			broken[j].Vector = axis(500)
		}
		broken[i] = bad
		err := role.SetMany(ctx, "m", broken)
		var batch *store.BatchError
		require.ErrorAs(t, err, &batch)
		require.Equal(t, i, batch.Index)
		require.Equal(t, axis(0), w.vector(t, c.Messages[0]), "all or nothing")
	}
	twice := []store.MessageVector{vectors[0], vectors[1], vectors[0]}
	require.ErrorIs(t, role.SetMany(ctx, "m", twice), store.ErrInvalid)
	require.ErrorIs(t, role.SetMany(ctx, "m", make([]store.MessageVector, 10_001)), store.ErrInvalid)
	require.ErrorIs(t, w.other().Embeddings().SetMany(ctx, "m", vectors), store.ErrNotFound)
}

func testEmbeddingsRefuse(t *testing.T, w *world) {
	ctx, role := t.Context(), w.mine.Embeddings()
	m := w.append(t, w.conversation(t), text("a"))
	for _, v := range []message.Vector{nil, {1}, make(message.Vector, dimensions), append(axis(0), 1)} {
		invalid(t, role.Set(ctx, m.ID, "m", v), "embedding")
	}
	for _, model := range []string{"", "a\x00", "\xff"} {
		invalid(t, role.Set(ctx, m.ID, model, axis(0)), "model")
		invalid(t, role.SetMany(ctx, model, []store.MessageVector{{MessageID: m.ID, Vector: axis(0)}}), "model")
		_, err := role.Get(ctx, m.ID, model)
		invalid(t, err, "model")
		_, err = role.DropModel(ctx, model)
		invalid(t, err, "model")
		_, err = collect(role.Missing(ctx, model, store.EmbedFilter{}))
		invalid(t, err, "model")
		_, err = role.ListSetAside(ctx, model, store.PageRequest{})
		invalid(t, err, "model")
		_, err = role.RetrySetAside(ctx, model, nil)
		invalid(t, err, "model")
	}
	_, err := collect(role.Missing(ctx, "m", store.EmbedFilter{Roles: []message.Role{"x"}}))
	invalid(t, err, "roles")
	_, err = role.RetrySetAside(ctx, "m", make([]uuid.UUID, 10_001))
	invalid(t, err, "message_ids")
	_, err = role.ListSetAside(ctx, "m", store.PageRequest{Limit: -1})
	invalid(t, err, "limit")
	require.Zero(t, w.counts(t).Embeddings)
}

// testEmbeddingsAppended: a vector that is set on a message is stored with it.
func testEmbeddingsAppended(t *testing.T, w *world) {
	ctx := t.Context()
	c := w.conversation(t)
	with := func(content string, i int) *message.Message {
		m := text(content)
		m.IdempotencyKey = content
		require.NoError(t, m.SetEmbedding("m", axis(i)))
		return m
	}
	one := w.append(t, c, with("one", 1))
	require.Equal(t, axis(1), w.vector(t, one))
	many := []*message.Message{with("two", 2), text("none"), with("three", 3)}
	must[[]bool](t)(w.mine.Messages().AppendMany(ctx, c.ID, many, store.AppendOptions{}))
	require.Equal(t, axis(3), w.vector(t, many[2]))
	imported := with("four", 4)
	imported.ConversationID = c.ID
	must[store.ImportResult](t)(w.mine.Messages().Import(ctx, rowsOf(imported), store.ImportOptions{}))
	require.Equal(t, axis(4), w.vector(t, imported))
	created := w.create(t, &conversation.Conversation{Messages: []*message.Message{with("five", 5)}})
	require.Equal(t, axis(5), w.vector(t, created.Messages[0]))
	w.unchanged(t, func() {
		again := with("one", 9)
		isNew, err := w.mine.Messages().Append(ctx, c.ID, again)
		require.NoError(t, err)
		require.False(t, isNew)
		short := text("six")
		require.NoError(t, short.SetEmbedding("m", message.Vector{1}))
		_, err = w.mine.Messages().Append(ctx, c.ID, short)
		invalid(t, err, "embedding")
	})
	require.Equal(t, axis(1), w.vector(t, one), "a redelivery changes nothing")
}

func testEmbeddingsEdited(t *testing.T, w *world) {
	ctx := t.Context()
	c := w.conversation(t)
	m, other := w.append(t, c, text("a")), w.append(t, c, text("b"))
	w.setVector(t, m, "m", axis(1))
	w.setVector(t, m, "n", axis(2))
	w.setVector(t, other, "m", axis(3))
	must[*message.Message](t)(w.mine.Messages().Update(ctx, m.ID, store.MessageUpdate{Metadata: new(message.JSON(`{}`))}))
	require.EqualValues(t, 3, w.counts(t).Embeddings)
	must[*message.Message](t)(w.mine.Messages().Update(ctx, m.ID, store.MessageUpdate{Content: new("changed")}))
	require.EqualValues(t, 1, w.counts(t).Embeddings, "every model's, of this message alone")
	require.Equal(t, []string{"changed"}, w.missing(t, "m", store.EmbedFilter{}))
}

// testEmbeddingsTrain: a training of few vectors is none, on either database, and nothing that
// others would notice.
func testEmbeddingsTrain(t *testing.T, w *world) {
	ctx, all := t.Context(), w.st.AllUsers().Embeddings()
	c := w.thread(t, 3)
	for i, m := range c.Messages {
		w.setVector(t, m, "m", axis(i))
	}
	_, err := w.mine.Embeddings().Train(ctx, "m", store.TrainOptions{})
	invalid(t, err, "scope")
	_, err = w.mine.Embeddings().Trainings(ctx)
	invalid(t, err, "scope")
	require.NoError(t, w.st.Transaction(ctx, func(tx store.Store) error {
		_, err := tx.AllUsers().Embeddings().Train(ctx, "m", store.TrainOptions{})
		invalid(t, err, "transaction")
		return nil
	}))
	if w.inTx(t) {
		return
	}
	for _, lists := range []int{-1, store.MaxLists + 1} {
		_, err = all.Train(ctx, "m", store.TrainOptions{Lists: lists})
		invalid(t, err, "lists")
	}
	for _, model := range []string{"", "a\x00", "\xff"} {
		_, err = all.Train(ctx, model, store.TrainOptions{})
		invalid(t, err, "model")
	}
	_, err = all.Train(canceled(t), "m", store.TrainOptions{})
	require.Error(t, err)
	for _, model := range []string{"m", "none"} {
		got, err := all.Train(ctx, model, store.TrainOptions{Lists: 2})
		require.NoError(t, err)
		require.Equal(t, store.Training{Model: model}, got)
	}
	trainings, err := all.Trainings(ctx)
	require.NoError(t, err)
	require.Empty(t, trainings)
	require.Len(t, w.near(t, "m", axis(0)), 1)
}

func (w *world) missing(t testing.TB, model string, f store.EmbedFilter) []string {
	t.Helper()
	ms, err := collect(w.mine.Embeddings().Missing(t.Context(), model, f))
	require.NoError(t, err)
	return contents(ms)
}

func testEmbeddingsMissing(t *testing.T, w *world) {
	ctx := t.Context()
	c := w.conversation(t)
	first := w.append(t, c, text("first"))
	w.tick()
	w.append(t, c, &message.Message{Role: message.RoleTool, Content: "tool"})
	w.append(t, c, text(" \t\r\n"))
	w.append(t, c, text(""))
	since := w.tick()
	w.append(t, c, text("last"))
	hidden := w.append(t, c, text("hidden"))
	w.deleteMessage(t, hidden)
	gone := w.thread(t, 1)
	w.delete(t, gone)
	require.Equal(t, []string{"first", "tool", "last"}, w.missing(t, "m", store.EmbedFilter{}))
	require.Equal(t, []string{"first", "last"}, w.missing(t, "m", store.EmbedFilter{Roles: []message.Role{message.RoleUser}}))
	require.Equal(t, []string{"last"}, w.missing(t, "m", store.EmbedFilter{CreatedSince: since}))
	w.setVector(t, first, "m", axis(1))
	require.Equal(t, []string{"tool", "last"}, w.missing(t, "m", store.EmbedFilter{}))
	require.Equal(t, []string{"first", "tool", "last"}, w.missing(t, "other", store.EmbedFilter{}))
	_, err := collect(w.mine.Embeddings().Missing(canceled(t), "m", store.EmbedFilter{}))
	require.Error(t, err)
	walksWell(t, w.mine.Embeddings().Missing(ctx, "m", store.EmbedFilter{}), w.mine.Embeddings().Missing(canceled(t), "m", store.EmbedFilter{}),
		func() { w.append(t, c, text("meanwhile")) })
}

func testEmbeddingsModels(t *testing.T, w *world) {
	ctx, role := t.Context(), w.mine.Embeddings()
	models := func(s store.Scope) []store.ModelCount {
		m, err := s.Embeddings().Models(ctx)
		require.NoError(t, err)
		return m
	}
	require.Empty(t, models(w.mine))
	c := w.thread(t, 3)
	for _, m := range c.Messages {
		w.setVector(t, m, "old", axis(1))
	}
	w.setVector(t, c.Messages[0], "new", axis(1))
	w.household(t, uuid.New(), "")
	w.deleteMessage(t, c.Messages[1])
	require.Equal(t, []store.ModelCount{{Model: "new", Vectors: 1}, {Model: "old", Vectors: 3}}, models(w.mine))
	require.Len(t, models(w.st.AllUsers()), 4)
	n, err := role.DropModel(ctx, "old")
	require.NoError(t, err)
	require.EqualValues(t, 3, n)
	n, err = role.DropModel(ctx, "none")
	require.NoError(t, err)
	require.Zero(t, n)
	require.Equal(t, []store.ModelCount{{Model: "new", Vectors: 1}}, models(w.mine))
	n, err = role.DropModel(ctx, "a")
	require.NoError(t, err)
	require.Zero(t, n, "another user's")
	n, err = w.st.AllUsers().Embeddings().DropModel(ctx, "a")
	require.NoError(t, err)
	require.EqualValues(t, 1, n)
}

// runEmbedding tests EmbedMissing with embedders that work, fail, block and return wrong
// vectors, and with several concurrent calls.
func runEmbedding(t *testing.T, f Factory, c Capabilities) {
	t.Helper()
	subtests{
		"All":      testEmbedAll,
		"Failing":  testEmbedFailing,
		"Lying":    testEmbedLying,
		"Blocking": testEmbedBlocking,
		"Edited":   testEmbedEdited,
		"Together": testEmbedTogether,
		"Refuses":  testEmbedRefuses,

		"SetAside":           testEmbedSetAside,
		"SetAsideEnds":       testEmbedSetAsideEnds,
		"SetAsideTogether":   testEmbedSetAsideTogether,
		"SpoiltText":         testEmbedSpoiltText,
		"OutOfOrder":         testEmbedOutOfOrder,
		"Temporary":          testEmbedTemporary,
		"Attempts":           testEmbedAttempts,
		"EditedWhileRefused": testEmbedEditedWhileRefused,
	}.run(t, f, c)
}

// embedder is a function.
type embedder func(ctx context.Context, texts []string) ([][]float32, error)

func (embedder) Model() string { return "m" }

func (e embedder) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	return e(ctx, texts)
}

// byLength embeds a text as an axis chosen by the length of the text.
func byLength(_ context.Context, texts []string) ([][]float32, error) {
	var vectors [][]float32
	for _, text := range texts {
		vectors = append(vectors, axis(len(text)))
	}
	return vectors, nil
}

func (w *world) embedMissing(t testing.TB, e embedder, o store.EmbedOptions) (store.EmbedResult, error) {
	t.Helper()
	if o.Backoff == 0 {
		o.Backoff = time.Millisecond
	}
	return w.mine.Embeddings().EmbedMissing(t.Context(), e, o)
}

// nothingClaimed checks that no claim is left, so that a later call need not wait.
func (w *world) nothingClaimed(t testing.TB) {
	t.Helper()
	var n int64
	db := w.st.DB(t.Context())
	require.NoError(t, db.Table(bareTable(db, naming.Claims)).Count(&n).Error)
	require.Zero(t, n, "claims")
}

func testEmbedAll(t *testing.T, w *world) {
	c := w.thread(t, 25)
	w.append(t, c, text("longer"))
	var seen []store.EmbedProgress
	got, err := w.embedMissing(t, byLength, store.EmbedOptions{
		BatchSize: 4, Workers: 3, Progress: func(p store.EmbedProgress) { seen = append(seen, p) },
	})
	require.NoError(t, err)
	require.Equal(t, store.EmbedResult{Embedded: 26, Calls: 7}, got)
	require.Len(t, seen, 7)
	require.EqualValues(t, 26, seen[0].Total)
	require.EqualValues(t, 26, seen[6].Embedded)
	require.Empty(t, w.missing(t, "m", store.EmbedFilter{}))
	require.Equal(t, []string{"longer"}, w.near(t, "m", axis(6)))
	w.nothingClaimed(t)
	got, err = w.embedMissing(t, func(context.Context, []string) ([][]float32, error) {
		return nil, errors.New("called without need")
	}, store.EmbedOptions{})
	require.NoError(t, err)
	require.Zero(t, got)
	got, err = w.embedMissing(t, byLength, store.EmbedOptions{Text: func(*message.Message) string { return "" }})
	require.NoError(t, err)
	require.Zero(t, got)
}

func testEmbedFailing(t *testing.T, w *world) {
	w.thread(t, 10)
	broken := errors.New("the model is away")
	var calls atomic.Int32
	got, err := w.embedMissing(t, func(ctx context.Context, texts []string) ([][]float32, error) {
		if calls.Add(1) < 3 {
			return nil, broken
		}
		return byLength(ctx, texts)
	}, store.EmbedOptions{Workers: 1, BatchSize: 5, Attempts: 3})
	require.NoError(t, err, "it passed")
	require.EqualValues(t, 10, got.Embedded)
	require.EqualValues(t, 4, calls.Load())

	w.thread(t, 10)
	calls.Store(0)
	fails := func(context.Context, []string) ([][]float32, error) { calls.Add(1); return nil, broken }
	for _, tt := range []struct {
		o     store.EmbedOptions
		calls int32
	}{
		// Where nobody says that the error is temporary, one call more asks whether it is the embedder's.
		{store.EmbedOptions{Workers: 1, Attempts: 3}, 4},
		{store.EmbedOptions{Workers: 1, Retry: func(error) bool { return false }}, 2},
		{store.EmbedOptions{Workers: 1, Attempts: 3, Retry: func(error) bool { return true }}, 3},
	} {
		calls.Store(0)
		got, err = w.embedMissing(t, fails, tt.o)
		require.ErrorIs(t, err, broken)
		var failed *store.EmbedError
		require.ErrorAs(t, err, &failed)
		require.Equal(t, "m", failed.Model)
		require.Len(t, failed.Messages, 10)
		require.Equal(t, store.EmbedResult{Calls: int64(tt.calls)}, got)
		require.Equal(t, tt.calls, calls.Load())
		require.Empty(t, w.setAside(t, w.mine))
		w.nothingClaimed(t)
	}
	got, err = w.embedMissing(t, byLength, store.EmbedOptions{})
	require.NoError(t, err)
	require.EqualValues(t, 10, got.Embedded, "a later call goes on")
}

func testEmbedLying(t *testing.T, w *world) {
	w.thread(t, 3)
	bad := axis(0)
	bad[1] = float32(math.NaN())
	for name, vectors := range map[string][][]float32{
		"none": nil, "too few": {axis(1), axis(1)}, "too many": {axis(1), axis(1), axis(1), axis(1)},
		"NaN": {axis(1), bad, axis(1)}, "short": {axis(1), axis(1), {1}}, "zero": {make([]float32, dimensions), axis(1), axis(1)},
	} {
		got, err := w.embedMissing(t, func(context.Context, []string) ([][]float32, error) { return vectors, nil }, store.EmbedOptions{})
		var failed *store.EmbedError
		require.ErrorAs(t, err, &failed, name)
		require.Equal(t, store.EmbedResult{Calls: got.Calls}, got, name)
		require.Zero(t, w.counts(t).Embeddings, "%s: nothing half-written", name)
		w.nothingClaimed(t)
	}
	_, err := w.embedMissing(t, func(context.Context, []string) ([][]float32, error) { panic("a bug") }, store.EmbedOptions{Attempts: 1})
	var failed *store.EmbedError
	require.ErrorAs(t, err, &failed)
	w.nothingClaimed(t)
}

func testEmbedBlocking(t *testing.T, w *world) {
	w.thread(t, 3)
	deaf := make(chan struct{})
	defer close(deaf)
	for name, e := range map[string]embedder{
		"heeds its context": func(ctx context.Context, _ []string) ([][]float32, error) { <-ctx.Done(); return nil, ctx.Err() },
		"does not":          func(context.Context, []string) ([][]float32, error) { <-deaf; return nil, nil },
	} {
		_, err := w.embedMissing(t, e, store.EmbedOptions{Timeout: 20 * time.Millisecond, Attempts: 2})
		require.ErrorIs(t, err, context.DeadlineExceeded, name)
		w.nothingClaimed(t)
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		_, err = w.mine.Embeddings().EmbedMissing(ctx, e, store.EmbedOptions{})
		cancel()
		require.ErrorIs(t, err, context.DeadlineExceeded, name)
		w.nothingClaimed(t)
	}
}

// testEmbedEdited: what was edited while it was being embedded is embedded again.
func testEmbedEdited(t *testing.T, w *world) {
	c := w.thread(t, 3)
	var once sync.Once
	got, err := w.embedMissing(t, func(ctx context.Context, texts []string) ([][]float32, error) {
		once.Do(func() {
			must[*message.Message](t)(w.mine.Messages().Update(ctx, c.Messages[1].ID, store.MessageUpdate{Content: new("longer")}))
			must[*message.Message](t)(w.mine.Messages().Delete(ctx, c.Messages[2].ID))
		})
		return byLength(ctx, texts)
	}, store.EmbedOptions{})
	require.NoError(t, err)
	require.EqualValues(t, 2, got.Embedded)
	require.EqualValues(t, 2, got.Changed)
	require.Equal(t, []string{"longer"}, w.near(t, "m", axis(6)))
	w.nothingClaimed(t)
}

// testEmbedTogether: no text is embedded twice, none is forgotten.
func testEmbedTogether(t *testing.T, w *world) {
	const n = 300
	for i := range 3 {
		c := w.conversation(t)
		var ms []*message.Message
		for j := range n / 3 {
			ms = append(ms, text(fmt.Sprintf("message %d of %d", j, i)))
		}
		must[[]bool](t)(w.mine.Messages().AppendMany(t.Context(), c.ID, ms, store.AppendOptions{}))
	}
	var mu sync.Mutex
	times := map[string]int{}
	count := func(ctx context.Context, texts []string) ([][]float32, error) {
		mu.Lock()
		for _, text := range texts {
			times[text]++
		}
		mu.Unlock()
		return byLength(ctx, texts)
	}
	var wg sync.WaitGroup
	var total atomic.Int64
	scopes := []store.Scope{w.mine, w.mine, w.st.AllUsers()}
	for _, s := range scopes {
		wg.Go(func() {
			got, err := s.Embeddings().EmbedMissing(t.Context(), embedder(count), store.EmbedOptions{BatchSize: 7, Workers: 2})
			if err != nil {
				t.Error(err)
			}
			total.Add(got.Embedded)
		})
	}
	wg.Wait()
	require.Len(t, times, n)
	for text, times := range times {
		require.Equal(t, 1, times, text)
	}
	require.EqualValues(t, n, total.Load())
	require.EqualValues(t, n, w.counts(t).Embeddings)
	w.nothingClaimed(t)
}

func testEmbedRefuses(t *testing.T, w *world) {
	w.thread(t, 1)
	for field, o := range map[string]store.EmbedOptions{
		"batch_size": {BatchSize: -1}, "workers": {Workers: 65}, "attempts": {Attempts: -1}, "attempts_alone": {AttemptsAlone: 1001}, "backoff": {Backoff: -1},
		"timeout": {Timeout: -1}, "roles": {Filter: store.EmbedFilter{Roles: []message.Role{"x"}}},
	} {
		_, err := w.mine.Embeddings().EmbedMissing(t.Context(), embedder(byLength), o)
		invalid(t, err, field)
	}
	_, err := w.mine.Embeddings().EmbedMissing(t.Context(), nil, store.EmbedOptions{})
	invalid(t, err, "embedder")
	err = w.st.Transaction(t.Context(), func(tx store.Store) error {
		_, err := tx.ForUser(w.user).Embeddings().EmbedMissing(t.Context(), embedder(byLength), store.EmbedOptions{})
		return err
	})
	require.ErrorIs(t, err, store.ErrInvalid, "inside a transaction")
	require.Zero(t, w.counts(t).Embeddings)
}
