package storetest

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// plenty is beyond the arguments that either database takes: 32,766 and 65,535.
const plenty = 100_000

// testInputMany: what can be said of few values can be said of many, or is refused by name.
func testInputMany(t *testing.T, w *world) {
	ctx := t.Context()
	c := w.thread(t, 2)
	statuses, roles := slices.Repeat(conversation.Statuses(), plenty/4), slices.Repeat(message.Roles(), plenty/4)
	list := must[store.Page[*conversation.Conversation]](t)
	list(w.mine.Conversations().List(ctx, store.ConversationFilter{Statuses: statuses}, store.PageRequest{}))
	must[store.NumberedPage[*conversation.Conversation]](t)(
		w.mine.Conversations().ListNumbered(ctx, store.ConversationFilter{Statuses: statuses}, store.NumberRequest{}))
	for _, s := range []store.Scope{w.mine, w.st.AllUsers()} {
		page, err := s.Messages().List(ctx, c.ID, store.MessageFilter{Roles: roles}, store.PageRequest{Limit: 1})
		require.NoError(t, err)
		require.Len(t, page.Items, 1)
		slices.Reverse(roles)
		rest, err := s.Messages().List(ctx, c.ID, store.MessageFilter{Roles: roles}, store.PageRequest{After: page.Next})
		require.NoError(t, err, "the order of words says nothing")
		require.Len(t, rest.Items, 1)
		must[store.Page[*message.Message]](t)(s.Messages().ListByUser(ctx, store.MessageFilter{Roles: roles}, store.PageRequest{}))
		filter := store.SearchFilter{Statuses: statuses, Roles: roles}
		_, err = s.Search().Messages(ctx, "a", store.TextOptions{Filter: filter}, store.PageRequest{})
		require.True(t, err == nil || typed(err), "%v", err)
		must[store.Page[*store.MessageHit]](t)(
			s.Search().Messages(ctx, "a", store.TextOptions{Match: store.MatchSubstring, Filter: filter}, store.PageRequest{}))
		must[store.Page[*store.ConversationHit]](t)(
			s.Search().Conversations(ctx, "a", store.TextOptions{Match: store.MatchSubstring, Filter: filter}, store.PageRequest{}))
		_, err = s.Search().MoreLike(ctx, c.Messages[0].ID, store.SimilarOptions{Model: "m", Filter: filter})
		require.True(t, typed(err), "%v", err)
		_, err = collect(s.Embeddings().Missing(ctx, "m", store.EmbedFilter{Roles: roles}))
		require.NoError(t, err)
	}
	bounds := make([]float64, plenty)
	for i := range bounds {
		bounds[i] = 1 - float64(i)/plenty
	}
	_, err := w.mine.Reports().SuggestionsByConfidence(ctx, store.Period{}, bounds...)
	invalid(t, err, "bounds")
	must[[]store.ConfidenceSuggestions](t)(w.mine.Reports().SuggestionsByConfidence(ctx, store.Period{}, bounds[:store.MaxBounds]...))
	vectors := make([]store.MessageVector, plenty)
	invalid(t, w.mine.Embeddings().SetMany(ctx, "m", vectors), "vectors")

	var references strings.Builder
	for range plenty {
		references.WriteString("<" + uuid.NewString() + "@x> ")
	}
	missing[*conversation.Conversation](t)(w.mine.Messages().FindThread(ctx, &message.Message{
		Headers: message.Headers{"References": {references.String()}, "In-Reply-To": {references.String()}},
	}))
	m := text("many")
	m.Attachments = make(message.Attachments, plenty)
	w.append(t, c, m)
	require.Len(t, w.message(t, m.ID).Attachments, plenty)
}

