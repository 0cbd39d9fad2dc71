package search

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/embeddings"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/internal/vector"
	"github.com/convostore/convostore/store"
)

// sqliteVectors compares the vectors in this process, all of them or those whose codes are
// nearest.
type sqliteVectors struct{ codes *embeddings.Codes }

const (
	// depthOfHit is how many vectors are compared after their codes for each hit of the limit.
	depthOfHit = 8
	// compareBatch is how many vectors a statement reads by their row_ids.
	compareBatch = 1000
)

func (v sqliteVectors) find(ctx context.Context, s *similarSearch, limit int) (vectorHits, error) {
	if s.options.Mode == store.SearchExact || isSelective(s.options.Filter) {
		return v.compareAll(s, limit)
	}
	p, err := embeddings.ServingPartition(s.sc, s.db, s.options.Model)
	if err != nil {
		return vectorHits{}, err
	}
	if p != nil && !embeddings.InMemory(s.sc) {
		if found, done, err := v.findInLists(ctx, s, p, limit); done || err != nil {
			return found, err
		}
	}
	ranked, err := v.rankCodes(ctx, s)
	if err != nil {
		return vectorHits{}, err
	}
	depth := s.depth(p, limit)
	if s.options.Mode == store.SearchAuto && ranked.Len() <= embeddings.ComparedAll {
		depth = embeddings.ComparedAll
	}
	found, _, err := v.compareRanked(s, ranked, depth, limit, true)
	return found, err
}

// depth is how many vectors a search compares after their codes, of a model that may have a
// partition.
func (s *similarSearch) depth(p *embeddings.Partition, limit int) int {
	switch {
	case s.options.Candidates > 0:
		return max(s.options.Candidates, limit)
	case p != nil:
		return max(p.Candidates, depthOfHit*limit)
	}
	return max(embeddings.DefaultDepth, depthOfHit*limit)
}

// compareAll compares all vectors. As on PostgreSQL, it compares only those that pass the
// filter, and without a filter looks up only the messages of the nearest vectors.
func (v sqliteVectors) compareAll(s *similarSearch, limit int) (vectorHits, error) {
	if narrows(s.options.Filter) {
		nearest := nearestHits{limit: limit}
		_, err := v.compare(s, &nearest, v.selectAll(s))
		return vectorHits{hits: nearest.sorted(), exact: true}, err
	}
	for k := max(2*limit, 50); ; k *= 8 {
		nearest := nearestHits{limit: k}
		if _, err := v.compare(s, &nearest, v.selectAll(s)); err != nil {
			return vectorHits{}, err
		}
		candidates := nearest.sorted()
		hits, _, err := v.firstLive(s, candidates, limit)
		if err != nil || len(hits) == limit || len(candidates) < k {
			return vectorHits{hits: hits, exact: true}, err
		}
	}
}

// compareRanked compares the vectors whose codes are nearest, depth of them. If too many of them
// belong to messages that the search may not return, it compares more, unless the mode is
// store.SearchApproximate. all says that ranked has the codes of all vectors of the scope. enough
// tells whether there is no need to look at others.
func (v sqliteVectors) compareRanked(s *similarSearch, ranked *embeddings.Ranked, depth, limit int, all bool) (found vectorHits, enough bool, err error) {
	nearest := nearestHits{limit: math.MaxInt}
	compared := 0
	for size := depth; ; size *= 4 {
		n, err := v.compareRows(s, &nearest, ranked.Next(size))
		if err != nil {
			return vectorHits{}, false, err
		}
		compared += n
		hits, eligible, err := v.eligibleHits(s, &nearest, compared, limit)
		if err != nil {
			return vectorHits{}, false, err
		}
		read := ranked.Left() == 0
		enough, exact := eligible >= max(limit, depth/2), read && all
		if enough || read || s.options.Mode == store.SearchApproximate {
			return vectorHits{hits: hits, exact: exact, short: !exact && eligible < limit}, enough || exact, nil
		}
	}
}

// eligibleHits returns the hits among the vectors compared, and how many of these vectors
// are eligible. Without a filter that number is an estimate, from the messages that it had
// to look up.
func (v sqliteVectors) eligibleHits(s *similarSearch, nearest *nearestHits, compared, limit int) (hits []vectorHit, eligible int, err error) {
	candidates := nearest.sorted()
	if narrows(s.options.Filter) {
		return candidates[:min(limit, len(candidates))], compared, nil
	}
	hits, looked, err := v.firstLive(s, candidates, limit)
	if looked > 0 {
		compared = compared * len(hits) / looked
	}
	return hits, compared, err
}

