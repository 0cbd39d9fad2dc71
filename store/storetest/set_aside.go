package storetest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/internal/engine/config"
	"github.com/convostore/convostore/internal/naming"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// setAside writes that a message was set aside for the model "aside".
func setAside(t testing.TB, db *gorm.DB, m *message.Message) {
	t.Helper()
	at := []any{m.CreatedAt}
	if db.Name() == SQLite {
		dialect.BindTimes(at)
	}
	require.NoError(t, db.Table(bareTable(db, naming.Failures)).Create(map[string]any{
		"message_id": m.ID.String(), "user_id": m.UserID.String(), "model": "aside", "attempts": 3, "error": "refused",
		"failed_at": at[0], "set_aside_at": at[0],
	}).Error)
}

// bareTable is the name of a table as db has it.
func bareTable(db *gorm.DB, table string) string {
	if n, ok := db.NamingStrategy.(config.Naming); ok {
		return n.ConvostoreTable(table)
	}
	return table
}

// setAside returns what is set aside for model m, read in pages of two.
func (w *world) setAside(t testing.TB, s store.Scope) (all []*store.SetAsideMessage) {
	t.Helper()
	for p := (store.PageRequest{Limit: 2}); ; {
		page, err := s.Embeddings().ListSetAside(t.Context(), "m", p)
		require.NoError(t, err)
		all = append(all, page.Items...)
		if p.After = page.Next; p.After == "" {
			return all
		}
	}
}

// failureRows counts what the jobs noted, set aside or not.
func (w *world) failureRows(t testing.TB) (n int64) {
	t.Helper()
	db := w.st.DB(t.Context())
	require.NoError(t, db.Table(bareTable(db, naming.Failures)).Count(&n).Error)
	return n
}

var errRefused = errors.New("400: the text is not allowed")

// refusing is an embedder that refuses every call with a text that has "refuse" in it.
func refusing(ctx context.Context, texts []string) ([][]float32, error) {
	for _, text := range texts {
		if strings.Contains(text, "refuse") {
			return nil, errRefused
		}
	}
	return byLength(ctx, texts)
}

// lasting says of no error that it is temporary.
func lasting(error) bool { return false }

// refusedThread is a thread of n messages, of which the given ones are refused.
func (w *world) refusedThread(t testing.TB, n int, refused ...int) []*message.Message {
	t.Helper()
	ms := make([]*message.Message, n)
	for i := range ms {
		ms[i] = text(fmt.Sprint("message ", i))
	}
	for _, i := range refused {
		ms[i].Content = fmt.Sprint("refuse ", i)
	}
	must[[]bool](t)(w.mine.Messages().AppendMany(t.Context(), w.conversation(t).ID, ms, store.AppendOptions{}))
	return ms
}

// testEmbedSetAside: what fails alone is set aside, listed and left out; the others go on.
func testEmbedSetAside(t *testing.T, w *world) {
	ctx, role := t.Context(), w.mine.Embeddings()
	ms := w.refusedThread(t, 20, 0, 1, 13)
	o := store.EmbedOptions{Workers: 1, BatchSize: 8, Retry: lasting}
	got, err := w.embedMissing(t, refusing, o)
	require.NoError(t, err)
	require.Equal(t, store.EmbedResult{Embedded: 17, Failed: 9, SetAside: 3, Calls: got.Calls}, got)
	require.Empty(t, w.missing(t, "m", store.EmbedFilter{}), "what is set aside is not missing")
	w.nothingClaimed(t)
	list := w.setAside(t, w.mine)
	require.Len(t, list, 3)
	seen := map[uuid.UUID]bool{}
	for _, a := range list {
		seen[a.MessageID] = true
		isUTC(t, a.FailedAt)
		require.False(t, a.FailedAt.IsZero())
		require.Equal(t, store.SetAsideMessage{
			MessageID: a.MessageID, UserID: w.user, ConversationID: ms[0].ConversationID, Model: "m", Attempts: 3,
			Error: errRefused.Error(), FailedAt: a.FailedAt,
		}, *a)
	}
	require.Equal(t, map[uuid.UUID]bool{ms[0].ID: true, ms[1].ID: true, ms[13].ID: true}, seen)
	require.Equal(t, list, w.setAside(t, w.st.AllUsers()))
	require.Empty(t, w.setAside(t, w.other()))
	require.Len(t, w.missing(t, "another", store.EmbedFilter{}), 20, "another model has not refused anything")

	got, err = w.embedMissing(t, refusing, o)
	require.NoError(t, err)
	require.Zero(t, got, "nobody asks again")
	n, err := w.other().Embeddings().RetrySetAside(ctx, "m", nil)
	require.NoError(t, err)
	require.Zero(t, n)
	n, err = role.RetrySetAside(ctx, "m", []uuid.UUID{ms[1].ID, ms[2].ID, uuid.New(), ms[1].ID})
	require.NoError(t, err)
	require.EqualValues(t, 1, n)
	require.Equal(t, []string{"refuse 1"}, w.missing(t, "m", store.EmbedFilter{}))
	n, err = w.st.AllUsers().Embeddings().RetrySetAside(ctx, "m", nil)
	require.NoError(t, err)
	require.EqualValues(t, 2, n)
	got, err = w.embedMissing(t, byLength, o)
	require.NoError(t, err)
	require.Equal(t, store.EmbedResult{Embedded: 3, Calls: 1}, got, "as if for the first time")
	require.Zero(t, w.failureRows(t))
}

