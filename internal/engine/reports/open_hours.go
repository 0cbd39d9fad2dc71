package reports

import (
	"cmp"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/store"
)

// With a store.Calendar the database finds the waits, as without one, and Go counts what of each
// was open: SQL does not know the zones of this process. That takes no longer than to sort the
// waits in the database (docs/business-hours.md has figures). The waits of one group are in memory at
// a time, eight bytes each.

// keyed says how waits are grouped: the columns of the key, each with a comma after it, their
// order, and where a row of them is read to.
type keyed[K comparable] struct {
	columns, order string
	dest           func(*K) []any
}

// group is the waits that have one key.
type group[K comparable] struct {
	key K
	waitSums
}

// openWaits reads waits, rows of (keys, at, wait), and returns the groups of them in the order of
// their keys; keep chooses among those read so far, and each of these is complete.
func openWaits[K comparable](db query.Conn, c *store.Calendar, k keyed[K], waits *query.Query, keep func([]group[K]) []group[K]) ([]group[K], error) {
	q := query.New("SELECT " + k.columns + "at, wait FROM ").Bracketed(waits).
		Add(fmt.Sprintf(" w WHERE wait IS NULL OR wait BETWEEN 0 AND %d", store.MaxWait.Microseconds()))
	if k.order != "" {
		q.Add(" ORDER BY " + k.order)
	}
	var done []group[K]
	var now tally
	var key K
	finish := func() {
		if now.any() {
			done = keep(append(done, group[K]{key, now.sums()}))
		}
		now.reset()
	}
	err := q.Read(db, func() { done = nil; now.reset() }, func(rows *sql.Rows) error {
		var next K
		var at time.Time
		var wait sql.NullInt64
		if err := rows.Scan(append(k.dest(&next), (*record.Instant)(&at), &wait)...); err != nil {
			return err
		}
		if next != key {
			finish()
			key = next
		}
		now.add(c, at, wait)
		return nil
	})
	finish()
	return done, err
}

// every keeps all groups.
func every[K comparable](groups []group[K]) []group[K] { return groups }

// tally is the waits of a group that is being read.
type tally struct {
	open   []int64 // microseconds
	still  int64
	oldest time.Time
}

func (t *tally) any() bool { return t.still+int64(len(t.open)) > 0 }

func (t *tally) reset() { *t = tally{open: t.open[:0]} }

func (t *tally) add(c *store.Calendar, at time.Time, wait sql.NullInt64) {
	if wait.Valid {
		t.open = append(t.open, c.Open(at, at.Add(micros(wait.Int64))).Microseconds())
		return
	}
	if t.still++; t.still == 1 || at.Before(t.oldest) {
		t.oldest = at
	}
}

// sums is what the statement of durations makes of waits.
func (t *tally) sums() waitSums {
	s := waitSums{ended: int64(len(t.open)), open: t.still}
	if t.still > 0 {
		s.oldest = new(t.oldest)
	}
	if s.ended == 0 {
		return s
	}
	slices.Sort(t.open)
	s.seconds, s.rest = new(int64), new(int64)
	for _, wait := range t.open {
		*s.seconds += wait / 1_000_000
		*s.rest += wait % 1_000_000
	}
	for i, p := range percents {
		for above := range int64(2) {
			if rank := (s.ended-1)*p/100 + above; rank < s.ended {
				s.near[2*int64(i)+above] = new(t.open[rank])
			}
		}
	}
	return s
}

// total sums up waits without keys: in the database, or here if a calendar counts.
func (s reports) total(db query.Conn, p store.Period, waits *query.Query) (waitSums, error) {
	var sums waitSums
	if p.Calendar == nil {
		_, err := s.durations("", waits).Row(db, sums.dest()...)
		return sums, err
	}
	k := keyed[struct{}]{dest: func(*struct{}) []any { return nil }}
	groups, err := openWaits(db, p.Calendar, k, waits, every)
	if len(groups) > 0 {
		sums = groups[0].waitSums
	}
	return sums, err
}

// openByDay is byDay of waits whose first column is the number of a day.
func openByDay(db query.Conn, days *series, waits *query.Query) ([]waitSums, error) {
	values := make([]waitSums, len(days.days))
	k := keyed[int64]{"day, ", "day", func(day *int64) []any { return []any{day} }}
	groups, err := openWaits(db, days.Calendar, k, waits, every)
	for _, g := range groups {
		if i, ok := days.index[g.key]; ok {
			values[i] = g.waitSums
		}
	}
	return values, err
}

