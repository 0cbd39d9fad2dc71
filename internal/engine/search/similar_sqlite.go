package search

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"github.com/convostore/convostore/internal/engine/embeddings"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/internal/vector"
	"github.com/convostore/convostore/store"
)

const (
	// exactCodes is how many vectors SQLite compares without going by their codes.
	exactCodes = 2000
	// minDepth and depthOfHit are how many vectors are compared after their codes: at
	// least, and for each hit asked for.
	minDepth, depthOfHit = 800, 8
	// compareBatch is how many vectors a statement reads by their rows.
	compareBatch = 1000
)

func (n *nearest) findSQLite(ctx context.Context, limit int) (found, error) {
	if n.o.Mode == store.SearchExact || isSelective(n.o.Filter) {
		return n.compareSQLite(limit)
	}
	ranked, err := n.rankCodes(ctx)
	if err != nil {
		return found{}, err
	}
	return n.compareNearest(ranked, limit)
}

// compareSQLite compares everything. As on PostgreSQL, what a filter leaves out is not
// compared, and without one only the nearest messages are looked up.
func (n *nearest) compareSQLite(limit int) (found, error) {
	if narrows(n.o.Filter) {
		b := best{limit: limit}
		_, err := n.compare(&b, n.everything())
		return found{hits: b.sorted(), exact: true}, err
	}
	for k := max(2*limit, 50); ; k *= 8 {
		b := best{limit: k}
		if _, err := n.compare(&b, n.everything()); err != nil {
			return found{}, err
		}
		candidates := b.sorted()
		hits, _, err := n.live(candidates, limit)
		if err != nil || len(hits) == limit || len(candidates) < k {
			return found{hits: hits, exact: true}, err
		}
	}
}

// compareNearest compares the vectors of the nearest codes, of more if too many of them
// are of messages that may not be found.
func (n *nearest) compareNearest(r *embeddings.Ranked, limit int) (found, error) {
	depth := max(n.o.Candidates, limit)
	switch {
	case n.o.Mode == store.SearchAuto && r.Len() <= exactCodes:
		depth = exactCodes
	case n.o.Candidates == 0:
		depth = max(minDepth, depthOfHit*limit)
	}
	b := best{limit: math.MaxInt}
	compared := 0
	for step := depth; ; step *= 4 {
		more, err := n.compareRows(&b, r.Next(step))
		if err != nil {
			return found{}, err
		}
		compared += more
		hits, eligible, err := n.settle(&b, compared, limit)
		if err != nil {
			return found{}, err
		}
		exact := r.Left() == 0
		if exact || n.o.Mode == store.SearchApproximate || eligible >= max(limit, depth/2) {
			return found{hits: hits, exact: exact, short: !exact && eligible < limit}, nil
		}
	}
}

// settle returns the hits among the vectors compared, and how many of those may be found:
// without a filter a guess from the messages it had to look up.
func (n *nearest) settle(b *best, compared, limit int) (hits []near, eligible int, err error) {
	candidates := b.sorted()
	if narrows(n.o.Filter) {
		return candidates[:min(limit, len(candidates))], compared, nil
	}
	hits, looked, err := n.live(candidates, limit)
	if looked > 0 {
		compared = compared * len(hits) / looked
	}
	return hits, compared, err
}

// live returns the first of the candidates whose messages are live, at most limit, and
// how many it looked up.
func (n *nearest) live(candidates []near, limit int) (hits []near, looked int, err error) {
	for len(candidates) > 0 {
		part := candidates[:min(len(candidates), limit+compareBatch/10)]
		candidates = candidates[len(part):]
		there, err := n.liveOf(part)
		if err != nil {
			return nil, looked, err
		}
		for _, h := range part {
			looked++
			if there[h.message] {
				hits = append(hits, h)
			}
			if len(hits) == limit {
				return hits, looked, nil
			}
		}
	}
	return hits, looked, nil
}

func (n *nearest) liveOf(candidates []near) (map[scope.OwnedID]bool, error) {
	in, arg := n.sc.Dialect.InUUIDs("m.id", messageIDs(candidates))
	q := query.New("SELECT m.id, m.user_id FROM "+n.sc.Tables.Messages+" m"+n.sc.Dialect.OrderedJoin()+n.sc.Tables.Conversations+
		" c ON c.id = m.conversation_id AND c.user_id = m.user_id WHERE m.deleted_at IS NULL AND c.deleted_at IS NULL AND "+in, arg)
	n.sc.Owned(n.sc.Owned(q, "m."), "c.")
	there := make(map[scope.OwnedID]bool, len(candidates))
	return there, q.Rows(n.db, func(rows *sql.Rows) error {
		var key scope.OwnedID
		err := rows.Scan(&key.ID, &key.User)
		there[key] = true
		return err
	})
}

const nearColumns = "e.message_id, e.user_id, e.conversation_id, e.embedding"

// everything reads all vectors, in the order of their table: the rows of an index would
// be all over the file.
func (n *nearest) everything() *query.Query {
	if isSelective(n.o.Filter) {
		return n.eligible(query.New("SELECT "+nearColumns+" FROM "+n.fromThreads()+" WHERE e.model = ?", n.o.Model))
	}
	return n.vectors("", "+e.model = ?", n.o.Model)
}

// vectors reads vectors, with a filter those alone that may be found.
func (n *nearest) vectors(before, where string, args ...any) *query.Query {
	if narrows(n.o.Filter) {
		return n.eligible(query.New("SELECT "+nearColumns+" FROM "+before+n.fromVectors()+" WHERE "+where, args...))
	}
	return n.sc.Owned(query.New("SELECT "+nearColumns+" FROM "+before+n.sc.Tables.Embeddings+" e WHERE "+where, args...), "e.")
}

// compareRows compares the vectors of some rows and returns how many there were.
func (n *nearest) compareRows(b *best, rows []int64) (compared int, err error) {
	slices.Sort(rows) // as they are in the file
	for part := range slices.Chunk(rows, compareBatch) {
		list, err := json.Marshal(part)
		if err != nil {
			return compared, err
		}
		more, err := n.compare(b, n.vectors("json_each(?) j CROSS JOIN ", "e.row_id = j.value AND e.model = ?", string(list), n.o.Model))
		if err == nil && more < len(part) && embeddings.InMemory(n.sc) {
			err = n.codes.RemoveGone(n.codesAsked(), part, string(list))
		}
		if err != nil {
			return compared, err
		}
		compared += more
	}
	return compared, nil
}

// compare reads vectors one at a time, since all of them may be more than there is
// memory, and returns how many it read.
func (n *nearest) compare(b *best, q *query.Query) (compared int, err error) {
	norm := vector.Norm(n.vector)
	err = q.Rows(n.db, func(rows *sql.Rows) error {
		var (
			h         near
			embedding sql.RawBytes
		)
		if err := rows.Scan(&h.message.ID, &h.message.User, &h.conversation, &embedding); err != nil {
			return err
		}
		if got, ok := vector.Dimensions(embedding); !ok || got != len(n.vector) {
			return fmt.Errorf("the vector of message %s has %d bytes", h.message.ID, len(embedding))
		}
		compared++
		if h.similarity = vector.CosineBytes(n.vector, norm, embedding); keeps(n.o, h.similarity) {
			b.add(h)
		}
		return nil
	})
	return compared, err
}