// testEmbedSetAsideEnds: what an edit, an erasure, a vector and DropModel do to what is set aside.
func testEmbedSetAsideEnds(t *testing.T, w *world) {
	ctx, role := t.Context(), w.mine.Embeddings()
	ms := w.refusedThread(t, 6, 0, 1, 2, 3, 4)
	o := store.EmbedOptions{Workers: 1, Retry: lasting, AttemptsAlone: 1}
	got, err := w.embedMissing(t, refusing, o)
	require.NoError(t, err)
	require.Equal(t, store.EmbedResult{Embedded: 1, Failed: 5, SetAside: 5, Calls: got.Calls}, got)
	require.Equal(t, 1, w.setAside(t, w.mine)[0].Attempts)

	must[*message.Message](t)(w.mine.Messages().Update(ctx, ms[0].ID, store.MessageUpdate{Metadata: new(message.JSON(`{}`))}))
	require.Len(t, w.setAside(t, w.mine), 5, "the text is the same")
	must[*message.Message](t)(w.mine.Messages().Update(ctx, ms[0].ID, store.MessageUpdate{Content: new("allowed")}))
	require.Len(t, w.setAside(t, w.mine), 4)
	require.Equal(t, []string{"allowed"}, w.missing(t, "m", store.EmbedFilter{}))
	w.deleteMessage(t, ms[1])
	require.Len(t, w.setAside(t, w.mine), 3, "the deleted one is not listed")
	must[*message.Message](t)(w.mine.Messages().Restore(ctx, ms[1].ID))
	require.Len(t, w.setAside(t, w.mine), 4)
	require.NoError(t, role.Set(ctx, ms[2].ID, "m", axis(1)))
	require.Len(t, w.setAside(t, w.mine), 3, "it has a vector")
	must[int64](t)(role.DropModel(ctx, "m"))
	require.Empty(t, w.setAside(t, w.mine))
	require.Zero(t, w.failureRows(t))
	require.Len(t, w.missing(t, "m", store.EmbedFilter{}), 6)
	must[store.EmbedResult](t)(w.embedMissing(t, refusing, o))
	require.EqualValues(t, 4, w.failureRows(t))
	must[store.Counts](t)(w.mine.Conversations().Erase(ctx, ms[0].ConversationID))
	require.Zero(t, w.failureRows(t))
}

