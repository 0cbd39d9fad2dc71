package store

import (
	"context"
	"time"
)

// countDue counts what a run would do, were it to begin now.
func (s maintenance) countDue(ctx context.Context, d deadlines) (res RetentionResult, err error) {
	db, err := s.deciding(ctx)
	if err != nil {
		return res, err
	}
	if !d.archive.IsZero() {
		due := archiveDue(d.archive)("last_message_at")
		if !d.delete.IsZero() {
			due.add(" AND last_message_at >= ?", d.delete) // the rest is deleted before
		}
		if res.Archived, err = s.countThreads(db, due); err != nil {
			return RetentionResult{}, err
		}
	}
	if !d.delete.IsZero() {
		if res.Deleted, err = s.countThreads(db, deleteDue(d.delete)("last_message_at")); err != nil {
			return RetentionResult{}, err
		}
	}
	if !d.purge.IsZero() {
		if res.Purged, err = (purgeCount{s.scope, d.purge}).count(db); err != nil {
			return RetentionResult{}, err
		}
	}
	return res, nil
}

func (sc scope) countThreads(db conn, due *query) (n int64, err error) {
	q := newQuery("SELECT count(*) FROM " + sc.tables.conversations + " WHERE ").addQuery(due)
	_, err = sc.owned(q, "").row(db, &n)
	return n, err
}

// purgeCount counts the rows that a purge would remove: those in conversations that are
// due, and those that were deleted by themselves in others that are not held, with what
// hangs on them.
type purgeCount struct {
	scope
	before time.Time
}

func (p purgeCount) count(db conn) (counts Counts, err error) {
	if counts.Conversations, err = p.countThreads(db, purgeDue(p.before)("deleted_at")); err != nil {
		return Counts{}, err
	}
	const rows, each = "count(*)", "s.id, s.user_id"
	embedded := p.alone(rows, p.tables.messages, " JOIN "+p.tables.embeddings+" s ON s.message_id = t.id AND s.user_id = t.user_id")
	hanging := func(column string) *query {
		return p.alone(each, p.tables.messages, " JOIN "+p.tables.suggestions+" s ON s."+column+" = t.id AND s.user_id = t.user_id")
	}
	for _, part := range []struct {
		count *int64
		rows  *query
	}{
		{&counts.Messages, joined("SELECT (", ") + (", ")", p.inThreads(rows, p.tables.messages), p.alone(rows, p.tables.messages, ""))},
		{&counts.Embeddings, joined("SELECT (", ") + (", ")", p.inThreads(rows, p.tables.embeddings), embedded)},
		// A suggestion may be due for several reasons.
		{&counts.Suggestions, joined("SELECT count(*) FROM (", " UNION ", ") AS u",
			p.inThreads(each, p.tables.suggestions), p.alone("t.id, t.user_id", p.tables.suggestions, ""),
			hanging("in_reply_to_message_id"), hanging("sent_message_id"))},
	} {
		if _, err := part.rows.row(db, part.count); err != nil {
			return Counts{}, err
		}
	}
	return counts, nil
}

func joined(begin, between, end string, parts ...*query) *query {
	q := newQuery(begin)
	for i, part := range parts {
		if i > 0 {
			q.add(between)
		}
		q.addQuery(part)
	}
	return q.add(end)
}

// inThreads reads the rows s of a table in conversations that are due.
func (p purgeCount) inThreads(columns, table string) *query {
	q := newQuery("SELECT "+columns+" FROM "+p.tables.conversations+" c"+p.dialect.OrderedJoin()+table+
		" s ON s.conversation_id = c.id AND s.user_id = c.user_id WHERE c.deleted_at < ? AND c."+notHeld, p.before)
	return p.owned(p.owned(q, "c."), "s.")
}

// alone reads the rows t of a table that were deleted by themselves, in conversations that
// are neither due, where they are counted with the rest, nor held.
func (p purgeCount) alone(columns, table, join string) *query {
	q := newQuery("SELECT "+columns+" FROM "+table+" t"+join+" WHERE t.deleted_at < ? AND NOT EXISTS (SELECT 1 FROM "+
		p.tables.conversations+" c WHERE c.id = t.conversation_id AND c.user_id = t.user_id AND (c.held_at IS NOT NULL OR c.deleted_at < ?)",
		p.before, p.before)
	p.owned(q, "c.").add(")")
	return p.owned(q, "t.")
}
