package erase

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/scope"
)

// JoinPaths gives the children of messages that are about to be removed the nearest parent that
// stays, so that every path of their conversations stays whole. condition selects the messages of
// messages m. The conversations must be locked. For conversations without branches it reads once and
// writes nothing: what follows a message there follows, once that is gone, the one before it.
func JoinPaths(ctx context.Context, sc scope.Scope, condition *query.Query) error {
	db := query.On(ctx, sc.Writer)
	type due struct {
		conversation uuid.UUID
		seq          int64
		parent       *int64
	}
	q := query.New("SELECT m.conversation_id, m.seq, m.parent_seq FROM "+sc.Tables.Messages+" m WHERE (SELECT c.branched FROM "+
		sc.Tables.Conversations+" c WHERE c.id = m.conversation_id AND c.user_id = m.user_id AND c.user_id = ?) AND ", sc.User).Append(condition)
	rows, err := query.All(db, q, func(d *due) []any { return []any{&d.conversation, &d.seq, &d.parent} })
	if err != nil {
		return err
	}
	// From the end: what a message leaves behind is then known when its parent is removed as well.
	slices.SortFunc(rows, func(a, b *due) int { return int(b.seq - a.seq) })
	removed := map[uuid.UUID][]int64{}
	for _, d := range rows {
		j := joint{sc: sc, db: db, conversation: d.conversation, seq: d.seq, parent: d.parent}
		if err := j.bridge(removed[d.conversation]); err != nil {
			return err
		}
		removed[d.conversation] = append(removed[d.conversation], d.seq)
	}
	return nil
}

// joint is a message that is about to be removed.
type joint struct {
	sc           scope.Scope
	db           query.Conn
	conversation uuid.UUID
	seq          int64
	parent       *int64
}

// bridge leads the paths through a message past it. removed are those with greater seqs that were
// led past before. The message that follows one by one needs a parent only if this one has one:
// a hole in a run is no end of it.
func (j joint) bridge(removed []int64) error {
	to, err := j.before()
	if err != nil {
		return err
	}
	if _, err := j.update(j.sc.Tables.Messages, "parent_seq = ?", to, "conversation_id", "parent_seq = ?", j.seq); err != nil {
		return err
	}
	if _, err := j.update(j.sc.Tables.Conversations, "head_seq = ?", to, "id", "head_seq = ?", j.seq); err != nil || j.parent == nil {
		return err
	}
	next, err := j.after(removed)
	if err != nil {
		return err
	}
	if next != nil {
		_, err = j.update(j.sc.Tables.Messages, "parent_seq = ?", to, "conversation_id", "parent_seq IS NULL AND seq = ?", *next)
		return err
	}
	// Nothing follows in this run, which is the last one: the next append would.
	_, err = j.update(j.sc.Tables.Conversations, "head_seq = ?", to, "id", "head_seq IS NULL AND last_seq >= ?", j.seq)
	return err
}

// update assigns a value to a row of the conversation that meets a condition.
func (j joint) update(table, assign string, value int64, key, condition string, seq int64) (int64, error) {
	return query.New("UPDATE "+table+" SET "+assign+" WHERE "+key+" = ? AND user_id = ? AND "+condition,
		value, j.conversation, j.sc.User, seq).Exec(j.db)
}

// before returns the parent of the message, 0 if it has none.
func (j joint) before() (int64, error) {
	if j.parent != nil {
		return *j.parent, nil
	}
	var seq *int64
	_, err := query.New("SELECT max(seq) FROM "+j.sc.Tables.Messages+" WHERE conversation_id = ? AND user_id = ? AND seq < ?",
		j.conversation, j.sc.User, j.seq).Row(j.db, &seq)
	if err != nil || seq == nil {
		return 0, err
	}
	return *seq, nil
}

// after returns the seq of the next message that stays, nil if there is none.
func (j joint) after(removed []int64) (*int64, error) {
	q := query.New("SELECT min(seq) FROM "+j.sc.Tables.Messages+" WHERE conversation_id = ? AND user_id = ? AND seq > ?", j.conversation, j.sc.User, j.seq)
	if len(removed) > 0 {
		query.In(q.Add(" AND NOT "), "seq", removed)
	}
	var seq *int64
	_, err := q.Row(j.db, &seq)
	return seq, err
}
