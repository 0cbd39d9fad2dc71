package threads

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

// ownProviders begins the providers of what the library notes of a mail's thread.
const ownProviders = "convostore:"

const refColumns = "message_id, user_id, created_at, exclusive, provider, ref"

func refDest(r *message.Ref) []any {
	return []any{&r.MessageID, &r.UserID, (*record.Instant)(&r.CreatedAt), &r.Exclusive, &r.Provider, &r.Ref}
}

// CheckRefs returns names that a caller gave, cleaned, normalized and each once. An exclusive one goes
// before the same one that is not.
func CheckRefs(sc scope.Scope, field string, refs []message.Ref) ([]message.Ref, error) {
	if len(refs) > store.MaxRefs {
		return nil, rule.Invalid(field, "has %d names, the most is %d", len(refs), store.MaxRefs)
	}
	var checked []message.Ref
	for _, r := range refs {
		if r.MessageID != uuid.Nil || r.UserID != uuid.Nil || !r.CreatedAt.IsZero() {
			return nil, rule.Invalid(field, "have more than a provider, a name and whether it is exclusive")
		}
		sc.Clean.Model(&r)
		r.Ref = message.NormalizeRef(r.Provider, r.Ref)
		valid := r
		valid.MessageID, valid.UserID = uuid.Max, uuid.Max
		valid.Normalize(sc.Instant())
		if err := valid.Validate(); err != nil {
			return nil, err
		}
		if strings.HasPrefix(r.Provider, ownProviders) {
			return nil, rule.Invalid("provider", "begins with %s, which is for notes of the library", ownProviders)
		}
		i := slices.IndexFunc(checked, func(c message.Ref) bool { return c.Provider == r.Provider && c.Ref == r.Ref })
		if i < 0 {
			checked = append(checked, r)
			continue
		}
		checked[i].Exclusive = checked[i].Exclusive || r.Exclusive
	}
	return checked, nil
}

// AddRefs adds names to a message in a transaction. An exclusive name of another message is added as
// one that is not exclusive.
func AddRefs(sc scope.Scope, db query.Conn, messageID uuid.UUID, refs []message.Ref) error {
	for _, r := range refs {
		// What the first statement leaves out the second one adds.
		for _, exclusive := range []bool{true, false} {
			if exclusive && !r.Exclusive {
				continue
			}
			if _, err := insertRef(sc, messageID, r, exclusive).Exec(db); err != nil {
				return err
			}
		}
	}
	return nil
}

func insertRef(sc scope.Scope, messageID uuid.UUID, r message.Ref, exclusive bool) *query.Query {
	return query.New("INSERT INTO "+sc.Tables.Refs+" ("+refColumns+") VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
		messageID, sc.User, sc.Instant(), exclusive, r.Provider, r.Ref)
}

func (s messages) AddRefs(ctx context.Context, messageID uuid.UUID, refs ...message.Ref) error {
	return s.changeRefs(ctx, "add refs", messageID, refs, func(sc scope.Scope, db query.Conn, r message.Ref) error {
		n, err := insertRef(sc, messageID, r, r.Exclusive).Exec(db)
		if err != nil || !r.Exclusive {
			return err
		}
		if err := checkNotTaken(sc, db, messageID, r); err != nil || n > 0 {
			return err
		}
		_, err = query.New("UPDATE "+sc.Tables.Refs+" SET exclusive = ? WHERE user_id = ? AND provider = ? AND ref = ? AND message_id = ?",
			true, sc.User, r.Provider, r.Ref, messageID).Exec(db)
		return err
	})
}

// checkNotTaken returns a *store.TakenError if an exclusive name is another message's.
func checkNotTaken(sc scope.Scope, db query.Conn, messageID uuid.UUID, r message.Ref) error {
	holders := query.New("SELECT message_id FROM "+sc.Tables.Refs+" WHERE user_id = ? AND provider = ? AND ref = ? AND exclusive", sc.User, r.Provider, r.Ref)
	if column := uniqueColumns[r.Provider]; column != "" {
		is, arg := sc.Dialect.InTexts(column, formsOf(r.Provider, r.Ref))
		holders.Add(" UNION ALL SELECT id FROM "+sc.Tables.Messages+" WHERE user_id = ? AND "+is, sc.User, arg)
	}
	ids, err := scope.ReadIDs(db, holders)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if id == messageID {
			continue
		}
		taken, err := messagesByID(sc, db, []uuid.UUID{id})
		if err != nil {
			return err
		}
		if len(taken) > 0 {
			return &store.TakenError{Field: "ref", Message: taken[0]}
		}
	}
	return nil
}

