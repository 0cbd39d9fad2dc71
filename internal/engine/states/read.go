package states

import (
	"context"
	"slices"
	"unicode/utf8"

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

// maybeInstant scans the time of a state, which the row without a state lacks.
type maybeInstant store.State

// Scan implements sql.Scanner.
func (m *maybeInstant) Scan(src any) error {
	if src == nil {
		return nil
	}
	return (*record.Instant)(&m.UpdatedAt).Scan(src)
}
