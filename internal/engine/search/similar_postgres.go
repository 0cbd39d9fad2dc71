package search

import (
	"context"
	"database/sql"
	"slices"
	"strconv"

	"github.com/google/uuid"
	"github.com/pgvector/pgvector-go"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/store"
)

const (
	// exactUser is how many vectors of one user PostgreSQL compares without its index.
	exactUser = 20_000
	// defaultEf and maxEf are for hnsw.ef_search.
	defaultEf, maxEf = 400, 1000
)

func (n *nearest) findPostgres(ctx context.Context, limit int) (found, error) {
	indexed, err := n.worthIndex()
	if err != nil {
		return found{}, err
	}
	if !indexed {
		return n.comparePostgres(limit)
	}
	f, err := n.indexPostgres(ctx, limit)
	if err != nil || !f.short {
		return f, err
	}
	if n.o.Mode == store.SearchAuto {
		return n.comparePostgres(limit)
	}
	f.short, err = n.moreThan(len(f.hits))
	return f, err
}

// worthIndex tells whether to ask the index: not where comparing everything is quick.
func (n *nearest) worthIndex() (bool, error) {
	switch {
	case !n.features.VectorIndex || n.o.Mode == store.SearchExact:
		return false, nil
	case n.o.Mode == store.SearchApproximate:
		return true, nil
	case n.sc.All || isSelective(n.o.Filter):
		return !isSelective(n.o.Filter), nil
	}
	var count int
	q := query.New("SELECT count(*) FROM (SELECT 1 FROM "+n.sc.Tables.Embeddings+" WHERE user_id = ? AND model = ? LIMIT ?) e",
		n.sc.User, n.o.Model, exactUser+1)
	_, err := q.Row(n.db, &count)
	return count > exactUser, err
}

// comparePostgres compares everything. What a filter leaves out is not compared; without
// one nearly everything is live, and only the nearest are looked up.
func (n *nearest) comparePostgres(limit int) (found, error) {
	if narrows(n.o.Filter) {
		r, err := n.readNear(n.db, n.eligibleNear("+ 0", query.New("")).Add(" ORDER BY distance, m.id, m.user_id LIMIT ?", limit))
		return found{hits: r.hits, exact: true}, err
	}
	for k := max(2*limit, 50); ; k *= 8 {
		r, err := n.nearestLive(k)
		if err != nil || r.rows < k || r.ended || len(r.hits) >= limit {
			return found{hits: r.hits[:min(limit, len(r.hits))], exact: true}, err
		}
	}
}

// nearestLive reads the nearest k and leaves out those that are not live. Everybody's take
// a statement more: on a sharded server the nearest of all shards cannot be joined with
// messages one by one.
func (n *nearest) nearestLive(k int) (nearRows, error) {
	if !n.sc.All {
		return n.readNear(n.db, n.nearestFirst(k))
	}
	q := query.New("SELECT message_id, user_id, conversation_id, (embedding <=> "+n.param()+") + 0 AS distance FROM "+
		n.sc.Tables.Embeddings+" WHERE model = ? ORDER BY distance, message_id, user_id LIMIT ?", n.text(), n.o.Model, k)
	r, err := n.readNear(n.db, q)
	if err != nil || len(r.hits) == 0 {
		return r, err
	}
	in, arg := n.sc.Dialect.InUUIDs("m.id", messageIDs(r.hits))
	q = query.New("SELECT m.id, m.user_id FROM "+n.sc.Tables.Messages+" m JOIN "+n.sc.Tables.Conversations+
		" c ON c.id = m.conversation_id AND c.user_id = m.user_id WHERE "+in+" AND m.deleted_at IS NULL AND c.deleted_at IS NULL", arg)
	found, err := query.All(n.db, q, func(id *scope.OwnedID) []any { return []any{&id.ID, &id.User} })
	live := make(map[scope.OwnedID]bool, len(found))
	for _, id := range found {
		live[*id] = true
	}
	r.hits = slices.DeleteFunc(r.hits, func(h near) bool { return !live[h.message] })
	return r, err
}

// nearestFirst compares vectors and then looks up the messages of the nearest k; one that
// is not there is NULL. The sum keeps the vector index away, which has the order of the
// distance alone. The limit of one makes the look-up a loop: planned for any number of
// nearest, a join would read all messages of the user.
func (n *nearest) nearestFirst(k int) *query.Query {
	q := query.New("SELECT m.id, m.user_id, m.conversation_id, e.distance FROM (SELECT message_id, user_id, ").
		Add("(embedding <=> "+n.param()+") + 0 AS distance FROM "+n.sc.Tables.Embeddings+" WHERE model = ?", n.text(), n.o.Model)
	n.sc.Owned(q, "").Add(" ORDER BY distance, message_id LIMIT ?) e LEFT JOIN LATERAL (SELECT m.id, m.user_id, m.conversation_id FROM "+
		n.sc.Tables.Messages+" m JOIN "+n.sc.Tables.Conversations+" c ON c.id = m.conversation_id AND c.user_id = m.user_id"+
		" WHERE m.id = e.message_id AND m.user_id = e.user_id AND m.deleted_at IS NULL AND c.deleted_at IS NULL", k)
	return n.sc.Owned(n.sc.Owned(q, "m."), "c.").Add(" LIMIT 1) m ON true ORDER BY e.distance, e.message_id")
}

