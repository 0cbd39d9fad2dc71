package storetest

import (
	"math"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// runSearch compares what a search finds in 2,000 messages of several users (300 unless the run
// is a full one) with what plain Go finds in the same rows: every kind of query, filter and
// scope. Exact results must be equal; approximate ones must say that they are approximate.
func runSearch(t *testing.T, f Factory, n size) {
	t.Helper()
	c := newCorpus(t, f, n)
	t.Run("text", func(t *testing.T) { runTextSearch(t, c) })
	t.Run("similar", func(t *testing.T) { runSimilarSearch(t, c) })
}

// runSearchInFull is runSearch with texts that are long or hostile, and with those of a table: what
// is found in them depends on the library's code and on the kind of database alone. CRUD asks
// each kind of query, for every way to open one.
func runSearchInFull(t *testing.T, f Factory, c Capabilities) {
	t.Helper()
	t.Run("corpus", func(t *testing.T) {
		t.Parallel()
		runSearch(t, f, large)
	})
	subtests{"LongText": testSearchLongText, "PartHostile": testSearchPartHostile, "Table": testSearchTable}.run(t, f, c)
}

func searchTests() subtests {
	return subtests{
		"SearchFollowsChanges": testSearchFollowsChanges,
		"SearchFollowsRemoval": testSearchFollowsRemoval,
		"SearchScripts":        testSearchScripts,
		"SearchTitles":         testSearchTitles,
		"SearchCursors":        testSearchCursors,
		"SearchIn":             testSearchIn,
		"SearchFilters":        testSearchFilters,
		"SearchRefusesText":    testSearchRefusesText,
		"SearchRefusesSimilar": testSearchRefusesSimilar,
		"SearchEmpty":          testSearchEmpty,
		"SearchModels":         testSearchModels,
		"SearchBounds":         testSearchBounds,
		"SearchMoreLike":       testSearchMoreLikeWithoutVector,
	}
}

// finds are the contents of the messages that a search for words gives, newest first.
func (w *world) finds(t testing.TB, text string, match store.Match) []string {
	t.Helper()
	page, err := w.mine.Search().Messages(t.Context(), text, store.TextOptions{Match: match, Order: store.Newest}, store.PageRequest{})
	require.NoError(t, err)
	out := []string{}
	for _, hit := range page.Items {
		out = append(out, hit.Message.Content)
	}
	return out
}

// findsThreads are the titles that a search for conversations gives.
func (w *world) findsThreads(t testing.TB, text string, match store.Match) []string {
	t.Helper()
	page, err := w.mine.Search().Conversations(t.Context(), text, store.TextOptions{Match: match, Order: store.Newest}, store.PageRequest{})
	require.NoError(t, err)
	out := []string{}
	for _, hit := range page.Items {
		out = append(out, hit.Conversation.Title)
	}
	return out
}

// axis is a vector along one dimension.
func axis(i int) message.Vector {
	v := make(message.Vector, dimensions)
	v[i] = 1
	return v
}

// near are the contents of the messages whose vector is that one.
func (w *world) near(t testing.TB, model string, v message.Vector) []string {
	t.Helper()
	got, err := w.mine.Search().SimilarMessages(t.Context(), store.SimilarTo{Vector: v},
		store.SimilarOptions{Model: model, MinSimilarity: 0.99, Mode: store.SearchExact})
	require.NoError(t, err)
	out := []string{}
	for _, hit := range got.Hits {
		out = append(out, hit.Message.Content)
	}
	return out
}

func (w *world) setVector(t testing.TB, m *message.Message, model string, v message.Vector) {
	t.Helper()
	require.NoError(t, w.mine.Embeddings().Set(t.Context(), m.ID, model, v))
}

func testSearchFollowsChanges(t *testing.T, w *world) {
	ctx := t.Context()
	c := w.create(t, &conversation.Conversation{Title: "pelican"})
	m := w.append(t, c, text("a heron stands"))
	w.setVector(t, m, "m", axis(3))
	check := func(what string, heron, threads []string) {
		t.Helper()
		for _, match := range []store.Match{store.MatchAll, store.MatchSubstring} {
			require.Equal(t, heron, w.finds(t, "heron", match), what)
			require.Equal(t, threads, w.findsThreads(t, "pelican", match), what)
		}
		require.Equal(t, heron, w.near(t, "m", axis(3)), what)
	}
	there, none := []string{"a heron stands"}, []string{}
	check("appended", there, []string{"pelican"})
	w.deleteMessage(t, m)
	check("deleted", none, []string{"pelican"})
	must[*message.Message](t)(w.mine.Messages().Restore(ctx, m.ID))
	check("restored", there, []string{"pelican"})
	w.delete(t, c)
	check("conversation deleted", none, none)
	must[*conversation.Conversation](t)(w.mine.Conversations().Restore(ctx, c.ID))
	check("conversation restored", there, []string{"pelican"})
	must[*message.Message](t)(w.mine.Messages().Update(ctx, m.ID, store.MessageUpdate{Metadata: new(message.JSON(`{"a":1}`))}))
	check("metadata changed", there, []string{"pelican"})
	must[*message.Message](t)(w.mine.Messages().Update(ctx, m.ID, store.MessageUpdate{Content: new("a stork stands")}))
	check("edited", none, []string{"pelican"})
	require.Equal(t, []string{"a stork stands"}, w.finds(t, "stork", store.MatchAll))
	must[*conversation.Conversation](t)(w.mine.Conversations().SetTitle(ctx, c.ID, ""))
	must[*conversation.Conversation](t)(w.mine.Conversations().SetSubject(ctx, c.ID, "a gull"))
	check("title removed", none, none)
	require.Equal(t, []string{""}, w.findsThreads(t, "GULL", store.MatchAll), "by its subject")
}

func testSearchFollowsRemoval(t *testing.T, w *world) {
	ctx := t.Context()
	fill := func() (*conversation.Conversation, *message.Message) {
		c := w.create(t, &conversation.Conversation{Title: "pelican", LeadID: "lead"})
		imported := text("a heron stands")
		imported.ConversationID = c.ID
		must[store.ImportResult](t)(w.mine.Messages().Import(ctx, rowsOf(imported), store.ImportOptions{}))
		w.setVector(t, imported, "m", axis(3))
		require.Equal(t, []string{"a heron stands"}, w.finds(t, "heron", store.MatchAll), "imported")
		require.Equal(t, []string{"a heron stands"}, w.near(t, "m", axis(3)))
		return c, imported
	}
	gone := func(what string) {
		t.Helper()
		require.Empty(t, w.finds(t, "heron", store.MatchAll), what)
		require.Empty(t, w.findsThreads(t, "pelican", store.MatchAll), what)
		require.Empty(t, w.near(t, "m", axis(3)), what)
		require.Zero(t, w.counts(t), what)
	}
	c, _ := fill()
	must[store.Counts](t)(w.mine.Conversations().Erase(ctx, c.ID))
	gone("erased")
	fill()
	must[store.Counts](t)(w.mine.Maintenance().EraseLead(ctx, "lead"))
	gone("lead erased")
	fill()
	must[store.Counts](t)(w.mine.Maintenance().EraseUser(ctx))
	gone("user erased")
	c, m := fill()
	w.deleteMessage(t, m)
	must[store.Counts](t)(w.mine.Maintenance().Purge(ctx, future))
	require.Empty(t, w.finds(t, "heron", store.MatchAll), "purged message")
	require.Empty(t, w.near(t, "m", axis(3)), "purged message")
	w.delete(t, c)
	must[store.Counts](t)(w.mine.Maintenance().Purge(ctx, future))
	gone("purged")
}

// testSearchScripts: what has no spaces between words is found by a part of it.
func testSearchScripts(t *testing.T, w *world) {
	c := w.conversation(t)
	for content, part := range map[string]string{
		"我想退回上周买的鞋子": "退回", "注文した靴のサイズが合いません": "サイズ", "신발을 반품하고 싶습니다": "반품", "ฉันต้องการคืนรองเท้า": "คืนรอง",
	} {
		w.append(t, c, text(content))
		require.Equal(t, []string{content}, w.finds(t, part, store.MatchSubstring))
	}
	w.append(t, c, text("שלום עולם, naïve 😀 café"))
	for _, word := range []string{"שלום", "naïve", "CAFÉ", "😀 naïve"} {
		require.Len(t, w.finds(t, word, store.MatchAll), 1, word)
	}
}

func testSearchLongText(t *testing.T, w *world) {
	if testing.Short() {
		t.Skip("ten megabytes take a while")
	}
	c := w.conversation(t)
	long := "beginning " + strings.Repeat("filler words of a long log ", 10<<20/27) + " ending"
	w.append(t, c, text(long))
	page, err := w.mine.Search().Messages(t.Context(), "beginning filler", store.TextOptions{}, store.PageRequest{})
	require.NoError(t, err)
	require.Len(t, page.Items, 1)
	require.Less(t, len(page.Items[0].Snippet.Text), 1000)
	require.Len(t, w.finds(t, "ending", store.MatchSubstring), 1)
}

func testSearchTitles(t *testing.T, w *world) {
	w.create(t, &conversation.Conversation{Title: "Otter facts", Subject: "of rivers"})
	page, err := w.mine.Search().Conversations(t.Context(), "otter rivers", store.TextOptions{}, store.PageRequest{})
	require.NoError(t, err)
	require.Len(t, page.Items, 1, "title and subject are one text")
	hit := page.Items[0]
	require.Nil(t, hit.Best)
	require.Zero(t, hit.Messages)
	require.Positive(t, hit.Score)
	require.Contains(t, hit.Snippet.Mark("[", "]"), "[Otter]")
	for _, f := range []store.SearchFilter{
		{Roles: message.Roles()}, {Direction: message.DirectionInbound}, {SentSince: epoch}, {SentBefore: future},
	} {
		page, err := w.mine.Search().Conversations(t.Context(), "otter", store.TextOptions{Filter: f}, store.PageRequest{})
		require.NoError(t, err)
		require.Empty(t, page.Items, "titles have no %+v", f)
	}
}

func testSearchCursors(t *testing.T, w *world) {
	c := w.create(t, &conversation.Conversation{Title: "otter"})
	w.create(t, &conversation.Conversation{Title: "otter"})
	w.append(t, c, text("an otter"))
	w.append(t, c, text("an otter again"))
	one := store.PageRequest{Limit: 1}
	messages := nextOf[*store.MessageHit](t)(w.mine.Search().Messages(t.Context(), "otter", store.TextOptions{}, one))
	threads := nextOf[*store.ConversationHit](t)(w.mine.Search().Conversations(t.Context(), "otter", store.TextOptions{}, one))
	for _, cursor := range []store.Cursor{threads, "x", messages[:10]} {
		_, err := w.mine.Search().Messages(t.Context(), "otter", store.TextOptions{}, store.PageRequest{After: cursor})
		invalid(t, err, "cursor")
	}
	for _, o := range []store.TextOptions{{Order: store.Newest}, {Match: store.MatchAny}, {Filter: store.SearchFilter{LeadID: "x"}}} {
		_, err := w.mine.Search().Messages(t.Context(), "otter", o, store.PageRequest{After: messages})
		invalid(t, err, "cursor")
	}
	_, err := w.mine.Search().Messages(t.Context(), "others", store.TextOptions{}, store.PageRequest{After: messages})
	invalid(t, err, "cursor")
	_, err = w.other().Search().Messages(t.Context(), "otter", store.TextOptions{}, store.PageRequest{After: messages})
	invalid(t, err, "cursor")
}

func testSearchRefusesText(t *testing.T, w *world) {
	w.thread(t, 1)
	for _, bad := range []string{"a\x00b", "a\xffb", strings.Repeat("a", store.MaxQuery+1)} {
		_, err := w.mine.Search().Messages(t.Context(), bad, store.TextOptions{}, store.PageRequest{})
		invalid(t, err, "text")
		_, err = w.mine.Search().Conversations(t.Context(), bad, store.TextOptions{Match: store.MatchSubstring}, store.PageRequest{})
		invalid(t, err, "text")
	}
	for _, tt := range []struct {
		o     store.TextOptions
		p     store.PageRequest
		field string
	}{
		{store.TextOptions{Match: 9}, store.PageRequest{}, "match"},
		{store.TextOptions{Order: -1}, store.PageRequest{}, "order"},
		{store.TextOptions{}, store.PageRequest{Limit: -1}, "limit"},
		{store.TextOptions{}, store.PageRequest{Limit: store.MaxLimit + 1}, "limit"},
		{store.TextOptions{Filter: store.SearchFilter{Roles: []message.Role{"x"}}}, store.PageRequest{}, "roles"},
		{store.TextOptions{Filter: store.SearchFilter{Statuses: []conversation.Status{"x"}}}, store.PageRequest{}, "statuses"},
		{store.TextOptions{Filter: store.SearchFilter{Direction: "x"}}, store.PageRequest{}, "direction"},
		{store.TextOptions{Filter: store.SearchFilter{LeadID: "a\x00"}}, store.PageRequest{}, "lead_id"},
	} {
		_, err := w.mine.Search().Messages(t.Context(), "a", tt.o, tt.p)
		invalid(t, err, tt.field)
		_, err = w.mine.Search().Conversations(t.Context(), "a", tt.o, tt.p)
		invalid(t, err, tt.field)
	}
	// The longest queries that are taken.
	for _, q := range []string{strings.Repeat("word ", 1000), strings.Repeat(`"`, store.MaxQuery), strings.Repeat("-a OR ", 1000), strings.Repeat("(", store.MaxQuery)} {
		for _, match := range []store.Match{store.MatchAll, store.MatchAny, store.MatchSubstring} {
			require.Empty(t, w.finds(t, q, match))
			require.Empty(t, w.findsThreads(t, q, match))
		}
	}
}

func testSearchRefusesSimilar(t *testing.T, w *world) {
	ctx, search := t.Context(), w.mine.Search()
	nan, infinite := axis(0), axis(0)
	nan[5], infinite[5] = float32(math.NaN()), float32(math.Inf(1))
	for _, bad := range []message.Vector{{}, {1, 2, 3}, make(message.Vector, dimensions), nan, infinite, make(message.Vector, dimensions+1)} {
		_, err := search.SimilarMessages(ctx, store.SimilarTo{Vector: bad}, store.SimilarOptions{Model: "m"})
		invalid(t, err, "embedding", "like")
		_, err = search.SimilarConversations(ctx, store.SimilarTo{Vector: bad}, store.SimilarOptions{Model: "m"})
		invalid(t, err, "embedding", "like")
	}
	for _, tt := range []struct {
		like  store.SimilarTo
		o     store.SimilarOptions
		field string
	}{
		{store.SimilarTo{}, store.SimilarOptions{Model: "m"}, "like"},
		{store.SimilarTo{Vector: axis(1), Text: "a"}, store.SimilarOptions{Model: "m"}, "like"},
		{store.SimilarTo{Text: "a"}, store.SimilarOptions{Model: "m"}, "embedder"},
		{store.SimilarTo{Vector: axis(1)}, store.SimilarOptions{}, "model"},
		{store.SimilarTo{Vector: axis(1)}, store.SimilarOptions{Model: "m", Limit: -1}, "limit"},
		{store.SimilarTo{Vector: axis(1)}, store.SimilarOptions{Model: "m", Limit: store.MaxLimit + 1}, "limit"},
		{store.SimilarTo{Vector: axis(1)}, store.SimilarOptions{Model: "m", MinSimilarity: 1.1}, "min_similarity"},
		{store.SimilarTo{Vector: axis(1)}, store.SimilarOptions{Model: "m", MinSimilarity: math.NaN()}, "min_similarity"},
		{store.SimilarTo{Vector: axis(1)}, store.SimilarOptions{Model: "m", Mode: 7}, "mode"},
		{store.SimilarTo{Vector: axis(1)}, store.SimilarOptions{Model: "m", Candidates: -1}, "candidates"},
		{store.SimilarTo{Vector: axis(1)}, store.SimilarOptions{Model: "m", Filter: store.SearchFilter{Direction: "x"}}, "direction"},
	} {
		_, err := search.SimilarMessages(ctx, tt.like, tt.o)
		invalid(t, err, tt.field)
		_, err = search.SimilarConversations(ctx, tt.like, tt.o)
		invalid(t, err, tt.field)
	}
	_, err := search.Hybrid(ctx, "a", store.HybridOptions{SimilarOptions: store.SimilarOptions{Model: "m"}})
	invalid(t, err, "embedder")
	_, err = search.Hybrid(ctx, "a", store.HybridOptions{Vector: axis(1), K: -1, SimilarOptions: store.SimilarOptions{Model: "m"}})
	invalid(t, err, "k")
	_, err = search.Hybrid(ctx, "a", store.HybridOptions{Vector: axis(1), Depth: store.MaxLimit + 1, SimilarOptions: store.SimilarOptions{Model: "m"}})
	invalid(t, err, "depth")
	missing[store.Similar[*store.SimilarMessage]](t)(search.MoreLike(ctx, uuid.New(), store.SimilarOptions{Model: "m"}))
}

// testSearchEmpty: nothing stored, and nothing asked.
func testSearchEmpty(t *testing.T, w *world) {
	for _, match := range []store.Match{store.MatchAll, store.MatchAny, store.MatchSubstring} {
		require.Empty(t, w.finds(t, "a", match))
		require.Empty(t, w.findsThreads(t, "a", match))
	}
	for _, mode := range []store.SimilarMode{store.SearchAuto, store.SearchExact, store.SearchApproximate} {
		o := store.SimilarOptions{Model: "m", Mode: mode}
		got, err := w.mine.Search().SimilarMessages(t.Context(), store.SimilarTo{Vector: axis(1)}, o)
		require.NoError(t, err)
		require.NotNil(t, got.Hits)
		require.Empty(t, got.Hits)
		require.False(t, got.Short)
		require.Equal(t, "m", got.Model)
		threads, err := w.mine.Search().SimilarConversations(t.Context(), store.SimilarTo{Vector: axis(1)}, o)
		require.NoError(t, err)
		require.NotNil(t, threads.Hits)
		require.Empty(t, threads.Hits)
		both, err := w.mine.Search().Hybrid(t.Context(), "a", store.HybridOptions{Vector: axis(1), SimilarOptions: o})
		require.NoError(t, err)
		require.NotNil(t, both.Hits)
		require.Empty(t, both.Hits)
	}
}

// testSearchModels: models do not see one another.
func testSearchModels(t *testing.T, w *world) {
	c := w.conversation(t)
	a, b := w.append(t, c, text("a")), w.append(t, c, text("b"))
	w.setVector(t, a, "old", axis(1))
	w.setVector(t, a, "new", axis(2))
	w.setVector(t, b, "new", axis(1))
	require.Equal(t, []string{"a"}, w.near(t, "old", axis(1)))
	require.Equal(t, []string{"b"}, w.near(t, "new", axis(1)))
	require.Empty(t, w.near(t, "none", axis(1)))
	w.setVector(t, a, "old", axis(3))
	require.Empty(t, w.near(t, "old", axis(1)), "replaced")
	require.Equal(t, []string{"a"}, w.near(t, "old", axis(3)))
}

func testSearchMoreLikeWithoutVector(t *testing.T, w *world) {
	c := w.conversation(t)
	m := w.append(t, c, text("a"))
	w.setVector(t, m, "other", axis(1))
	_, err := w.mine.Search().MoreLike(t.Context(), m.ID, store.SimilarOptions{Model: "m"})
	require.ErrorIs(t, err, store.ErrNotEmbedded)
	w.setVector(t, m, "m", axis(1))
	got, err := w.mine.Search().MoreLike(t.Context(), m.ID, store.SimilarOptions{Model: "m"})
	require.NoError(t, err)
	require.Empty(t, got.Hits, "itself is left out")
	w.deleteMessage(t, m)
	missing[store.Similar[*store.SimilarMessage]](t)(w.mine.Search().MoreLike(t.Context(), m.ID, store.SimilarOptions{Model: "m"}))
}