// firstLive returns the first candidates whose messages are live, at most limit, and how
// many it looked up.
func (v sqliteVectors) firstLive(s *similarSearch, candidates []vectorHit, limit int) (hits []vectorHit, looked int, err error) {
	for len(candidates) > 0 {
		part := candidates[:min(len(candidates), limit+compareBatch/10)]
		candidates = candidates[len(part):]
		live, err := v.readLive(s, part)
		if err != nil {
			return nil, looked, err
		}
		for _, h := range part {
			looked++
			if live[h.message] {
				hits = append(hits, h)
			}
			if len(hits) == limit {
				return hits, looked, nil
			}
		}
	}
	return hits, looked, nil
}

// readLive returns those of the candidates' messages that are live.
func (sqliteVectors) readLive(s *similarSearch, candidates []vectorHit) (map[scope.OwnedID]bool, error) {
	in, arg := s.sc.Dialect.InUUIDs("m.id", messageIDs(candidates))
	q := query.New("SELECT m.id, m.user_id FROM "+s.sc.Tables.Messages+" m"+s.sc.Dialect.OrderedJoin()+s.sc.Tables.Conversations+
		" c ON c.id = m.conversation_id AND c.user_id = m.user_id WHERE m.deleted_at IS NULL AND c.deleted_at IS NULL AND "+in, arg)
	s.sc.Owned(s.sc.Owned(q, "m."), "c.")
	live := make(map[scope.OwnedID]bool, len(candidates))
	return live, q.Rows(s.db, func(rows *sql.Rows) error {
		var key scope.OwnedID
		err := rows.Scan(&key.ID, &key.User)
		live[key] = true
		return err
	})
}

const vectorColumns = "e.message_id, e.user_id, e.conversation_id, e.embedding"

// selectAll selects all vectors in the order of the table. In the order of an index they
// would be scattered over the file.
func (v sqliteVectors) selectAll(s *similarSearch) *query.Query {
	if isSelective(s.options.Filter) {
		return s.eligible(query.New("SELECT "+vectorColumns+" FROM "+s.fromThreads()+" WHERE e.model = ?", s.options.Model))
	}
	return v.selectWhere(s, "", "+e.model = ?", s.options.Model)
}

// selectWhere selects vectors, with a filter only the eligible ones. joined comes before the
// tables.
func (sqliteVectors) selectWhere(s *similarSearch, joined, where string, args ...any) *query.Query {
	if narrows(s.options.Filter) {
		return s.eligible(query.New("SELECT "+vectorColumns+" FROM "+joined+s.fromVectors()+" WHERE "+where, args...))
	}
	return s.sc.Owned(query.New("SELECT "+vectorColumns+" FROM "+joined+s.sc.Tables.Embeddings+" e WHERE "+where, args...), "e.")
}

// compareRows compares the vectors with these row_ids and returns how many it read. Rows
// that are gone leave the copy of the codes in memory.
func (v sqliteVectors) compareRows(s *similarSearch, nearest *nearestHits, rows []int64) (compared int, err error) {
	slices.Sort(rows) // the order in the file
	for part := range slices.Chunk(rows, compareBatch) {
		list, err := json.Marshal(part)
		if err != nil {
			return compared, err
		}
		n, err := v.compare(s, nearest, v.selectWhere(s, "json_each(?) j CROSS JOIN ", "e.row_id = j.value AND e.model = ?", string(list), s.options.Model))
		if err == nil && n < len(part) && embeddings.InMemory(s.sc) {
			err = v.codes.RemoveGone(codeQuery(s), part, string(list))
		}
		if err != nil {
			return compared, err
		}
		compared += n
	}
	return compared, nil
}

// compare compares the vectors of a query and returns how many it read. It reads one at a
// time, because all of them together may not fit into memory.
func (sqliteVectors) compare(s *similarSearch, nearest *nearestHits, q *query.Query) (compared int, err error) {
	norm := vector.Norm(s.vector)
	err = q.Rows(s.db, func(rows *sql.Rows) error {
		var (
			h         vectorHit
			embedding sql.RawBytes
		)
		if err := rows.Scan(&h.message.ID, &h.message.User, &h.conversation, &embedding); err != nil {
			return err
		}
		if got, ok := vector.Dimensions(embedding); !ok || got != len(s.vector) {
			return fmt.Errorf("the vector of message %s has %d bytes", h.message.ID, len(embedding))
		}
		compared++
		if h.similarity = vector.CosineBytes(s.vector, norm, embedding); isSimilarEnough(s.options, h.similarity) {
			nearest.add(h)
		}
		return nil
	})
	return compared, err
}

func (sqliteVectors) countSimilar(s *similarSearch, conversations []uuid.UUID, counts map[scope.OwnedID]int64) error {
	norm := vector.Norm(s.vector)
	return s.selectVectors(conversations, "e.embedding").Rows(s.db, func(rows *sql.Rows) error {
		var key scope.OwnedID
		var embedding sql.RawBytes
		if err := rows.Scan(&key.ID, &key.User, &embedding); err != nil {
			return err
		}
		if isSimilarEnough(s.options, vector.CosineBytes(s.vector, norm, embedding)) {
			counts[key]++
		}
		return nil
	})
}