// slowest returns what keeps the first groups of a ranking: the slowest mean first, then those
// without one, ties by key.
func slowest[K comparable](limit int, byKey func(a, b K) int) func([]group[K]) []group[K] {
	return func(groups []group[K]) []group[K] {
		if len(groups) < 2*limit {
			return groups
		}
		return first(groups, limit, byKey)
	}
}

// first sorts groups and returns the first of them.
func first[K comparable](groups []group[K], limit int, byKey func(a, b K) int) []group[K] {
	slices.SortFunc(groups, func(a, b group[K]) int {
		if a.ended == 0 || b.ended == 0 {
			return cmp.Or(cmp.Compare(min(b.ended, 1), min(a.ended, 1)), byKey(a.key, b.key))
		}
		return cmp.Or(cmp.Compare(b.mean(), a.mean()), byKey(a.key, b.key))
	})
	return groups[:min(limit, len(groups))]
}

// openByConversation is ResponseTimesByConversation with a calendar. The names come from a second
// statement, that of the other rankings, whose rows are the places.
func (s reports) openByConversation(db query.Conn, t store.Top, waits *query.Query) ([]store.ConversationResponse, error) {
	k := keyed[scope.OwnedID]{"conversation_id, user_id, ", "user_id, conversation_id", func(k *scope.OwnedID) []any { return []any{&k.ID, &k.User} }}
	groups, err := openWaits(db, t.Calendar, k, waits, slowest(t.Limit, scope.OwnedID.Compare))
	if err != nil {
		return nil, err
	}
	groups = first(groups, t.Limit, scope.OwnedID.Compare)
	ids, users, places := make([]uuid.UUID, len(groups)), make([]uuid.UUID, len(groups)), make([]int64, len(groups))
	for i, g := range groups {
		ids[i], users[i], places[i] = g.key.ID, g.key.User, int64(i)
	}
	table, args := s.sc.Dialect.Places(ids, users, places, places)
	rows := query.New("SELECT a AS conversation_id, b AS user_id, c AS place FROM "+table+" p", args...)
	q, err := s.ranked(db, ranking{rows, []string{"place"}, []string{"place"}, t.Limit})
	if err != nil {
		return nil, err
	}
	type row struct {
		store.ConversationRef
		place int64
	}
	found, err := query.All(db, q, func(r *row) []any { return append(conversationRefDest(&r.ConversationRef), &r.place) })
	rs := make([]store.ConversationResponse, len(found))
	for i, r := range found {
		rs[i] = store.ConversationResponse{ConversationRef: r.ConversationRef, ResponseTimes: groups[r.place].responses()}
	}
	return rs, err
}

// nameKey is a lead or an assignee of a user.
type nameKey struct {
	name string
	user uuid.UUID
}

func (k *nameKey) dest() []any { return []any{&k.name, &k.user} }

func (k nameKey) compare(other nameKey) int {
	return cmp.Or(cmp.Compare(k.name, other.name), scope.OwnedID{ID: k.user}.Compare(scope.OwnedID{ID: other.user}))
}

// openByLead is ResponseTimesByLead with a calendar.
func (s reports) openByLead(db query.Conn, t store.Top, waits *query.Query) ([]store.LeadResponse, error) {
	order := s.sc.Dialect.ByBytes("lead_id") + ", user_id"
	k := keyed[nameKey]{"lead_id, user_id, ", order, (*nameKey).dest}
	groups, err := openWaits(db, t.Calendar, k, waits, slowest(t.Limit, nameKey.compare))
	if err != nil {
		return nil, err
	}
	groups = first(groups, t.Limit, nameKey.compare)
	leads, users := make([]string, len(groups)), make([]uuid.UUID, len(groups))
	for i, g := range groups {
		leads[i], users[i] = g.key.name, g.key.user
	}
	table, args := s.sc.Dialect.TextPlaces(leads, users)
	rows := query.New("SELECT lead_id, user_id, place FROM (SELECT a AS lead_id, b AS user_id, c AS place FROM "+table+" p) k WHERE 1 = 1", args...)
	q, err := s.rankedLeads(db, ranking{s.sc.Owned(rows, "k."), []string{"place"}, []string{"place"}, t.Limit})
	if err != nil {
		return nil, err
	}
	type row struct {
		user uuid.UUID
		store.LeadRef
		place int64
	}
	found, err := query.All(db, q, func(r *row) []any {
		return append(append([]any{&r.user}, leadRefDest(&r.LeadRef)...), &r.place)
	})
	rs := make([]store.LeadResponse, len(found))
	for i, r := range found {
		rs[i] = store.LeadResponse{UserID: r.user, LeadRef: r.LeadRef, ResponseTimes: groups[r.place].responses()}
	}
	return rs, err
}
