package threads

import (
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/message"
)

// The providers of notes about threads. They are names of the message that they are about, so that
// they go where it goes.
const (
	// awaited is an id that a mail answers and that no message of its conversation had when it was
	// filed.
	awaited = ownProviders + "answers"
	// contested is an id for which two conversations have a mail and which did not join them, since
	// they had no address in common then.
	contested = ownProviders + "contested"
	// subjects is for the subject of a conversation.
	subjects = ownProviders + "subject"
)

// via is how a message was found.
type via int

const (
	// byID is a message that has an id which the mail answers, and byPostmark one that has it as an id
	// of Postmark's.
	byID via = iota
	byPostmark
	// byAwaited is a message that answers an id which the mail has or answers.
	byAwaited
	byThread
	bySubject
	byContested
)

// hit is a message that has something to do with a mail.
type hit struct {
	via    via
	name   string
	thread scope.OwnedID
	id     uuid.UUID
	people people
	// answers are the ids that the message answers.
	answers []string
}

// maxHits is how many messages with one kind of name are looked at: ids that a broken program gives
// to all its mails say nothing.
const maxHits = 200

// lookup finds the messages that have something to do with a mail.
type lookup struct {
	sc scope.Scope
	db query.Conn
	*letter
}

// find finds them all.
func (l lookup) find() ([]*hit, error) {
	found, err := l.threadHits()
	if err != nil {
		return nil, err
	}
	more, err := l.hits()
	if err != nil {
		return nil, err
	}
	found = append(found, more...)
	if slices.ContainsFunc(found, func(h *hit) bool { return h.via == byContested }) {
		found = slices.DeleteFunc(found, func(h *hit) bool { return h.via == byContested })
		more, err = l.contestedHits()
	}
	return l.related(append(found, more...)), err
}

// contestedHits finds all ids of the user that are contested. Most users have none.
func (l lookup) contestedHits() ([]*hit, error) {
	const most = 10_000
	q := query.New("SELECT r.ref, m.conversation_id, m.user_id, m.id FROM "+
		l.sc.Dialect.ForEach(l.sc.Tables.Refs+" r", l.sc.Tables.Messages, "m", "m.id = r.message_id AND m.user_id = r.user_id")+" WHERE r.provider = ?", contested)
	return query.All(l.db, l.sc.Owned(q, "r.").Add(" LIMIT ?", most), func(h *hit) []any {
		h.via = byContested
		return []any{&h.name, &h.thread.ID, &h.thread.User, &h.id}
	})
}

// hits runs one query, each part of which goes by an index of names. Of contested ids it finds one
// alone, if there are any.
func (l lookup) hits() ([]*hit, error) {
	q := query.New("")
	l.addColumn(q, byID, "email_message_id", l.answers)
	l.addColumn(q, byPostmark, "postmark_message_id", localParts(l.answers))
	l.addRefs(q, byID, message.RefEmail, l.answers)
	l.addRefs(q, byPostmark, message.RefPostmark, localParts(l.answers))
	if ids := slices.Concat(l.answers, l.ids); len(ids) > 0 {
		l.addRefs(q, byAwaited, awaited, ids)
		if !l.sc.All {
			l.addRefs(q, byContested, contested, nil)
		}
	}
	if l.subject != "" {
		l.addRefs(q, bySubject, subjects, []string{l.subject})
	}
	if len(q.Args) == 0 {
		return nil, nil
	}
	type row struct {
		hit
		sender, recipient string
		headers           message.Headers
	}
	rows, err := query.All(l.db, q, func(r *row) []any {
		return []any{&r.via, &r.name, &r.thread.ID, &r.thread.User, &r.id, (*record.Text)(&r.sender), (*record.Text)(&r.recipient), &r.headers}
	})
	found := make([]*hit, len(rows))
	for i, r := range rows {
		r.people, r.answers = peopleOf(r.sender, r.recipient, r.headers), answersOf(r.headers)
		found[i] = &r.hit
	}
	return found, err
}

// related leaves out contested ids that neither the mail nor one of the other hits' conversations have.
func (l lookup) related(hits []*hit) []*hit {
	threads, names := map[scope.OwnedID]bool{}, map[string]bool{}
	for _, id := range slices.Concat(l.ids, l.answers) {
		names[id] = true
	}
	for _, h := range hits {
		if h.via != byContested {
			threads[h.thread] = true
		}
	}
	for grown := true; grown; {
		grown = false
		for _, h := range hits {
			if h.via == byContested && threads[h.thread] != names[h.name] {
				threads[h.thread], names[h.name], grown = true, true, true
			}
		}
	}
	return slices.DeleteFunc(hits, func(h *hit) bool { return !threads[h.thread] })
}

const hitColumns = "m.conversation_id, m.user_id, m.id, m.sender_email, m.recipient_email, m.headers"

// addColumn adds the messages that have one of the values in a column.
func (l lookup) addColumn(q *query.Query, v via, column string, values []string) {
	if len(values) == 0 {
		return
	}
	is, arg := l.sc.Dialect.InTexts("m."+column, values)
	l.begin(q, v, "m."+column)
	q.Add(" FROM "+l.sc.Tables.Messages+" m WHERE "+is, arg)
	l.end(l.sc.Owned(q, "m."), maxHits)
}

