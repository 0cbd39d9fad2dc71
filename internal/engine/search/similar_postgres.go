package search

import (
	"context"
	"database/sql"
	"slices"
	"strconv"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/internal/vector"
	"github.com/convostore/convostore/store"
)

// postgresVectors lets pgvector compare the vectors, all of them or those that its HNSW
// index finds.
type postgresVectors struct{}

const (
	// maxExactUser is the most vectors of one user that are compared without the index.
	maxExactUser = 20_000
	// defaultEf and maxEf are the default and the upper bound of hnsw.ef_search.
	defaultEf, maxEf = 400, 1000
)

func (v postgresVectors) find(ctx context.Context, s *similarSearch, limit int) (vectorHits, error) {
	indexed, err := v.useIndex(s)
	if err != nil {
		return vectorHits{}, err
	}
	if !indexed {
		return v.compareAll(s, limit)
	}
	found, err := v.searchIndex(ctx, s, limit)
	if err != nil || !found.short {
		return found, err
	}
	if s.options.Mode == store.SearchAuto {
		return v.compareAll(s, limit)
	}
	found.short, err = v.moreThan(s, len(found.hits))
	return found, err
}

// useIndex tells whether to search the index. store.SearchAuto does not where comparing all
// vectors is quick.
func (postgresVectors) useIndex(s *similarSearch) (bool, error) {
	switch {
	case !s.features.VectorIndex || s.options.Mode == store.SearchExact:
		return false, nil
	case s.options.Mode == store.SearchApproximate:
		return true, nil
	case s.sc.All || isSelective(s.options.Filter):
		return !isSelective(s.options.Filter), nil
	}
	var count int
	q := query.New("SELECT count(*) FROM (SELECT 1 FROM "+s.sc.Tables.Embeddings+" WHERE user_id = ? AND model = ? LIMIT ?) e",
		s.sc.User, s.options.Model, maxExactUser+1)
	_, err := q.Row(s.db, &count)
	return count > maxExactUser, err
}

// compareAll compares all vectors. With a filter, it compares only those that pass. Without
// one, nearly all messages are live, and it looks up only those of the nearest vectors.
func (v postgresVectors) compareAll(s *similarSearch, limit int) (vectorHits, error) {
	if narrows(s.options.Filter) {
		r, err := readByDistance(s, s.db, selectEligible(s, "+ 0", query.New("")).Add(" ORDER BY distance, m.id, m.user_id LIMIT ?", limit))
		return vectorHits{hits: r.hits, exact: true}, err
	}
	for k := max(2*limit, 50); ; k *= 8 {
		r, err := v.readLive(s, k)
		if err != nil || r.rows < k || r.tooFar || len(r.hits) >= limit {
			return vectorHits{hits: r.hits[:min(limit, len(r.hits))], exact: true}, err
		}
	}
}

// readLive reads the nearest k vectors and leaves out those whose messages are not live. For
// all users it takes two statements: on a sharded server, the nearest vectors of all shards
// cannot be joined with the messages one by one.
func (postgresVectors) readLive(s *similarSearch, k int) (distanceRows, error) {
	if !s.sc.All {
		return readByDistance(s, s.db, selectLive(s, k))
	}
	q := query.New("SELECT message_id, user_id, conversation_id, "+distanceTo("embedding", s)+" + 0 AS distance FROM "+
		s.sc.Tables.Embeddings+" WHERE model = ? ORDER BY distance, message_id, user_id LIMIT ?", vectorText(s), s.options.Model, k)
	r, err := readByDistance(s, s.db, q)
	if err != nil || len(r.hits) == 0 {
		return r, err
	}
	in, arg := s.sc.Dialect.InUUIDs("m.id", messageIDs(r.hits))
	q = query.New("SELECT m.id, m.user_id FROM "+s.sc.Tables.Messages+" m JOIN "+s.sc.Tables.Conversations+
		" c ON c.id = m.conversation_id AND c.user_id = m.user_id WHERE "+in+" AND m.deleted_at IS NULL AND c.deleted_at IS NULL", arg)
	keys, err := query.All(s.db, q, func(id *scope.OwnedID) []any { return []any{&id.ID, &id.User} })
	live := make(map[scope.OwnedID]bool, len(keys))
	for _, key := range keys {
		live[*key] = true
	}
	r.hits = slices.DeleteFunc(r.hits, func(h vectorHit) bool { return !live[h.message] })
	return r, err
}

// selectLive selects the nearest k vectors of a user and then looks up their messages, whose
// columns are NULL if the message is not live. The addition keeps the planner from using the
// vector index, which has the order of the bare distance only. The inner LIMIT 1 makes the
// look-up a loop: a join, planned for any k, would read all messages of the user.
func selectLive(s *similarSearch, k int) *query.Query {
	q := query.New("SELECT m.id, m.user_id, m.conversation_id, e.distance FROM (SELECT message_id, user_id, ").
		Add(""+distanceTo("embedding", s)+" + 0 AS distance FROM "+s.sc.Tables.Embeddings+" WHERE model = ?", vectorText(s), s.options.Model)
	s.sc.Owned(q, "").Add(" ORDER BY distance, message_id LIMIT ?) e LEFT JOIN LATERAL (SELECT m.id, m.user_id, m.conversation_id FROM "+
		s.sc.Tables.Messages+" m JOIN "+s.sc.Tables.Conversations+" c ON c.id = m.conversation_id AND c.user_id = m.user_id"+
		" WHERE m.id = e.message_id AND m.user_id = e.user_id AND m.deleted_at IS NULL AND c.deleted_at IS NULL", k)
	return s.sc.Owned(s.sc.Owned(q, "m."), "c.").Add(" LIMIT 1) m ON true ORDER BY e.distance, e.message_id")
}

