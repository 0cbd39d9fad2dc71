package threads

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/internal/latest"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// A change of stored messages runs in a transaction that has locked their conversation, so that its
// statements see all of them.

// Appeared moves the status and the activity of a locked conversation after a message that is there
// from now on: its stream ended, or it was restored. With keepArchived an archived conversation stays
// so.
func Appeared(ctx context.Context, sc scope.Scope, m *message.Message, keepArchived bool) error {
	if m.Deleted() || !m.Kind.Counts() {
		return nil
	}
	return settle(ctx, sc, m, func(rows pathRows, at time.Time) *query.Query {
		assign := query.New("last_message_at = CASE WHEN c.last_message_at < ? THEN ?", at, at).
			Add(" WHEN ").Bracketed(rows("1").Add(" AND "+latest.Active("m")+" AND m.seq <> ? LIMIT 1", m.Seq)).
			Add(" IS NULL THEN "+sc.Dialect.Param("timestamptz")+" ELSE c.last_message_at END", at)
		next := statusAfter(m)
		if next == "" {
			return assign
		}
		assign.Add(", status = CASE WHEN c.last_message_at >= ? AND ", at).Append(laterTurn(rows, m, at)).Add(" THEN c.status")
		if keepArchived {
			assign.Add(" WHEN c.status = 'archived' THEN c.status")
		}
		return assign.Add(" ELSE ? END", string(next))
	})
}

// Vanished moves the status and the activity of a locked conversation back after a message is
// deleted, or streaming again. An archived conversation stays so.
func Vanished(ctx context.Context, sc scope.Scope, m *message.Message) error {
	if !m.Kind.Counts() {
		return nil
	}
	return settle(ctx, sc, m, func(rows pathRows, at time.Time) *query.Query {
		assign := query.New("last_message_at = CASE WHEN c.last_message_at > ? THEN c.last_message_at ELSE COALESCE(", at).
			Bracketed(rows(latest.At("m")).Add(" AND " + latest.Active("m") + " ORDER BY " + latest.At("m") + " DESC LIMIT 1")).
			Add(", c.created_at) END")
		if statusAfter(m) == "" {
			return assign
		}
		return assign.Add(", status = CASE WHEN c.status = 'archived' OR c.last_message_at >= ? AND ", at).Append(laterTurn(rows, m, at)).
			Add(" THEN c.status ELSE COALESCE(").
			Bracketed(rows(latest.Status("m")).Add(" AND " + latest.Turn("m") + latestTurnFirst)).
			Add(", 'active') END")
	})
}

// latestTurnFirst takes the latest of the messages m.
var latestTurnFirst = " ORDER BY " + latest.At("m") + " DESC, m.seq DESC LIMIT 1"

// laterTurn is the condition that there is another turn after a time, or after a message among those
// of that time.
func laterTurn(rows pathRows, m *message.Message, at time.Time) *query.Query {
	q := rows("1").Add(" AND "+latest.Turn("m")+" AND m.seq <> ? AND ("+latest.At("m")+" > ? OR "+latest.At("m")+" = ? AND m.seq > ?) ORDER BY m.seq DESC LIMIT 1",
		m.Seq, at, at, m.Seq)
	return query.New("").Bracketed(q).Add(" IS NOT NULL")
}

// pathRows selects columns of the messages m of a path. Conditions may be added, and an order.
type pathRows func(columns string) *query.Query

// settle updates the conversation c of a message with assignments, if the message is on the path of
// its head. A conversation without branches, as nearly all are, takes one statement.
func settle(ctx context.Context, sc scope.Scope, m *message.Message, assign func(rows pathRows, at time.Time) *query.Query) error {
	db, now := query.On(ctx, sc.Writer), sc.Instant()
	at := conversation.Activity(m.OrderedAt(), now)
	update := func(rows pathRows, condition string) (int64, error) {
		return query.New("UPDATE "+sc.Tables.Conversations+" AS c SET ").Append(assign(rows, at)).
			Add(", updated_at = ? WHERE c.id = ? AND c.user_id = ? AND c.deleted_at IS NULL"+condition, now, m.ConversationID, sc.User).Exec(db)
	}
	whole := func(columns string) *query.Query {
		return query.New("SELECT "+columns+" FROM "+sc.Tables.Messages+" m WHERE m.conversation_id = ? AND m.user_id = ?", m.ConversationID, sc.User)
	}
	if n, err := update(whole, " AND NOT c.branched"); err != nil || n > 0 {
		return err
	}
	c, err := lockWhole(sc, db, m.ConversationID)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	p := lockedPath{sc: sc, db: db, conversation: c, end: headSeq(c)}
	var seq int64
	if on, err := p.rows("m.seq").Add(" AND m.seq = ?", m.Seq).Row(db, &seq); err != nil || !on {
		return err
	}
	_, err = update(p.rows, "")
	return err
}

// latestOf is what the live messages of a path say of their conversation.
type latestOf struct {
	at     time.Time // the activity
	seq    int64     // of the latest turn, 0 if there is none
	status conversation.Status
}

