package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

// mebibyte is the content of a large message.
var mebibyte = strings.Repeat("0123456789abcdef", 1<<16)

// testBoundsWalk walks over more bytes than a page has with a page of rows: each message comes
// once, in its turn. That a walk holds no more than a page is a test of its own, where nothing
// else uses memory.
func testBoundsWalk(t *testing.T, w *world) {
	ctx := t.Context()
	const n = 20
	c := w.conversation(t)
	for i := range n {
		w.append(t, c, text(fmt.Sprint(i)+mebibyte))
	}
	walks := map[string]func(func(*message.Message, error) bool){
		"All":       w.mine.Messages().All(ctx, c.ID, store.MessageFilter{}),
		"AllByUser": w.st.AllUsers().Messages().AllByUser(ctx, store.MessageFilter{Order: store.ThreadOrder}),
	}
	if _, err := w.mine.Embeddings().Models(ctx); !errors.Is(err, store.ErrUnsupported) {
		walks["Missing"] = w.mine.Embeddings().Missing(ctx, "m", store.EmbedFilter{})
	}
	for name, walk := range walks {
		seen := 0
		for m, err := range walk {
			require.NoError(t, err, name)
			require.True(t, strings.HasPrefix(m.Content, fmt.Sprint(seen)+"0123"), "%s: message %d in its turn", name, seen)
			seen++
		}
		require.Equal(t, n, seen, name)
	}
}

// testBoundsPages: a page of any list ends with the row that fills it, and its cursor leads on.
func testBoundsPages(t *testing.T, w *world) {
	ctx := t.Context()
	const n = 20 // MaxPageBytes are 8 rows
	for i := range n {
		c := w.create(t, &conversation.Conversation{Subject: mebibyte, Messages: []*message.Message{text(fmt.Sprint(i))}})
		must[*conversation.Conversation](t)(w.mine.Conversations().SetTitle(ctx, c.ID, fmt.Sprint(i)))
		w.tick()
	}
	c := w.conversation(t)
	var ms []*message.Message
	for i := range n {
		ms = append(ms, w.append(t, c, text(fmt.Sprint(i)+mebibyte)))
		w.tick()
	}
	for i, m := range ms { // a message would supersede those before it
		s := &suggestion.Suggestion{
			ConversationID: c.ID, InReplyToMessageID: &m.ID, SuggestedContent: fmt.Sprint(i) + mebibyte[:1<<19], ConfidenceScore: new(0.9),
		}
		require.NoError(t, w.mine.Suggestions().Create(ctx, s))
		w.tick()
	}
	mine := w.mine
	require.Equal(t, n+1, pagesOf(t, 3, func(p store.PageRequest) (store.Page[*conversation.Conversation], error) {
		return mine.Conversations().List(ctx, store.ConversationFilter{}, p)
	}, func(c *conversation.Conversation) uuid.UUID { return c.ID }))
	require.Equal(t, n, pagesOf(t, 3, func(p store.PageRequest) (store.Page[*message.Message], error) {
		return mine.Messages().List(ctx, c.ID, store.MessageFilter{}, p)
	}, func(m *message.Message) uuid.UUID { return m.ID }))
	require.Equal(t, 2*n, pagesOf(t, 3, func(p store.PageRequest) (store.Page[*message.Message], error) {
		return mine.Messages().ListByUser(ctx, store.MessageFilter{}, p)
	}, func(m *message.Message) uuid.UUID { return m.ID }))
	require.Equal(t, n, pagesOf(t, 2, func(p store.PageRequest) (store.Page[*suggestion.Suggestion], error) {
		return mine.Suggestions().ListByConversation(ctx, c.ID, p)
	}, func(s *suggestion.Suggestion) uuid.UUID { return s.ID }))
	require.Equal(t, n, pagesOf(t, 3, func(p store.PageRequest) (store.Page[*store.PendingSuggestion], error) {
		page, err := mine.Suggestions().Pending(ctx, p)
		for _, s := range page.Items {
			require.NotNil(t, s.InReplyTo, "the context is whole")
		}
		return page, err
	}, func(s *store.PendingSuggestion) uuid.UUID { return s.ID }))
	w.boundsOfLast(t, c, n)
}

// boundsOfLast: lists without a cursor have the rows that are nearest.
func (w *world) boundsOfLast(t *testing.T, c *conversation.Conversation, n int) {
	t.Helper()
	ctx := t.Context()
	last, err := w.mine.Messages().Last(ctx, c.ID, n)
	require.NoError(t, err)
	require.Less(t, len(last), n)
	require.EqualValues(t, n, last[len(last)-1].Seq)
	require.EqualValues(t, n-len(last)+1, last[0].Seq, "without gaps")
	around, err := w.mine.Messages().Around(ctx, c.ID, int64(n)/2, n)
	require.NoError(t, err)
	require.Less(t, len(around), n)
	at := slices.IndexFunc(around, func(m *message.Message) bool { return m.Seq == int64(n)/2 })
	require.Positive(t, at)
	for i, m := range around {
		require.EqualValues(t, n/2+i-at, m.Seq, "without gaps")
	}
}

// pagesOf reads all pages and returns the number of different rows. There must be at least so
// many pages, none of them empty.
func pagesOf[T any](t *testing.T, least int, read func(store.PageRequest) (store.Page[T], error), id func(T) uuid.UUID) int {
	t.Helper()
	seen := map[uuid.UUID]bool{}
	pages := 0
	for p := (store.PageRequest{Limit: store.MaxLimit}); ; pages++ {
		page, err := read(p)
		require.NoError(t, err)
		require.NotEmpty(t, page.Items, "page %d", pages)
		for _, item := range page.Items {
			require.False(t, seen[id(item)], "a row twice")
			seen[id(item)] = true
		}
		if p.After = page.Next; p.After == "" {
			break
		}
	}
	require.GreaterOrEqual(t, pages+1, least, "pages")
	return len(seen)
}

// testBoundsEmbedding: a job holds a page of large messages and not a batch of them, and misses
// none.
func testBoundsEmbedding(t *testing.T, w *world) {
	const n = 20
	c := w.conversation(t)
	for i := range n {
		w.append(t, c, text(fmt.Sprint(i)+mebibyte))
	}
	var calls, most atomic.Int64
	got, err := w.embedMissing(t, func(_ context.Context, texts []string) ([][]float32, error) {
		calls.Add(1)
		most.Store(max(most.Load(), int64(len(texts))))
		vectors := make([][]float32, len(texts))
		for i := range vectors {
			vectors[i] = axis(i)
		}
		return vectors, nil
	}, store.EmbedOptions{Workers: 1})
	if errors.Is(err, store.ErrUnsupported) || errors.Is(err, store.ErrInvalid) {
		return // without vectors, or inside a transaction
	}
	require.NoError(t, err)
	require.Equal(t, store.EmbedResult{Embedded: n, Calls: got.Calls}, got)
	require.EqualValues(t, 3, calls.Load())
	require.LessOrEqual(t, most.Load(), int64(9))
}