// selectEligible joins vectors and messages in one query. addend is appended to the
// distance, and settings to the conditions.
func selectEligible(s *similarSearch, addend string, settings *query.Query) *query.Query {
	q := query.New("SELECT m.id, m.user_id, m.conversation_id, "+distanceTo("e.embedding", s)+" "+addend+" AS distance FROM "+
		s.fromVectors()+" WHERE e.model = ?", vectorText(s), s.options.Model)
	return s.eligible(q).Append(settings)
}

// searchIndex searches the vector index. For all users, outside a transaction, one statement
// is enough: it makes its settings in its conditions, before it looks into the index, and
// they hold for it alone.
func (v postgresVectors) searchIndex(ctx context.Context, s *similarSearch, limit int) (found vectorHits, err error) {
	ef := s.options.Candidates
	if ef == 0 {
		ef = defaultEf
	}
	efText := strconv.Itoa(min(max(ef, limit), maxEf))
	var r distanceRows
	if s.sc.All && !s.sc.InTx {
		r, err = readByDistance(s, s.db, selectByIndex(s, limit, query.New(" AND (SELECT "+setEfSearch+") IS NOT NULL AND (SELECT "+
			setIterative+") IS NOT NULL", efText)))
	} else {
		err = withSettings(ctx, s, query.New("SELECT "+setEfSearch+", "+setIterative+", "+setCustomPlan, efText), func(db query.Conn) (err error) {
			r, err = readByDistance(s, db, selectByIndex(s, limit, query.New("")))
			return err
		})
	}
	nearest := nearestHits{limit: limit, hits: r.hits}
	return vectorHits{hits: nearest.sorted(), short: r.rows < limit && !r.tooFar}, err // sorted for the ties
}

// Settings that end with the transaction. setCustomPlan is there because a generic plan
// would use the index on users even for a user who has half of all vectors.
const (
	setEfSearch   = "set_config('hnsw.ef_search', ?, true)"
	setIterative  = "set_config('hnsw.iterative_scan', 'strict_order', true)"
	setCustomPlan = "set_config('plan_cache_mode', 'force_custom_plan', true)"
)

func selectByIndex(s *similarSearch, limit int, settings *query.Query) *query.Query {
	return selectEligible(s, "", settings).Add(" ORDER BY distance LIMIT ?", limit)
}

// withSettings runs fn with settings that do not outlive it: in a transaction of its own or,
// inside the host's, in a savepoint that it rolls back.
func withSettings(ctx context.Context, s *similarSearch, settings *query.Query, fn func(db query.Conn) error) error {
	run := func(db query.Conn) error {
		if _, err := settings.Exec(db); err != nil {
			return err
		}
		return fn(db)
	}
	if !s.sc.InTx {
		return query.WithFallback(s.db, func(db query.Conn) error {
			return db.Transaction(ctx, func(tx *query.Handle) error { return run(query.On(db.Ctx, tx)) })
		})
	}
	return s.sc.Undone(ctx, func() error { return run(s.db) })
}

// moreThan tells whether more than count messages are eligible.
func (postgresVectors) moreThan(s *similarSearch, count int) (bool, error) {
	q := query.New("SELECT count(*) FROM (SELECT 1 FROM "+s.fromVectors()+" WHERE e.model = ?", s.options.Model)
	s.eligible(q).Add(" LIMIT ?) e", count+1)
	var eligible int
	_, err := q.Row(s.db, &eligible)
	return eligible > count, err
}

func (postgresVectors) countSimilar(s *similarSearch, conversations []uuid.UUID, counts map[scope.OwnedID]int64) error {
	q := s.selectVectors(conversations, "count(*)")
	q.Add(" AND 1 - "+distanceTo("e.embedding", s)+" >= ?", vectorText(s), s.options.MinSimilarity)
	return s.readCounts(q, counts)
}

// distanceTo is the distance of a column from the vector of the search, whose argument is
// vectorText.
func distanceTo(column string, s *similarSearch) string {
	return "(" + column + " " + s.features.CosineDistance() + " " + s.sc.Dialect.Param(s.features.VectorType()) + ")"
}

func vectorText(s *similarSearch) string { return vector.Text(s.vector) }

// distanceRows are the rows of a query that is ordered by distance.
type distanceRows struct {
	hits []vectorHit
	// rows counts all rows read, and tooFar says that some of them were beyond MinSimilarity.
	rows   int
	tooFar bool
}

func readByDistance(s *similarSearch, db query.Conn, q *query.Query) (r distanceRows, err error) {
	err = q.Read(db, func() { r = distanceRows{} }, func(rows *sql.Rows) error { return r.add(rows, s.options) })
	return r, err
}

func (r *distanceRows) add(rows *sql.Rows, o store.SimilarOptions) error {
	var (
		id, user, conversation uuid.NullUUID
		distance               float64
	)
	if err := rows.Scan(&id, &user, &conversation, &distance); err != nil {
		return err
	}
	r.rows++
	switch similarity := 1 - distance; {
	case !isSimilarEnough(o, similarity):
		r.tooFar = true
	case id.Valid:
		r.hits = append(r.hits, vectorHit{scope.OwnedID{ID: id.UUID, User: user.UUID}, conversation.UUID, similarity})
	}
	return nil
}
