package threads

import (
	"slices"
	"time"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// known returns the stored message that a mail is, live or deleted, or nil.
func (f *filer) known(l lookup) (*message.Message, error) {
	sure, maybe := query.New(""), query.New("")
	for _, k := range f.draft.keys {
		if k.column == keyID {
			union(sure).Add("SELECT id FROM "+l.sc.Tables.Messages+" WHERE user_id = ? AND id = ?", l.sc.User, l.ID)
		}
	}
	for _, r := range l.names {
		to := maybe
		if r.Exclusive {
			to = sure
		}
		if column := uniqueColumns[r.Provider]; column != "" {
			f.ofColumn(l, to, column, formsOf(r.Provider, r.Ref))
		}
		union(to).Add("SELECT message_id FROM "+l.sc.Tables.Refs+" WHERE user_id = ? AND provider = ? AND ref = ?", l.sc.User, r.Provider, r.Ref)
		if r.Exclusive {
			to.Add(" AND exclusive")
		}
	}
	if len(l.ids) > 0 {
		f.ofColumn(l, maybe, "email_message_id", l.ids)
		is, arg := l.sc.Dialect.InTexts("ref", l.ids)
		union(maybe).Add("SELECT message_id FROM "+l.sc.Tables.Refs+" WHERE user_id = ? AND provider = ? AND "+is, l.sc.User, message.RefEmail, arg)
	}
	found, err := knownAmong(l, sure, func(*message.Message) bool { return true })
	if err != nil || found != nil {
		return found, err
	}
	return knownAmong(l, maybe, func(m *message.Message) bool { return sameMail(l.letter, m) })
}

func union(q *query.Query) *query.Query {
	if len(q.Args) > 0 {
		q.Add(" UNION ")
	}
	return q
}

// ofColumn adds the messages with a name in a column. Of an id that very many mails have, those are
// looked at that were sent at the same time.
func (f *filer) ofColumn(l lookup, q *query.Query, column string, values []string) {
	is, arg := l.sc.Dialect.InTexts(column, values)
	of := "SELECT id FROM (SELECT id FROM " + l.sc.Tables.Messages + " WHERE user_id = ? AND " + is
	const near = 24 * time.Hour
	union(q).Add(of+" LIMIT 100) a", l.sc.User, arg)
	union(q).Add(of+" AND sent_at BETWEEN ? AND ? LIMIT 100) b", l.sc.User, arg, l.SentAt.Add(-near), l.SentAt.Add(near))
}

// knownAmong returns the first stored of the messages with some ids that is the mail, or nil.
func knownAmong(l lookup, ids *query.Query, is func(*message.Message) bool) (*message.Message, error) {
	if len(ids.Args) == 0 {
		return nil, nil //nolint:nilnil // there is none
	}
	found, err := scope.ReadIDs(l.db, ids)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	rows, err := messagesByID(l.sc, l.db, found)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(rows, func(a, b *message.Message) int { return slices.Compare(a.ID[:], b.ID[:]) })
	for _, m := range rows {
		if is(m) {
			return m, nil
		}
	}
	return nil, nil //nolint:nilnil // there is none
}

// again adds the names of a copy that the stored message lacks.
func (f *filer) again(l lookup, known *message.Message) (store.Filed, error) {
	conv, err := getConversation(l.sc, l.db, known.ConversationID, store.IncludeDeleted)
	if err != nil {
		return store.Filed{}, err
	}
	var has []message.Ref
	q := query.New("SELECT "+refColumns+" FROM "+l.sc.Tables.Refs+" WHERE message_id = ? AND user_id = ?", known.ID, l.sc.User)
	stored, err := query.All(l.db, q, refDest)
	if err != nil {
		return store.Filed{}, err
	}
	for _, r := range stored {
		has = append(has, *r)
	}
	has = append(has, columnRefs(known)...)
	var lacks []message.Ref
	for _, r := range slices.Concat(columnRefs(l.Message), f.options.Refs, f.options.Threads) {
		same := func(o message.Ref) bool { return o.Provider == r.Provider && o.Ref == r.Ref }
		if !slices.ContainsFunc(has, same) && !slices.ContainsFunc(lacks, same) {
			lacks = append(lacks, r)
		}
	}
	return store.Filed{Message: known, Conversation: conv}, AddRefs(l.sc, l.db, known.ID, lacks)
}
