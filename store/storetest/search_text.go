package storetest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// textQuery is a query and, apart from any parser, what it means.
type textQuery struct {
	text    string
	match   store.Match
	matches func(text string) bool
}

// tokens are the words of a text, as the databases agree on them for plain English.
func tokens(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

func hasWord(word string) func(string) bool {
	return func(text string) bool { return slices.Contains(tokens(text), word) }
}

func hasPrefix(prefix string) func(string) bool {
	return func(text string) bool {
		return slices.ContainsFunc(tokens(text), func(w string) bool { return strings.HasPrefix(w, prefix) })
	}
}

func hasPhrase(words ...string) func(string) bool {
	return func(text string) bool {
		return strings.Contains(" "+strings.Join(tokens(text), " ")+" ", " "+strings.Join(words, " ")+" ")
	}
}

func hasPart(part string) func(string) bool {
	return func(text string) bool { return strings.Contains(strings.ToLower(text), part) }
}

func and(all ...func(string) bool) func(string) bool {
	return func(text string) bool {
		return !slices.ContainsFunc(all, func(f func(string) bool) bool { return !f(text) })
	}
}

func or(either ...func(string) bool) func(string) bool {
	return func(text string) bool {
		return slices.ContainsFunc(either, func(f func(string) bool) bool { return f(text) })
	}
}

func not(f func(string) bool) func(string) bool { return func(text string) bool { return !f(text) } }

func never(string) bool { return false }

var textQueries = []textQuery{
	{"invoice", store.MatchAll, hasWord("invoice")},
	{"  INVOICE  Paid ", store.MatchAll, and(hasWord("invoice"), hasWord("paid"))},
	{`"website redesign"`, store.MatchAll, hasPhrase("website", "redesign")},
	{`"redesign website"`, store.MatchAll, hasPhrase("redesign", "website")},
	{`“website redesign”`, store.MatchAll, hasPhrase("website", "redesign")},
	{"redes*", store.MatchAll, hasPrefix("redes")},
	{"pa* -paid", store.MatchAll, and(hasPrefix("pa"), not(hasWord("paid")))},
	{`parcel OR quote dollars`, store.MatchAll, and(or(hasWord("parcel"), hasWord("quote")), hasWord("dollars"))},
	{`invoice -"unpaid invoice" -draft`, store.MatchAll, and(hasWord("invoice"), not(hasPhrase("unpaid", "invoice")), not(hasWord("draft")))},
	{"not-there parcel", store.MatchAll, and(hasPhrase("not", "there"), hasWord("parcel"))},
	{"parcel meeting zebra -friday", store.MatchAny, and(or(hasWord("parcel"), hasWord("meeting"), hasWord("zebra")), not(hasWord("friday")))},
	{"hello", store.MatchAll, hasWord("hello")},
	{"zebra", store.MatchAll, never},
	{"", store.MatchAll, never},
	{`-invoice`, store.MatchAll, never},
	{`"" - * ( ) && !! <-> :A ^ % _`, store.MatchAny, hasWord("a")},
	{"voic", store.MatchSubstring, hasPart("voic")},
	{" PARCEL IS ", store.MatchSubstring, hasPart("parcel is")},
	{"%", store.MatchSubstring, never},
	{"r_s", store.MatchSubstring, never},
	{`\`, store.MatchSubstring, never},
	{`x' OR 1 = 1 --`, store.MatchSubstring, never},
	{"résumé", store.MatchSubstring, hasPart("résumé")},
	{" ", store.MatchSubstring, never},
}

// runTextSearch compares every query, filter and scope with what the rows say.
func runTextSearch(t *testing.T, c *corpus) {
	t.Helper()
	for name, f := range c.filters() {
		t.Run(name, func(t *testing.T) {
			some := textQueries
			if name != "none" {
				some = []textQuery{textQueries[0], textQueries[2], textQueries[7], textQueries[16]}
			}
			for _, v := range c.views() {
				for _, q := range some {
					what := fmt.Sprintf("%s: %q, match %d", v.name, q.text, q.match)
					c.checkMessages(t, v, q, f, what)
					c.checkConversations(t, v, q, f, what)
				}
			}
		})
	}
}

func (c *corpus) checkMessages(t *testing.T, v view, q textQuery, f store.SearchFilter, what string) {
	t.Helper()
	var want []*message.Message
	for _, m := range c.messages {
		if c.passes(v, f, m) && q.matches(m.Content) {
			want = append(want, m)
		}
	}
	slices.SortFunc(want, func(a, b *message.Message) int {
		return -cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID.String(), b.ID.String()))
	})
	newest := c.messageHits(t, v, q.text, store.TextOptions{Match: q.match, Order: store.Newest, Filter: f}, 1000)
	require.Equal(t, messageIDs(want), hitIDs(newest), "%s, newest first", what)
	ranked := c.messageHits(t, v, q.text, store.TextOptions{Match: q.match, Filter: f}, 97)
	require.ElementsMatch(t, messageIDs(want), hitIDs(ranked), "%s, by rank", what)
	if q.match != store.MatchSubstring {
		require.True(t, slices.IsSortedFunc(ranked, func(a, b *store.MessageHit) int {
			return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(b.Message.ID.String(), a.Message.ID.String()))
		}), "%s, by score, and then by id with the highest first", what)
	}
	for _, hit := range slices.Concat(newest, ranked)[:min(50, len(newest)+len(ranked))] {
		require.Equal(t, c.conversations[hit.Message.ConversationID].Subject, hit.Conversation.Subject)
		c.checkSnippet(t, hit.Snippet, hit.Message.Content, what)
	}
}

