package message

import (
	"gorm.io/gorm"

	"github.com/convostore/convostore/rule"
)

// branchOff is takeSeq for a message that names its parent, that follows a head which is not the last
// message, or that is not the latest. It locks the conversation before it looks for the parent. The message becomes the
// head, and its ParentSeq nil if that is the message before it. A parent that is not stored is a
// *rule.InvalidError.
func (m *Message) branchOff(tx *gorm.DB) (int64, error) {
	var rows []struct {
		LastSeq  int64
		HeadSeq  *int64
		Branched bool
	}
	err := tx.Raw("UPDATE ? SET last_seq = last_seq WHERE id = ? AND user_id = ? AND deleted_at IS NULL RETURNING last_seq, head_seq, branched",
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
	branches := m.ParentSeq != nil && *m.ParentSeq != c.LastSeq
	if !branches && !c.Branched {
		m.ParentSeq = nil
		by, _ := m.moveWhole(tx)
		return m.count(tx, by, "TRUE")
	}
	parent := c.LastSeq
	if branches {
		parent = *m.ParentSeq
	} else {
		m.ParentSeq = nil
	}
	by, err := m.movePath(tx, parent)
	if err != nil {
		return 0, err
	}
	by.sets += ", head_seq = NULL"
	if branches {
		by.sets += ", branched = TRUE"
	}
	return m.count(tx, by, "TRUE")
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