// testInputLongTexts: SQLite looks for no part of more than 50,000 bytes, and PostgreSQL's
// words have bounds of their own.
func testInputLongTexts(t *testing.T, w *world) {
	ctx := t.Context()
	w.thread(t, 1)
	for _, letter := range []string{"a", "%", "_", `\`, "é", "a ", "-a ", "a OR ", "a* ", `"a b" `, "(", "a.b@c "} {
		long := strings.Repeat(letter, plenty)
		for _, s := range []store.Scope{w.mine, w.st.AllUsers()} {
			_, err := s.Conversations().List(ctx, store.ConversationFilter{Text: long}, store.PageRequest{})
			invalid(t, err, "text")
			for _, match := range []store.Match{store.MatchAll, store.MatchAny, store.MatchSubstring} {
				_, err = s.Search().Messages(ctx, long, store.TextOptions{Match: match}, store.PageRequest{})
				invalid(t, err, "text")
				_, err = s.Search().Conversations(ctx, long, store.TextOptions{Match: match}, store.PageRequest{})
				invalid(t, err, "text")
			}
			_, err = s.Search().Hybrid(ctx, long, store.HybridOptions{SimilarOptions: store.SimilarOptions{Model: "m"}})
			invalid(t, err, "text")
		}
		most := strings.Repeat(letter, store.MaxQuery/len(letter))
		_, err := w.mine.Conversations().List(ctx, store.ConversationFilter{Text: most}, store.PageRequest{})
		require.NoError(t, err, letter)
		for _, match := range []store.Match{store.MatchAll, store.MatchAny, store.MatchSubstring} {
			_, err = w.mine.Search().Messages(ctx, most, store.TextOptions{Match: match}, store.PageRequest{})
			require.True(t, err == nil || typed(err), "%s %v: %v", letter, match, err)
			_, err = w.mine.Search().Conversations(ctx, most, store.TextOptions{Match: match}, store.PageRequest{})
			require.True(t, err == nil || typed(err), "%s %v: %v", letter, match, err)
		}
	}
}

// testInputSamePointer is about the variable that a loop uses again: what was in it before
// is lost, and nobody would notice.
func testInputSamePointer(t *testing.T, w *world) {
	ctx := t.Context()
	c := w.conversation(t)
	ms := w.mine.Messages()
	at := func(err error, index int) {
		t.Helper()
		var fault *store.BatchError
		require.ErrorAs(t, err, &fault)
		require.Equal(t, index, fault.Index)
		invalid(t, err, "message")
	}
	row := func() *message.Message { m := text("x"); m.ConversationID = c.ID; return m }
	w.unchanged(t, func() {
		m := row()
		_, err := ms.AppendMany(ctx, c.ID, []*message.Message{row(), m, row(), m}, store.AppendOptions{})
		at(err, 3)
		keyed := &message.Message{Role: message.RoleUser, IdempotencyKey: "k"}
		_, err = ms.AppendMany(ctx, c.ID, []*message.Message{keyed, keyed}, store.AppendOptions{})
		at(err, 1)
		m = row()
		at(w.mine.Conversations().Create(ctx, &conversation.Conversation{Messages: []*message.Message{m, m}}), 1)
	})
	for _, s := range []store.Scope{w.mine, w.st.AllUsers()} {
		first, second := row(), row()
		res, err := s.Messages().Import(ctx, rowsOf(first, second, first), store.ImportOptions{})
		at(err, 2)
		require.EqualValues(t, 2, res.Imported, "what came before is written")
		first, second = row(), row()
		res, err = s.Messages().Import(ctx, rowsOf(first, second, row(), second), store.ImportOptions{BatchSize: 2})
		if err != nil { // in a transaction the batch before is settled at once
			at(err, 3)
			require.EqualValues(t, 3, res.Imported)
		} else {
			require.Equal(t, store.ImportResult{Imported: 3, Duplicates: 1}, res)
		}
		first = row()
		res, err = s.Messages().Import(ctx, rowsOf(first, row(), row(), row(), first), store.ImportOptions{BatchSize: 1})
		require.NoError(t, err)
		require.Equal(t, store.ImportResult{Imported: 4, Duplicates: 1}, res)
	}
}

// testInputSameVectors: what many messages say is embedded once.
func testInputSameVectors(t *testing.T, w *world) {
	ctx := t.Context()
	c := w.thread(t, 1)
	w.embed(t, c.Messages[0], "m")
	e, err := w.mine.Embeddings().Get(ctx, c.Messages[0].ID, "m")
	if errors.Is(err, store.ErrUnsupported) {
		return
	}
	require.NoError(t, err)
	shared := []*message.Embedding{{Model: "m", Vector: e.Vector}}
	a, b := text("a"), text("b")
	a.Embeddings, b.Embeddings = shared, shared
	must[[]bool](t)(w.mine.Messages().AppendMany(ctx, c.ID, []*message.Message{a, b}, store.AppendOptions{}))
	for _, m := range []*message.Message{a, b} {
		require.Equal(t, m.ID, m.Embeddings[0].MessageID)
		got, err := w.mine.Embeddings().Get(ctx, m.ID, "m")
		require.NoError(t, err)
		require.Equal(t, e.Vector, got.Vector)
	}
}
