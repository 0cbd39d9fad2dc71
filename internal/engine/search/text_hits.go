package search

import (
	"slices"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/internal/segment"
	"github.com/convostore/convostore/internal/snippet"
	"github.com/convostore/convostore/internal/words"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// messageHits reads the messages of matches, in their order, and leaves out those that were
// deleted since the search, or edited so that they have none of its words any more.
func (t *textSearch) messageHits(matches []match) ([]*store.MessageHit, error) {
	hits := make([]*store.MessageHit, 0, len(matches))
	ids := make([]uuid.UUID, len(matches))
	for i, m := range matches {
		ids[i] = m.key.ID
	}
	rows, err := hitRows(t.sc, t.db, ids)
	if err != nil {
		return nil, err
	}
	for _, m := range matches {
		r := rows[m.key]
		if r == nil {
			continue
		}
		places := t.places(r.message.Content, r.conversation.Language)
		if len(places) == 0 && t.inContentAlone() {
			continue // it was edited since
		}
		hits = append(hits, &store.MessageHit{
			Message: &r.message, Conversation: &r.conversation, Score: m.score,
			Snippet: snippetOf(r.message.Content, places),
		})
	}
	return hits, nil
}

// conversationHits reads conversations and their best messages, in their order, and leaves
// out conversations that were deleted since the search.
func (t *textSearch) conversationHits(page []threadMatch) ([]*store.ConversationHit, error) {
	var threads, bestMessages []uuid.UUID
	for _, th := range page {
		threads = append(threads, th.key.ID)
		if th.bestMessage != uuid.Nil {
			bestMessages = append(bestMessages, th.bestMessage)
		}
	}
	conversations, err := readByKey(t, t.conversations(), record.ConversationColumns, threads, record.ConversationDest,
		func(c *conversation.Conversation) scope.OwnedID { return scope.OwnedID{ID: c.ID, User: c.UserID} })
	if err != nil {
		return nil, err
	}
	messages, err := readByKey(t, t.messages(), record.MessageColumns, bestMessages, record.MessageDest,
		func(m *message.Message) scope.OwnedID { return scope.OwnedID{ID: m.ID, User: m.UserID} })
	if err != nil {
		return nil, err
	}
	hits := make([]*store.ConversationHit, 0, len(page))
	for _, th := range page {
		c := conversations[th.key]
		if c == nil {
			continue
		}
		hit := &store.ConversationHit{Conversation: c, Score: th.score, Messages: th.messages}
		key := scope.OwnedID{ID: th.bestMessage, User: th.key.User}
		if hit.Best = messages[key]; hit.Best != nil {
			hit.Snippet = t.snippet(hit.Best.Content, c.Language)
		} else {
			hit.Snippet = t.snippet(c.Title+" "+c.Subject, c.Language)
		}
		hits = append(hits, hit)
	}
	return hits, nil
}

// readByKey reads rows by their ids, in one query. Deleted rows are left out.
func readByKey[T any](t *textSearch, x textTable, columns string, ids []uuid.UUID, dest func(*T) []any, key func(*T) scope.OwnedID) (map[scope.OwnedID]*T, error) {
	byKey := map[scope.OwnedID]*T{}
	if len(ids) == 0 {
		return byKey, nil
	}
	in, arg := t.sc.Dialect.InUUIDs("id", ids)
	q := query.New("SELECT "+columns+" FROM "+x.table+" WHERE deleted_at IS NULL AND "+in, arg)
	rows, err := query.All(t.db, t.sc.Owned(q, ""), dest)
	for _, r := range rows {
		byKey[key(r)] = r
	}
	return byKey, err
}

// snippet cuts out the part of a text that shows the matches.
func (t *textSearch) snippet(text, language string) store.Snippet {
	return snippetOf(text, t.places(text, language))
}

// places are the matches in a text of a conversation that names a language, or none.
func (t *textSearch) places(text, said string) []words.Match {
	if t.bySubstring() {
		return t.part.Find(text)
	}
	language := t.sc.Languages.Of(said)
	if only := t.options.Language; only != "" && language.Code != only {
		language = nil
	}
	return words.Find(text, t.query.Terms(), language)
}

// inContentAlone tells whether every hit has its words in the content.
func (t *textSearch) inContentAlone() bool {
	return t.bySubstring() || slices.Equal(t.messageFields(), []segment.Field{segment.Content})
}

func snippetOf(text string, places []words.Match) store.Snippet {
	cut, spans := snippet.Cut(text, places)
	s := store.Snippet{Text: cut, Matches: make([]store.Range, len(spans))}
	for i, span := range spans {
		s.Matches[i] = store.Range(span)
	}
	return s
}