// uniqueColumns are the columns of messages that have the names of a provider, each of one message.
var uniqueColumns = map[string]string{message.RefGmail: keyGmail, message.RefPostmark: keyPostmark}

// nameColumns are all columns of messages that have the names of a provider.
var nameColumns = map[string]string{
	message.RefGmail: keyGmail, message.RefPostmark: keyPostmark, message.RefEmail: "email_message_id", message.RefGmailThread: "gmail_thread_id",
}

func (s messages) RemoveRefs(ctx context.Context, messageID uuid.UUID, refs ...message.Ref) error {
	return s.changeRefs(ctx, "remove refs", messageID, refs, func(sc scope.Scope, db query.Conn, r message.Ref) error {
		_, err := query.New("DELETE FROM "+sc.Tables.Refs+" WHERE user_id = ? AND provider = ? AND ref = ? AND message_id = ?",
			sc.User, r.Provider, r.Ref, messageID).Exec(db)
		return err
	})
}

// changeRefs runs change for each name, all or none, of a live message that stays live until then.
func (s messages) changeRefs(ctx context.Context, operation string, messageID uuid.UUID, refs []message.Ref,
	change func(sc scope.Scope, db query.Conn, r message.Ref) error,
) error {
	refs, err := CheckRefs(s.sc, "refs", refs)
	if err != nil {
		return err
	}
	sc, err := s.ownerOf(ctx, messageID)
	if err != nil {
		return query.Wrap(operation, err)
	}
	err = sc.Shared(ctx, func(tx *scope.Store) error {
		in := sc.In(tx)
		_, live, err := LockMessage(ctx, in, messageID)
		if err == nil && !live {
			err = store.ErrNotFound
		}
		for i := 0; err == nil && i < len(refs); i++ {
			err = change(in, query.On(ctx, tx.Writer), refs[i])
		}
		return err
	})
	return query.Wrap(operation, err)
}

func (s messages) Refs(ctx context.Context, messageID uuid.UUID) ([]*message.Ref, error) {
	m, err := s.Get(ctx, messageID)
	if err != nil {
		return nil, err
	}
	sc := s.sc.As(m.UserID)
	db, err := s.sc.Reading(ctx)
	if err != nil {
		return nil, err
	}
	q := query.New("SELECT "+refColumns+" FROM "+sc.Tables.Refs+" WHERE message_id = ? AND user_id = ?", m.ID, m.UserID)
	all, err := query.All(db, q, refDest)
	if err != nil {
		return nil, query.Wrap("list refs", err)
	}
	all = slices.DeleteFunc(all, func(r *message.Ref) bool { return strings.HasPrefix(r.Provider, ownProviders) })
	for _, r := range columnRefs(m) {
		i := slices.IndexFunc(all, func(a *message.Ref) bool { return a.Provider == r.Provider && a.Ref == r.Ref })
		if i >= 0 {
			all[i].Exclusive = all[i].Exclusive || r.Exclusive
			continue
		}
		r.MessageID, r.UserID, r.CreatedAt = m.ID, m.UserID, m.CreatedAt
		all = append(all, &r)
	}
	slices.SortFunc(all, func(a, b *message.Ref) int {
		return cmp.Or(cmp.Compare(a.Provider, b.Provider), cmp.Compare(a.Ref, b.Ref))
	})
	return all, nil
}

// columnRefs are the names that the columns of a message have.
func columnRefs(m *message.Message) (refs []message.Ref) {
	for _, r := range []message.Ref{
		{Provider: message.RefGmail, Ref: m.GmailMessageID, Exclusive: true},
		{Provider: message.RefPostmark, Ref: m.PostmarkMessageID, Exclusive: true},
		{Provider: message.RefEmail, Ref: m.EmailMessageID},
		{Provider: message.RefGmailThread, Ref: m.GmailThreadID},
	} {
		if r.Ref != "" {
			r.Ref = message.NormalizeRef(r.Provider, r.Ref)
			refs = append(refs, r)
		}
	}
	return refs
}

