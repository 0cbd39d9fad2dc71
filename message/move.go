package message

import (
	"strings"

	"gorm.io/gorm"

	"github.com/convostore/convostore/internal/column"
	"github.com/convostore/convostore/internal/latest"
)

// moves are assignments of a conversation, each after a comma, with their arguments.
type moves struct {
	sets string
	args []any
}

// unsettled is the key under which the hook before a statement notes that the one after it is to
// settle a message.
type unsettled struct{ m *Message }

// orderedAt is when a message that is activity is ordered, but not after now; else nil.
func (m *Message) orderedAt(tx *gorm.DB) any {
	if !m.Kind.Counts() {
		return nil
	}
	at := m.OrderedAt()
	if now := Now(); at.After(now) {
		at = now
	}
	return column.BoundTime(tx, at)
}

// nextStatus returns the status that the message gives its conversation, nil if it leaves the
// status alone.
func (m *Message) nextStatus() *string {
	next := string(ConversationStatus("").AfterMessage(m))
	if next == "" {
		return nil
	}
	return &next
}

// moveLatest moves status and activity if the message is the latest of all, as nearly every one is.
func (m *Message) moveLatest(tx *gorm.DB) moves {
	at := m.orderedAt(tx)
	if at == nil {
		return moves{}
	}
	return moves{
		", status = CASE WHEN last_seq = 0 OR last_message_at <= ? THEN COALESCE(?, status) ELSE status END" +
			", last_message_at = CASE WHEN last_seq = 0 OR last_message_at <= ? THEN ? ELSE last_message_at END",
		[]any{at, m.nextStatus(), at, at},
	}
}

// AfterCreate is a GORM hook. A message that is not the latest of its conversation, or that begins a
// branch, is compared with the others once all messages of the statement are stored: the conversation
// is locked since BeforeCreate.
func (m *Message) AfterCreate(tx *gorm.DB) error {
	if _, ok := tx.Statement.Settings.LoadAndDelete(unsettled{m}); !ok {
		return nil
	}
	var head int64
	err := tx.Raw("SELECT COALESCE(head_seq, last_seq) FROM ? WHERE id = ? AND user_id = ?", conversations(tx), m.ConversationID, m.UserID).Scan(&head).Error
	if err != nil {
		return err
	}
	return m.settle(tx, head)
}

// settle finds status and activity by the messages on the path to the head: the message decides the
// status if it is the latest turn of the path, and the activity is that of the path.
func (m *Message) settle(tx *gorm.DB, head int64) error {
	r := latest.Tables{
		Conversations: tx.Statement.Quote(conversations(tx)), Messages: tx.Statement.Quote(messages(tx)),
		Deliveries: tx.Statement.Quote(OutboxEntry{}.TableName(tx.NamingStrategy)),
	}
	on, err := m.onPath(tx, head)
	if err != nil {
		return err
	}
	by := moves{", last_message_at = COALESCE((SELECT " + latest.At("x") + on.sets + " ORDER BY " + latest.At("x") + " DESC LIMIT 1), c.created_at)", on.args}
	if status := m.nextStatus(); status != nil {
		by.sets += ", status = CASE WHEN (SELECT x.seq" + on.sets + " AND " + r.Turn("x") + " ORDER BY " + latest.At("x") + " DESC, x.seq DESC LIMIT 1) = ? THEN ? ELSE c.status END"
		by.args = append(append(append([]any{}, by.args...), on.args...), m.Seq, *status)
	}
	args := append(append([]any{column.BoundTime(tx, Now())}, by.args...), m.ConversationID, m.UserID)
	return tx.Exec("UPDATE "+r.Conversations+" AS c SET updated_at = ?"+by.sets+" WHERE c.id = ? AND c.user_id = ?", args...).Error
}

// onPath selects, as FROM and WHERE, the messages x on the path to a seq that are activity.
func (m *Message) onPath(tx *gorm.DB, end int64) (moves, error) {
	var starts []struct{ Seq, ParentSeq int64 }
	err := tx.Raw("SELECT seq, parent_seq FROM ? WHERE conversation_id = ? AND user_id = ? AND parent_seq IS NOT NULL ORDER BY seq",
		messages(tx), m.ConversationID, m.UserID).Scan(&starts).Error
	spans, args := []string{"1 = 0"}, []any{m.ConversationID, m.UserID}
	for end > 0 {
		first, next := int64(1), int64(0)
		for len(starts) > 0 && starts[len(starts)-1].Seq > end {
			starts = starts[:len(starts)-1]
		}
		if n := len(starts); n > 0 {
			first, next = starts[n-1].Seq, starts[n-1].ParentSeq
		}
		spans, args = append(spans, "x.seq BETWEEN ? AND ?"), append(args, first, end)
		end = next
	}
	from := " FROM " + tx.Statement.Quote(messages(tx)) + " x WHERE x.conversation_id = ? AND x.user_id = ? AND (" + strings.Join(spans, " OR ") + ") AND " + latest.Active("x")
	return moves{from, args}, err
}