// testEmbedSpoiltText: whatever one text does to the embedder, the others get their vectors, and
// the error is kept as a database takes it.
func testEmbedSpoiltText(t *testing.T, w *world) {
	nan := axis(0)
	nan[3] = float32(math.NaN())
	answer := func(bad []float32) func(context.Context, []string) ([][]float32, error) {
		return func(ctx context.Context, texts []string) ([][]float32, error) {
			vectors, err := byLength(ctx, texts)
			for i, text := range texts {
				if strings.Contains(text, "refuse") {
					vectors[i] = bad
				}
			}
			return vectors, err
		}
	}
	fails := func(err error) func(context.Context, []string) ([][]float32, error) {
		return func(context.Context, []string) ([][]float32, error) { return nil, err }
	}
	for name, tt := range map[string]struct {
		spoilt func(context.Context, []string) ([][]float32, error)
		// always says that spoilt gets every call, not only those with the text.
		always bool
		says   string
	}{
		"NaN":         {answer(nan), true, "not a finite number"},
		"short":       {answer([]float32{1}), true, "1 dimensions"},
		"zero":        {answer(make([]float32, dimensions)), true, "zero vector"},
		"nil":         {answer(nil), true, "0 dimensions"},
		"too few":     {func(context.Context, []string) ([][]float32, error) { return nil, nil }, false, "0 vectors for 1 texts"},
		"panics":      {func(context.Context, []string) ([][]float32, error) { panic("a bug") }, false, "a bug"},
		"NUL":         {fails(errors.New("nul\x00 and \xff\xfe")), false, "nul and \uFFFD"},
		"long":        {fails(errors.New(strings.Repeat("é", 100_000))), false, strings.Repeat("é", store.MaxEmbedError/2)},
		"Error fails": {fails(panicking{}), false, "whose Error panics"},
		"empty":       {fails(errors.New("")), false, ""},
	} {
		ms := w.refusedThread(t, 9, 5)
		e := func(ctx context.Context, texts []string) ([][]float32, error) {
			if tt.always || strings.Contains(strings.Join(texts, " "), "refuse") {
				return tt.spoilt(ctx, texts)
			}
			return byLength(ctx, texts)
		}
		got, err := w.embedMissing(t, e, store.EmbedOptions{Workers: 1, Attempts: 2})
		require.NoError(t, err, name)
		require.Equal(t, store.EmbedResult{Embedded: 8, Failed: 3, SetAside: 1, Calls: got.Calls}, got, name)
		list := w.setAside(t, w.mine)
		require.Len(t, list, 1, name)
		require.Equal(t, ms[5].ID, list[0].MessageID, name)
		require.Contains(t, list[0].Error, tt.says, name)
		require.LessOrEqual(t, len(list[0].Error), store.MaxEmbedError, name)
		require.True(t, utf8.ValidString(list[0].Error), name)
		w.nothingClaimed(t)
		must[store.Counts](t)(w.mine.Conversations().Erase(t.Context(), ms[0].ConversationID))
	}
}

// panicking is an error that cannot be read.
type panicking struct{}

func (panicking) Error() string { panic("no text") }

// testEmbedOutOfOrder: an embedder that takes nothing, from the beginning or from some call on,
// gets no message set aside, and few calls.
func testEmbedOutOfOrder(t *testing.T, w *world) {
	const n = 60
	w.refusedThread(t, n, 30)
	for _, o := range []store.EmbedOptions{{}, {Retry: lasting}, {Retry: lasting, AttemptsAlone: 1}, {Retry: func(error) bool { return true }}} {
		for after := range 6 {
			must[int64](t)(w.mine.Embeddings().DropModel(t.Context(), "m"))
			var calls atomic.Int64
			dead := func(ctx context.Context, texts []string) ([][]float32, error) {
				if calls.Add(1) > int64(after) {
					return nil, errRefused
				}
				return refusing(ctx, texts)
			}
			o.Workers, o.BatchSize, o.Attempts = 1, 20, 2
			got, err := w.embedMissing(t, dead, o)
			require.ErrorIs(t, err, errRefused, after)
			var failed *store.EmbedError
			require.ErrorAs(t, err, &failed)
			require.Empty(t, w.setAside(t, w.mine))
			require.Zero(t, w.failureRows(t), "no failure counts with no answer after it")
			require.LessOrEqual(t, got.Calls, int64(after+2*20+4), "it gives up with the batch")
			require.Equal(t, calls.Load(), got.Calls)
			w.nothingClaimed(t)
			require.Len(t, w.missing(t, "m", store.EmbedFilter{}), n-int(got.Embedded))
		}
	}
	got, err := w.embedMissing(t, refusing, store.EmbedOptions{Retry: lasting})
	require.NoError(t, err)
	require.EqualValues(t, 1, got.SetAside)
}

// testEmbedTemporary: an error that Retry calls temporary sets nothing aside, even of one message.
func testEmbedTemporary(t *testing.T, w *world) {
	w.refusedThread(t, 10, 4)
	for range 4 {
		got, err := w.embedMissing(t, refusing, store.EmbedOptions{Workers: 1, Attempts: 2, Retry: func(error) bool { return true }})
		require.ErrorIs(t, err, errRefused)
		require.Equal(t, store.EmbedResult{Calls: 2}, got)
		require.Zero(t, w.failureRows(t))
		w.nothingClaimed(t)
	}
}

