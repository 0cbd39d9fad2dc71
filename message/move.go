package message

import (
	"slices"
	"strings"

	"gorm.io/gorm"

	"github.com/convostore/convostore/internal/column"
	"github.com/convostore/convostore/internal/latest"
)

// moves are assignments of a conversation c, each after a comma, with their arguments.
type moves struct {
	sets string
	args []any
}

func ruleOf(tx *gorm.DB) latest.Tables {
	return latest.Tables{
		Conversations: tx.Statement.Quote(conversations(tx)),
		Messages:      tx.Statement.Quote(messages(tx)),
		Deliveries:    tx.Statement.Quote(OutboxEntry{}.TableName(tx.NamingStrategy)),
	}
}

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

// moveWhole moves status and activity of a conversation of one path. It also returns the argument of
// latest.Tables.Settled.
func (m *Message) moveWhole(tx *gorm.DB) (by moves, at any) {
	at, status := m.orderedAt(tx), m.nextStatus()
	turnAt := at
	if status == nil {
		turnAt = nil
	}
	r := ruleOf(tx)
	return moves{", " + r.SetStatus("c") + ", " + r.SetActivity("c"), []any{turnAt, turnAt, status, at, at, at, at}}, at
}

// movePath moves status and activity after a message whose path goes on from another one, in a
// conversation that is locked: the message decides the status if it is the latest turn of its path,
// and the activity is that of the path.
func (m *Message) movePath(tx *gorm.DB, parent int64) (moves, error) {
	r := ruleOf(tx)
	on, err := m.onPath(tx, parent)
	if err != nil {
		return moves{}, err
	}
	at := m.orderedAt(tx)
	var later struct{ Counts, Turns int64 }
	err = tx.Raw("SELECT COALESCE(SUM(CASE WHEN "+latest.At("x")+" > ? THEN 1 END), 0) AS counts, COALESCE(SUM(CASE WHEN "+latest.At("x")+" > ? AND "+r.Turn("x")+
		" THEN 1 END), 0) AS turns"+on.sets, append([]any{at, at}, on.args...)...).Scan(&later).Error
	if err != nil {
		return moves{}, err
	}
	by := moves{sets: ", last_message_at = ?", args: []any{at}}
	if at == nil || later.Counts > 0 {
		by = moves{", last_message_at = COALESCE((SELECT " + latest.At("x") + on.sets + " ORDER BY " + latest.At("x") + " DESC LIMIT 1), c.created_at)", on.args}
	}
	if status := m.nextStatus(); status != nil && later.Turns == 0 {
		by = moves{by.sets + ", status = ?", append(slices.Clip(by.args), *status)}
	}
	return by, nil
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
	from := " FROM " + ruleOf(tx).Messages + " x WHERE x.conversation_id = ? AND x.user_id = ? AND (" + strings.Join(spans, " OR ") + ") AND " + latest.Active("x")
	return moves{from, args}, err
}
