package message

import (
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
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
// settle a message, and whether the path of the head is another one with it.
type unsettled struct{ m *Message }

// unsettledPath is the key under which the hook before a statement notes that it does not know what
// the path of a conversation says, so that the messages that follow are settled as well.
type unsettledPath struct{ conversation uuid.UUID }

// orderedAt is when a message that is activity is ordered, but not after now; else nil.
func (m *Message) orderedAt(tx *gorm.DB) any {
	if !m.Kind.Counts() {
		return nil
	}
	return column.BoundTime(tx, notAfter(m.OrderedAt(), Now()))
}

// notAfter is t, or now if t is in the future.
func notAfter(t, now time.Time) time.Time {
	if t.After(now) {
		return now
	}
	return t
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
	if _, unknown := tx.Statement.Settings.Load(unsettledPath{m.ConversationID}); unknown || at == nil {
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
	switched, ok := tx.Statement.Settings.LoadAndDelete(unsettled{m})
	if !ok {
		return nil
	}
	var head int64
	err := tx.Raw("SELECT COALESCE(head_seq, last_seq) FROM ? WHERE id = ? AND user_id = ?", conversations(tx), m.ConversationID, m.UserID).Scan(&head).Error
	if err != nil {
		return err
	}
	return m.settle(tx, head, switched == true)
}

// settle gives the conversation the activity of the path to the head. The path decides the status as
// well, if the message is the latest turn of the path that it ended, or if the path is another one
// with it and the conversation is not archived.
func (m *Message) settle(tx *gorm.DB, head int64, switched bool) error {
	on, own, err := m.onPaths(tx, head)
	if err != nil {
		return err
	}
	turn := func(column string, on moves) string {
		return "(SELECT " + column + on.sets + " AND " + latest.Turn("x") + " ORDER BY " + latest.At("x") + " DESC, x.seq DESC LIMIT 1)"
	}
	by := moves{", last_message_at = COALESCE((SELECT " + latest.At("x") + on.sets + " ORDER BY " + latest.At("x") + " DESC LIMIT 1), c.created_at)", on.args}
	if switched || m.nextStatus() != nil {
		by.sets += ", status = CASE WHEN ? AND c.status <> 'archived' OR " + turn("x.seq", own) + " = ? THEN COALESCE(" + turn(latest.Status("x"), on) + ", 'active') ELSE c.status END"
		by.args = slices.Concat(by.args, []any{switched}, own.args, []any{m.Seq}, on.args)
	}
	args := append(append([]any{column.BoundTime(tx, Now())}, by.args...), m.ConversationID, m.UserID)
	return tx.Exec("UPDATE "+tx.Statement.Quote(conversations(tx))+" AS c SET updated_at = ?"+by.sets+" WHERE c.id = ? AND c.user_id = ?", args...).Error
}

// start is a message that does not follow the one before it.
type start struct{ Seq, ParentSeq int64 }

// onPaths selects, as FROM and WHERE, the messages x that are activity on the path to the head, and on
// the one to the message.
func (m *Message) onPaths(tx *gorm.DB, head int64) (on, own moves, err error) {
	var starts []start
	err = tx.Raw("SELECT seq, parent_seq FROM ? WHERE conversation_id = ? AND user_id = ? AND parent_seq IS NOT NULL ORDER BY seq",
		messages(tx), m.ConversationID, m.UserID).Scan(&starts).Error
	return m.onPath(tx, starts, head), m.onPath(tx, starts, m.Seq), err
}

func (m *Message) onPath(tx *gorm.DB, starts []start, end int64) moves {
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
	return moves{from, args}
}