// testEmbedAttempts: attempts count over calls, and one that succeeds forgets them.
func testEmbedAttempts(t *testing.T, w *world) {
	ms := w.refusedThread(t, 4, 1)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var alone atomic.Int64
	interrupted := func(ctx context.Context, texts []string) ([][]float32, error) {
		if len(texts) == 1 && strings.Contains(texts[0], "refuse") && alone.Add(1) == 3 {
			cancel()
			return nil, ctx.Err()
		}
		return refusing(ctx, texts)
	}
	o := store.EmbedOptions{Workers: 1, Retry: lasting}
	got, err := w.mine.Embeddings().EmbedMissing(ctx, embedder(interrupted), o)
	require.ErrorIs(t, err, context.Canceled)
	require.EqualValues(t, 2, got.Failed)
	require.Empty(t, w.setAside(t, w.mine), "not yet")
	require.Equal(t, []string{"refuse 1"}, w.missing(t, "m", store.EmbedFilter{}))
	got, err = w.embedMissing(t, refusing, o)
	require.NoError(t, err)
	require.Equal(t, store.EmbedResult{Failed: 1, SetAside: 1, Calls: 2}, got, "one to fail, and one to see that others do not")
	require.Equal(t, 3, w.setAside(t, w.mine)[0].Attempts)

	must[int64](t)(w.mine.Embeddings().RetrySetAside(t.Context(), "m", []uuid.UUID{ms[1].ID}))
	var once sync.Once
	got, err = w.embedMissing(t, func(ctx context.Context, texts []string) (vectors [][]float32, err error) {
		if once.Do(func() { vectors, err = refusing(ctx, texts) }); err != nil {
			return nil, err
		}
		return byLength(ctx, texts)
	}, o)
	require.NoError(t, err)
	require.Equal(t, store.EmbedResult{Embedded: 1, Failed: 1, Calls: 3}, got)
	require.Zero(t, w.failureRows(t), "forgotten")
}

// testEmbedEditedWhileRefused: a failure of the old text is not the new one's.
func testEmbedEditedWhileRefused(t *testing.T, w *world) {
	ms := w.refusedThread(t, 3, 1)
	var once sync.Once
	got, err := w.embedMissing(t, func(ctx context.Context, texts []string) ([][]float32, error) {
		if len(texts) == 1 && strings.Contains(texts[0], "refuse") {
			once.Do(func() {
				must[*message.Message](t)(w.mine.Messages().Update(ctx, ms[1].ID, store.MessageUpdate{Content: new("allowed")}))
			})
		}
		return refusing(ctx, texts)
	}, store.EmbedOptions{Workers: 1, Retry: lasting, AttemptsAlone: 1})
	require.NoError(t, err)
	require.Equal(t, store.EmbedResult{Embedded: 3, Changed: 1, Calls: got.Calls}, got)
	require.Zero(t, w.failureRows(t))
	w.nothingClaimed(t)
}

// testEmbedSetAsideTogether: several calls set each message aside once, and embed each other once.
func testEmbedSetAsideTogether(t *testing.T, w *world) {
	var refused []int
	for i := 0; i < 120; i += 7 {
		refused = append(refused, i, i+1)
	}
	w.refusedThread(t, 122, refused...)
	var embedded, aside atomic.Int64
	var wg sync.WaitGroup
	for _, s := range []store.Scope{w.mine, w.mine, w.st.AllUsers()} {
		wg.Go(func() {
			got, err := s.Embeddings().EmbedMissing(t.Context(), embedder(refusing), store.EmbedOptions{BatchSize: 9, Workers: 2, Retry: lasting})
			if err != nil {
				t.Error(err)
			}
			embedded.Add(got.Embedded)
			aside.Add(got.SetAside)
		})
	}
	wg.Wait()
	require.EqualValues(t, len(refused), aside.Load())
	require.EqualValues(t, 122-len(refused), embedded.Load())
	list := w.setAside(t, w.mine)
	require.Len(t, list, len(refused))
	for _, a := range list {
		require.Equal(t, 3, a.Attempts)
	}
	w.nothingClaimed(t)
}
