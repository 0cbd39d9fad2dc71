package embeddings

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

func (s embeddings) Get(ctx context.Context, messageID uuid.UUID, model string) (*message.Embedding, error) {
	if err := checkModel(s.sc, &model); err != nil {
		return nil, err
	}
	db, err := s.sc.Reading(ctx)
	if err != nil {
		return nil, err
	}
	e, err := Get(s.sc, db, messageID, model)
	return e, query.Wrap("get embedding", err)
}

// Get reads the vector of a live message. It returns store.ErrNotFound if there is no such
// message and store.ErrNotEmbedded if it has no vector of the model; one query, from the
// message on, tells them apart.
func Get(sc scope.Scope, db query.Conn, messageID uuid.UUID, model string) (*message.Embedding, error) {
	q := query.New("SELECT m.id, m.user_id, m.conversation_id, e.embedding, e.created_at FROM "+sc.Tables.Messages+" m LEFT JOIN "+
		sc.Tables.Embeddings+" e ON e.message_id = m.id AND e.user_id = m.user_id AND e.model = ?", model)
	sc.Owned(q, "e.").Add(" WHERE m.id = ?", messageID)
	sc.InLive(scope.Deleted(sc.Owned(q, "m."), store.ExcludeDeleted, "m."), "m.")
	e, err := query.One(db, q, optionalVectorDest)
	switch {
	case err != nil:
		return nil, err
	case e.Vector == nil:
		return nil, store.ErrNotEmbedded
	}
	e.Model, e.CreatedAt = model, *e.created
	return &e.Embedding, nil
}

// optionalVector is a vector of a LEFT JOIN, which is nil if there is none.
type optionalVector struct {
	message.Embedding
	created *time.Time
}

func optionalVectorDest(e *optionalVector) []any {
	return []any{&e.MessageID, &e.UserID, &e.ConversationID, &e.Vector, record.NullInstant{Dest: &e.created}}
}

func (s embeddings) Models(ctx context.Context) ([]store.ModelCount, error) {
	db, err := s.sc.Reading(ctx)
	if err != nil {
		return nil, err
	}
	q := query.New("SELECT model, count(*) FROM " + s.sc.Tables.Embeddings + " WHERE 1 = 1")
	rows, err := query.All(db, s.sc.Owned(q, "").Add(" GROUP BY model"), func(m *store.ModelCount) []any { return []any{&m.Model, &m.Vectors} })
	if err != nil {
		return nil, query.Wrap("list models", err)
	}
	models := make([]store.ModelCount, len(rows))
	for i, m := range rows {
		models[i] = *m
	}
	// Not by the database, whose collation may order names differently.
	slices.SortFunc(models, func(a, b store.ModelCount) int { return cmp.Compare(a.Model, b.Model) })
	return models, nil
}

func (s embeddings) Missing(ctx context.Context, model string, f store.EmbedFilter) iter.Seq2[*message.Message, error] {
	return scope.Walk(func(p store.PageRequest) (store.Page[*message.Message], error) {
		return s.listMissing(ctx, model, f, p)
	})
}

func (s embeddings) listMissing(ctx context.Context, model string, f store.EmbedFilter, p store.PageRequest) (page store.Page[*message.Message], err error) {
	if err := checkModel(s.sc, &model); err != nil {
		return page, err
	}
	if f, err = checkFilter(f); err != nil {
		return page, err
	}
	l, err := s.sc.Listing(ctx, "missing "+model, f, p)
	if err != nil {
		return page, err
	}
	q := query.New("SELECT " + record.MessageColumns + " FROM " + s.sc.Tables.Messages + " m")
	oldestFirst(s.sc, whereMissing(s.sc, q, model, f), l.After, l.Limit+1)
	page, err = scope.ReadPage(l, q, record.MessageDest, (*message.Message).Size, func(m *message.Message) scope.Place {
		return scope.Place{Key: scope.TimeKey(m.CreatedAt), ID: m.ID, User: m.UserID}
	})
	return page, query.Wrap("list messages that are not embedded", err)
}

// whiteSpace is that of ASCII, because the encoding of a database need not have any other.
const whiteSpace = " \t\n\v\f\r"

// whereMissing adds the WHERE clause for live messages m of the scope that have no vector of a
// model, were not set aside for it and pass the filter.
func whereMissing(sc scope.Scope, q *query.Query, model string, f store.EmbedFilter) *query.Query {
	whereWithout(sc, q, model, f).Add(" AND NOT EXISTS (SELECT 1 FROM "+sc.Tables.Failures+" a WHERE a.message_id = m.id"+
		" AND a.user_id = m.user_id AND a.model = ? AND a.set_aside_at IS NOT NULL", model)
	return sc.Owned(q, "a.").Add(" LIMIT 1 OFFSET 0)") // as in whereWithout
}

// whereWithout adds the WHERE clause for live messages m of the scope that have no vector of a
// model and pass the filter.
func whereWithout(sc scope.Scope, q *query.Query, model string, f store.EmbedFilter) *query.Query {
	q.Add(" WHERE m.state <> 'streaming' AND trim(m.content, ?) <> ''", whiteSpace)
	sc.InLive(scope.Deleted(sc.Owned(q, "m."), store.ExcludeDeleted, "m."), "m.")
	if len(f.Roles) > 0 {
		query.In(q, " AND m.role", f.Roles)
	}
	scope.Between(q, "m.created_at", f.CreatedSince, time.Time{})
	q.Add(" AND NOT EXISTS (SELECT 1 FROM "+sc.Tables.Embeddings+" e WHERE e.message_id = m.id AND e.user_id = m.user_id"+
		" AND e.model = ?", model)
	// The OFFSET makes PostgreSQL look up the key of each message. Without it, PostgreSQL plans
	// a join as for an empty table while the table is being filled, and compares each row with
	// each.
	return sc.Owned(q, "e.").Add(" LIMIT 1 OFFSET 0)")
}

// oldestFirst ends a query of messages m with a page in the order of Missing.
func oldestFirst(sc scope.Scope, q *query.Query, after *scope.Place, limit int) {
	order := sc.SortByArrival("m.created_at", "m.")
	if after != nil {
		order.After(q, ">", after)
	}
	q.Add(order.OrderBy("")+" LIMIT ?", limit)
}

// checkFilter checks a filter. It returns the filter without duplicates and with its time in the
// precision of the tables.
func checkFilter(f store.EmbedFilter) (store.EmbedFilter, error) {
	for _, r := range f.Roles {
		if !r.Valid() {
			return f, rule.Invalid("roles", "has an unknown role")
		}
	}
	f.Roles = scope.Distinct(f.Roles)
	f.CreatedSince = message.Instant(f.CreatedSince)
	return f, check.Time("created_since", f.CreatedSince)
}
