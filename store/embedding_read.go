package store

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
)

func (s embeddings) Get(ctx context.Context, messageID uuid.UUID, model string) (*message.Embedding, error) {
	if err := checkModel(model); err != nil {
		return nil, err
	}
	db, err := s.reading(ctx)
	if err != nil {
		return nil, err
	}
	e, err := s.embedding(db, messageID, model)
	return e, fail("get embedding", err)
}

// embedding reads the vector of a live message, from the message on, so that one query
// tells which of the two is missing.
func (sc scope) embedding(db conn, messageID uuid.UUID, model string) (*message.Embedding, error) {
	q := newQuery("SELECT m.id, m.user_id, m.conversation_id, e.embedding, e.created_at FROM "+sc.tables.messages+" m LEFT JOIN "+
		sc.tables.embeddings+" e ON e.message_id = m.id AND e.user_id = m.user_id AND e.model = ?", model)
	sc.owned(q, "e.").add(" WHERE m.id = ?", messageID)
	sc.inLive(sc.owned(q, "m.").deleted(ExcludeDeleted, "m."), "m.")
	e, err := one(db, q, storedVectorDest)
	switch {
	case err != nil:
		return nil, err
	case e.Vector == nil:
		return nil, ErrNotEmbedded
	}
	e.Model, e.CreatedAt = model, *e.created
	return &e.Embedding, nil
}

// storedVector is a vector that may be missing.
type storedVector struct {
	message.Embedding
	created *time.Time
}

func storedVectorDest(e *storedVector) []any {
	return []any{&e.MessageID, &e.UserID, &e.ConversationID, &e.Vector, nullInstant{&e.created}}
}

func (s embeddings) Models(ctx context.Context) ([]ModelCount, error) {
	db, err := s.reading(ctx)
	if err != nil {
		return nil, err
	}
	q := newQuery("SELECT model, count(*) FROM " + s.tables.embeddings + " WHERE 1 = 1")
	rows, err := collect(db, s.owned(q, "").add(" GROUP BY model"), func(m *ModelCount) []any { return []any{&m.Model, &m.Vectors} })
	if err != nil {
		return nil, fail("list models", err)
	}
	models := make([]ModelCount, len(rows))
	for i, m := range rows {
		models[i] = *m
	}
	// Not by the database, whose collation has its own idea of names.
	slices.SortFunc(models, func(a, b ModelCount) int { return cmp.Compare(a.Model, b.Model) })
	return models, nil
}

func (s embeddings) Missing(ctx context.Context, model string, f EmbedFilter) iter.Seq2[*message.Message, error] {
	return walk(func(p PageRequest) (Page[*message.Message], error) { return s.listMissing(ctx, model, f, p) })
}

func (s embeddings) listMissing(ctx context.Context, model string, f EmbedFilter, p PageRequest) (page Page[*message.Message], err error) {
	if err := checkModel(model); err != nil {
		return page, err
	}
	if f, err = f.normalize(); err != nil {
		return page, err
	}
	l, err := s.listing(ctx, "missing "+model, f, p)
	if err != nil {
		return page, err
	}
	q := newQuery("SELECT " + messageColumns + " FROM " + s.tables.messages + " m")
	s.oldestFirst(s.whereMissing(q, model, f), l.after, l.limit+1)
	found, err := collect(l.db, q, messageDest)
	if err != nil {
		return page, fail("list messages that are not embedded", err)
	}
	return pageOf(found, l, func(m *message.Message) place {
		return place{key: timeKey(m.CreatedAt), id: m.ID, user: m.UserID}
	}), nil
}

// whiteSpace is that of ASCII, since a database need not have other letters.
const whiteSpace = " \t\n\v\f\r"

// whereMissing narrows a query of messages m to those without a vector of a model.
func (sc scope) whereMissing(q *query, model string, f EmbedFilter) *query {
	q.add(" WHERE trim(m.content, ?) <> ''", whiteSpace)
	sc.inLive(sc.owned(q, "m.").deleted(ExcludeDeleted, "m."), "m.")
	if len(f.Roles) > 0 {
		anyOf(q, " AND m.role", f.Roles)
	}
	q.within("m.created_at", f.CreatedSince, time.Time{})
	q.add(" AND NOT EXISTS (SELECT 1 FROM "+sc.tables.embeddings+" e WHERE e.message_id = m.id AND e.user_id = m.user_id"+
		" AND e.model = ?", model)
	// The OFFSET makes PostgreSQL look for the key of each message. Without it, it joins
	// as for an empty table one that is just being filled, each row with each.
	return sc.owned(q, "e.").add(" LIMIT 1 OFFSET 0)")
}

// oldestFirst ends a query of messages m.
func (sc scope) oldestFirst(q *query, after *place, limit int) {
	if after != nil {
		sc.after(q, "m.created_at", "m.", ">", after.time(), after)
	}
	q.add(sc.orderBy("m.created_at", "m.", "")+" LIMIT ?", limit)
}

func (f EmbedFilter) normalize() (EmbedFilter, error) {
	for _, r := range f.Roles {
		if !r.Valid() {
			return f, rule.Invalid("roles", "has an unknown role")
		}
	}
	f.Roles = distinct(f.Roles)
	f.CreatedSince = message.Instant(f.CreatedSince)
	return f, check.Time("created_since", f.CreatedSince)
}