// eligibleNear looks at the messages and the vectors at once. plus is added to the
// distance, and which to the conditions.
func (n *nearest) eligibleNear(plus string, which *query.Query) *query.Query {
	q := query.New("SELECT m.id, m.user_id, m.conversation_id, (e.embedding <=> "+n.param()+") "+plus+" AS distance FROM "+
		n.fromVectors()+" WHERE e.model = ?", n.text(), n.o.Model)
	return n.eligible(q).Append(which)
}

// indexPostgres asks the vector index. Everybody's vectors it asks in one statement, whose
// settings hold for it alone: they are made before it looks into the index.
func (n *nearest) indexPostgres(ctx context.Context, limit int) (f found, err error) {
	ef := n.o.Candidates
	if ef == 0 {
		ef = defaultEf
	}
	setEf := strconv.Itoa(min(max(ef, limit), maxEf))
	var r nearRows
	if n.sc.All && !n.sc.InTx {
		r, err = n.readNear(n.db, n.byIndex(limit, query.New(" AND (SELECT "+setEfSearch+") IS NOT NULL AND (SELECT "+
			setIterative+") IS NOT NULL", setEf)))
	} else {
		err = n.within(ctx, query.New("SELECT "+setEfSearch+", "+setIterative+", "+setCustomPlan, setEf), func(db query.Conn) (err error) {
			r, err = n.readNear(db, n.byIndex(limit, query.New("")))
			return err
		})
	}
	b := best{limit: limit, hits: r.hits}
	return found{hits: b.sorted(), short: r.rows < limit && !r.ended}, err // sorted for the ties
}

// Settings of a transaction. A plan for any user would take the index of users, also for
// one who has half of all vectors.
const (
	setEfSearch   = "set_config('hnsw.ef_search', ?, true)"
	setIterative  = "set_config('hnsw.iterative_scan', 'strict_order', true)"
	setCustomPlan = "set_config('plan_cache_mode', 'force_custom_plan', true)"
)

func (n *nearest) byIndex(limit int, which *query.Query) *query.Query {
	return n.eligibleNear("", which).Add(" ORDER BY distance LIMIT ?", limit)
}

// within runs fn with settings that are gone afterwards: in a transaction that ends, or
// in a part of the host's that is taken back.
func (n *nearest) within(ctx context.Context, settings *query.Query, fn func(db query.Conn) error) error {
	set := func(db query.Conn) error {
		if _, err := settings.Exec(db); err != nil {
			return err
		}
		return fn(db)
	}
	if !n.sc.InTx {
		return query.WithFallback(n.db, func(db query.Conn) error {
			return db.Transaction(ctx, func(tx *query.Handle) error { return set(query.On(db.Ctx, tx)) })
		})
	}
	return n.sc.Undone(ctx, func() error { return set(n.db) })
}

// moreThan tells whether there are more messages to be found than count.
func (n *nearest) moreThan(count int) (bool, error) {
	q := query.New("SELECT count(*) FROM (SELECT 1 FROM "+n.fromVectors()+" WHERE e.model = ?", n.o.Model)
	n.eligible(q).Add(" LIMIT ?) e", count+1)
	var there int
	_, err := q.Row(n.db, &there)
	return there > count, err
}

// param is the placeholder of the vector, and text its argument.
func (n *nearest) param() string {
	if n.features.Half {
		return "CAST(? AS halfvec)"
	}
	return "CAST(? AS vector)"
}

func (n *nearest) text() string { return pgvector.NewVector(n.vector).String() }

// nearRows are the rows of a query that is ordered by distance.
type nearRows struct {
	hits []near
	// rows counts all that were read, and ended says that some were too far.
	rows  int
	ended bool
}

func (n *nearest) readNear(db query.Conn, q *query.Query) (r nearRows, err error) {
	err = q.Read(db, func() { r = nearRows{} }, func(rows *sql.Rows) error { return r.add(rows, n.o) })
	return r, err
}

func (r *nearRows) add(rows *sql.Rows, o store.SimilarOptions) error {
	var (
		id, user, conversation uuid.NullUUID
		distance               float64
	)
	if err := rows.Scan(&id, &user, &conversation, &distance); err != nil {
		return err
	}
	r.rows++
	switch similarity := 1 - distance; {
	case !keeps(o, similarity):
		r.ended = true
	case id.Valid:
		r.hits = append(r.hits, near{scope.OwnedID{ID: id.UUID, User: user.UUID}, conversation.UUID, similarity})
	}
	return nil
}
