package maintenance

import (
	"context"
	"time"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/store"
)

// countDue counts what a run with these deadlines would do, without doing it.
func (s maintenance) countDue(ctx context.Context, d deadlines) (res store.RetentionResult, err error) {
	db, err := s.sc.ReadingPrimary(ctx)
	if err != nil {
		return res, err
	}
	if !d.archive.IsZero() {
		due := quietSince(archiveDue(d.archive)("last_message_at"), d.archive)
		if !d.delete.IsZero() {
			due.Add(" AND last_message_at >= ?", d.delete) // older ones are deleted first
		}
		if res.Archived, err = countConversations(s.sc, db, due); err != nil {
			return store.RetentionResult{}, err
		}
	}
	if !d.delete.IsZero() {
		if res.Deleted, err = countConversations(s.sc, db, quietSince(deleteDue(d.delete)("last_message_at"), d.delete)); err != nil {
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

func countConversations(sc scope.Scope, db query.Conn, due *query.Query) (n int64, err error) {
	q := query.New("SELECT count(*) FROM " + sc.Tables.Conversations + " WHERE ").Append(due)
	_, err = sc.Owned(q, "").Row(db, &n)
	return n, err
}

// purgeCount counts the rows that a purge would erase: those in due conversations, and those
// that were soft deleted by themselves in other conversations that are not held, with the rows
// that refer to them.
type purgeCount struct {
	sc     scope.Scope
	before time.Time
}

func (p purgeCount) count(db query.Conn) (counts store.Counts, err error) {
	if counts.Conversations, err = countConversations(p.sc, db, purgeDue(p.before)("deleted_at")); err != nil {
		return store.Counts{}, err
	}
	for _, table := range record.Tables() {
		if table.Parent == nil || table.Count == nil {
			continue
		}
		if _, err := p.rowsOf(table).Row(db, table.Count(&counts)); err != nil {
			return store.Counts{}, err
		}
	}
	return counts, nil
}

// rowsOf counts the rows of a table that would be erased with a conversation or a message.
func (p purgeCount) rowsOf(table *record.Table) *query.Query {
	const count = "count(*)"
	switch {
	case table == record.Suggestions:
		return p.suggestions()
	case table == record.Messages:
		return joined("SELECT (", ") + (", ")", p.inDue(count, table), p.deletedAlone(count, p.sc.Tables.Messages, ""))
	case table.Parent == record.Messages:
		return joined("SELECT (", ") + (", ")", p.inDue(count, table), p.deletedAlone(count, p.sc.Tables.Messages,
			" JOIN "+p.sc.Tables.Of(table)+" s ON s."+table.ParentKey+" = t.id AND s.user_id = t.user_id"))
	}
	return p.inDue(count, table)
}

// suggestions counts a suggestion that is due for several reasons once, by UNION.
func (p purgeCount) suggestions() *query.Query {
	const keys = "s.id, s.user_id"
	on := func(column string) *query.Query {
		return p.deletedAlone(keys, p.sc.Tables.Messages, " JOIN "+p.sc.Tables.Suggestions+" s ON s."+column+" = t.id AND s.user_id = t.user_id")
	}
	return joined("SELECT count(*) FROM (", " UNION ", ") AS u",
		p.inDue(keys, record.Suggestions), p.deletedAlone("t.id, t.user_id", p.sc.Tables.Suggestions, ""),
		on("in_reply_to_message_id"), on("sent_message_id"))
}

// joined returns begin, the parts with between between them, and end.
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

// inDue reads the rows of a table, as s, in conversations that are due. Rows without a
// conversation of their own are found by their messages.
func (p purgeCount) inDue(columns string, table *record.Table) *query.Query {
	by, parent := p.sc.Dialect.OrderedJoin(), "c"
	if key := table.ParentKey; table.Parent == record.Messages && table != record.Embeddings {
		by += p.sc.Tables.Messages + " m ON m.conversation_id = c.id AND m.user_id = c.user_id" + p.sc.Dialect.OrderedJoin()
		by, parent = by+p.sc.Tables.Of(table)+" s ON s."+key+" = m.id", "m"
	} else {
		by += p.sc.Tables.Of(table) + " s ON s.conversation_id = c.id"
	}
	q := query.New("SELECT "+columns+" FROM "+p.sc.Tables.Conversations+" c"+by+
		" AND s.user_id = "+parent+".user_id WHERE c.deleted_at < ? AND c."+scope.NotHeld, p.before)
	if parent == "m" {
		p.sc.Owned(q, "m.")
	}
	return p.sc.Owned(p.sc.Owned(q, "c."), "s.")
}

// deletedAlone reads the rows of a table, as t, that were soft deleted by themselves. It leaves
// out held conversations, and due ones, in which inDue counts every row.
func (p purgeCount) deletedAlone(columns, table, join string) *query.Query {
	q := query.New("SELECT "+columns+" FROM "+table+" t"+join+" WHERE t.deleted_at < ? AND NOT EXISTS (SELECT 1 FROM "+
		p.sc.Tables.Conversations+" c WHERE c.id = t.conversation_id AND c.user_id = t.user_id AND (c.held_at IS NOT NULL OR c.deleted_at < ?)",
		p.before, p.before)
	p.sc.Owned(q, "c.").Add(")")
	return p.sc.Owned(q, "t.")
}
