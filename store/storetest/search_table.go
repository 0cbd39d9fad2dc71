package storetest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/searchtest"
	"github.com/convostore/convostore/internal/testrun"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// testSearchTable asks every query of the table of texts, of messages and of conversations: what
// is found, in which order, and what the snippet marks.
func testSearchTable(t *testing.T, w *world) {
	for _, g := range searchtest.Groups() {
		t.Run(g.Kind, func(t *testing.T) {
			told := tellGroup(t, w.st, g)
			for _, q := range g.Queries {
				told.check(t, q)
			}
		})
	}
}

// told is a group of texts in a store: one user has each as the message of a conversation of its
// own, another has each as the subject of one.
type told struct {
	searchtest.Group
	messages, subjects store.Scope
	// names are those of the texts, by conversation.
	names map[uuid.UUID]string
}

func tellGroup(t *testing.T, st store.Store, g searchtest.Group) *told {
	t.Helper()
	all := &told{Group: g, messages: st.ForUser(uuid.New()), subjects: st.ForUser(uuid.New()), names: map[uuid.UUID]string{}}
	for _, text := range g.Texts {
		c := &conversation.Conversation{Language: g.Languages[text.Name], Messages: []*message.Message{{Role: message.RoleUser, Content: text.Value}}}
		require.NoError(t, all.messages.Conversations().Create(t.Context(), c), text.Name)
		s := &conversation.Conversation{Subject: strings.NewReplacer("\r", " ", "\n", " ").Replace(text.Value), Language: g.Languages[text.Name]}
		require.NoError(t, all.subjects.Conversations().Create(t.Context(), s), text.Name)
		all.names[c.ID], all.names[s.ID] = text.Name, text.Name
	}
	return all
}

// tableHit is a hit of any of the searches.
type tableHit struct {
	name  string
	score float64
	marks string
}

func (told *told) check(t *testing.T, q searchtest.Query) {
	t.Helper()
	o := store.TextOptions{Match: store.Match(q.How)}
	latest := store.TextOptions{Match: o.Match, Order: store.Newest}
	ranked := q.How != searchtest.Part
	told.compare(t, q, "messages", ranked, told.findMessages(t, q.Ask, o))
	told.compare(t, q, "conversations by subject", ranked, told.findThreads(t, told.subjects, q.Ask, o, 0))
	told.compare(t, q, "newest conversations by message", false, told.findThreads(t, told.messages, q.Ask, latest, 1))
	if !testrun.Full() {
		return
	}
	told.compare(t, q, "newest messages", false, told.findMessages(t, q.Ask, latest))
	told.compare(t, q, "newest conversations by subject", false, told.findThreads(t, told.subjects, q.Ask, latest, 0))
	told.compare(t, q, "conversations by message", ranked, told.findThreads(t, told.messages, q.Ask, o, 1))
}

func (told *told) findMessages(t *testing.T, ask string, o store.TextOptions) (hits []tableHit) {
	t.Helper()
	page, err := told.messages.Search().Messages(t.Context(), ask, o, store.PageRequest{Limit: 100})
	require.NoError(t, err, "%.60q", ask)
	for _, hit := range page.Items {
		hits = append(hits, tableHit{told.names[hit.Message.ConversationID], hit.Score, marksOf(hit.Snippet)})
	}
	return hits
}

// findThreads wants each conversation with so many messages that match.
func (told *told) findThreads(t *testing.T, of store.Scope, ask string, o store.TextOptions, messages int64) (hits []tableHit) {
	t.Helper()
	page, err := of.Search().Conversations(t.Context(), ask, o, store.PageRequest{Limit: 100})
	require.NoError(t, err, "%.60q", ask)
	for _, hit := range page.Items {
		assert.Equal(t, messages, hit.Messages, "%.60q", ask)
		hits = append(hits, tableHit{told.names[hit.Conversation.ID], hit.Score, marksOf(hit.Snippet)})
	}
	return hits
}

func marksOf(s store.Snippet) string {
	var marks []string
	for _, m := range s.Matches {
		marks = append(marks, s.Text[m.Start:m.End])
	}
	return strings.Join(marks, "|")
}

func (told *told) compare(t *testing.T, q searchtest.Query, what string, ranked bool, hits []tableHit) {
	t.Helper()
	what = fmt.Sprintf("%s of %.60q (%d), ranked %t", what, q.Ask, q.How, ranked)
	marks := searchtest.Marks{}
	var order []string
	for _, hit := range hits {
		order = append(order, hit.name)
		marks[hit.name] = hit.marks
		if q.Finds[hit.name] == searchtest.Marked && hit.marks != "" {
			marks[hit.name] = searchtest.Marked
		}
	}
	assert.Equal(t, q.Finds, marks, what)
	assert.Len(t, order, len(marks), "%s: each once", what)
	if !ranked {
		return
	}
	assert.True(t, slices.IsSortedFunc(hits, func(a, b tableHit) int { return cmp.Compare(b.score, a.score) }), what)
	if q.Order != nil {
		assert.Equal(t, q.Order, order, what)
	}
}

// testSearchBounds: a query with too much in it is refused, whatever the texts are.
func testSearchBounds(t *testing.T, w *world) {
	c := w.conversation(t)
	w.append(t, c, text(strings.Repeat("b/", 20_000)+" w1 a a"))
	for name, ask := range searchtest.Refused() {
		for _, match := range []store.Match{store.MatchAll, store.MatchAny} {
			o := store.TextOptions{Match: match}
			_, err := w.mine.Search().Messages(t.Context(), ask, o, store.PageRequest{})
			invalid(t, err, "text")
			_, err = w.mine.Search().Conversations(t.Context(), ask, o, store.PageRequest{})
			invalid(t, err, "text")
		}
		_, err := w.mine.Search().Messages(t.Context(), ask, store.TextOptions{Match: store.MatchSubstring}, store.PageRequest{})
		require.NoError(t, err, "%s: a part of a text has no words to count", name)
	}
}
