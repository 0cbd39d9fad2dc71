package search

import (
	"database/sql"
	"strings"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/internal/snippet"
	"github.com/convostore/convostore/internal/words"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// messageHits reads what was found. What was deleted meanwhile is left out.
func (t *textSearch) messageHits(list []match) ([]*store.MessageHit, error) {
	hits := make([]*store.MessageHit, 0, len(list))
	ids := make([]uuid.UUID, len(list))
	for i, m := range list {
		ids[i] = m.key.ID
	}
	rows, err := hitRows(t.sc, t.db, ids)
	if err != nil {
		return nil, err
	}
	marked, err := t.marked(t.messages(), ids)
	if err != nil {
		return nil, err
	}
	for _, m := range list {
		if r := rows[m.key]; r != nil {
			hits = append(hits, &store.MessageHit{
				Message: &r.message, Conversation: &r.conversation, Score: m.score,
				Snippet: t.snippet(r.message.Content, marked[m.key]),
			})
		}
	}
	return hits, nil
}

// conversationHits reads the conversations and their best messages.
func (t *textSearch) conversationHits(list []threadMatch) ([]*store.ConversationHit, error) {
	var threads, best, titled []uuid.UUID
	for _, th := range list {
		threads = append(threads, th.key.ID)
		if th.best != uuid.Nil {
			best = append(best, th.best)
		} else {
			titled = append(titled, th.key.ID)
		}
	}
	conversations, err := readByKey(t, t.titles(), record.ConversationColumns, threads, record.ConversationDest,
		func(c *conversation.Conversation) scope.OwnedID { return scope.OwnedID{ID: c.ID, User: c.UserID} })
	if err != nil {
		return nil, err
	}
	messages, err := readByKey(t, t.messages(), record.MessageColumns, best, record.MessageDest,
		func(m *message.Message) scope.OwnedID { return scope.OwnedID{ID: m.ID, User: m.UserID} })
	if err != nil {
		return nil, err
	}
	markedTitles, err := t.marked(t.titles(), titled)
	if err != nil {
		return nil, err
	}
	marked, err := t.marked(t.messages(), best)
	if err != nil {
		return nil, err
	}
	hits := make([]*store.ConversationHit, 0, len(list))
	for _, th := range list {
		c := conversations[th.key]
		if c == nil {
			continue
		}
		hit := &store.ConversationHit{Conversation: c, Score: th.score, Messages: th.messages}
		key := scope.OwnedID{ID: th.best, User: th.key.User}
		if hit.Best = messages[key]; hit.Best != nil {
			hit.Snippet = t.snippet(hit.Best.Content, marked[key])
		} else {
			hit.Snippet = t.snippet(c.Title+" "+c.Subject, markedTitles[th.key])
		}
		hits = append(hits, hit)
	}
	return hits, nil
}

// readByKey reads live rows by their ids, in one query.
func readByKey[T any](t *textSearch, x texts, columns string, ids []uuid.UUID, dest func(*T) []any, key func(*T) scope.OwnedID) (map[scope.OwnedID]*T, error) {
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

// snippet cuts the part of a text that shows what was found. marked are the words that
// the database says it found, where it knows grammar.
func (t *textSearch) snippet(text string, marked []words.Term) store.Snippet {
	var found []words.Match
	switch {
	case t.substring():
		found = words.FindPart(text, t.part)
	case len(marked) > 0:
		found = words.Find(text, marked)
	default:
		found = words.Find(text, t.query.Terms())
	}
	cut, spans := snippet.Cut(text, found)
	s := store.Snippet{Text: cut, Matches: make([]store.Range, len(spans))}
	for i, span := range spans {
		s.Matches[i] = store.Range(span)
	}
	return s
}

// Marks around a word: characters that no text has, since Unicode made them none.
const openMark, closeMark = "\ufdd0", "\ufdd1"

// marked asks PostgreSQL which words of some texts it found, where its configuration
// knows grammar: paying for pay.
func (t *textSearch) marked(x texts, ids []uuid.UUID) (map[scope.OwnedID][]words.Term, error) {
	if !t.postgres() || t.substring() || len(ids) == 0 || strings.TrimPrefix(t.features.TextConfig, "pg_catalog.") == "simple" {
		return nil, nil //nolint:nilnil // the query's own words say it
	}
	text := "coalesce(" + strings.Join(x.columns, ", '') || ' ' || coalesce(") + ", '')"
	q := query.New("SELECT "+x.alias+".id, "+x.alias+".user_id, ts_headline(CAST(CAST(? AS text) AS regconfig), left("+text+", 125000), ",
		t.features.TextConfig)
	in, arg := t.sc.Dialect.InUUIDs(x.alias+".id", ids)
	t.tsQuery(q).Add(", ?) FROM "+x.table+" "+x.alias+" WHERE "+in, "HighlightAll=true, StartSel="+openMark+", StopSel="+closeMark, arg)
	t.sc.Owned(q, x.alias+".")
	found := map[scope.OwnedID][]words.Term{}
	err := q.Read(t.db, func() { clear(found) }, func(rows *sql.Rows) error {
		var key scope.OwnedID
		var headline string
		err := rows.Scan(&key.ID, &key.User, &headline)
		found[key] = markedWords(headline)
		return err
	})
	return found, err
}

// markedWords returns the words between marks, each once.
func markedWords(headline string) (terms []words.Term) {
	seen := map[string]bool{}
	for {
		_, rest, ok := strings.Cut(headline, openMark)
		if !ok {
			return terms
		}
		var word string
		word, headline, _ = strings.Cut(rest, closeMark)
		if t, ok := words.Words(word); ok && !seen[word] {
			terms = append(terms, t)
		}
		seen[word] = true
	}
}
