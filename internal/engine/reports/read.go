package reports

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/store"
)

// In the statements of reports messages are m, suggestions s and their conversations c.

// over checks a period and returns a session for a report of it.
func (s reports) over(ctx context.Context, p store.Period) (store.Period, query.Conn, error) {
	p, err := checkPeriod(p)
	if err != nil {
		return p, query.Conn{}, err
	}
	db, err := s.sc.Reading(ctx)
	return p, db, err
}

// top is over for a ranking.
func (s reports) top(ctx context.Context, t store.Top) (store.Top, query.Conn, error) {
	t, err := checkTop(t)
	if err != nil {
		return t, query.Conn{}, err
	}
	db, err := s.sc.Reading(ctx)
	return t, db, err
}

// days is over for a series.
func (s reports) days(ctx context.Context, p store.Period) (*series, query.Conn, error) {
	days, err := seriesOf(p, s.sc.Instant())
	if err != nil {
		return nil, query.Conn{}, err
	}
	db, err := s.sc.Reading(ctx)
	return days, db, err
}

// liveMessages adds the live messages of the scope that were sent in the period. An index
// of conversations narrows them, since none was sent after the last message of its
// conversation; messages have no index by SentAt.
func (s reports) liveMessages(q *query.Query, p store.Period) *query.Query {
	scope.Between(s.messagesSince(q, p.Since), "m.sent_at", p.Since, p.Before)
	return q
}

// messagesSince adds all live messages of the conversations that were active since then.
func (s reports) messagesSince(q *query.Query, since time.Time) *query.Query {
	q.Add(" FROM " + s.sc.Tables.Conversations + " c JOIN " + s.sc.Tables.Messages +
		" m ON m.conversation_id = c.id AND m.user_id = c.user_id WHERE c.deleted_at IS NULL AND m.deleted_at IS NULL")
	scope.Between(s.sc.Owned(s.sc.Owned(q, "c."), "m."), "c.last_message_at", since, time.Time{})
	return q
}

// liveSuggestions adds the live suggestions of the scope that were made in the period.
func (s reports) liveSuggestions(q *query.Query, p store.Period) *query.Query {
	q.Add(" FROM " + s.sc.Tables.Suggestions + " s" + s.sc.Dialect.OrderedJoin() + s.sc.Tables.Conversations +
		" c ON c.id = s.conversation_id AND c.user_id = s.user_id WHERE s.deleted_at IS NULL AND c.deleted_at IS NULL")
	scope.Between(s.sc.Owned(s.sc.Owned(q, "s."), "c."), "s.created_at", p.Since, p.Before)
	return q
}

// byDay reads what a query has for each day, whose number is its first column. It returns
// a value for each day of the series, the zero one where the query has none.
func byDay[T any](db query.Conn, days *series, q *query.Query, dest func(*T) []any) ([]T, error) {
	values := make([]T, len(days.days))
	if len(values) == 0 {
		return values, nil
	}
	type numbered struct {
		day   int64
		value T
	}
	rows, err := query.All(db, q, func(n *numbered) []any { return append([]any{&n.day}, dest(&n.value)...) })
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
	rows    *query.Query
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
func (r ranking) first(q *query.Query, keys ...string) *query.Query {
	for _, column := range r.columns {
		q.Add(", r." + column)
	}
	return q.Add(" FROM (SELECT * FROM ").Bracketed(r.rows).Add(" a"+r.by("", keys...)+" LIMIT ?) r", r.limit)
}

// ranked is the statement of a ranking whose rows have conversation_id and user_id.
func (s reports) ranked(db query.Conn, r ranking) (*query.Query, error) {
	title, leads, err := s.joinLeads(db, "c.lead_id")
	if err != nil {
		return nil, err
	}
	q := r.first(query.New("SELECT c.id, c.user_id, c.title, c.subject, c.lead_id, "+title), "conversation_id", "user_id")
	q.Add(" JOIN " + s.sc.Tables.Conversations + " c ON c.id = r.conversation_id AND c.user_id = r.user_id" + leads + " WHERE 1 = 1")
	return s.sc.Owned(q, "c.").Add(r.by("r.", "r.conversation_id", "r.user_id")), nil
}

// rankedLeads is that of a ranking whose rows have a lead_id.
func (s reports) rankedLeads(db query.Conn, r ranking) (*query.Query, error) {
	title, leads, err := s.joinLeads(db, "r.lead_id")
	if err != nil {
		return nil, err
	}
	q := r.first(query.New("SELECT r.lead_id, "+title), s.sc.Dialect.ByBytes("lead_id"))
	return q.Add(leads + r.by("r.", s.sc.Dialect.ByBytes("r.lead_id"))), nil
}

// joinLeads returns the column with a lead's title and the join that it takes.
func (s reports) joinLeads(db query.Conn, leadID string) (title, join string, err error) {
	if s.sc.Leads == nil || s.sc.Leads.Title == "" {
		return "NULL", "", nil
	}
	on, err := s.sameLead(db, leadID)
	return quoted(s.sc.Leads, s.sc.Leads.Title), " LEFT JOIN " + table(s.sc.Leads) + " l ON " + on, err
}

func conversationRefDest(r *store.ConversationRef) []any {
	return append([]any{&r.ConversationID, &r.UserID, (*record.Text)(&r.Title), (*record.Text)(&r.Subject)}, leadRefDest(&r.LeadRef)...)
}

func leadRefDest(r *store.LeadRef) []any {
	return []any{(*record.Text)(&r.LeadID), (*record.Text)(&r.LeadTitle)}
}

// named reads conversations by their ids for the titles of their leads, which rows that
// were read without lack; where no title can be had it reads nothing.
func (s reports) named(db query.Conn, ids []uuid.UUID) (map[scope.OwnedID]store.ConversationRef, error) {
	title, leads, err := s.joinLeads(db, "c.lead_id")
	if err != nil || leads == "" {
		return nil, err
	}
	in, arg := s.sc.Dialect.InUUIDs("c.id", ids)
	q := query.New("SELECT c.id, c.user_id, c.title, c.subject, c.lead_id, "+title+" FROM "+s.sc.Tables.Conversations+" c"+leads+
		" WHERE "+in, arg)
	refs, err := query.All(db, s.sc.Owned(q, "c."), conversationRefDest)
	byID := make(map[scope.OwnedID]store.ConversationRef, len(refs))
	for _, r := range refs {
		byID[scope.OwnedID{ID: r.ConversationID, User: r.UserID}] = *r
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
