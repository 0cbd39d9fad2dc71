package message

import (
	"cmp"

	"gorm.io/gorm"

	"github.com/convostore/convostore/rule"
)

// branchOff is takeSeq for a message that names its parent, or that follows a head which is not the
// last message. It locks the conversation before it looks for the parent. The message becomes the
// head, and its ParentSeq nil if that is the message before it. A parent that is not stored is a
// *rule.InvalidError.
func (m *Message) branchOff(tx *gorm.DB) (int64, error) {
	var rows []struct {
		LastSeq int64
		HeadSeq *int64
	}
	err := tx.Raw("UPDATE ? SET last_seq = last_seq WHERE id = ? AND user_id = ? AND deleted_at IS NULL RETURNING last_seq, head_seq",
		conversations(tx), m.ConversationID, m.UserID).Scan(&rows).Error
	if err != nil || len(rows) == 0 {
		return 0, err
	}
	c := rows[0]
	if m.Seq > 0 && m.Seq != c.LastSeq+1 {
		return 0, nil
	}
	if m.ParentSeq == nil {
		m.ParentSeq = c.HeadSeq
	} else if err := m.checkParent(tx); err != nil {
		return 0, err
	}
	end := cmp.Or(c.HeadSeq, &c.LastSeq)
	if switched := m.ParentSeq != nil && *m.ParentSeq != *end; switched || c.HeadSeq != nil {
		tx.Statement.Settings.Store(unsettled{m}, switched)
		tx.Statement.Settings.Store(unsettledPath{m.ConversationID}, true)
	}
	if m.ParentSeq == nil || *m.ParentSeq == c.LastSeq {
		m.ParentSeq = nil
		by := m.moveLatest(tx)
		by.sets += ", head_seq = NULL"
		return m.count(tx, by, "TRUE")
	}
	return m.count(tx, moves{sets: ", head_seq = NULL, branched = TRUE"}, "TRUE") // AfterCreate moves the rest
}

// checkParent refuses a ParentSeq that no message of the conversation has. 0 is the beginning.
func (m *Message) checkParent(tx *gorm.DB) error {
	if *m.ParentSeq <= 0 {
		return m.ValidateParent()
	}
	var seqs []int64
	err := tx.Raw("SELECT seq FROM ? WHERE conversation_id = ? AND user_id = ? AND seq = ?",
		messages(tx), m.ConversationID, m.UserID, *m.ParentSeq).Scan(&seqs).Error
	if err == nil && len(seqs) == 0 {
		err = rule.Invalid("parent_seq", "is that of no message of the conversation")
	}
	return err
}

// joinCounted checks the parent of a message that its conversation has counted already, and says in
// the conversation that it has branches.
func (m *Message) joinCounted(tx *gorm.DB) error {
	if m.ParentSeq == nil {
		return nil
	}
	if err := m.checkParent(tx); err != nil {
		return err
	}
	return tx.Exec("UPDATE ? SET branched = TRUE WHERE id = ? AND user_id = ? AND NOT branched",
		conversations(tx), m.ConversationID, m.UserID).Error
}
