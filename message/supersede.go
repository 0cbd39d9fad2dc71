package message

import (
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

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
	sentAt := m.SentAt
	if sentAt.After(now) {
		sentAt = now
	}
	o := overtakeTables(tx)
	args := overtake.Args(nil, m.ConversationID.String(), m.UserID.String(), column.BoundTime(tx, now), column.BoundTime(tx, sentAt), m.Seq)
	return tx.Exec(o.Supersede("", "", o.Latest(), m.Seq > 0), args...).Error
}

func overtakeTables(tx *gorm.DB) overtake.Tables {
	return overtake.Tables{
		Conversations: tx.Statement.Quote(conversations(tx)),
		Messages:      tx.Statement.Quote(messages(tx)),
		Suggestions:   tx.Statement.Quote(clause.Table{Name: column.Table(tx.NamingStrategy, "ai_suggestions")}),
	}
}
