package search_test

import (
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/bothtest"
	"github.com/convostore/convostore/internal/pgtest"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/postgres"
)

// TestSubstringAgreesWithGo compares both databases with a search in Go, character by character.
func TestSubstringAgreesWithGo(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		checkSubstrings(t, d.Store(t, convostore.WithMigrate(migrate.Options{})))
	})
}

// TestSubstringInLocales: the locale of a database, by which it knows upper and lower case, does
// not matter.
func TestSubstringInLocales(t *testing.T) {
	t.Parallel()
	for name, locale := range map[string]string{
		"C":       "LOCALE 'C'",
		"turkish": "LOCALE 'C' LOCALE_PROVIDER icu ICU_LOCALE 'tr'",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dsn := pgtest.Localized(t, locale)
			st, err := postgres.Open(t.Context(), dsn, convostore.WithMigrate(migrate.Options{Trigrams: true}))
			require.NoError(t, err)
			t.Cleanup(func() { assert.NoError(t, st.Close()) })
			checkSubstrings(t, st)
		})
	}
}

// checkSubstrings draws texts and a part that some of them may have, and compares what the
// messages, the titles and the list of conversations say.
func checkSubstrings(t *testing.T, st store.Store) {
	t.Helper()
	at := time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)
	rapid.Check(t, func(rt *rapid.T) {
		part := partOf(rt)
		user := uuid.New()
		var cs []*conversation.Conversation
		var ms []*message.Message
		for i := range rapid.IntRange(1, 6).Draw(rt, "texts") {
			content := textAround(rt, part)
			at := at.Add(time.Duration(i) * time.Hour)
			c := &conversation.Conversation{ID: uuid.New(), UserID: user, CreatedAt: at, LastMessageAt: at, LastSeq: 1}
			if strings.ContainsAny(content, "\r\n") {
				c.Title = content // a subject is one line
			} else {
				c.Subject = content
			}
			cs = append(cs, c)
			ms = append(ms, &message.Message{
				ID: idAt(at), UserID: user, ConversationID: c.ID, Seq: 1, Role: message.RoleUser, Content: content, CreatedAt: at,
			})
		}
		require.NoError(rt, st.DB(t.Context()).Create(cs).Error)
		require.NoError(rt, st.DB(t.Context()).Create(ms).Error)
		var messages, threads []uuid.UUID
		for i, m := range slices.Backward(ms) {
			if hasNaively(m.Content, strings.TrimSpace(part)) {
				messages, threads = append(messages, m.ID), append(threads, cs[i].ID)
			}
		}
		mine := st.ForUser(user)
		comparePart(t, rt, mine, part, messages, threads)
		listed, err := mine.Conversations().List(t.Context(), store.ConversationFilter{Text: part}, store.PageRequest{})
		require.NoError(rt, err)
		found := 0
		for i, c := range slices.Backward(cs) {
			if content := ms[i].Content; part == "" || hasNaively(content, part) {
				require.Greater(rt, len(listed.Items), found, "%q in %q", part, content)
				require.Equal(rt, c.ID, listed.Items[found].ID, "%q in %q", part, content)
				found++
			}
		}
		require.Len(rt, listed.Items, found, "%q", part)
	})
}

func comparePart(t *testing.T, rt *rapid.T, mine store.Scope, part string, messages, threads []uuid.UUID) {
	t.Helper()
	o := store.TextOptions{Match: store.MatchSubstring}
	limit := rapid.IntRange(1, 6).Draw(rt, "limit")
	var hits, threadHits []uuid.UUID
	for _, hit := range listed(t, limit, func(p store.PageRequest) (store.Page[*store.MessageHit], error) {
		return mine.Search().Messages(t.Context(), part, o, p)
	}) {
		hits = append(hits, hit.Message.ID)
		require.NotEmpty(rt, hit.Snippet.Matches)
	}
	require.Equal(rt, messages, hits, "%q", part)
	for _, hit := range listed(t, limit, func(p store.PageRequest) (store.Page[*store.ConversationHit], error) {
		return mine.Search().Conversations(t.Context(), part, o, p)
	}) {
		threadHits = append(threadHits, hit.Conversation.ID)
		require.EqualValues(rt, 1, hit.Messages)
	}
	require.Equal(rt, threads, threadHits, "%q", part)
}

// partOf draws a part of all of Unicode but U+0000, also one that is longer than what a database
// compares.
func partOf(t *rapid.T) string {
	special := []rune("kKKsSſσςΣiIİıßẞµμΜåÅÅéÉeE\u0301\u0345ιΙÌìĮį\u0307ꭰᎠაᲐ𐐨𐐀東 %_*[]?^\\'\"{}().|+$-\n\t\ufffd\ufffe\uffff\ufdd0")
	character := rapid.OneOf(
		rapid.SampledFrom(special), rapid.RuneFrom([]rune("aeinrst")), rapid.RuneFrom(nil, unicode.L), rapid.RuneFrom(nil, unicode.Mn), rapid.Rune(),
	).Filter(func(r rune) bool { return r != 0 })
	length := rapid.SampledFrom([]int{1, 2, 3, 5, 8, 31, 32, 33, 40, 80}).Draw(t, "length")
	return rapid.StringOfN(character, 0, length, store.MaxQuery).Draw(t, "part")
}

// textAround draws a text that has a part, in another case or in another form, or all of it but
// something.
func textAround(t *rapid.T, part string) string {
	part = strings.Map(func(r rune) rune {
		for range rapid.IntRange(0, 3).Draw(t, "turns") {
			r = unicode.SimpleFold(r)
		}
		return r
	}, part)
	switch rapid.IntRange(0, 5).Draw(t, "form") {
	case 0:
		part = norm.NFC.String(part)
	case 1:
		part = norm.NFD.String(part)
	case 2:
		_, size := utf8.DecodeLastRuneInString(part)
		part = part[:len(part)-size]
	case 3:
		part = partOf(t)
	}
	words := rapid.SampledFrom([]string{"", " ", "a", "words before ", "Í", "\n"})
	return words.Draw(t, "before") + part + words.Draw(t, "after")
}

// hasNaively tells whether a text has a part in one of its forms.
func hasNaively(text, part string) bool {
	runes := []rune(text)
	for _, form := range []string{part, norm.NFC.String(part), norm.NFD.String(part)} {
		n := utf8.RuneCountInString(form)
		for i := 0; n > 0 && i+n <= len(runes); i++ {
			if strings.EqualFold(string(runes[i:i+n]), form) {
				return true
			}
		}
	}
	return false
}
