package states

import (
	"context"
	"slices"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

const columns = "s.key, s.value, s.version, s.updated_at"

func dest(s *store.State) []any {
	return []any{(*record.Text)(&s.Key), &s.Value, (*record.Number)(&s.Version), (*maybeInstant)(s)}
}

func size(s *store.State) int { return len(s.Key) + len(s.Value) }

func (s states) Get(ctx context.Context, in store.StatePlace, key string) (*store.State, error) {
	p, err := checkPlace(s.sc, in)
	if err != nil {
		return nil, err
	}
	if err := cleanKey(s.sc, &key); err != nil {
		return nil, err
	}
	db, err := s.sc.Reading(ctx)
	if err != nil {
		return nil, err
	}
	if p, err = p.toRead(db); err != nil {
		return nil, query.Wrap("get state", err)
	}
	q := p.is(query.New("SELECT "+columns+" FROM "+shapeOf(s.sc.Tables, p.Kind).table+" s WHERE ")).Add(" AND s.key = ?", key)
	if p.Kind == store.ConversationKind {
		p.sc.InLive(q, "s.")
	}
	found, err := query.One(db, q, dest)
	return found, query.Wrap("get state", err)
}

func (s states) List(ctx context.Context, in store.StatePlace, f store.StateFilter) ([]*store.State, error) {
	p, err := checkPlace(s.sc, in)
	if err != nil {
		return nil, err
	}
	if f, err = checkFilter(s.sc, f); err != nil {
		return nil, err
	}
	db, err := s.sc.Reading(ctx)
	if err != nil {
		return nil, err
	}
	if p, err = p.toRead(db); err != nil {
		return nil, query.Wrap("list states", err)
	}
	found, err := p.list(db, f)
	return found, query.Wrap("list states", err)
}

// checkFilter cleans and checks a filter, and sets its limit.
func checkFilter(sc scope.Scope, f store.StateFilter) (store.StateFilter, error) {
	var err error
	if f.Limit, err = scope.Limit("limit", f.Limit); err != nil {
		return f, err
	}
	if len(f.Keys) > store.MaxStateKeys {
		return f, rule.Invalid("keys", "has %d keys, the most is %d", len(f.Keys), store.MaxStateKeys)
	}
	f.Keys = slices.Clone(f.Keys)
	for i := range f.Keys {
		if err := cleanKey(sc, &f.Keys[i]); err != nil {
			return f, err
		}
	}
	if err := check.First(sc.CleanFilter("prefix", &f.Prefix), sc.CleanFilter("after", &f.After)); err != nil {
		return f, err
	}
	return f, check.First(check.Key("prefix", f.Prefix), check.Key("after", f.After))
}

// list reads the states of a place. Of a conversation, a first row without a state says that it is
// there.
func (p place) list(db query.Conn, f store.StateFilter) ([]*store.State, error) {
	shape, byKey := shapeOf(p.sc.Tables, p.Kind), p.sc.Dialect.ByBytes("s.key")
	q := query.New("SELECT " + columns + " FROM " + shape.table + " s WHERE ")
	limit := f.Limit
	if p.Kind == store.ConversationKind {
		q = query.New("SELECT " + columns + " FROM " + p.sc.Tables.Conversations + " c LEFT JOIN " + shape.table +
			" s ON s.conversation_id = c.id AND s.user_id = c.user_id AND ")
	}
	p.is(q)
	if f.Prefix != "" {
		q.Add(" AND substr(s.key, 1, "+p.sc.Dialect.Param("integer")+") = ?", utf8.RuneCountInString(f.Prefix), f.Prefix)
	}
	if f.After != "" {
		q.Add(" AND "+byKey+" > ?", f.After)
	}
	if len(f.Keys) > 0 {
		in, arg := p.sc.Dialect.InTexts("s.key", f.Keys)
		q.Add(" AND "+in, arg)
	}
	if p.Kind == store.ConversationKind {
		q.Add(" WHERE c.id = ? AND c.user_id = ? AND c.deleted_at IS NULL", p.ConversationID, p.sc.User)
	}
	found, _, err := query.Within(db, q.Add(" ORDER BY "+byKey+" LIMIT ?", limit), dest, size, store.MaxPageBytes)
	if err == nil && p.Kind == store.ConversationKind {
		if len(found) == 0 {
			return nil, store.ErrNotFound
		}
		if found[0].Version == 0 {
			found = found[:0]
		}
	}
	return found, err
}

func (s states) OfConversation(ctx context.Context, id uuid.UUID) (store.ConversationStates, error) {
	var all store.ConversationStates
	db, err := s.sc.Reading(ctx)
	if err != nil {
		return all, err
	}
	owner, err := s.sc.OwnerIn(db, s.sc.Tables.Conversations, id)
	if err == nil {
		all, err = ofConversation(s.sc.As(owner), db, id)
	}
	return all, query.Wrap("read states", err)
}

// ofConversation reads the states of three places in one statement. A first row without a state
// says that the conversation is there.
func ofConversation(sc scope.Scope, db query.Conn, id uuid.UUID) (store.ConversationStates, error) {
	type placed struct {
		kind store.StateKind
		store.State
	}
	t := sc.Tables
	part := func(kind, table, on string) string {
		return " UNION ALL SELECT " + kind + ", " + columns + " FROM c JOIN " + table + " s ON " + on
	}
	q := query.New("WITH c AS (SELECT id, user_id, coalesce(app, '') AS app FROM "+t.Conversations+
		" WHERE id = ? AND user_id = ? AND deleted_at IS NULL) SELECT * FROM (SELECT 0 AS kind, '' AS key, NULL AS value, 0 AS version, NULL AS updated_at FROM c", id, sc.User)
	q.Add(part("1", t.States, "s.conversation_id = c.id AND s.user_id = c.user_id") +
		part("2", t.UserStates, "s.user_id = c.user_id AND s.app = c.app") + part("3", t.AppStates, "s.app = c.app"))
	rows, err := query.All(db, q.Add(") s ORDER BY kind, "+sc.Dialect.ByBytes("key")), func(p *placed) []any {
		return append([]any{&p.kind}, dest(&p.State)...)
	})
	if err == nil && len(rows) == 0 {
		err = store.ErrNotFound
	}
	all := store.ConversationStates{Conversation: []*store.State{}, User: []*store.State{}, App: []*store.State{}}
	lists := map[store.StateKind]*[]*store.State{store.ConversationKind: &all.Conversation, store.UserKind: &all.User, store.AppKind: &all.App}
	for _, row := range rows {
		if list := lists[row.kind]; list != nil {
			*list = append(*list, &row.State)
		}
	}
	if err != nil {
		return store.ConversationStates{}, err
	}
	return all, nil
}

// maybeInstant scans the time of a state, which the row without a state lacks.
type maybeInstant store.State

// Scan implements sql.Scanner.
func (m *maybeInstant) Scan(src any) error {
	if src == nil {
		return nil
	}
	return (*record.Instant)(&m.UpdatedAt).Scan(src)
}