// checkSnippet wants a part of the text with something marked in it.
func (c *corpus) checkSnippet(t *testing.T, s store.Snippet, text, what string) {
	t.Helper()
	plain := strings.Join(strings.Fields(text), " ")
	require.Contains(t, plain, strings.Trim(s.Text, "… "), what)
	require.NotEmpty(t, s.Matches, "%s: %q", what, s.Text)
	end := 0
	for _, m := range s.Matches {
		require.True(t, end <= m.Start && m.Start < m.End && m.End <= len(s.Text), "%s: %v", what, s.Matches)
		end = m.End
	}
	assert.Equal(t, len(s.Matches), strings.Count(s.HTML(), "<mark>"), what)
}

func (c *corpus) messageHits(t *testing.T, v view, text string, o store.TextOptions, size int) []*store.MessageHit {
	t.Helper()
	hits, err := list(size, func(p store.PageRequest) (store.Page[*store.MessageHit], error) {
		return v.scope.Search().Messages(t.Context(), text, o, p)
	})
	require.NoError(t, err)
	return hits
}

// found is a conversation that matches, and why.
type found struct {
	conv     *conversation.Conversation
	messages int64
}

func (c *corpus) checkConversations(t *testing.T, v view, q textQuery, f store.SearchFilter, what string) {
	t.Helper()
	want := c.matchingConversations(v, q, f)
	var ids []uuid.UUID
	counts := map[uuid.UUID]int64{}
	for _, w := range want {
		ids, counts[w.conv.ID] = append(ids, w.conv.ID), w.messages
	}
	hits := func(o store.TextOptions, size int) []*store.ConversationHit {
		all, err := list(size, func(p store.PageRequest) (store.Page[*store.ConversationHit], error) {
			return v.scope.Search().Conversations(t.Context(), q.text, o, p)
		})
		require.NoError(t, err, what)
		for _, hit := range all {
			require.Equal(t, counts[hit.Conversation.ID], hit.Messages, "%s: messages that match", what)
			require.Equal(t, hit.Messages > 0, hit.Best != nil, what)
			if hit.Best != nil {
				require.True(t, q.matches(hit.Best.Content), what)
				require.Equal(t, hit.Conversation.ID, hit.Best.ConversationID)
			}
		}
		return all
	}
	newest := hits(store.TextOptions{Match: q.match, Order: store.Newest, Filter: f}, 1000)
	require.Equal(t, ids, conversationHitIDs(newest), "%s, conversations, newest first", what)
	ranked := hits(store.TextOptions{Match: q.match, Filter: f}, 29)
	require.ElementsMatch(t, ids, conversationHitIDs(ranked), "%s, conversations by rank", what)
	if q.match != store.MatchSubstring {
		require.True(t, slices.IsSortedFunc(ranked, func(a, b *store.ConversationHit) int {
			return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(b.Conversation.ID.String(), a.Conversation.ID.String()))
		}), "%s, conversations by score, and then by id with the highest first", what)
	}
}

func (c *corpus) matchingConversations(v view, q textQuery, f store.SearchFilter) []found {
	matched := map[uuid.UUID]int64{}
	for _, m := range c.messages {
		if c.passes(v, f, m) && q.matches(m.Content) {
			matched[m.ConversationID]++
		}
	}
	ofMessages := len(f.Roles) > 0 || f.Direction != message.DirectionNone || !f.SentSince.IsZero() || !f.SentBefore.IsZero()
	var list []found
	for id, conv := range c.conversations {
		if !c.passesConversation(v, f, conv) {
			continue
		}
		titled := !ofMessages && q.matches(conv.Title+" "+conv.Subject)
		if q.match == store.MatchSubstring {
			titled = !ofMessages && (q.matches(conv.Title) || q.matches(conv.Subject))
		}
		if titled || matched[id] > 0 {
			list = append(list, found{conv, matched[id]})
		}
	}
	slices.SortFunc(list, func(a, b found) int {
		return -cmp.Or(a.conv.LastMessageAt.Compare(b.conv.LastMessageAt), cmp.Compare(a.conv.ID.String(), b.conv.ID.String()))
	})
	return list
}

func messageIDs(ms []*message.Message) []uuid.UUID {
	var ids []uuid.UUID
	for _, m := range ms {
		ids = append(ids, m.ID)
	}
	return ids
}

func hitIDs(hits []*store.MessageHit) []uuid.UUID {
	var ids []uuid.UUID
	for _, hit := range hits {
		ids = append(ids, hit.Message.ID)
	}
	return ids
}

func conversationHitIDs(hits []*store.ConversationHit) []uuid.UUID {
	var ids []uuid.UUID
	for _, hit := range hits {
		ids = append(ids, hit.Conversation.ID)
	}
	return ids
}
