package threads

import (
	"cmp"
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/store"
)

// run is a run of a conversation: messages that follow each other one by one, from the first to
// the last seq. The first one follows parent.
type run struct{ first, last, parent int64 }

// tree is how the runs of a conversation hang together, in the order of their first seqs. There
// are as many as messages with a parent_seq, and one before them.
type tree struct {
	runs []run
	head int64
}

// readTree reads the runs of a live conversation, in one statement.
func readTree(sc scope.Scope, db query.Conn, conversationID uuid.UUID) (tree, error) {
	type row struct {
		last, head    int64
		first, parent *int64
	}
	q := query.New("SELECT c.last_seq, COALESCE(c.head_seq, c.last_seq), s.seq, s.parent_seq FROM "+sc.Tables.Conversations+" c LEFT JOIN "+
		sc.Tables.Messages+" s"+sc.Through(parentIndex)+" ON s.conversation_id = ? AND s.user_id = ? AND s.parent_seq IS NOT NULL"+
		" WHERE c.id = ? AND c.user_id = ? AND c.deleted_at IS NULL ORDER BY s.seq", conversationID, sc.User, conversationID, sc.User)
	rows, err := query.All(db, q, func(r *row) []any { return []any{&r.last, &r.head, &r.first, &r.parent} })
	if err == nil && len(rows) == 0 {
		err = store.ErrNotFound
	}
	if err != nil {
		return tree{}, err
	}
	t := tree{runs: []run{{first: 1, last: rows[0].last}}, head: rows[0].head}
	for _, r := range rows {
		switch {
		case r.first == nil:
		case *r.first == 1: // says what is so anyway
		default:
			t.runs[len(t.runs)-1].last = *r.first - 1
			t.runs = append(t.runs, run{first: *r.first, last: r.last, parent: *r.parent})
		}
	}
	return t, nil
}

// runOf returns the index of the run with a seq, which is 1 or more.
func (t tree) runOf(seq int64) int {
	i, found := slices.BinarySearchFunc(t.runs, seq, func(r run, seq int64) int { return cmp.Compare(r.first, seq) })
	if !found {
		i--
	}
	return i
}

// onPath tells whether a seq is on the path of the head.
func (t tree) onPath(seq int64) bool {
	for end := t.head; end >= seq && end > 0; {
		r := t.runs[t.runOf(end)]
		if seq >= r.first {
			return true
		}
		end = r.parent
	}
	return false
}

// below returns the runs of a message and of all that comes after it, directly or not. The first one
// is the rest of its own run.
func (t tree) below(seq int64) []run {
	own := t.runOf(seq)
	under := []run{{first: seq, last: t.runs[own].last}}
	for _, r := range t.runs[own+1:] {
		i, found := slices.BinarySearchFunc(under, r.parent, func(u run, seq int64) int { return cmp.Compare(u.first, seq) })
		if found || i > 0 && r.parent <= under[i-1].last {
			under = append(under, r)
		}
	}
	return under
}

func (s messages) Branches(ctx context.Context, conversationID uuid.UUID, seq int64) ([]store.Branch, error) {
	if seq < 1 {
		return nil, errSeqBelow(1)
	}
	db, err := s.sc.Reading(ctx)
	if err != nil {
		return nil, err
	}
	owner, err := s.sc.OwnerIn(db, s.sc.Tables.Conversations, conversationID)
	if err != nil {
		return nil, query.Wrap("read branches", err)
	}
	branches, err := readBranches(s.sc.As(owner), db, conversationID, seq)
	return branches, query.Wrap("read branches", err)
}

func readBranches(sc scope.Scope, db query.Conn, conversationID uuid.UUID, seq int64) ([]store.Branch, error) {
	t, err := readTree(sc, db, conversationID)
	if err != nil {
		return nil, err
	}
	if err := hasSeq(sc, db, conversationID, seq); err != nil {
		return nil, err
	}
	siblings, err := t.siblings(sc, db, conversationID, seq)
	if err != nil {
		return nil, err
	}
	if err := t.tips(sc, db, conversationID, siblings); err != nil {
		return nil, err
	}
	return query.Values(siblings), nil
}

// siblings reads the live messages with the parent of a message: the first ones of the runs after
// that parent, and the one that follows it in its own run.
func (t tree) siblings(sc scope.Scope, db query.Conn, conversationID uuid.UUID, seq int64) ([]*store.Branch, error) {
	parent, err := t.parentOf(sc, db, conversationID, seq)
	if err != nil {
		return nil, err
	}
	var firsts []int64
	for _, r := range t.runs[1:] {
		if r.parent == parent {
			firsts = append(firsts, r.first)
		}
	}
	in := run{first: 1, last: t.runs[0].last} // the beginning is followed by what the first run has
	if parent > 0 {
		in = t.runs[t.runOf(parent)]
	}
	q := query.New("SELECT id, seq, role, created_at FROM "+sc.Tables.Messages+" m WHERE conversation_id = ? AND user_id = ? AND deleted_at IS NULL AND (",
		conversationID, sc.User)
	query.In(q, "seq", firsts).Add(" OR seq = (SELECT min(n.seq) FROM "+sc.Tables.Messages+
		" n WHERE n.conversation_id = ? AND n.user_id = ? AND n.seq > ? AND n.seq <= ?)) ORDER BY seq", conversationID, sc.User, parent, in.last)
	return query.All(db, q, func(b *store.Branch) []any {
		return []any{&b.ID, &b.Seq, &b.Role, (*record.Instant)(&b.CreatedAt)}
	})
}

// parentOf returns the seq of the parent of a message, 0 if it begins a path.
func (t tree) parentOf(sc scope.Scope, db query.Conn, conversationID uuid.UUID, seq int64) (int64, error) {
	r := t.runs[t.runOf(seq)]
	if seq == r.first {
		return r.parent, nil
	}
	var before *int64
	_, err := query.New("SELECT max(seq) FROM "+sc.Tables.Messages+" WHERE conversation_id = ? AND user_id = ? AND seq < ? AND seq >= ?",
		conversationID, sc.User, seq, r.first).Row(db, &before)
	if err != nil || before == nil { // the first run begins with a hole
		return 0, err
	}
	return *before, nil
}

// tips says of each branch whether it is on the path of the head, and which is its newest live
// message.
func (t tree) tips(sc scope.Scope, db query.Conn, conversationID uuid.UUID, branches []*store.Branch) error {
	var rows [][]any
	for i, b := range branches {
		b.OnPath, b.TipSeq = t.onPath(b.Seq), b.Seq
		for _, r := range t.below(b.Seq) {
			rows = append(rows, []any{int64(i), r.first, r.last})
		}
	}
	for part := range slices.Chunk(rows, 1000) {
		source, err := rowSource(sc, []string{"bigint", "bigint", "bigint"}, part)
		if err != nil {
			return err
		}
		q := query.New("WITH v (user_id, branch, first_seq, last_seq) AS (").Append(source).Add(") SELECT v.branch, (SELECT max(m.seq) FROM "+
			sc.Tables.Messages+" m WHERE m.conversation_id = ? AND m.user_id = ? AND m.seq BETWEEN v.first_seq AND v.last_seq AND m.deleted_at IS NULL) FROM v",
			conversationID, sc.User)
		type tip struct {
			branch int
			seq    *int64
		}
		tips, err := query.All(db, q, func(t *tip) []any { return []any{&t.branch, &t.seq} })
		if err != nil {
			return err
		}
		for _, found := range tips {
			if b := branches[found.branch]; found.seq != nil {
				b.TipSeq = max(b.TipSeq, *found.seq)
			}
		}
	}
	return nil
}
