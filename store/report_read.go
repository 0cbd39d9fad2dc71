package store

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"
)

// In the statements of reports messages are m, suggestions s and their conversations c.

// over checks a period and returns a session for a report of it.
func (s reports) over(ctx context.Context, p Period) (Period, conn, error) {
	p, err := p.normalize()
	if err != nil {
		return p, conn{}, err
	}
	db, err := s.reading(ctx)
	return p, db, err
}

// top is over for a ranking.
func (s reports) top(ctx context.Context, t Top) (Top, conn, error) {
	t, err := t.normalize()
	if err != nil {
		return t, conn{}, err
	}
	db, err := s.reading(ctx)
	return t, db, err
}

// days is over for a series.
func (s reports) days(ctx context.Context, p Period) (*series, conn, error) {
	days, err := p.series(s.instant())
	if err != nil {
		return nil, conn{}, err
	}
	db, err := s.reading(ctx)
	return days, db, err
}

// liveMessages adds the live messages of the scope that were sent in the period. An index
// of conversations narrows them, since none was sent after the last message of its
// conversation; messages have no index by SentAt.
func (s reports) liveMessages(q *query, p Period) *query {
	s.messagesSince(q, p.Since).within("m.sent_at", p.Since, p.Before)
	return q
}

// messagesSince adds all live messages of the conversations that were active since then.
func (s reports) messagesSince(q *query, since time.Time) *query {
	q.add(" FROM " + s.tables.conversations + " c JOIN " + s.tables.messages +
		" m ON m.conversation_id = c.id AND m.user_id = c.user_id WHERE c.deleted_at IS NULL AND m.deleted_at IS NULL")
	s.owned(s.owned(q, "c."), "m.").within("c.last_message_at", since, time.Time{})
	return q
}

// liveSuggestions adds the live suggestions of the scope that were made in the period.
func (s reports) liveSuggestions(q *query, p Period) *query {
	q.add(" FROM " + s.tables.suggestions + " s" + s.dialect.OrderedJoin() + s.tables.conversations +
		" c ON c.id = s.conversation_id AND c.user_id = s.user_id WHERE s.deleted_at IS NULL AND c.deleted_at IS NULL")
	s.owned(s.owned(q, "s."), "c.").within("s.created_at", p.Since, p.Before)
	return q
}

// embed adds a query to another, in brackets.
func (q *query) embed(inner *query) *query {
	return q.add("(").addQuery(inner).add(")")
}

// byDay reads what a query has for each day, whose number is its first column. It returns
// a value for each day of the series, the zero one where the query has none.
func byDay[T any](db conn, days *series, q *query, dest func(*T) []any) ([]T, error) {
	values := make([]T, len(days.days))
	if len(values) == 0 {
		return values, nil
	}
	type numbered struct {
		day   int64
		value T
	}
	rows, err := collect(db, q, func(n *numbered) []any { return append([]any{&n.day}, dest(&n.value)...) })
	for _, r := range rows {
		if place, ok := days.place[r.day]; ok {
			values[place] = r.value
		}
	}
	return values, err
}

// ranking is a report of the first rows by some order, which stands twice in its
// statement: where the rows are cut, and where names have been joined to them.
type ranking struct {
	rows    *query
	columns []string // beside the keys
	order   []string // of columns, each with its direction
	limit   int
}

// by is the order with the keys at the end, so that it has no ties.
func (r ranking) by(alias string, keys ...string) string {
	terms := make([]string, 0, len(r.order)+len(keys))
	for _, o := range r.order {
		terms = append(terms, alias+o)
	}
	return " ORDER BY " + strings.Join(append(terms, keys...), ", ")
}

// first adds the named columns of the rows, and the rows cut to the first ones.
func (r ranking) first(q *query, keys ...string) *query {
	for _, column := range r.columns {
		q.add(", r." + column)
	}
	return q.add(" FROM (SELECT * FROM ").embed(r.rows).add(" a"+r.by("", keys...)+" LIMIT ?) r", r.limit)
}

// ranked is the statement of a ranking whose rows have conversation_id and user_id.
func (s reports) ranked(db conn, r ranking) (*query, error) {
	title, leads, err := s.joinLeads(db, "c.lead_id")
	if err != nil {
		return nil, err
	}
	q := r.first(newQuery("SELECT c.id, c.user_id, c.title, c.subject, c.lead_id, "+title), "conversation_id", "user_id")
	q.add(" JOIN " + s.tables.conversations + " c ON c.id = r.conversation_id AND c.user_id = r.user_id" + leads + " WHERE 1 = 1")
	return s.owned(q, "c.").add(r.by("r.", "r.conversation_id", "r.user_id")), nil
}

// rankedLeads is that of a ranking whose rows have a lead_id.
func (s reports) rankedLeads(db conn, r ranking) (*query, error) {
	title, leads, err := s.joinLeads(db, "r.lead_id")
	if err != nil {
		return nil, err
	}
	q := r.first(newQuery("SELECT r.lead_id, "+title), s.dialect.ByBytes("lead_id"))
	return q.add(leads + r.by("r.", s.dialect.ByBytes("r.lead_id"))), nil
}

// joinLeads returns the column with a lead's title and the join that it takes.
func (s reports) joinLeads(db conn, leadID string) (title, join string, err error) {
	if s.leads == nil || s.leads.Title == "" {
		return "NULL", "", nil
	}
	on, err := s.sameLead(db, leadID)
	return s.leads.quoted(s.leads.Title), " LEFT JOIN " + s.leads.table() + " l ON " + on, err
}

func conversationRefDest(r *ConversationRef) []any {
	return append([]any{&r.ConversationID, &r.UserID, (*text)(&r.Title), (*text)(&r.Subject)}, leadRefDest(&r.LeadRef)...)
}

func leadRefDest(r *LeadRef) []any { return []any{(*text)(&r.LeadID), (*text)(&r.LeadTitle)} }

// named reads conversations by their ids for the titles of their leads, which rows that
// were read without lack; where no title can be had it reads nothing.
func (s reports) named(db conn, ids []uuid.UUID) (map[ownedID]ConversationRef, error) {
	title, leads, err := s.joinLeads(db, "c.lead_id")
	if err != nil || leads == "" {
		return nil, err
	}
	in, arg := s.dialect.InUUIDs("c.id", ids)
	q := newQuery("SELECT c.id, c.user_id, c.title, c.subject, c.lead_id, "+title+" FROM "+s.tables.conversations+" c"+leads+
		" WHERE "+in, arg)
	refs, err := collect(db, s.owned(q, "c."), conversationRefDest)
	byID := make(map[ownedID]ConversationRef, len(refs))
	for _, r := range refs {
		byID[ownedID{r.ConversationID, r.UserID}] = *r
	}
	return byID, err
}

// money reads an amount without the zeros at its ends, which differ between databases.
type money decimal.Decimal

func (m *money) Scan(src any) error {
	var d decimal.Decimal
	if err := d.Scan(src); err != nil {
		return err
	}
	d, err := decimal.NewFromString(d.String())
	*m = money(d)
	return err
}

// values returns what pointers point to.
func values[T any](found []*T) []T {
	all := make([]T, len(found))
	for i, f := range found {
		all[i] = *f
	}
	return all
}
