package storetest

import (
	"bytes"
	"cmp"
	"slices"
	"sort"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

// oracle computes the expected result of every report from rows in memory, following only the
// comments of store.Reports: slow, simple, and without SQL.
type oracle struct {
	now   time.Time
	leads map[leadKey]hostLead
	// conversations are all of the scope, deleted ones among them; the rest is live.
	conversations []*conversation.Conversation
	live          map[uuid.UUID]*conversation.Conversation
	// threads are in the order of SentAt and then seq.
	threads     map[uuid.UUID][]*message.Message
	messages    []*message.Message
	suggestions []*suggestion.Suggestion
	// distances are remembered, for they take long.
	distances map[uuid.UUID]int
}

// newOracle sees the rows of a user, or of everybody if it is nil.
func newOracle(rows *reportRows, user uuid.UUID) *oracle {
	o := &oracle{
		now: rows.now, leads: rows.leads, live: map[uuid.UUID]*conversation.Conversation{},
		threads: map[uuid.UUID][]*message.Message{}, distances: map[uuid.UUID]int{},
	}
	sees := func(owner uuid.UUID) bool { return user == uuid.Nil || owner == user }
	for _, c := range rows.conversations {
		if sees(c.UserID) {
			o.conversations = append(o.conversations, c)
			if !c.Deleted() {
				o.live[c.ID] = c
			}
		}
	}
	for _, m := range rows.messages {
		if o.live[m.ConversationID] != nil && !m.Deleted() {
			o.messages = append(o.messages, m)
			o.threads[m.ConversationID] = append(o.threads[m.ConversationID], m)
		}
	}
	for _, s := range rows.suggestions {
		if o.live[s.ConversationID] != nil && !s.Deleted() {
			o.suggestions = append(o.suggestions, s)
		}
	}
	for _, thread := range o.threads {
		slices.SortFunc(thread, func(a, b *message.Message) int {
			return cmp.Or(a.SentAt.Compare(b.SentAt), cmp.Compare(a.Seq, b.Seq))
		})
	}
	return o
}

func byID(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) }

// during tells whether t is in the period.
func during(p store.Period, t time.Time) bool {
	return !t.Before(p.Since) && (p.Before.IsZero() || t.Before(p.Before))
}

// filter keeps what passes.
func filter[T any](all []T, passes func(T) bool) []T {
	var kept []T
	for _, v := range all {
		if passes(v) {
			kept = append(kept, v)
		}
	}
	return kept
}

// grouped sorts into groups by a key.
func grouped[K comparable, V any](all []V, key func(V) K) map[K][]V {
	groups := map[K][]V{}
	for _, v := range all {
		groups[key(v)] = append(groups[key(v)], v)
	}
	return groups
}

// top returns the first rows of a ranking.
func top[T any](rows []T, limit int) []T {
	if limit == 0 {
		limit = store.DefaultTop
	}
	return rows[:min(limit, len(rows))]
}

func (o *oracle) lead(key leadKey) store.LeadRef {
	ref := store.LeadRef{LeadID: key.id}
	if l := o.leads[key]; l.title != nil {
		ref.LeadTitle = *l.title
	}
	return ref
}

func leadOf(c *conversation.Conversation) leadKey { return leadKey{c.UserID, c.LeadID} }

func byLead(a, b leadKey) int { return cmp.Or(cmp.Compare(a.id, b.id), byID(a.owner, b.owner)) }

func (o *oracle) ref(id uuid.UUID) store.ConversationRef {
	c := o.live[id]
	return store.ConversationRef{
		ConversationID: c.ID, UserID: c.UserID, Title: c.Title, Subject: c.Subject, LeadRef: o.lead(leadOf(c)),
	}
}

// civil is the calendar day of t in a zone, as midnight in UTC.
func civil(t time.Time, zone *time.Location) time.Time {
	y, m, d := t.In(zone).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

// firstMoment searches for the second in which a day begins, whatever its zone does at
// midnight. It is false of a day that the zone left out.
func firstMoment(day time.Time, zone *time.Location) (time.Time, bool) {
	const most = 48 * 3600
	from := day.Add(-most * time.Second)
	n := sort.Search(2*most, func(s int) bool {
		return !civil(from.Add(time.Duration(s)*time.Second), zone).Before(day)
	})
	start := from.Add(time.Duration(n) * time.Second)
	return start, civil(start, zone).Equal(day)
}

func zoneOf(p store.Period) *time.Location {
	if p.Zone == nil {
		return time.UTC
	}
	return p.Zone
}

// series gives a period the bounds that a report by day has where none is set.
func (o *oracle) series(p store.Period) store.Period {
	if p.Before.IsZero() {
		p.Before, _ = firstMoment(civil(o.now, zoneOf(p)).AddDate(0, 0, 1), zoneOf(p))
	}
	if p.Since.IsZero() {
		last := civil(p.Before.Add(-time.Microsecond), zoneOf(p))
		p.Since, _ = firstMoment(last.AddDate(0, 0, -29), zoneOf(p))
	}
	return p
}

// days are those that a period with both bounds touches.
func days(p store.Period) []store.Day {
	var all []store.Day
	for day := civil(p.Since, zoneOf(p)); ; day = day.AddDate(0, 0, 1) {
		start, exists := firstMoment(day, zoneOf(p))
		if !start.Before(p.Before) || !p.Since.Before(p.Before) {
			return all
		}
		if exists {
			all = append(all, store.Day{Date: day.Format(time.DateOnly), Start: start})
		}
	}
}

// inDays sorts what is in the period into the days of its zone.
func inDays[V any](p store.Period, items []V, at func(V) time.Time) map[string][]V {
	inside := filter(items, func(v V) bool { return during(p, at(v)) })
	return grouped(inside, func(v V) string { return at(v).In(zoneOf(p)).Format(time.DateOnly) })
}

// byDay makes a row for each day, of what its items say.
func byDay[V, R any](p store.Period, items []V, at func(V) time.Time, row func(store.Day, []V) R) []R {
	groups := inDays(p, items, at)
	var rows []R
	for _, d := range days(p) {
		rows = append(rows, row(d, groups[d.Date]))
	}
	return rows
}

func sentAt(m *message.Message) time.Time              { return m.SentAt }
func draftedAt(s *suggestion.Suggestion) time.Time     { return s.CreatedAt }
func startedAt(c *conversation.Conversation) time.Time { return c.CreatedAt }
func threadOf(m *message.Message) uuid.UUID            { return m.ConversationID }
func hasDirection(d message.Direction) func(*message.Message) bool {
	return func(m *message.Message) bool { return m.Direction == d }
}

func (o *oracle) sent(p store.Period) []*message.Message {
	return filter(o.messages, func(m *message.Message) bool { return during(p, m.SentAt) })
}

func (o *oracle) drafted(p store.Period) []*suggestion.Suggestion {
	return filter(o.suggestions, func(s *suggestion.Suggestion) bool { return during(p, s.CreatedAt) })
}

func (o *oracle) started() []*conversation.Conversation {
	return filter(o.conversations, func(c *conversation.Conversation) bool { return !c.Deleted() })
}

func count[T any](all []T, passes func(T) bool) int64 { return int64(len(filter(all, passes))) }