// latest reads what the live messages of the path say. Without any the activity is the creation of
// the conversation, and the status active.
func (p lockedPath) latest() (latestOf, error) {
	l, now := latestOf{at: p.conversation.CreatedAt, status: conversation.StatusActive}, p.sc.Instant()
	var at time.Time
	found, err := p.rows(latest.At("m")).Add(" AND "+latest.Active("m")+" ORDER BY "+latest.At("m")+" DESC LIMIT 1").Row(p.db, (*record.Instant)(&at))
	if err != nil {
		return l, err
	}
	if found {
		l.at = conversation.Activity(at, now)
	}
	_, err = p.rows("m.seq, "+latest.Status("m")).Add(" AND "+latest.Turn("m")+latestTurnFirst).Row(p.db, &l.seq, &l.status)
	return l, err
}

// recount gives a locked conversation the status and the activity that its live messages say. An
// archived one stays so. The scope is that of one user, in a transaction.
func recount(ctx context.Context, sc scope.Scope, conversationID uuid.UUID) error {
	db := query.On(ctx, sc.Writer)
	c, err := lockWhole(sc, db, conversationID)
	if err != nil {
		return err
	}
	l, err := lockedPath{sc: sc, db: db, conversation: c, end: headSeq(c)}.latest()
	if err != nil {
		return err
	}
	_, err = query.New("UPDATE "+sc.Tables.Conversations+" SET status = ?, last_message_at = ?, updated_at = ? WHERE id = ? AND user_id = ?",
		string(l.kept(c)), l.at, sc.Instant(), conversationID, sc.User).Exec(db)
	return err
}

// assigned adds the status and the activity that a path has to what its conversation is assigned.
func (l latestOf) assigned(c *conversation.Conversation, assign *query.Query) *query.Query {
	return assign.Add(", status = ?, last_message_at = ?", string(l.kept(c)), l.at)
}

// kept is the status of a conversation from which messages went away, or whose path is another one.
func (l latestOf) kept(c *conversation.Conversation) conversation.Status {
	if c.Status == conversation.StatusArchived {
		return c.Status
	}
	return l.status
}

// loadLate finds out about the conversations of a batch to which a message comes late what turns they
// have, so that it can be compared with them. The conversations are locked.
func (b *batchResult) loadLate(sc scope.Scope, db query.Conn, drafts []Draft) error {
	now := sc.Instant()
	var late []uuid.UUID
	for i, d := range drafts {
		t := b.threads[d.ConversationID]
		if b.stored[i] == nil && t != nil && !t.known && !t.branched && d.Kind.Counts() && movementOf(d.Message, now).at.Before(t.lastMessageAt) {
			t.known = true
			late = append(late, d.ConversationID)
		}
	}
	if len(late) == 0 {
		return nil
	}
	in, arg := sc.Dialect.InUUIDs("m.conversation_id", late)
	q := query.New("SELECT m.conversation_id, max(CASE WHEN "+latest.Turn("m")+" THEN "+latest.At("m")+" END) FROM "+sc.Tables.Messages+
		" m WHERE m.user_id = ? AND "+in+" AND "+latest.Active("m")+" GROUP BY m.conversation_id", sc.User, arg)
	type row struct {
		id     uuid.UUID
		turnAt *time.Time
	}
	rows, err := query.All(db, q, func(r *row) []any { return []any{&r.id, record.NullInstant{Dest: &r.turnAt}} })
	for _, r := range rows {
		t := b.threads[r.id]
		t.active = true
		if r.turnAt != nil {
			t.turnAt = *r.turnAt
		}
	}
	return err
}

// decides tells whether messages that were just appended give the status that their path has: one
// of them became the latest, or the path is another one. An archived conversation stays so on another
// path, unless one of them became the latest of the path that it ended. It is as if they had been
// appended one by one.
func (l latestOf) decides(sc scope.Scope, db query.Conn, c *conversation.Conversation, t *threadState) (bool, error) {
	first := t.lastSeq - t.added + 1
	if l.seq >= first || !t.switched || c.Status != conversation.StatusArchived {
		return l.seq >= first || t.switched, nil
	}
	for seq := first; seq < t.lastSeq; seq++ {
		then, err := lockedPath{sc: sc, db: db, conversation: c, end: seq}.latest()
		if err != nil || then.seq == seq {
			return err == nil, err
		}
	}
	return false, nil
}

// settleUnsure finds status and activity of the conversations of a batch where only what is stored
// tells them: a message of it begins a branch, or comes late to a conversation that has some.
func (b *batchResult) settleUnsure(sc scope.Scope, db query.Conn) error {
	for id, t := range b.threads {
		if !t.unsure {
			continue
		}
		c, err := lockWhole(sc, db, id)
		if err != nil {
			return err
		}
		l, err := lockedPath{sc: sc, db: db, conversation: c, end: headSeq(c)}.latest()
		if err != nil {
			return err
		}
		decided, err := l.decides(sc, db, c, t)
		if err != nil {
			return err
		}
		if t.lastMessageAt = l.at; decided {
			t.status = l.status
		}
		_, err = query.New("UPDATE "+sc.Tables.Conversations+" SET status = COALESCE(?, status), last_message_at = ? WHERE id = ? AND user_id = ?",
			record.Null(string(t.status)), t.lastMessageAt, id, sc.User).Exec(db)
		if err != nil {
			return err
		}
	}
	return nil
}
