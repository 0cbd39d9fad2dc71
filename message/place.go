package message

import (
	"cmp"
	"fmt"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/convostore/convostore/internal/column"
	"github.com/convostore/convostore/rule"
)

// place makes a message that a host creates with its own GORM the next one of its conversation:
// it takes the seq from the conversation's row and moves last_seq, last_message_at, status and
// updated_at as the store's Append does, see package latest. The row stays locked until the transaction ends.
//
// A message that has its seq already, from the conversation's AddMessage, moves the conversation
// only if the row was not written with the message counted. If another message has the seq, or if
// messages are missing before it, the struct was stale: rule.ErrConflict.
//
// A conversation that is absent, deleted or another user's is gorm.ErrRecordNotFound. Without a
// transaction it is a *rule.InvalidError, since the conversation could move without the message.
func (m *Message) place(tx *gorm.DB) error {
	if tx == nil || tx.DryRun {
		return nil
	}
	_, inTransaction := tx.Statement.ConnPool.(gorm.TxCommitter)
	if inTransaction {
		seq, err := m.takeSeq(tx)
		if err == nil && seq == 0 {
			seq, err = m.branchOff(tx)
		}
		if err != nil || seq > 0 {
			m.Seq = cmp.Or(seq, m.Seq)
			return err
		}
	}
	last, err := m.lastSeq(tx)
	switch {
	case err != nil:
		return err
	case m.Seq > 0 && m.Seq <= last:
		if err := m.onlyOne(tx); err != nil {
			return err
		}
		if err := m.joinCounted(tx); err != nil {
			return err
		}
		return m.supersede(tx)
	case m.Seq > last+1:
		return fmt.Errorf("%w: the messages before seq %d are not stored", rule.ErrConflict, m.Seq)
	case !inTransaction:
		return rule.Invalid("transaction", "is off: a message moves its conversation, so create it in db.Transaction")
	}
	return fmt.Errorf("convostore: the conversation of the message is deleted: %w", gorm.ErrRecordNotFound)
}

// takeSeq counts the message in its conversation. It returns 0 if there is no such conversation,
// if the message has a seq that is not the next one, or if it may make a branch: see branchOff.
func (m *Message) takeSeq(tx *gorm.DB) (int64, error) {
	if m.ParentSeq != nil {
		return 0, nil
	}
	return m.count(tx, m.moveLatest(tx), "head_seq IS NULL")
}

// count counts the message in its conversation with more assignments, if a condition holds. A
// message that is not the latest, or that follows a path of which a message is left to it, is left to
// AfterCreate.
func (m *Message) count(tx *gorm.DB, by moves, condition string) (int64, error) {
	if m.Asks() {
		by.sets += ", snoozed_until = NULL"
	}
	sql := "UPDATE ? SET last_seq = last_seq + 1, updated_at = ?" + by.sets +
		" WHERE id = ? AND user_id = ? AND deleted_at IS NULL AND last_seq = COALESCE(?, last_seq) AND " + condition +
		" RETURNING last_seq, COALESCE(last_message_at > ?, FALSE) AS late, " + overtakeTables(tx).Waiting(tx.Statement.Quote(conversations(tx)), "") + " AS waiting"
	var before *int64
	if m.Seq > 0 {
		before = new(m.Seq - 1)
	}
	args := append([]any{conversations(tx), column.BoundTime(tx, Now())}, by.args...)
	var c struct {
		LastSeq       int64
		Late, Waiting bool
	}
	err := tx.Raw(sql, append(args, m.ConversationID, m.UserID, before, m.orderedAt(tx))...).Scan(&c).Error
	if _, unknown := tx.Statement.Settings.Load(unsettledPath{m.ConversationID}); err == nil && (c.Late || unknown) {
		tx.Statement.Settings.LoadOrStore(unsettled{m}, false)
	}
	if err == nil && c.Waiting {
		err = m.supersede(tx)
	}
	return c.LastSeq, err
}

// lastSeq returns gorm.ErrRecordNotFound if the conversation is absent.
func (m *Message) lastSeq(tx *gorm.DB) (int64, error) {
	var last []int64
	err := tx.Raw("SELECT last_seq FROM ? WHERE id = ? AND user_id = ?", conversations(tx), m.ConversationID, m.UserID).Scan(&last).Error
	if err == nil && len(last) == 0 {
		err = fmt.Errorf("convostore: the conversation of the message: %w", gorm.ErrRecordNotFound)
	}
	if err != nil {
		return 0, err
	}
	return last[0], nil
}

// onlyOne returns rule.ErrConflict if another message has the seq.
func (m *Message) onlyOne(tx *gorm.DB) error {
	var ids []uuid.UUID
	err := tx.Raw("SELECT id FROM ? WHERE conversation_id = ? AND user_id = ? AND seq = ?",
		messages(tx), m.ConversationID, m.UserID, m.Seq).Scan(&ids).Error
	if err == nil && len(ids) > 0 && ids[0] != m.ID {
		err = fmt.Errorf("%w: another message has seq %d", rule.ErrConflict, m.Seq)
	}
	return err
}

func conversations(tx *gorm.DB) clause.Table {
	return column.InStatement(tx, "conversations")
}

func messages(tx *gorm.DB) clause.Table {
	return column.InStatement(tx, "messages")
}
