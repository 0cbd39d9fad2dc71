package threads

import (
	"cmp"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/suggestion"
)

// answering is a suggestion that goes to another conversation with what it answers.
type answering struct {
	id, from uuid.UUID
	answers  *int64
	sent, to *uuid.UUID
	status   suggestion.Status
}

func (m moving) readAnswering(condition *query.Query) ([]*answering, error) {
	q := query.New("SELECT id, conversation_id, answers_seq, sent_message_id, in_reply_to_message_id, status FROM " + m.sc.Tables.Suggestions + " WHERE ")
	return query.All(m.db, q.Append(condition).Add(" ORDER BY id"), func(a *answering) []any {
		return []any{&a.id, &a.from, &a.answers, record.NullID{Dest: &a.sent}, record.NullID{Dest: &a.to}, &a.status}
	})
}

// suggestionsOf moves all suggestions of a conversation.
func (m moving) suggestionsOf(from uuid.UUID) error {
	all, err := m.readAnswering(query.New("conversation_id = ? AND user_id = ?", from, m.sc.User))
	if err != nil {
		return err
	}
	return m.moveSuggestions(all)
}

// moveSuggestions moves suggestions to the conversation. What the last message that each takes into
// account is there is its AnswersSeq.
func (m moving) moveSuggestions(all []*answering) error {
	rows := slices.SortedFunc(slices.Values(m.rows), func(a, b *movedRow) int {
		return cmp.Or(scope.CompareIDs(a.from, b.from), cmp.Compare(a.seq, b.seq))
	})
	now := m.sc.Instant()
	for part := range slices.Chunk(all, movedPart) {
		values := make([][]any, len(part))
		for i, a := range part {
			values[i] = []any{a.id.String(), record.NullSeq(answersAt(rows, a))}
		}
		source, err := rowSource(m.sc, []string{"uuid", "bigint"}, values)
		if err != nil {
			return err
		}
		q := query.New("WITH v (user_id, id, answers) AS (").Append(source).
			Add(") UPDATE "+m.sc.Tables.Suggestions+" AS s SET conversation_id = ?, answers_seq = v.answers, updated_at = ? FROM v WHERE s.id = v.id AND s.user_id = ?",
				m.into.ID, now, m.sc.User)
		if _, err := q.Exec(m.db); err != nil {
			return err
		}
	}
	if !slices.ContainsFunc(all, func(a *answering) bool { return a.status == suggestion.StatusPending }) {
		return nil
	}
	// An append that waits for the conversation sees that more suggestions wait there now.
	_, _, err := BeginWaiting(m.ctx, m.sc, m.into.ID)
	return err
}

// answersAt is where the last message that a suggestion takes into account is now, nil if it named
// none or none of them is there. rows are sorted by their old places.
func answersAt(rows []*movedRow, a *answering) *int64 {
	if a.answers == nil {
		return nil
	}
	i, found := slices.BinarySearchFunc(rows, a, func(r *movedRow, a *answering) int {
		return cmp.Or(scope.CompareIDs(r.from, a.from), cmp.Compare(r.seq, *a.answers))
	})
	if !found {
		i--
	}
	if i < 0 || rows[i].from != a.from {
		return nil
	}
	return &rows[i].next
}

// readMark is how far a reader has read a conversation.
type readMark struct {
	conversation uuid.UUID
	reader       string
	seq          int64
	at           time.Time
}

// reads moves the marks of those who have read the conversation to its end over the messages that
// they had read where these come from. A mark says that all before it was read, so that it never
// moves over anything that was not. It is called before the conversation has its new end.
func (m moving) reads(sources []uuid.UUID) error {
	ids := append(slices.Clone(sources), m.into.ID)
	q := query.New("SELECT conversation_id, reader, seq, read_at FROM " + m.sc.Tables.Reads + " WHERE ").Append(m.sc.Among("conversation_id", ids))
	marks, err := query.All(m.db, q.Add(" ORDER BY reader"), func(r *readMark) []any {
		return []any{&r.conversation, (*record.Text)(&r.reader), &r.seq, (*record.Instant)(&r.at)}
	})
	if err != nil {
		return err
	}
	readers := map[string]map[uuid.UUID]*readMark{}
	for _, r := range marks {
		if readers[r.reader] == nil {
			readers[r.reader] = map[uuid.UUID]*readMark{}
		}
		readers[r.reader][r.conversation] = r
	}
	rows := slices.SortedFunc(slices.Values(m.rows), func(a, b *movedRow) int { return cmp.Compare(a.next, b.next) })
	for reader, of := range readers {
		if err := m.moveMark(reader, of, rows); err != nil {
			return err
		}
	}
	return nil
}

func (m moving) moveMark(reader string, of map[uuid.UUID]*readMark, rows []*movedRow) error {
	mark := readMark{reader: reader}
	if there := of[m.into.ID]; there != nil {
		mark = *there
	}
	before := mark.seq
	if before < m.into.LastSeq {
		return nil
	}
	for _, r := range rows {
		was := of[r.from]
		if !r.deleted && (was == nil || was.seq < r.seq) {
			break
		}
		if mark.seq = r.next; was != nil && was.at.After(mark.at) {
			mark.at = was.at
		}
	}
	if mark.seq == before || mark.at.IsZero() {
		return nil
	}
	_, err := query.New("INSERT INTO "+m.sc.Tables.Reads+" ("+readColumns+") VALUES ("+query.Marks(5)+
		") ON CONFLICT (conversation_id, user_id, reader) DO UPDATE SET seq = excluded.seq, read_at = excluded.read_at",
		m.into.ID, m.sc.User, reader, mark.seq, mark.at).Exec(m.db)
	return err
}

// marksOf moves the labels and the states of a conversation, but for those that are there already,
// and removes the rest of what stands beside its messages: read marks, which reads has moved, and
// summaries, whose paths are gone.
func (m moving) marksOf(from uuid.UUID) error {
	copied := func(table *record.Table, columns string) *query.Query {
		name := m.sc.Tables.Of(table)
		return query.New("INSERT INTO "+name+" (conversation_id, user_id, "+columns+") SELECT "+m.sc.Dialect.Param("uuid")+", user_id, "+columns+
			" FROM "+name+" WHERE conversation_id = ? AND user_id = ? ON CONFLICT DO NOTHING", m.into.ID, from, m.sc.User)
	}
	removed := func(table *record.Table) *query.Query {
		return query.New("DELETE FROM "+m.sc.Tables.Of(table)+" WHERE conversation_id = ? AND user_id = ?", from, m.sc.User)
	}
	for _, q := range []*query.Query{
		copied(record.Labels, "label, created_by, created_at"), removed(record.Labels),
		copied(record.States, "key, value, version, updated_at"), removed(record.States),
		removed(record.Reads), removed(record.Summaries),
	} {
		if _, err := q.Exec(m.db); err != nil {
			return err
		}
	}
	return nil
}
