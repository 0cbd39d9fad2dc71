package search

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// near is a message with a vector, by its key: two users may have the same id.
type near struct {
	message      scope.OwnedID
	conversation uuid.UUID
	similarity   float64
}

// nearer is the order of hits.
func nearer(a, b near) int {
	return cmp.Or(
		cmp.Compare(b.similarity, a.similarity),
		bytes.Compare(a.message.ID[:], b.message.ID[:]),
		bytes.Compare(a.message.User[:], b.message.User[:]),
	)
}

// found is what a search gave, best first.
type found struct {
	hits         []near
	exact, short bool
}

// without leaves a message out.
func (f found) without(key scope.OwnedID, limit int) found {
	f.hits = slices.DeleteFunc(f.hits, func(h near) bool { return h.message == key })
	f.hits = f.hits[:min(limit, len(f.hits))]
	return f
}

// best keeps the nearest of any number. It sorts now and then instead of each time.
type best struct {
	limit int
	hits  []near
}

func (b *best) add(h near) {
	b.hits = append(b.hits, h)
	if len(b.hits)/2 > max(32, b.limit) {
		b.hits = b.sorted()
	}
}

func (b *best) sorted() []near {
	slices.SortFunc(b.hits, nearer)
	return b.hits[:min(b.limit, len(b.hits))]
}

// hitRow is a message and its conversation, each an own copy for the caller.
type hitRow struct {
	message      message.Message
	conversation conversation.Conversation
}

func messageIDs(hits []near) []uuid.UUID {
	ids := make([]uuid.UUID, len(hits))
	for i, h := range hits {
		ids[i] = h.message.ID
	}
	return ids
}

// hitRows reads messages and their conversations in one query. A message that was deleted
// since it was found is not among them.
func hitRows(sc scope.Scope, db query.Conn, ids []uuid.UUID) (map[scope.OwnedID]*hitRow, error) {
	if len(ids) == 0 {
		return nil, nil //nolint:nilnil // no hits, no rows
	}
	in, arg := sc.Dialect.InUUIDs("m.id", ids)
	q := query.New("SELECT "+query.Qualified("m.", record.MessageColumns)+", "+query.Qualified("c.", record.ConversationColumns)+" FROM "+sc.Tables.Messages+" m JOIN "+
		sc.Tables.Conversations+" c ON c.id = m.conversation_id AND c.user_id = m.user_id"+
		" WHERE m.deleted_at IS NULL AND c.deleted_at IS NULL AND "+in, arg)
	sc.Owned(sc.Owned(q, "m."), "c.")
	rows, err := query.All(db, q, func(r *hitRow) []any {
		return append(record.MessageDest(&r.message), record.ConversationDest(&r.conversation)...)
	})
	byKey := make(map[scope.OwnedID]*hitRow, len(rows))
	for _, r := range rows {
		byKey[scope.OwnedID{ID: r.message.ID, User: r.message.UserID}] = r
	}
	return byKey, err
}

func (n *nearest) messages(f found) (store.Similar[*store.SimilarMessage], error) {
	result := store.Similar[*store.SimilarMessage]{Hits: make([]*store.SimilarMessage, 0, len(f.hits)), Model: n.o.Model, Exact: f.exact, Short: f.short}
	rows, err := hitRows(n.sc, n.db, messageIDs(f.hits))
	if err != nil {
		return store.Similar[*store.SimilarMessage]{}, err
	}
	for _, h := range f.hits {
		if r := rows[h.message]; r != nil {
			result.Hits = append(result.Hits, &store.SimilarMessage{Message: &r.message, Conversation: &r.conversation, Similarity: h.similarity})
		}
	}
	return result, nil
}
