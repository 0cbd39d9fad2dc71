package threads

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/internal/overtake"
	"github.com/convostore/convostore/message"
)

// A message of the lead supersedes the suggestions that wait for a decision, as package overtake
// says. It does so in the statement or in the transaction of its append. Where nothing waits that
// takes no statement more: PostgreSQL does it in the statement of the append, and the first
// statement on SQLite tells whether there is something to be done.
//
// Whatever makes a suggestion wait locks the conversation first and counts in draft_seq, see Draft.
// Whatever decides on one locks the suggestion alone or the conversation before it.

// waitingIndex has the suggestions that wait for a decision alone.
const waitingIndex = "ai_suggestions_waiting_idx"

func overtakeTables(t scope.Tables) overtake.Tables {
	return overtake.Tables{Conversations: t.Conversations, Messages: t.Messages, Suggestions: t.Suggestions}
}

// superseding are the parts of an append in one statement that also supersedes. All are empty for
// one that does not.
type superseding struct {
	// seen is a condition of what locks the conversation. update returns a part of the WITH clause
	// that reads the last_message_at of the conversation from an earlier part.
	seen   string
	update func(from string) string
}

func (s *Statements) superseding(t scope.Tables) superseding {
	if !s.supersedes {
		return superseding{update: func(string) string { return "" }}
	}
	o := overtakeTables(t)
	return superseding{seen: o.Seen(), update: func(from string) string {
		return ", superseded AS (" + o.Supersede("", " FROM "+from, from+".last_message_at", false) + ")"
	}}
}

// forMessages returns the statements for the append of messages.
func (s *Statements) forMessages(supersede bool) *Statements {
	if supersede && s.inbound != nil {
		return s.inbound
	}
	return s
}

// seenArgs and supersedeArgs append the arguments of the parts of superseding.
func (s *Statements) seenArgs(args []any, conversationID, user string) []any {
	if !s.supersedes {
		return args
	}
	return append(args, conversationID, user)
}

func (s *Statements) supersedeArgs(args []any, conversationID, user string, now, sentAt time.Time) []any {
	if !s.supersedes {
		return args
	}
	return overtake.Args(args, conversationID, user, now, sentAt, 0)
}

// buildSuperseding builds the statements of an append of several that supersedes.
func (s *Statements) buildSuperseding(t scope.Tables, d dialect.Dialect) {
	o, through := overtakeTables(t), t.Through(d, waitingIndex)
	s.takeSeqWaiting = query.NewStatement(takeSeqs(t, "1", "")+taken+", "+o.Waiting(t.Conversations, through), d.Numbered())
	s.supersede = query.NewStatement(o.Supersede(through, "", o.Latest(), false), d.Numbered())
}

// supersedeAfter supersedes what the last message of a locked conversation overtakes.
func (s *Statements) supersedeAfter(sc scope.Scope, db query.Conn, d Draft, now time.Time) error {
	args := overtake.Args(nil, d.ConversationID.String(), sc.User.String(), now, conversation.Activity(d.SentAt, now), 0)
	_, err := s.supersede.With(args).Exec(db)
	return err
}

// waiting is the column of lockThreads that says whether suggestions may wait.
func waiting(sc scope.Scope) string {
	return overtakeTables(sc.Tables).Waiting(sc.Tables.Conversations, sc.Through(waitingIndex))
}

