package threads

import (
	"cmp"
	"encoding/json"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// movedRow is a message that goes to another conversation, with its place here and there.
type movedRow struct {
	id, from   uuid.UUID
	seq        int64
	parent     *int64
	role       message.Role
	state      message.State
	key        string
	heartbeat  *time.Time
	sentAt     time.Time
	deleted    bool
	next       int64
	nextParent *int64
	keepsKey   bool
}

const movedColumns = "id, conversation_id, seq, parent_seq, role, state, idempotency_key, heartbeat_at, sent_at, deleted_at IS NOT NULL"

// readMoved reads the messages with some ids in the order of their seqs, those of a conversation
// together.
func readMoved(sc scope.Scope, db query.Conn, ids []uuid.UUID) ([]*movedRow, error) {
	return queryMoved(db, sc.ReadEach(movedColumns, sc.Tables.Messages, ids))
}

// readMovedOf is readMoved for all messages of a conversation.
func readMovedOf(sc scope.Scope, db query.Conn, conversationID uuid.UUID) ([]*movedRow, error) {
	return queryMoved(db, query.New("SELECT "+movedColumns+" FROM "+sc.Tables.Messages+" WHERE conversation_id = ? AND user_id = ?", conversationID, sc.User))
}

func queryMoved(db query.Conn, q *query.Query) ([]*movedRow, error) {
	return query.All(db, q.Add(" ORDER BY conversation_id, seq"), func(r *movedRow) []any {
		return []any{
			&r.id, &r.from, &r.seq, &r.parent, &r.role, &r.state, (*record.Text)(&r.key),
			record.NullInstant{Dest: &r.heartbeat},
			(*record.Instant)(&r.sentAt), &r.deleted,
		}
	})
}

// checkMoved refuses messages that belong to the writer of a stream.
func checkMoved(rows []*movedRow) error {
	for _, r := range rows {
		if r.state == message.StateStreaming && !r.deleted {
			return &store.StreamError{MessageID: r.id, Reason: store.StreamActive, State: r.state, HeartbeatAt: r.heartbeat}
		}
	}
	return nil
}

// bySent puts messages into the order in which they follow each other in another conversation.
func bySent(a, b *movedRow) int {
	return cmp.Or(a.sentAt.Compare(b.sentAt), scope.CompareIDs(a.from, b.from), cmp.Compare(a.seq, b.seq))
}

// place gives rows the seqs after last, one by one, and has the first one follow base and each
// other one that before it. It returns the end of the path and the last seq.
func place(rows []*movedRow, base, last int64) (head, end int64) {
	for _, r := range rows {
		last++
		r.follow(base, last)
		base = last
	}
	return base, last
}

// follow gives a row a seq after a parent, which is nil if that is the seq before.
func (r *movedRow) follow(parent, seq int64) {
	if r.next, r.nextParent = seq, nil; parent != seq-1 {
		r.nextParent = &parent
	}
}

// placeTree is place for all rows of a conversation, in the order of their seqs, of which the path
// that ends with head comes first. The others follow the same messages as before, and base if they
// began a path.
func placeTree(rows []*movedRow, head, base, last int64) (newHead, end int64) {
	parents := make(map[int64]int64, len(rows)) // by seq
	bySeq := make(map[int64]*movedRow, len(rows))
	before := int64(0)
	for _, r := range rows {
		if parents[r.seq] = before; r.parent != nil {
			parents[r.seq] = *r.parent
		}
		bySeq[r.seq], before = r, r.seq
	}
	onPath := map[*movedRow]bool{}
	for seq := stands(rows, head); seq > 0; seq = stands(rows, parents[seq]) {
		onPath[bySeq[seq]] = true
	}
	var path, others []*movedRow
	for _, r := range rows {
		if onPath[r] {
			path = append(path, r)
		} else {
			others = append(others, r)
		}
	}
	slices.SortStableFunc(path, bySent)
	newHead, end = place(path, base, last)
	for _, r := range others {
		parent := base
		if p := stands(rows, parents[r.seq]); p > 0 {
			parent = bySeq[p].next
		}
		end++
		r.follow(parent, end)
	}
	return newHead, end
}

// stands returns the last seq up to one that a row has, 0 if there is none: messages that were
// removed for good leave holes.
func stands(rows []*movedRow, seq int64) int64 {
	i, found := slices.BinarySearchFunc(rows, seq, func(r *movedRow, seq int64) int { return cmp.Compare(r.seq, seq) })
	switch {
	case found:
		return seq
	case i == 0:
		return 0
	}
	return rows[i-1].seq
}

// movedPart is how many messages a statement moves.
const movedPart = 500

// writeMoved moves messages to their places in a conversation, with their vectors. One with an
// idempotency key that another message has there gives the key up.
func writeMoved(sc scope.Scope, db query.Conn, into uuid.UUID, rows []*movedRow) error {
	if err := keepKeys(sc, db, into, rows); err != nil {
		return err
	}
	now := sc.Instant()
	for part := range slices.Chunk(rows, movedPart) {
		values, ids := make([][]any, len(part)), make([]uuid.UUID, len(part))
		for i, r := range part {
			values[i], ids[i] = []any{r.id.String(), r.next, record.NullSeq(r.nextParent), r.keepsKey}, r.id
		}
		source, err := rowSource(sc, []string{"uuid", "bigint", "bigint", "boolean"}, values)
		if err != nil {
			return err
		}
		q := query.New("WITH v (user_id, id, seq, parent_seq, keeps) AS (").Append(source).
			Add(") UPDATE "+sc.Tables.Messages+" AS m SET conversation_id = ?, seq = v.seq, parent_seq = v.parent_seq, change_seq = NULL, "+
				"revision = m.revision + 1, updated_at = ?, idempotency_key = CASE WHEN v.keeps THEN m.idempotency_key END, "+
				"state = CASE m.state WHEN 'streaming' THEN 'interrupted' ELSE m.state END FROM v WHERE m.id = v.id AND m.user_id = ?", into, now, sc.User)
		n, err := q.Exec(db)
		if err != nil {
			return err
		}
		if n != int64(len(part)) {
			return errMovedMeanwhile
		}
		_, err = query.New("UPDATE "+sc.Tables.Embeddings+" SET conversation_id = ? WHERE ", into).Append(sc.Among("message_id", ids)).Exec(db)
		if err != nil {
			return err
		}
	}
	return nil
}

// keepKeys says of each message whether its idempotency key is free in a conversation.
func keepKeys(sc scope.Scope, db query.Conn, into uuid.UUID, rows []*movedRow) error {
	var keys []string
	for _, r := range rows {
		if r.key != "" {
			keys = append(keys, r.key)
		}
	}
	// By key, the message that has it, or that has left it behind when it moved away.
	taken, left := map[string]uuid.UUID{"": uuid.Nil}, map[string]uuid.UUID{}
	for part := range slices.Chunk(keys, 1000) {
		in, arg := sc.Dialect.InTexts("idempotency_key", part)
		q := query.New("SELECT "+record.MessageColumns+" FROM "+sc.Tables.Messages+" WHERE conversation_id = ? AND user_id = ? AND "+in, into, sc.User, arg)
		found, err := query.All(db, q, record.MessageDest)
		if err != nil {
			return err
		}
		for _, m := range found {
			taken[m.IdempotencyKey], left[m.IdempotencyKey] = m.ID, hasMoved(m)
		}
	}
	var freed []uuid.UUID
	for _, r := range rows {
		trace, has := taken[r.key]
		if r.keepsKey = !has || r.key != "" && left[r.key] == r.id; has && r.keepsKey {
			freed = append(freed, trace)
		}
		taken[r.key], left[r.key] = r.id, uuid.Nil
	}
	if len(freed) == 0 {
		return nil
	}
	_, err := query.New("UPDATE " + sc.Tables.Messages + " SET idempotency_key = NULL WHERE ").Append(sc.Among("id", freed)).Exec(db)
	return err
}

// hasMoved returns the message whose trace a message is, uuid.Nil if it is none.
func hasMoved(m *message.Message) uuid.UUID {
	if !m.Deleted() || m.FinishReason != store.FinishMoved {
		return uuid.Nil
	}
	var of trace
	if err := json.Unmarshal(m.Metadata, &of); err != nil {
		return uuid.Nil
	}
	return of.MessageID
}

// trace is the metadata of what is left in the place of a message that has moved.
type trace struct {
	MessageID uuid.UUID `json:"message_id"`
	MovedTo   uuid.UUID `json:"moved_to"`
}

// notMoved keeps what is left in the place of a message from being restored.
const notMoved = " AND COALESCE(finish_reason, '') <> '" + store.FinishMoved + "'"
