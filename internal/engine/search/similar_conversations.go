package search

import (
	"context"
	"database/sql"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/internal/vector"
	"github.com/convostore/convostore/store"
)

func (s search) SimilarConversations(ctx context.Context, like store.SimilarTo, o store.SimilarOptions) (store.Similar[*store.SimilarConversation], error) {
	n, err := s.nearestTo(ctx, like, o)
	if err != nil {
		return store.Similar[*store.SimilarConversation]{}, query.Wrap("find similar conversations", err)
	}
	result, err := n.conversations(ctx)
	return result, query.Wrap("find similar conversations", err)
}

func (n *nearest) conversations(ctx context.Context) (result store.Similar[*store.SimilarConversation], err error) {
	f, err := n.bestOfEach(ctx)
	if err != nil {
		return result, err
	}
	rows, err := hitRows(n.sc, n.db, messageIDs(f.hits))
	if err != nil {
		return result, err
	}
	relevant, err := n.relevant(f.hits)
	if err != nil {
		return result, err
	}
	result = store.Similar[*store.SimilarConversation]{
		Hits: make([]*store.SimilarConversation, 0, len(f.hits)), Model: n.o.Model, Exact: f.exact, Short: f.short,
	}
	for _, h := range f.hits {
		if r := rows[h.message]; r != nil {
			result.Hits = append(result.Hits, &store.SimilarConversation{
				Conversation: &r.conversation, Best: &r.message, Similarity: h.similarity, Relevant: relevant[h.thread()],
			})
		}
	}
	return result, nil
}

// thread is the key of the conversation.
func (h near) thread() scope.OwnedID { return scope.OwnedID{ID: h.conversation, User: h.message.User} }

// bestOfEach finds the nearest message of each conversation. How many messages that takes
// is not known before: it asks for more until they are of enough conversations.
func (n *nearest) bestOfEach(ctx context.Context) (found, error) {
	for limit := 5 * n.o.Limit; ; limit *= 4 {
		f, err := n.find(ctx, limit)
		if err != nil {
			return f, err
		}
		read := len(f.hits)
		seen := map[scope.OwnedID]bool{}
		firsts := f.hits[:0]
		for _, h := range f.hits {
			if !seen[h.thread()] && len(firsts) < n.o.Limit {
				firsts = append(firsts, h)
			}
			seen[h.thread()] = true
		}
		f.hits = firsts
		if len(firsts) == n.o.Limit {
			f.short = false
			return f, nil
		}
		if read < limit {
			return f, nil
		}
	}
}

// relevant counts the messages of the hits' conversations that are near enough.
func (n *nearest) relevant(hits []near) (map[scope.OwnedID]int64, error) {
	counts := make(map[scope.OwnedID]int64, len(hits))
	if len(hits) == 0 {
		return counts, nil
	}
	ids := make([]uuid.UUID, len(hits))
	for i, h := range hits {
		ids[i] = h.conversation
	}
	in, arg := n.sc.Dialect.InUUIDs("c.id", ids)
	where := func(columns string, args ...any) *query.Query {
		q := query.New("SELECT "+columns+" FROM "+n.fromThreads()+" WHERE e.model = ? AND "+in, append(args, n.o.Model, arg)...)
		return n.eligible(q)
	}
	if n.o.MinSimilarity != 0 && n.sc.Dialect.Name() == dialect.SQLite {
		return counts, n.countHere(counts, where("c.id, c.user_id, e.embedding"))
	}
	q := where("c.id, c.user_id, count(*)")
	if n.o.MinSimilarity != 0 {
		q.Add(" AND 1 - (e.embedding <=> "+n.param()+") >= ?", n.text(), n.o.MinSimilarity)
	}
	return counts, q.Add(" GROUP BY c.id, c.user_id").Read(n.db, func() { clear(counts) }, func(rows *sql.Rows) error {
		var key scope.OwnedID
		var count int64
		err := rows.Scan(&key.ID, &key.User, &count)
		counts[key] = count
		return err
	})
}

// countHere counts where the database cannot compare.
func (n *nearest) countHere(counts map[scope.OwnedID]int64, q *query.Query) error {
	norm := vector.Norm(n.vector)
	return q.Rows(n.db, func(rows *sql.Rows) error {
		var key scope.OwnedID
		var embedding sql.RawBytes
		if err := rows.Scan(&key.ID, &key.User, &embedding); err != nil {
			return err
		}
		if keeps(n.o, vector.CosineBytes(n.vector, norm, embedding)) {
			counts[key]++
		}
		return nil
	})
}