// addRefs adds the messages that have one of the names of a provider, or any of them if none is given.
// Each name is looked up by itself: without statistics PostgreSQL would read all names of a user.
func (l lookup) addRefs(q *query.Query, v via, provider string, refs []string) {
	if len(refs) == 0 && v != byContested {
		return
	}
	const message = "m.id = r.message_id AND m.user_id = r.user_id"
	l.begin(q, v, "r.ref")
	if v == byContested {
		q.Add(" FROM "+l.sc.Dialect.ForEach(l.sc.Tables.Refs+" r", l.sc.Tables.Messages, "m", message)+" WHERE r.provider = ?", provider)
		l.end(l.sc.Owned(q, "r."), 1)
		return
	}
	q.Add(" FROM ").Append(textRows(l.sc, "name", refs))
	named := "r.ref = v.name AND r.provider = ?"
	args := []any{provider}
	if !l.sc.All {
		named, args = named+" AND r.user_id = ?", append(args, l.sc.User)
	}
	q.Add(l.sc.Dialect.ForEach(l.sc.Dialect.ForEach("", l.sc.Tables.Refs, "r", named), l.sc.Tables.Messages, "m", message), args...)
	l.end(q, maxHits)
}

func (l lookup) begin(q *query.Query, v via, name string) {
	if len(q.Args) > 0 {
		q.Add(" UNION ALL ")
	}
	// A compound of SQLite has limits in subqueries alone.
	q.Add("SELECT * FROM (SELECT " + strconv.Itoa(int(v)) + " AS via, " + name + " AS name, " + hitColumns)
}

func (l lookup) end(q *query.Query, most int) {
	q.Add(" LIMIT " + strconv.Itoa(most) + ") h" + strconv.Itoa(len(q.Args)))
}

// threadHits finds the conversations that have a name of the mail's thread, which may have very many
// messages.
func (l lookup) threadHits() ([]*hit, error) {
	q := query.New("")
	for _, r := range l.threads {
		if r.Provider == message.RefGmailThread {
			is, arg := l.sc.Dialect.InTexts("m.gmail_thread_id", gmailForms(r.Ref))
			l.beginThread(q, r).Add("m.conversation_id, m.user_id FROM "+l.sc.Tables.Messages+" m WHERE "+is, arg)
			l.sc.Owned(q, "m.")
		}
		l.beginThread(q, r).Add("m.conversation_id, m.user_id FROM "+l.sc.Dialect.ForEach(l.sc.Tables.Refs+" r", l.sc.Tables.Messages, "m",
			"m.id = r.message_id AND m.user_id = r.user_id")+" WHERE r.provider = ? AND r.ref = ?", r.Provider, r.Ref)
		l.sc.Owned(q, "r.")
	}
	if len(q.Args) == 0 {
		return nil, nil
	}
	return query.All(l.db, q, func(h *hit) []any {
		h.via = byThread
		return []any{&h.name, &h.thread.ID, &h.thread.User}
	})
}

func (l lookup) beginThread(q *query.Query, r message.Ref) *query.Query {
	if len(q.Args) > 0 {
		q.Add(" UNION ")
	}
	return q.Add("SELECT "+l.sc.Dialect.Param("text")+" AS name, ", nameOf(r))
}

// nameOf is a name of a thread among the hits.
func nameOf(r message.Ref) string { return r.Provider + " " + r.Ref }

// candidate is a conversation that a mail may belong to.
type candidate struct {
	scope.OwnedID
	lead, app    string
	lastActivity time.Time
	deleted      bool
	merged       bool
}

const candidateColumns = "id, user_id, lead_id, app, last_message_at, deleted_at IS NOT NULL, merged_into_id IS NOT NULL"

func candidateDest(c *candidate) []any {
	return []any{&c.ID, &c.User, (*record.Text)(&c.lead), (*record.Text)(&c.app), (*record.Instant)(&c.lastActivity), &c.deleted, &c.merged}
}

// candidates reads the conversations of hits, and locks them for a scope of one user in a transaction
// if lock says so.
func (l lookup) candidates(hits []*hit, lock bool) (map[scope.OwnedID]*candidate, error) {
	var ids []uuid.UUID
	for _, h := range hits {
		ids = append(ids, h.thread.ID)
	}
	slices.SortFunc(ids, scope.CompareIDs)
	found := make(map[scope.OwnedID]*candidate, len(ids))
	// One by one, since there are few: without statistics PostgreSQL would find a list of them by their
	// user.
	for _, id := range slices.Compact(ids) {
		q := query.New("SELECT "+candidateColumns+" FROM "+l.sc.Tables.Conversations+" WHERE id = ?", id)
		if lock {
			q = l.sc.LockRows(candidateColumns, query.New("id = ? AND "+l.sc.Dialect.Unindexed("user_id")+" = ?", id, l.sc.User))
		} else if !l.sc.All {
			q.Add(" AND "+l.sc.Dialect.Unindexed("user_id")+" = ?", l.sc.User)
		}
		rows, err := query.All(l.db, q, candidateDest)
		if err != nil {
			return nil, err
		}
		for _, c := range rows {
			found[c.OwnedID] = c
		}
	}
	return found, nil
}

// crowd are the people of a conversation.
type crowd struct {
	// all are everybody's addresses, and others those of the correspondents.
	all, others people
}

// crowdOf reads the people of the mails of a conversation.
func (l lookup) crowdOf(c scope.OwnedID) (crowd, error) {
	type row struct {
		sender, recipient string
		headers           message.Headers
		direction         message.Direction
	}
	q := query.New("SELECT sender_email, recipient_email, headers, direction FROM "+l.sc.Tables.Messages+
		" WHERE conversation_id = ? AND user_id = ? AND kind IN ('message', 'auto_reply', 'bounce')", c.ID, c.User)
	rows, err := query.All(l.db, q, func(r *row) []any {
		return []any{(*record.Text)(&r.sender), (*record.Text)(&r.recipient), &r.headers, &r.direction}
	})
	found := crowd{people{}, people{}}
	for _, r := range rows {
		found.all.addAll(peopleOf(r.sender, r.recipient, r.headers))
		found.others.addAll(correspondents(r.direction, r.sender, r.recipient, r.headers))
	}
	return found, err
}
