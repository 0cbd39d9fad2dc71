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

// vectorHit is a message whose vector was compared. Its key has the user, because two users
// may have messages with the same id.
type vectorHit struct {
	message      scope.OwnedID
	conversation uuid.UUID
	similarity   float64
}

// compareHits orders hits by similarity, nearest first. Ties go by id and user.
func compareHits(a, b vectorHit) int {
	return cmp.Or(
		cmp.Compare(b.similarity, a.similarity),
		bytes.Compare(a.message.ID[:], b.message.ID[:]),
		bytes.Compare(a.message.User[:], b.message.User[:]),
	)
}

// vectorHits is the result of a search, nearest first. exact and short are as in
// store.Similar.
type vectorHits struct {
	hits         []vectorHit
	exact, short bool
}

// without returns the first hits, at most limit, without the given message.
func (f vectorHits) without(key scope.OwnedID, limit int) vectorHits {
	f.hits = slices.DeleteFunc(f.hits, func(h vectorHit) bool { return h.message == key })
	f.hits = f.hits[:min(limit, len(f.hits))]
	return f
}

// nearestHits keeps the nearest of any number of hits, at most limit. It does not sort at
// each hit, but only when it holds twice too many.
type nearestHits struct {
	limit int
	hits  []vectorHit
}

func (n *nearestHits) add(h vectorHit) {
	n.hits = append(n.hits, h)
	if len(n.hits)/2 > max(32, n.limit) {
		n.hits = n.sorted()
	}
}

func (n *nearestHits) sorted() []vectorHit {
	slices.SortFunc(n.hits, compareHits)
	return n.hits[:min(n.limit, len(n.hits))]
}

// hitRow is a message and its conversation. Each hit has its own copy of the conversation,
// which the caller may change.
type hitRow struct {
	message      message.Message
	conversation conversation.Conversation
}

func messageIDs(hits []vectorHit) []uuid.UUID {
	ids := make([]uuid.UUID, len(hits))
	for i, h := range hits {
		ids[i] = h.message.ID
	}
	return ids
}

// hitRows reads messages and their conversations in one query. Messages that were deleted
// since the search are missing from the map.
func hitRows(sc scope.Scope, db query.Conn, ids []uuid.UUID) (map[scope.OwnedID]*hitRow, error) {
	if len(ids) == 0 {
		return nil, nil //nolint:nilnil // no hits, no rows
	}
	in, arg := sc.Dialect.InUUIDs("m.id", ids)
	q := query.New("SELECT "+query.Qualified("m.", record.MessageColumns)+", "+query.Qualified("c.", record.ConversationColumns)+" FROM "+sc.Tables.Messages+" m CROSS JOIN "+
		sc.Tables.Conversations+" c WHERE c.id = m.conversation_id AND c.user_id = m.user_id"+
		" AND m.deleted_at IS NULL AND c.deleted_at IS NULL AND "+in, arg)
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

// messages reads the messages of hits, in their order.
func (s *similarSearch) messages(found vectorHits) (store.Similar[*store.SimilarMessage], error) {
	rows, err := hitRows(s.sc, s.db, messageIDs(found.hits))
	if err != nil {
		return store.Similar[*store.SimilarMessage]{}, err
	}
	result := store.Similar[*store.SimilarMessage]{
		Hits: make([]*store.SimilarMessage, 0, len(found.hits)), Model: s.options.Model, Exact: found.exact, Short: found.short,
	}
	for _, h := range found.hits {
		if r := rows[h.message]; r != nil {
			result.Hits = append(result.Hits, &store.SimilarMessage{Message: &r.message, Conversation: &r.conversation, Similarity: h.similarity})
		}
	}
	return result, nil
}
