package threads

import (
	"strconv"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/internal/overtake"
	"github.com/convostore/convostore/message"
)

// Overtakes is the condition, which begins with AND, that a message m after a seq is news to who has
// read up to that seq: the lead said it, and it is not an old mail that came in late, sent before
// another one that is known. A time in the future counts as that of the arrival.
func Overtakes(sc scope.Scope, seq string) string {
	return " AND m.seq > " + seq + " AND " + overtake.Asks("m.") + " AND NOT EXISTS (SELECT 1 FROM " + sc.Tables.Messages +
		" a WHERE a.conversation_id = m.conversation_id AND a.user_id = m.user_id AND a.seq <= " + seq + " AND " + overtake.Asks("a.") +
		" AND a.sent_at > m.sent_at AND a.created_at > m.sent_at)"
}

// Overtaking returns the latest message on the path of the head that overtakes one of a seq, or
// ErrNotFound. The scope is that of one user.
func Overtaking(sc scope.Scope, db query.Conn, conversationID uuid.UUID, seq int64) (*message.Message, error) {
	q := headPath(sc, conversationID).rows(record.MessageColumns)
	q.Add(Overtakes(sc, strconv.FormatInt(seq, 10)) + " ORDER BY m.seq DESC LIMIT 1")
	return query.One(db, q, record.MessageDest)
}
