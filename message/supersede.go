package message

import (
	"gorm.io/gorm"

	"github.com/convostore/convostore/internal/column"
	"github.com/convostore/convostore/internal/overtake"
)

// supersede supersedes the suggestions that wait for a decision and that the message overtakes, as
// the store's Append does. The message is the last one of its conversation, whose row an earlier
// statement of the transaction has counted it in.
func (m *Message) supersede(tx *gorm.DB) error {
	if !m.Asks() || m.Deleted() {
		return nil
	}
	now := Now()
	o := overtakeTables(tx)
	args := overtake.Args(nil, m.ConversationID.String(), m.UserID.String(), column.BoundTime(tx, now), column.BoundTime(tx, notAfter(m.SentAt, now)), m.Seq)
	return tx.Exec(o.Supersede("", "", o.Latest(), m.Seq > 0), args...).Error
}

func overtakeTables(tx *gorm.DB) overtake.Tables {
	return overtake.Tables{
		Conversations: tx.Statement.Quote(conversations(tx)),
		Messages:      tx.Statement.Quote(messages(tx)),
		Suggestions:   tx.Statement.Quote(column.InStatement(tx, "ai_suggestions")),
	}
}