// supersedeIn supersedes what the batch has overtaken, in the order of the conversations' ids.
func supersedeIn(sc scope.Scope, db query.Conn, threads map[uuid.UUID]*threadState) error {
	var ids []uuid.UUID
	for id, t := range threads {
		if t.waiting && !t.asked.IsZero() {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, scope.CompareIDs)
	for _, id := range ids {
		if err := supersede(sc, db, id, threads[id].asked, 0); err != nil {
			return err
		}
	}
	return nil
}

func supersede(sc scope.Scope, db query.Conn, id uuid.UUID, sentAt time.Time, seq int64) error {
	o := overtakeTables(sc.Tables)
	args := overtake.Args(nil, id.String(), sc.User.String(), sc.Instant(), sentAt, seq)
	_, err := query.New(o.Supersede(sc.Through(waitingIndex), "", o.Latest(), seq > 0), args...).Exec(db)
	return err
}

// SupersedeBy supersedes what a message overtakes that is said, or live again, since long after its
// append. Its conversation is locked by an earlier statement of the transaction. A message of
// another branch than the head's overtakes nothing.
func SupersedeBy(ctx context.Context, sc scope.Scope, m *message.Message) error {
	if !m.Asks() || m.Deleted() {
		return nil
	}
	db := query.On(ctx, sc.Writer)
	var waits bool
	of := query.New("SELECT "+waiting(sc)+" FROM "+sc.Tables.Conversations+" WHERE id = ? AND user_id = ?", m.ConversationID, sc.User)
	if _, err := of.Row(db, &waits); err != nil || !waits {
		return err
	}
	var seq int64
	on, err := headPath(sc, m.ConversationID).rows("m.seq").Add(" AND m.seq = ?", m.Seq).Row(db, &seq)
	if err != nil || !on {
		return err
	}
	return supersede(sc, db, m.ConversationID, conversation.Activity(m.SentAt, m.CreatedAt), m.Seq)
}

// SupersedeOvertaken supersedes every suggestion of a conversation that a message on the path of the
// head overtakes, for what changes more than one message. The conversation is locked by an
// earlier statement of the transaction.
func SupersedeOvertaken(ctx context.Context, sc scope.Scope, id uuid.UUID) error {
	db := query.On(ctx, sc.Writer)
	q := query.New("SELECT DISTINCT COALESCE(s.answers_seq, 0) FROM "+sc.Tables.Suggestions+" s"+sc.Through(waitingIndex)+
		" WHERE s.conversation_id = ? AND s.user_id = ? AND s.status = 'pending'", id, sc.User)
	known, err := query.All(db, q, func(seq *int64) []any { return []any{seq} })
	if err != nil {
		return err
	}
	for _, seq := range known {
		overtaken, err := Overtaken(ctx, sc, id, *seq)
		if err != nil {
			return err
		}
		if !overtaken {
			continue
		}
		now := sc.Instant()
		q := query.New("UPDATE "+sc.Tables.Suggestions+" AS s"+sc.Through(waitingIndex)+" SET status = 'superseded', reviewed_at = ?, updated_at = ?"+
			" WHERE s.conversation_id = ? AND s.user_id = ? AND s.status = 'pending' AND COALESCE(s.answers_seq, 0) = ?", now, now, id, sc.User, *seq)
		if _, err := q.Exec(db); err != nil {
			return err
		}
	}
	return nil
}

func headPath(sc scope.Scope, conversationID uuid.UUID) path {
	return path{sc, conversationID, headOf(sc, conversationID)}
}

// BeginWaiting locks a live conversation in which a suggestion is about to wait for a decision, and
// counts it. It returns the last seq, and false if there is no such conversation.
func BeginWaiting(ctx context.Context, sc scope.Scope, id uuid.UUID) (last int64, found bool, err error) {
	q := query.New("UPDATE "+sc.Tables.Conversations+" SET draft_seq = COALESCE(draft_seq, 0) + 1"+
		" WHERE id = ? AND user_id = ? AND deleted_at IS NULL RETURNING last_seq", id, sc.User)
	found, err = q.Row(query.On(ctx, sc.Writer), &last)
	return last, found, err
}

// NewestLive returns the seq of the newest live message on the path of the head of a locked
// conversation, 0 if there is none.
func NewestLive(ctx context.Context, sc scope.Scope, id uuid.UUID) (seq int64, err error) {
	_, err = headPath(sc, id).rows("m.seq").Add(" AND m.deleted_at IS NULL ORDER BY m.seq DESC LIMIT 1").
		Row(query.On(ctx, sc.Writer), &seq)
	return seq, err
}

// Overtaken tells whether a message of the lead, on the path of the head of a locked conversation,
// overtakes a suggestion that takes a seq into account.
func Overtaken(ctx context.Context, sc scope.Scope, id uuid.UUID, seq int64) (bool, error) {
	db := query.On(ctx, sc.Writer)
	latest := func(compare string) (at *time.Time, err error) {
		_, err = headPath(sc, id).rows("max("+overtake.SentAt+")").Add(" AND "+overtake.Asks("m.")+" AND m.seq "+compare+" ?", seq).
			Row(db, record.NullInstant{Dest: &at})
		return at, err
	}
	newer, err := latest(">")
	if err != nil || newer == nil {
		return false, err
	}
	known, err := latest("<=")
	return err == nil && (known == nil || !newer.Before(*known)), err
}
