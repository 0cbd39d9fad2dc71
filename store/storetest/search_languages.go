package storetest

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/searchtest"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

func languageTests() subtests {
	return subtests{
		"SearchLanguages":       testSearchLanguages,
		"SearchLanguageOfQuery": testSearchLanguageOfQuery,
		"SearchLanguageChanges": testSearchLanguageChanges,
		"SearchWithoutStemmers": testSearchWithoutStemmers,
		"ConversationLanguage":  testConversationLanguage,
	}
}

// stemming is the option with which the table of languages is right.
func stemming() convostore.Option {
	stemmers := searchtest.Stemmers()
	all := make([]store.Stemmer, len(stemmers))
	for i, s := range stemmers {
		all[i] = s
	}
	return convostore.WithStemming("en", all...)
}

// testSearchLanguages asks the table of languages.
func testSearchLanguages(t *testing.T, w *world) {
	st := newWorld(t, w.factory, stemming()).st
	for _, g := range searchtest.Languages() {
		t.Run(g.Kind, func(t *testing.T) {
			told := tellGroup(t, st, g)
			for _, q := range g.Queries {
				told.check(t, q)
			}
		})
	}
}

// inLanguage creates a conversation in a language with a message.
func inLanguage(t *testing.T, mine store.Scope, language, content string) *conversation.Conversation {
	t.Helper()
	c := &conversation.Conversation{Language: language, Subject: "re: " + content, Messages: []*message.Message{text(content)}}
	require.NoError(t, mine.Conversations().Create(t.Context(), c))
	return c
}

// foundIn are the contents of the messages that a search finds, newest first.
func foundIn(t *testing.T, mine store.Scope, ask string, o store.TextOptions) []string {
	t.Helper()
	o.Order = store.Newest
	page, err := mine.Search().Messages(t.Context(), ask, o, store.PageRequest{})
	require.NoError(t, err)
	all := []string{}
	for _, hit := range page.Items {
		require.NotEmpty(t, hit.Snippet.Matches, hit.Message.Content)
		all = append(all, hit.Message.Content)
	}
	return all
}

func testSearchLanguageOfQuery(t *testing.T, w *world) {
	mine := newWorld(t, w.factory, stemming()).mine
	inLanguage(t, mine, "", "rated boots")
	inLanguage(t, mine, "de", "raten")
	inLanguage(t, mine, "fr", "rates")
	require.Equal(t, []string{"rates", "raten", "rated boots"}, foundIn(t, mine, "rates", store.TextOptions{}))
	require.Equal(t, []string{"rates", "rated boots"}, foundIn(t, mine, "rates", store.TextOptions{Language: "en"}), "French by the exact word alone")
	require.Equal(t, []string{"rates", "raten"}, foundIn(t, mine, "rates", store.TextOptions{Language: "de"}))
	require.Equal(t, []string{"rates"}, foundIn(t, mine, "rates", store.TextOptions{Language: "fr"}))
	for _, of := range []store.Scope{mine, w.mine} {
		for _, language := range []string{"xx", "EN", "en-GB"} {
			_, err := of.Search().Messages(t.Context(), "rates", store.TextOptions{Language: language}, store.PageRequest{})
			invalid(t, err, "language")
			_, err = of.Search().Conversations(t.Context(), "rates", store.TextOptions{Language: language}, store.PageRequest{})
			invalid(t, err, "language")
		}
	}
	_, err := w.mine.Search().Messages(t.Context(), "rates", store.TextOptions{Language: "en"}, store.PageRequest{})
	invalid(t, err, "language")
}

// testSearchLanguageChanges: what is found follows the language of the conversation at once, also
// of messages that were there before, deleted ones and those of others left out.
func testSearchLanguageChanges(t *testing.T, w *world) {
	ctx := t.Context()
	mine := newWorld(t, w.factory, stemming()).mine
	c := inLanguage(t, mine, "", "die Häuser")
	d := inLanguage(t, mine, "", "the houses")
	find := func(ask string) []string { return foundIn(t, mine, ask, store.TextOptions{}) }
	titles := func(ask string) (ids []uuid.UUID) {
		page, err := mine.Search().Conversations(ctx, ask, store.TextOptions{}, store.PageRequest{})
		require.NoError(t, err)
		for _, hit := range page.Items {
			ids = append(ids, hit.Conversation.ID)
		}
		return ids
	}
	require.Empty(t, find("haus"))
	require.Equal(t, []string{"the houses"}, find("house"))
	got, err := mine.Conversations().SetLanguage(ctx, c.ID, "de")
	require.NoError(t, err)
	require.Equal(t, "de", got.Language)
	require.Equal(t, []string{"die Häuser"}, find("haus"))
	require.Equal(t, []uuid.UUID{c.ID}, titles("haus"))
	require.Empty(t, find("haus -häuser"))
	require.Equal(t, []string{"the houses"}, find("house"), "the other conversation is as it was")

	_, err = mine.Messages().Append(ctx, c.ID, text("kein Haus"))
	require.NoError(t, err)
	require.Equal(t, []string{"kein Haus", "die Häuser"}, find("hauses"))
	_, err = mine.Conversations().Upsert(ctx, &conversation.Conversation{ID: c.ID, Language: "fr"})
	require.NoError(t, err)
	require.Empty(t, find("hausen"))
	require.Equal(t, []string{"die Häuser"}, find("HÄUSER"), "the word itself")
	_, err = mine.Conversations().SetLanguage(ctx, d.ID, "de")
	require.NoError(t, err)
	require.Empty(t, find("housing"))
	_, err = mine.Conversations().SetLanguage(ctx, d.ID, "")
	require.NoError(t, err)
	require.Equal(t, []string{"the houses"}, find("housing"))
}

// testSearchWithoutStemmers: a language is only a name for a store without stemmers.
func testSearchWithoutStemmers(t *testing.T, w *world) {
	inLanguage(t, w.mine, "en", "paying")
	require.Empty(t, foundIn(t, w.mine, "pay", store.TextOptions{}))
	require.Equal(t, []string{"paying"}, foundIn(t, w.mine, "paying", store.TextOptions{}))
	require.Equal(t, []string{"paying"}, foundIn(t, w.mine, "pay*", store.TextOptions{}))
}

func testConversationLanguage(t *testing.T, w *world) {
	ctx := t.Context()
	c := w.create(t, &conversation.Conversation{Language: "en"})
	require.Equal(t, "en", w.get(t, c.ID).Language)
	for _, bad := range []string{"e", "EN", "en-GB", "english", "e1", "én", " en", "\x00\x00"} {
		_, err := w.mine.Conversations().SetLanguage(ctx, c.ID, bad)
		invalid(t, err, "language")
		invalid(t, w.mine.Conversations().Create(ctx, &conversation.Conversation{Language: bad}), "language")
		_, err = w.mine.Conversations().Upsert(ctx, &conversation.Conversation{ID: c.ID, Language: bad})
		invalid(t, err, "language")
	}
	require.Equal(t, "en", w.get(t, c.ID).Language)
	got, err := w.mine.Conversations().SetLanguage(ctx, c.ID, "deu")
	require.NoError(t, err)
	require.Equal(t, "deu", got.Language)
	require.Equal(t, "deu", w.get(t, c.ID).Language)
	_, err = w.mine.Conversations().SetLanguage(ctx, c.ID, "")
	require.NoError(t, err)
	require.Empty(t, w.get(t, c.ID).Language)
}
