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

// The statements of this package alias messages as m, suggestions as s and their conversations
// as c.

// readPeriod checks a period and returns a connection for a report on it.
func (s reports) readPeriod(ctx context.Context, p store.Period) (store.Period, query.Conn, error) {
	p, err := checkPeriod(p)
	if err != nil {
		return p, query.Conn{}, err
	}
	db, err := s.sc.Reading(ctx)
	return p, db, err
}

// readTop is readPeriod for a ranking.
func (s reports) readTop(ctx context.Context, t store.Top) (store.Top, query.Conn, error) {
	t, err := checkTop(t)
	if err != nil {
		return t, query.Conn{}, err
	}
	db, err := s.sc.Reading(ctx)
	return t, db, err
}

// readDays is readPeriod for a series of days.
func (s reports) readDays(ctx context.Context, d store.Days) (*series, query.Conn, error) {
	days, err := seriesOf(d, s.sc.Instant())
	if err != nil {
		return nil, query.Conn{}, err
	}
	db, err := s.sc.Reading(ctx)
	return days, db, err
}

// liveMessages adds FROM and WHERE for the live messages of the scope that count and were sent in the
// period: notes, events and automatic mail are left out. Messages have no index by sent_at. The
// condition on conversations.last_message_at narrows them by an index, since no message that counts
// was sent after the last one of its conversation, but for one that names a time later than that of
// its append.
func (s reports) liveMessages(q *query.Query, p store.Period) *query.Query {
	scope.Between(s.messagesSince(q, p.Since), "m.sent_at", p.Since, p.Before)
	return q
}

// messagesSince adds FROM and WHERE for all live messages that count of the conversations that were
// active at or after since.
func (s reports) messagesSince(q *query.Query, since time.Time) *query.Query {
	return scope.ActiveBetween(s.messagesThat(q, scope.Counts("m.")), "c.", beforeSkew(since), time.Time{})
}

// messagesThat adds FROM and WHERE for the live messages that meet a condition.
func (s reports) messagesThat(q *query.Query, condition string) *query.Query {
	q.Add(" FROM " + s.sc.Tables.Conversations + " c JOIN " + s.sc.Tables.Messages +
		" m ON m.conversation_id = c.id AND m.user_id = c.user_id WHERE c.deleted_at IS NULL AND m.deleted_at IS NULL AND " + condition)
	return s.sc.Owned(s.sc.Owned(q, "c."), "m.")
}

// beforeSkew returns a time that is store.MaxSkew earlier, or no bound where there is none.
func beforeSkew(since time.Time) time.Time {
	if earlier := since.Add(-store.MaxSkew); !since.IsZero() && earlier.After(time.Time{}) {
		return earlier
	}
	return time.Time{}
}

// liveSuggestions adds FROM and WHERE for the live suggestions of the scope that were created in
// the period.
func (s reports) liveSuggestions(q *query.Query, p store.Period) *query.Query {
	q.Add(" FROM " + s.sc.Tables.Suggestions + " s" + s.sc.Dialect.OrderedJoin() + s.sc.Tables.Conversations +
		" c ON c.id = s.conversation_id AND c.user_id = s.user_id WHERE s.deleted_at IS NULL AND c.deleted_at IS NULL")
	scope.Between(s.sc.Owned(s.sc.Owned(q, "s."), "c."), "s.created_at", p.Since, p.Before)
	return q
}

// byDay reads rows with the number of a day in their first column. It returns one value for each
// day of the series, the zero value for a day without a row.
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
		if i, ok := days.index[r.day]; ok {
			values[i] = r.value
		}
	}
	return values, err
}

// ranking is a report of the first rows in some order. The order stands twice in its statement:
// where the rows are cut off, and after names have been joined to them.
type ranking struct {
	rows    *query.Query
	columns []string // without the keys
	order   []string // columns, each with its direction
	limit   int
}

// orderBy returns the order, with the keys as the tie-break.
func (r ranking) orderBy(alias string, keys ...string) string {
	terms := make([]string, 0, len(r.order)+len(keys))
	for _, o := range r.order {
		terms = append(terms, alias+o)
	}
	return " ORDER BY " + strings.Join(append(terms, keys...), ", ")
}

// firstRows adds the columns and the first rows of the ranking, as r.
func (r ranking) firstRows(q *query.Query, keys ...string) *query.Query {
	for _, column := range r.columns {
		q.Add(", r." + column)
	}
	return q.Add(" FROM (SELECT * FROM ").Bracketed(r.rows).Add(" a"+r.orderBy("", keys...)+" LIMIT ?) r", r.limit)
}

// ranked returns the statement for a ranking of conversations. Its rows have conversation_id and
// user_id.
func (s reports) ranked(db query.Conn, r ranking) (*query.Query, error) {
	title, leads, err := s.joinLeads(db, "c.lead_id", "c.user_id")
	if err != nil {
		return nil, err
	}
	q := r.firstRows(query.New("SELECT c.id, c.user_id, c.title, c.subject, c.lead_id, "+title), "conversation_id", "user_id")
	q.Add(" JOIN " + s.sc.Tables.Conversations + " c ON c.id = r.conversation_id AND c.user_id = r.user_id" + leads + " WHERE 1 = 1")
	return s.sc.Owned(q, "c.").Add(r.orderBy("r.", "r.conversation_id", "r.user_id")), nil
}

// rankedLeads returns the statement for a ranking of leads. Its rows have lead_id and user_id.
func (s reports) rankedLeads(db query.Conn, r ranking) (*query.Query, error) {
	title, leads, err := s.joinLeads(db, "r.lead_id", "r.user_id")
	if err != nil {
		return nil, err
	}
	q := r.firstRows(query.New("SELECT r.user_id, r.lead_id, "+title), s.sc.Dialect.ByBytes("lead_id"), "user_id")
	return q.Add(leads + r.orderBy("r.", s.sc.Dialect.ByBytes("r.lead_id"), "r.user_id")), nil
}

// joinLeads returns the column of a lead's title and the join that it needs: NULL and no join if
// WithLeads has not named a title, or if the scope may not read it.
func (s reports) joinLeads(db query.Conn, leadID, userID string) (title, join string, err error) {
	if !s.sc.ReadsLeads() || s.sc.Leads.Title == "" {
		return "NULL", "", nil
	}
	on, err := s.sc.SameLead(db, leadID, userID)
	return scope.LeadColumn(s.sc.Leads.Title), " LEFT JOIN " + s.sc.LeadTable() + " l ON " + on, err
}

func conversationRefDest(r *store.ConversationRef) []any {
	return append([]any{&r.ConversationID, &r.UserID, (*record.Text)(&r.Title), (*record.Text)(&r.Subject)}, leadRefDest(&r.LeadRef)...)
}

func leadRefDest(r *store.LeadRef) []any {
	return []any{(*record.Text)(&r.LeadID), (*record.Text)(&r.LeadTitle)}
}

// refsByID reads conversations with the titles of their leads. It reads nothing if there are no
// titles to read.
func (s reports) refsByID(db query.Conn, ids []uuid.UUID) (map[scope.OwnedID]store.ConversationRef, error) {
	title, leads, err := s.joinLeads(db, "c.lead_id", "c.user_id")
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

// money scans an amount into one form on both databases, whose trailing zeros differ.
type money decimal.Decimal

// Scan implements sql.Scanner.
func (m *money) Scan(src any) error {
	var d decimal.Decimal
	if err := d.Scan(src); err != nil {
		return err
	}
	d, err := decimal.NewFromString(d.String())
	*m = money(d)
	return err
}
