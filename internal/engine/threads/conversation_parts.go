package threads

import (
	"strconv"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

// part is a part of a list that one index serves. The parts of a list have no row in common.
type part struct {
	// through is what scope.Scope.Through has for the index, empty to leave it to the database.
	through string
	// from is what the conversations c are read from, nil for their table.
	from *query.Query
	// queue says that the index is one that scope.Scope.SortByQueue is for.
	queue bool
	// found says that something else than the owner finds the rows.
	found bool
	// where is one more condition, with its AND. It is empty and not nil.
	where *query.Query
	// bounded says that the index has the order of the buckets, and that a page finds where it ends
	// before it reads. PostgreSQL sorts the whole queue of a user whom it takes for an average one.
	bounded bool
	// pinned says that these rows stand before those of other parts.
	pinned bool
	// when is nil, or a condition without which a page reads nothing of the part.
	when *query.Query
}

// limit ends the query of a page of the part.
func (p part) limit(sc scope.Scope, q *query.Query, n int) *query.Query {
	if p.when == nil {
		return q.Add(" LIMIT ?", n)
	}
	return q.Add(" LIMIT CASE WHEN ").Append(p.when).Add(" THEN "+sc.Dialect.Param("bigint")+" ELSE 0 END", n)
}

// and returns the part with one more condition.
func (p part) and(sql string, args ...any) part {
	p.where = query.New("").Append(p.where).Add(" AND "+sql, args...)
	return p
}

// parts divides a list so that an index of few rows has the order of each part. That of a page
// follows both ways to find drafts and takes the one that reads less.
func (l listed) parts(page bool) []part {
	if len(l.f.IDs) > 0 {
		return l.byID(page)
	}
	parts := l.byQueue()
	if l.f.HasDraft {
		parts = l.withDrafts(parts, page)
	}
	if len(parts) == 1 {
		parts[0].bounded = parts[0].bounded || l.f.PinnedFirst && !l.sc.All
	}
	if l.f.PinnedFirst && page {
		pinned := l.pinned()
		pinned.pinned = true
		if l.f.HasDraft {
			pinned = pinned.and(hasDraft(l.sc))
		}
		for i := range parts {
			parts[i] = parts[i].and("pinned_at IS NULL")
		}
		parts = append(parts, pinned)
	}
	return parts
}

// byID divides a list of given conversations, which are found by their ids and sorted.
func (l listed) byID(page bool) []part {
	p := part{where: l.snoozed(), found: true}
	// PostgreSQL might read a whole list in its order, to come upon them on the way.
	switch in, arg := l.sc.Dialect.InUUIDs("id", l.f.IDs); {
	case !l.sc.Dialect.Lateral():
		p = p.and(in, arg)
	case l.sc.All:
		p.from = query.New("(SELECT * FROM "+l.sc.Tables.Conversations+" WHERE "+in+" OFFSET 0) c", arg)
	default:
		p.from = query.New("").Bracketed(l.sc.ReadEach("*", l.sc.Tables.Conversations, l.f.IDs)).Add(" c")
	}
	if l.f.HasDraft {
		p = p.and(hasDraft(l.sc))
	}
	if l.f.Pinned {
		p = p.and("pinned_at IS NOT NULL")
	}
	if !l.f.PinnedFirst || !page {
		return []part{p}
	}
	pinned := p.and("pinned_at IS NOT NULL")
	pinned.pinned = true
	return []part{p.and("pinned_at IS NULL"), pinned}
}

// one is the list in one part, by whatever index finds it.
func (l listed) one() part {
	p := part{where: l.snoozed(), found: len(l.f.Labels) > 0}
	switch live := l.f.Deleted == store.ExcludeDeleted; {
	case l.f.Pinned && live && !l.sc.All && !p.found:
		return l.pinned()
	case !live || l.f.LeadID != "":
	case isQueue(l.f) && l.sc.All && !l.byMark():
		p = p.and(everybody)
		p.through = l.sc.Through("conversations_all_queue_idx")
	case snoozedOf(l.f) == store.OnlySnoozed && !l.byMark() && l.sc.All:
		p = p.and(everybody)
		p.through = l.sc.Through("conversations_all_snoozed_idx")
	case snoozedOf(l.f) == store.OnlySnoozed && !l.byMark():
		p.through, p.queue, p.bounded = l.sc.Through("conversations_snoozed_list_idx"), true, true
	case l.f.Order != store.NewestCreated && !isQueue(l.f):
		p.through = l.sc.ThroughActivity()
	}
	if l.f.Pinned {
		p = p.and("pinned_at IS NOT NULL")
	}
	return p
}

// everybody is what the indexes of everybody's queues ask for, and every row meets. Lists of one user do
// not say so: PostgreSQL, which counts on an average user, would go through everybody's rows for them.
const everybody = "id >= '00000000-0000-0000-0000-000000000000'"

// byMark tells whether an index finds an app, an assignee or labels.
func (l listed) byMark() bool { return l.f.App != "" || l.f.Assignee != "" || len(l.f.Labels) > 0 }

// pinned are the pinned rows. People pin few.
func (l listed) pinned() part {
	p := part{where: l.snoozed(), found: len(l.f.Labels) > 0}.and("pinned_at IS NOT NULL")
	if l.f.Deleted == store.ExcludeDeleted && !l.sc.All && !p.found && l.f.LeadID == "" {
		p.through = l.sc.Through("conversations_pinned_idx")
	}
	return p
}

// snoozed is the condition on what is snoozed now.
func (l listed) snoozed() *query.Query {
	switch snoozedOf(l.f) {
	case store.ExcludeSnoozed:
		return query.New(" AND (snoozed_until IS NULL OR snoozed_until <= ?)", l.now)
	case store.OnlySnoozed:
		return query.New(" AND snoozed_until > ?", l.now)
	}
	return query.New("")
}

// byQueue divides one user's queue by its indexes. Of what was snoozed it reads all that has come back:
// a new message, and every answer, takes a conversation from there.
func (l listed) byQueue() []part {
	whole := []part{l.one()}
	if !isQueue(l.f) || l.sc.All || l.f.Deleted != store.ExcludeDeleted || l.f.LeadID != "" || l.f.App != "" || l.f.Pinned || len(l.f.Labels) > 0 {
		return whole
	}
	by := func(index, where string, args ...any) part {
		return part{through: l.sc.Through(index), where: query.New(" AND "+where, args...)}
	}
	const index, was = "conversations_queue_snoozed_idx", "snoozed_until IS NOT NULL"
	var parts []part
	switch snoozedOf(l.f) {
	case store.OnlySnoozed:
		return whole
	case store.IncludeSnoozed:
		parts = []part{l.readFirst(by(index, was))}
	default:
		parts = []part{l.readFirst(by(index, was+" AND snoozed_until <= ?", l.now))}
	}
	add := func(index, assigned string) {
		p := by(index, assigned+" AND snoozed_until IS NULL")
		p.bounded, p.queue = true, true
		parts = append(parts, p)
	}
	if l.f.Assignee != "" {
		add("conversations_queue_assignee_idx", "assignee IS NOT NULL")
		return parts
	}
	add("conversations_queue_idx", "assignee IS NULL")
	if !l.f.Unassigned {
		add("conversations_queue_assigned_idx", "assignee IS NOT NULL")
	}
	return parts
}

// readFirst has PostgreSQL read a part of the queue by what the part says, before any other condition: it
// might find more rows by another, such as all those of an assignee.
func (l listed) readFirst(p part) part {
	if l.sc.Dialect.Lateral() {
		p.from = query.New("(SELECT * FROM "+l.sc.Tables.Conversations+" c WHERE user_id = ? AND deleted_at IS NULL AND "+scope.StatusIs(l.f.Statuses), l.sc.User).
			Append(p.where).Add(" OFFSET 0) c")
	}
	return p
}

// fewDrafts is how many pending suggestions of a user are few: their conversations are sorted. Of more
// of them the list is read in its order, up to as many conversations with one as a page has.
const fewDrafts = 200

// withDrafts restricts a list to conversations with a pending suggestion.
func (l listed) withDrafts(parts []part, page bool) []part {
	from := l.sc.Tables.Suggestions + " d" + l.sc.Through("ai_suggestions_pending_idx")
	listed := part{found: true, where: l.snoozed()}
	if l.sc.Dialect.Lateral() {
		listed.from = query.New("(SELECT DISTINCT d.conversation_id AS of_id, d.user_id AS of_user FROM "+from+" WHERE d.user_id = ? AND "+pending("d.")+
			") d CROSS JOIN LATERAL (SELECT * FROM "+l.sc.Tables.Conversations+" c WHERE c.id = d.of_id AND c.user_id = d.of_user OFFSET 0) c", l.sc.User)
	} else {
		listed = listed.and("id IN (SELECT d.conversation_id FROM "+from+" WHERE d.user_id = ? AND "+pending("d.")+")", l.sc.User)
	}
	if l.f.Pinned {
		listed = listed.and("pinned_at IS NOT NULL")
	}
	switch {
	case !page && !l.sc.All:
		return []part{listed}
	case l.sc.All || len(l.f.Labels) > 0 || l.f.LeadID != "":
		for i := range parts {
			parts[i] = parts[i].and(hasDraft(l.sc))
		}
		return parts
	}
	few := func(comparison string) *query.Query {
		return query.New("(SELECT count(*) FROM (SELECT 1 FROM "+from+" WHERE d.user_id = ? AND "+pending("d.")+
			" ORDER BY d.created_at DESC, d.id DESC LIMIT "+strconv.Itoa(fewDrafts+1)+") n) "+comparison+" "+strconv.Itoa(fewDrafts), l.sc.User)
	}
	for i := range parts {
		parts[i] = parts[i].and(hasDraft(l.sc))
		parts[i].when = few(">")
	}
	listed.when = few("<=")
	return append(parts, listed)
}

// hasDraft is the condition that a conversation c has a pending suggestion. It is no EXISTS, which
// PostgreSQL may turn into a join with all suggestions, and no comparison, which it takes to be met by one
// row of 200 and then sorts the queue rather than to read it in its order.
func hasDraft(sc scope.Scope) string {
	return "(SELECT 1 FROM " + newestDraft(sc, "c.id", "c.user_id") + ") IS NOT NULL"
}

// newestDraft has the newest pending suggestion x of a conversation, after FROM. The conditions say more
// than is needed, so that PostgreSQL takes the index of the conversation for the order: without them those
// of a user's or of everybody's suggestions have it too, and it may walk through one of them.
func newestDraft(sc scope.Scope, id, user string) string {
	return sc.Tables.Suggestions + " x" + sc.Through("ai_suggestions_conversation_idx") + " WHERE x.conversation_id >= " + id +
		" AND x.conversation_id <= " + id + " AND x.user_id = " + user + " AND coalesce(x.status, '') = '" + string(suggestion.StatusPending) +
		"' AND x.deleted_at IS NULL ORDER BY x.conversation_id DESC, x.created_at DESC, x.id DESC LIMIT 1"
}

// pending is the condition that a suggestion is a draft: it is live and waits for a decision.
func pending(alias string) string {
	return alias + "status = '" + string(suggestion.StatusPending) + "' AND " + alias + "deleted_at IS NULL"
}
