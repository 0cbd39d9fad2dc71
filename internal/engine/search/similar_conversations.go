package search

import (
	"context"
	"database/sql"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/store"
)

func (s search) SimilarConversations(ctx context.Context, like store.SimilarTo, o store.SimilarOptions) (store.Similar[*store.SimilarConversation], error) {
	similar, err := s.prepareSimilarTo(ctx, like, o)
	if err != nil {
		return store.Similar[*store.SimilarConversation]{}, query.Wrap("find similar conversations", err)
	}
	result, err := similar.conversations(ctx)
	return result, query.Wrap("find similar conversations", err)
}

func (s *similarSearch) conversations(ctx context.Context) (result store.Similar[*store.SimilarConversation], err error) {
	found, err := s.nearestOfEach(ctx)
	if err != nil {
		return result, err
	}
	rows, err := hitRows(s.sc, s.db, messageIDs(found.hits))
	if err != nil {
		return result, err
	}
	relevant, err := s.countRelevant(found.hits)
	if err != nil {
		return result, err
	}
	result = store.Similar[*store.SimilarConversation]{
		Hits: make([]*store.SimilarConversation, 0, len(found.hits)), Model: s.options.Model, Exact: found.exact, Short: found.short,
	}
	for _, h := range found.hits {
		if r := rows[h.message]; r != nil {
			result.Hits = append(result.Hits, &store.SimilarConversation{
				Conversation: &r.conversation, Best: &r.message, Similarity: h.similarity, Relevant: relevant[h.thread()],
			})
		}
	}
	return result, nil
}

// thread is the key of the message's conversation.
func (h vectorHit) thread() scope.OwnedID {
	return scope.OwnedID{ID: h.conversation, User: h.message.User}
}

// nearestOfEach finds the nearest message of each of the nearest conversations. It cannot
// know how many messages that takes, so it asks for more and more until they belong to
// enough conversations.
func (s *similarSearch) nearestOfEach(ctx context.Context) (vectorHits, error) {
	for limit := 5 * s.options.Limit; ; limit *= 4 {
		found, err := s.find(ctx, limit)
		if err != nil {
			return found, err
		}
		read := len(found.hits)
		seen := map[scope.OwnedID]bool{}
		firsts := found.hits[:0]
		for _, h := range found.hits {
			if !seen[h.thread()] && len(firsts) < s.options.Limit {
				firsts = append(firsts, h)
			}
			seen[h.thread()] = true
		}
		found.hits = firsts
		if len(firsts) == s.options.Limit {
			found.short = false
			return found, nil
		}
		if read < limit {
			return found, nil
		}
	}
}

// countRelevant counts, in each of the hits' conversations, the messages that pass the
// filter and are within MinSimilarity.
func (s *similarSearch) countRelevant(hits []vectorHit) (map[scope.OwnedID]int64, error) {
	counts := make(map[scope.OwnedID]int64, len(hits))
	if len(hits) == 0 {
		return counts, nil
	}
	ids := make([]uuid.UUID, len(hits))
	for i, h := range hits {
		ids[i] = h.conversation
	}
	if s.options.MinSimilarity == 0 {
		return counts, s.readCounts(s.selectVectors(ids, "count(*)"), counts)
	}
	return counts, s.index.countSimilar(s, ids, counts)
}

// selectVectors selects a column of the eligible vectors in conversations, after the id and
// the user of the conversation.
func (s *similarSearch) selectVectors(conversations []uuid.UUID, column string) *query.Query {
	in, arg := s.sc.Dialect.InUUIDs("c.id", conversations)
	q := query.New("SELECT c.id, c.user_id, "+column+" FROM "+s.fromThreads()+" WHERE e.model = ? AND "+in, s.options.Model, arg)
	return s.eligible(q)
}

// readCounts reads a count for each conversation, with a query of selectVectors.
func (s *similarSearch) readCounts(q *query.Query, counts map[scope.OwnedID]int64) error {
	return q.Add(" GROUP BY c.id, c.user_id").Read(s.db, func() { clear(counts) }, func(rows *sql.Rows) error {
		var key scope.OwnedID
		var count int64
		err := rows.Scan(&key.ID, &key.User, &count)
		counts[key] = count
		return err
	})
}