func (s messages) GetByRef(ctx context.Context, provider, ref string) (*message.Message, error) {
	named, err := CheckRefs(s.sc, "ref", []message.Ref{{Provider: provider, Ref: ref}})
	if err != nil {
		return nil, err
	}
	db, err := s.sc.Reading(ctx)
	if err != nil {
		return nil, err
	}
	var m *message.Message
	err = query.WithFallback(db, func(db query.Conn) (err error) {
		m, err = getByRef(s.sc, db, named[0])
		return err
	})
	if err != nil {
		return nil, query.Wrap("get message", err)
	}
	return m, nil
}

func getByRef(sc scope.Scope, db query.Conn, r message.Ref) (*message.Message, error) {
	type holder struct {
		scope.OwnedID
		exclusive bool
	}
	q := query.New("SELECT r.message_id, r.user_id, r.exclusive FROM "+sc.Tables.Refs+" r WHERE r.provider = ? AND r.ref = ?", r.Provider, r.Ref)
	sc.Owned(q, "r.")
	if column := nameColumns[r.Provider]; column != "" {
		is, arg := sc.Dialect.InTexts("m."+column, formsOf(r.Provider, r.Ref))
		unique := " IS NULL" // which it is not
		if uniqueColumns[r.Provider] != "" {
			unique = " IS NOT NULL"
		}
		q.Add(" UNION ALL SELECT m.id, m.user_id, m."+column+unique+" FROM "+sc.Tables.Messages+" m WHERE "+is, arg)
		sc.Owned(q, "m.")
	}
	holders, err := query.All(db, q, func(h *holder) []any { return []any{&h.ID, &h.User, &h.exclusive} })
	if err != nil {
		return nil, err
	}
	exclusive := map[scope.OwnedID]bool{}
	var ids []uuid.UUID
	for _, h := range holders {
		if !slices.Contains(ids, h.ID) {
			ids = append(ids, h.ID)
		}
		exclusive[h.OwnedID] = exclusive[h.OwnedID] || h.exclusive
	}
	var found []*message.Message
	for _, id := range ids {
		live := query.New("SELECT "+query.Qualified("m.", record.MessageColumns)+" FROM "+sc.Tables.Messages+" m WHERE m.id = ? AND m.deleted_at IS NULL", id)
		rows, err := query.All(db, sc.InLive(sc.Owned(live, "m."), "m."), record.MessageDest)
		if err != nil {
			return nil, err
		}
		found = append(found, rows...)
	}
	found = slices.DeleteFunc(found, func(m *message.Message) bool {
		_, has := exclusive[scope.OwnedID{ID: m.ID, User: m.UserID}]
		return !has
	})
	if len(found) == 0 {
		return nil, store.ErrNotFound
	}
	if slices.ContainsFunc(found, func(m *message.Message) bool { return m.UserID != found[0].UserID }) {
		return nil, query.ErrManyOwners
	}
	slices.SortFunc(found, func(a, b *message.Message) int {
		mine := func(m *message.Message) int {
			if exclusive[scope.OwnedID{ID: m.ID, User: m.UserID}] {
				return 0
			}
			return 1
		}
		return cmp.Or(cmp.Compare(mine(a), mine(b)), a.CreatedAt.Compare(b.CreatedAt), slices.Compare(a.ID[:], b.ID[:]))
	})
	return found[0], nil
}

// formsOf returns the forms in which columns may have a name: an append stores an id of Gmail as it
// was given.
func formsOf(provider, ref string) []string {
	if provider == message.RefGmail || provider == message.RefGmailThread {
		return gmailForms(ref)
	}
	return []string{ref}
}

// messagesByID reads messages of the scope's user, deleted ones too, one by one: see candidates.
func messagesByID(sc scope.Scope, db query.Conn, ids []uuid.UUID) (all []*message.Message, err error) {
	for _, id := range ids {
		q := query.New("SELECT "+record.MessageColumns+" FROM "+sc.Tables.Messages+" WHERE id = ? AND "+sc.Dialect.Unindexed("user_id")+" = ?", id, sc.User)
		rows, err := query.All(db, q, record.MessageDest)
		if err != nil {
			return nil, err
		}
		all = append(all, rows...)
	}
	return all, nil
}

// isName tells whether a text can be stored as a name.
func isName(s string) bool { return check.Name("", s) == nil }
