package store

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
)

// near is a message with a vector, by its key: two users may have the same id.
type near struct {
	message      ownedID
	conversation uuid.UUID
	similarity   float64
}

// nearer is the order of hits.
func nearer(a, b near) int {
	return cmp.Or(
		cmp.Compare(b.similarity, a.similarity),
		bytes.Compare(a.message.id[:], b.message.id[:]),
		bytes.Compare(a.message.user[:], b.message.user[:]),
	)
}

// found is what a search gave, best first.
type found struct {
	hits         []near
	exact, short bool
}

// without leaves a message out.
func (f found) without(key ownedID, limit int) found {
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
		ids[i] = h.message.id
	}
	return ids
}

// qualified puts the name of a table before each column of a list.
func qualified(alias, columns string) string {
	return alias + strings.ReplaceAll(columns, ", ", ", "+alias)
}

// hitRows reads messages and their conversations in one query. A message that was deleted
// since it was found is not among them.
func (sc scope) hitRows(db conn, ids []uuid.UUID) (map[ownedID]*hitRow, error) {
	if len(ids) == 0 {
		return nil, nil //nolint:nilnil // no hits, no rows
	}
	in, arg := sc.dialect.InUUIDs("m.id", ids)
	q := newQuery("SELECT "+qualified("m.", messageColumns)+", "+qualified("c.", conversationColumns)+" FROM "+sc.tables.messages+" m JOIN "+
		sc.tables.conversations+" c ON c.id = m.conversation_id AND c.user_id = m.user_id"+
		" WHERE m.deleted_at IS NULL AND c.deleted_at IS NULL AND "+in, arg)
	sc.owned(sc.owned(q, "m."), "c.")
	rows, err := collect(db, q, func(r *hitRow) []any {
		return append(messageDest(&r.message), conversationDest(&r.conversation)...)
	})
	byKey := make(map[ownedID]*hitRow, len(rows))
	for _, r := range rows {
		byKey[ownedID{r.message.ID, r.message.UserID}] = r
	}
	return byKey, err
}

func (n *nearest) messages(f found) (Similar[*SimilarMessage], error) {
	result := Similar[*SimilarMessage]{Hits: make([]*SimilarMessage, 0, len(f.hits)), Model: n.o.Model, Exact: f.exact, Short: f.short}
	rows, err := n.hitRows(n.db, messageIDs(f.hits))
	if err != nil {
		return Similar[*SimilarMessage]{}, err
	}
	for _, h := range f.hits {
		if r := rows[h.message]; r != nil {
			result.Hits = append(result.Hits, &SimilarMessage{Message: &r.message, Conversation: &r.conversation, Similarity: h.similarity})
		}
	}
	return result, nil
}
