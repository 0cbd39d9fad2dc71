package maintenance

import (
	"context"
	"time"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/store"
)

// countDue counts what a run would do, were it to begin now.
func (s maintenance) countDue(ctx context.Context, d deadlines) (res store.RetentionResult, err error) {
	db, err := s.sc.ReadingPrimary(ctx)
	if err != nil {
		return res, err
	}
	if !d.archive.IsZero() {
		due := archiveDue(d.archive)("last_message_at")
		if !d.delete.IsZero() {
			due.Add(" AND last_message_at >= ?", d.delete) // the rest is deleted before
		}
		if res.Archived, err = countThreads(s.sc, db, due); err != nil {
			return store.RetentionResult{}, err
		}
	}
	if !d.delete.IsZero() {
		if res.Deleted, err = countThreads(s.sc, db, deleteDue(d.delete)("last_message_at")); err != nil {
			return store.RetentionResult{}, err
		}
	}
	if !d.purge.IsZero() {
		if res.Purged, err = (purgeCount{s.sc, d.purge}).count(db); err != nil {
			return store.RetentionResult{}, err
		}
	}
	return res, nil
}

func countThreads(sc scope.Scope, db query.Conn, due *query.Query) (n int64, err error) {
	q := query.New("SELECT count(*) FROM " + sc.Tables.Conversations + " WHERE ").Append(due)
	_, err = sc.Owned(q, "").Row(db, &n)
	return n, err
}

// purgeCount counts the rows that a purge would remove: those in conversations that are
// due, and those that were deleted by themselves in others that are not held, with what
// hangs on them.
type purgeCount struct {
	sc     scope.Scope
	before time.Time
}

func (p purgeCount) count(db query.Conn) (counts store.Counts, err error) {
	if counts.Conversations, err = countThreads(p.sc, db, purgeDue(p.before)("deleted_at")); err != nil {
		return store.Counts{}, err
	}
	const rows, each = "count(*)", "s.id, s.user_id"
	embedded := p.alone(rows, p.sc.Tables.Messages, " JOIN "+p.sc.Tables.Embeddings+" s ON s.message_id = t.id AND s.user_id = t.user_id")
	hanging := func(column string) *query.Query {
		return p.alone(each, p.sc.Tables.Messages, " JOIN "+p.sc.Tables.Suggestions+" s ON s."+column+" = t.id AND s.user_id = t.user_id")
	}
	for _, part := range []struct {
		count *int64
		rows  *query.Query
	}{
		{&counts.Messages, joined("SELECT (", ") + (", ")", p.inThreads(rows, p.sc.Tables.Messages), p.alone(rows, p.sc.Tables.Messages, ""))},
		{&counts.Embeddings, joined("SELECT (", ") + (", ")", p.inThreads(rows, p.sc.Tables.Embeddings), embedded)},
		// A suggestion may be due for several reasons.
		{&counts.Suggestions, joined("SELECT count(*) FROM (", " UNION ", ") AS u",
			p.inThreads(each, p.sc.Tables.Suggestions), p.alone("t.id, t.user_id", p.sc.Tables.Suggestions, ""),
			hanging("in_reply_to_message_id"), hanging("sent_message_id"))},
	} {
		if _, err := part.rows.Row(db, part.count); err != nil {
			return store.Counts{}, err
		}
	}
	return counts, nil
}

func joined(begin, between, end string, parts ...*query.Query) *query.Query {
	q := query.New(begin)
	for i, part := range parts {
		if i > 0 {
			q.Add(between)
		}
		q.Append(part)
	}
	return q.Add(end)
}

// inThreads reads the rows s of a table in conversations that are due.
func (p purgeCount) inThreads(columns, table string) *query.Query {
	q := query.New("SELECT "+columns+" FROM "+p.sc.Tables.Conversations+" c"+p.sc.Dialect.OrderedJoin()+table+
		" s ON s.conversation_id = c.id AND s.user_id = c.user_id WHERE c.deleted_at < ? AND c."+scope.NotHeld, p.before)
	return p.sc.Owned(p.sc.Owned(q, "c."), "s.")
}

// alone reads the rows t of a table that were deleted by themselves, in conversations that
// are neither due, where they are counted with the rest, nor held.
func (p purgeCount) alone(columns, table, join string) *query.Query {
	q := query.New("SELECT "+columns+" FROM "+table+" t"+join+" WHERE t.deleted_at < ? AND NOT EXISTS (SELECT 1 FROM "+
		p.sc.Tables.Conversations+" c WHERE c.id = t.conversation_id AND c.user_id = t.user_id AND (c.held_at IS NOT NULL OR c.deleted_at < ?)",
		p.before, p.before)
	p.sc.Owned(q, "c.").Add(")")
	return p.sc.Owned(q, "t.")
}
