package threads

import (
	"strings"
	"time"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/store"
)

// listed is the list of what matches a filter, which checkConversationFilter has checked.
type listed struct {
	sc  scope.Scope
	f   store.ConversationFilter
	now time.Time
	// sort is the order within what is pinned and what is not, direction "" or " DESC", and beyond
	// the comparison with the place that a page follows.
	sort              scope.Sort
	direction, beyond string
}

func newListed(sc scope.Scope, f store.ConversationFilter) listed {
	f.PinnedFirst = pinnedFirst(f)
	l := listed{sc: sc, f: f, now: sc.Instant(), direction: " DESC", beyond: "<"}
	switch f.Order {
	case store.NewestCreated:
		l.sort = sc.SortByTime("created_at", "")
	case store.OldestActivity:
		l.direction, l.beyond = "", ">"
		fallthrough
	default:
		l.sort = sc.SortByActivity("")
	}
	return l
}

// pinnedFirst tells whether the pinned rows of a list stand before others.
func pinnedFirst(f store.ConversationFilter) bool { return f.PinnedFirst && !f.Pinned }

// conversationPlace is where a page of a list ended.
func conversationPlace(f store.ConversationFilter, c *conversation.Conversation) scope.Place {
	at := c.LastMessageAt
	if f.Order == store.NewestCreated {
		at = c.CreatedAt
	}
	p := scope.Place{Key: scope.TimeKey(at), ID: c.ID, User: c.UserID}
	if pinnedFirst(f) && c.PinnedAt != nil {
		p.Key += pinnedKey
	}
	return p
}

// pinnedKey is added to the key of a place among the pinned rows. No time has a key as large.
const pinnedKey = 1 << 61

// page selects n conversations in the order of the list, after a place if it is not nil. Each part of the
// list reads a page of its own, and of those together the first n are taken. By activity a bucket of
// rows has to be sorted, which is done with their keys alone where a sort would take whole rows.
func (l listed) page(after *scope.Place, n int) *query.Query {
	pinnedOnes := after == nil
	if after != nil && l.f.PinnedFirst && after.Key > pinnedKey/2 {
		place := *after
		place.Key -= pinnedKey
		pinnedOnes, after = true, &place
	}
	var parts []part
	for _, p := range l.parts(true) {
		if pinnedOnes || !p.pinned {
			parts = append(parts, p)
		}
	}
	key := l.sc.Dialect.SortKey()
	columns := record.ConversationColumns
	if key != "" && (len(parts) > 1 || l.f.Order != store.NewestCreated) {
		columns = key
	}
	var selected []*query.Query
	for _, p := range parts {
		after := after
		if pinnedOnes && !p.pinned {
			after = nil // whoever reads on among the pinned rows has all the others before them
		}
		q := l.following(query.New("SELECT "+columns), p, after)
		if p.bounded && key == "" && l.f.Order != store.NewestCreated {
			q.Append(l.bound(p, after, n))
		}
		q.Add(l.sortOf(p).OrderBy(l.direction))
		selected = append(selected, p.limit(l.sc, q, n))
	}
	switch {
	case columns == key:
		return limited(l.byKey(together(selected, key)).Add(l.orderBy("")), len(parts), n)
	case len(parts) == 1:
		return selected[0]
	}
	q := query.New("SELECT " + columns + " FROM (").Append(together(selected, columns)).Add(") q" + l.orderBy(""))
	return limited(q, len(parts), n)
}

// following adds FROM and WHERE for the rows of a part after a place.
func (l listed) following(q *query.Query, p part, after *scope.Place) *query.Query {
	q = fromMatching(l.sc, q, l.f, p)
	if after != nil {
		l.sortOf(p).After(q, l.beyond, after)
	}
	return q
}

// sortOf is the order of a part.
func (l listed) sortOf(p part) scope.Sort {
	if p.queue && l.f.Order != store.NewestCreated {
		return l.sc.SortByQueue("")
	}
	return l.sort
}

// bound is the condition that a row is not beyond the bucket of the last one of a page.
func (l listed) bound(p part, after *scope.Place, n int) *query.Query {
	bucket := l.sortOf(p).First()
	last := l.following(query.New("SELECT "+bucket), p, after).
		Add(" ORDER BY "+bucket+l.direction+" LIMIT 1 OFFSET ?", n-1)
	comparison, furthest := ">=", "-2147483648"
	if l.direction == "" {
		comparison, furthest = "<=", "2147483647"
	}
	return query.New(" AND " + bucket + " " + comparison + " coalesce((").Append(last).Add("), " + furthest + ")")
}

// limited limits what several parts have found, each with a limit of its own.
func limited(q *query.Query, parts, n int) *query.Query {
	if parts > 1 {
		q.Add(" LIMIT ?", n)
	}
	return q
}

// together is the union of queries, which have no row in common. Each is a subquery, since SQLite takes
// an order and a limit in no other place.
func together(parts []*query.Query, columns string) *query.Query {
	if len(parts) == 1 {
		return parts[0]
	}
	q := query.New("")
	for i, p := range parts {
		if i > 0 {
			q.Add(" UNION ALL ")
		}
		q.Add("SELECT " + columns + " FROM ").Bracketed(p).Add(" p")
	}
	return q
}

// orderBy orders rows of all parts. alias is that of what has the columns of a conversation, with its
// dot.
func (l listed) orderBy(alias string) string {
	by := "last_message_at"
	if l.f.Order == store.NewestCreated {
		by = "created_at"
	}
	columns := []string{alias + by, alias + "id", alias + "user_id"}
	order := " ORDER BY "
	if l.f.PinnedFirst {
		order += "(" + alias + "pinned_at IS NOT NULL) DESC, "
	}
	return order + strings.Join(columns, l.direction+", ") + l.direction
}

// count counts what matches.
func (l listed) count() *query.Query {
	return query.New("SELECT count(*) FROM (").Append(l.whole("1 AS n")).Add(") q")
}

// numbered selects a page of what matches, which limit has by its number.
func (l listed) numbered(limit string, args ...any) *query.Query {
	const columns = record.ConversationColumns
	key, parts := l.sc.Dialect.SortKey(), l.parts(false)
	switch several := len(parts) > 1 || l.f.PinnedFirst; {
	case several && key != "":
		return l.byKey(l.whole(key)).Add(l.orderBy("")+limit, args...)
	case several:
		return query.New("SELECT "+columns+" FROM (").Append(l.whole(columns)).Add(") q"+l.orderBy("")+limit, args...)
	}
	matching := func(columns string) *query.Query {
		return l.following(query.New("SELECT "+columns), parts[0], nil).Add(l.sortOf(parts[0]).OrderBy(l.direction)+limit, args...)
	}
	if key == "" || l.f.Order == store.NewestCreated {
		return matching(columns)
	}
	return l.byKey(matching(key)).Add(l.orderBy(""))
}

// byKey selects the conversations whose keys a query has.
func (l listed) byKey(keys *query.Query) *query.Query {
	return query.New("SELECT " + record.ConversationColumns + " FROM " + l.sc.Tables.Conversations + " WHERE " + l.sc.Dialect.SortKey() + " IN (").
		Append(keys).Add(")")
}

// whole selects all that matches, in no order.
func (l listed) whole(columns string) *query.Query {
	q := query.New("")
	for i, p := range l.parts(false) {
		if i > 0 {
			q.Add(" UNION ALL ")
		}
		fromMatching(l.sc, q.Add("SELECT "+columns), l.f, p)
	}
	return q
}
