package threads

import (
	"time"

	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

// checkMessageFilter validates a filter and returns it with its times as the tables store
// them and without repeated roles.
func checkMessageFilter(f store.MessageFilter) (store.MessageFilter, error) {
	for _, r := range f.Roles {
		if !r.Valid() {
			return f, rule.Invalid("roles", "has an unknown role")
		}
	}
	for _, k := range f.Kinds {
		if !k.Valid() {
			return f, rule.Invalid("kinds", "has an unknown kind")
		}
	}
	switch {
	case !f.Direction.Valid():
		return f, rule.Invalid("direction", "is not inbound, outbound or empty")
	case f.AfterSeq < 0:
		return f, rule.Invalid("after_seq", "is negative")
	case f.BeforeSeq < 0:
		return f, rule.Invalid("before_seq", "is negative")
	case f.Branches < store.HeadPath || f.Branches > store.AllBranches:
		return f, rule.Invalid("branches", "is unknown")
	case f.Order < store.DefaultOrder || f.Order > store.ReverseSentOrder:
		return f, rule.Invalid("order", "is unknown")
	}
	f.Roles, f.Kinds = scope.Distinct(f.Roles), scope.Distinct(f.Kinds)
	for _, t := range []*time.Time{&f.SentSince, &f.SentBefore} {
		*t = message.Instant(*t)
	}
	return f, check.First(checkDeleted(f.Deleted), check.Time("sent_since", f.SentSince), check.Time("sent_before", f.SentBefore))
}

// byUserOrder tells whether a list of several conversations runs from newest to oldest. It
// refuses filters and orders that have a meaning within one conversation only.
func byUserOrder(f store.MessageFilter) (desc bool, err error) {
	if f.AfterSeq != 0 || f.BeforeSeq != 0 {
		return false, rule.Invalid("after_seq", "and before_seq count within one conversation")
	}
	switch f.Order {
	case store.DefaultOrder, store.ReverseThreadOrder:
		return true, nil
	case store.ThreadOrder:
		return false, nil
	}
	return false, rule.Invalid("order", "by sent_at is for one conversation")
}

// filterMessages adds the conditions of a filter; the caller adds those for the scope and
// the conversation.
func filterMessages(q *query.Query, d dialect.JSON, f store.MessageFilter) *query.Query {
	scope.Deleted(q, f.Deleted, "m.")
	if len(f.Roles) > 0 {
		query.In(q, " AND role", f.Roles)
	}
	if len(f.Kinds) > 0 {
		query.In(q, " AND kind", f.Kinds)
	}
	if f.Direction != message.DirectionNone {
		q.Add(" AND direction = ?", f.Direction)
	}
	if f.HasToolCalls {
		q.Add(" AND " + d.Filled("tool_calls"))
	}
	if f.HasAttachments {
		q.Add(" AND " + dialect.Listed(d, "attachments"))
	}
	if f.AfterSeq > 0 {
		q.Add(" AND seq > ?", f.AfterSeq)
	}
	if f.BeforeSeq > 0 {
		q.Add(" AND seq < ?", f.BeforeSeq)
	}
	scope.Between(q, "sent_at", f.SentSince, f.SentBefore)
	return q
}

func messageOrder(o store.MessageOrder) string {
	switch o {
	case store.ReverseThreadOrder:
		return "seq DESC"
	case store.SentOrder:
		return "sent_at, seq"
	case store.ReverseSentOrder:
		return "sent_at DESC, seq DESC"
	}
	return "seq"
}

// messagesAfter is the condition for the messages after a place in an order. In the orders
// by sent_at, the seq breaks ties where other lists use the id.
func messagesAfter(o store.MessageOrder) string {
	switch o {
	case store.ReverseThreadOrder:
		return " AND seq < ?"
	case store.SentOrder:
		return " AND (sent_at, seq) > (?, ?)"
	case store.ReverseSentOrder:
		return " AND (sent_at, seq) < (?, ?)"
	}
	return " AND seq > ?"
}

func messagesAfterArgs(o store.MessageOrder, p scope.Place) []any {
	if o == store.SentOrder || o == store.ReverseSentOrder {
		return []any{p.Time(), scope.SeqOf(p.ID)}
	}
	return []any{p.Key}
}

func messagePlace(o store.MessageOrder, m *message.Message) scope.Place {
	if o == store.SentOrder || o == store.ReverseSentOrder {
		return scope.Place{Key: scope.TimeKey(m.SentAt), ID: scope.IDOf(m.Seq)}
	}
	return scope.Place{Key: m.Seq}
}
