package search

import (
	"context"
	"fmt"
	"math"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/internal/engine/embeddings"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

// similarSearch is a similarity search with checked input.
type similarSearch struct {
	sc       scope.Scope
	db       query.Conn
	index    vectorIndex
	features *scope.Features
	vector   message.Vector
	options  store.SimilarOptions
}

func (s search) SimilarMessages(ctx context.Context, like store.SimilarTo, o store.SimilarOptions) (store.Similar[*store.SimilarMessage], error) {
	result, err := s.similarMessages(ctx, like, o)
	return result, query.Wrap("find similar messages", err)
}

func (s search) similarMessages(ctx context.Context, like store.SimilarTo, o store.SimilarOptions) (result store.Similar[*store.SimilarMessage], err error) {
	similar, err := s.prepareSimilarTo(ctx, like, o)
	if err != nil {
		return result, err
	}
	hits, err := similar.find(ctx, similar.options.Limit)
	if err != nil {
		return result, err
	}
	return similar.messages(hits)
}

func (s search) MoreLike(ctx context.Context, messageID uuid.UUID, o store.SimilarOptions) (store.Similar[*store.SimilarMessage], error) {
	result, err := s.moreLike(ctx, messageID, o)
	return result, query.Wrap("find more like a message", err)
}

func (s search) moreLike(ctx context.Context, messageID uuid.UUID, o store.SimilarOptions) (result store.Similar[*store.SimilarMessage], err error) {
	similar, err := s.prepareSimilar(ctx, o)
	if err != nil {
		return result, err
	}
	owner, err := s.sc.OwnerIn(similar.db, s.sc.Tables.Messages, messageID)
	if err != nil {
		return result, err
	}
	own, err := embeddings.Get(s.sc.As(owner), similar.db, messageID, similar.options.Model)
	if err != nil {
		return result, err
	}
	similar.vector = own.Vector
	hits, err := similar.find(ctx, similar.options.Limit+1) // one more: the message itself
	if err != nil {
		return result, err
	}
	return similar.messages(hits.without(scope.OwnedID{ID: messageID, User: owner}, similar.options.Limit))
}

// prepareSimilarTo prepares a search for what is similar to a vector or a text.
func (s search) prepareSimilarTo(ctx context.Context, like store.SimilarTo, o store.SimilarOptions) (*similarSearch, error) {
	s.sc.Clean.Text(&like.Text)
	if (len(like.Vector) == 0) == (like.Text == "") {
		return nil, rule.Invalid("like", "has not one of vector and text")
	}
	similar, err := s.prepareSimilar(ctx, o)
	if err != nil {
		return nil, err
	}
	if similar.vector = like.Vector; like.Text == "" {
		return similar, similar.features.CheckVector(similar.vector)
	}
	if similar.vector, err = embedText(ctx, s.sc.Store, like.Text, similar.options.Model); err != nil {
		return nil, err
	}
	if err := similar.features.CheckVector(similar.vector); err != nil {
		return nil, fmt.Errorf("the embedder's answer: %w", err)
	}
	return similar, nil
}

// prepareSimilar checks the options, and that the database can compare vectors. The search
// it returns has no vector yet.
func (s search) prepareSimilar(ctx context.Context, o store.SimilarOptions) (*similarSearch, error) {
	if s.sc.Clean.Text(&o.Model); o.Model == "" && s.sc.Embedder != nil {
		o.Model = s.sc.Embedder.Model()
	}
	o, err := checkSimilar(s.sc, o)
	if err != nil {
		return nil, err
	}
	similar := &similarSearch{sc: s.sc, options: o}
	if similar.db, err = s.sc.Reading(ctx); err != nil {
		return nil, err
	}
	if similar.index, err = vectorIndexOf(s.sc.Dialect, s.codes); err != nil {
		return nil, err
	}
	if similar.features, err = s.sc.SchemaFeatures(query.On(ctx, s.sc.Reader)); err != nil {
		return nil, err
	}
	if err := similar.features.CheckLead(o.Filter.LeadID); err != nil {
		return nil, err
	}
	if !similar.features.Vectors {
		return nil, fmt.Errorf("%w: the database was migrated without pgvector, which compares vectors", store.ErrUnsupported)
	}
	return similar, nil
}

// embedText returns the vector of a text. It refuses a model other than the embedder's,
// because vectors of different models cannot be compared.
func embedText(ctx context.Context, s *scope.Store, text, model string) (message.Vector, error) {
	if s.Embedder == nil {
		return nil, rule.Invalid("embedder", "is missing: a text needs one, see WithEmbedder")
	}
	if own := s.Embedder.Model(); own != model {
		return nil, rule.Invalid("model", "is not %s, which makes the vector of the text", own)
	}
	vectors, err := s.Embedder.Embed(ctx, []string{text})
	if err != nil {
		return nil, fmt.Errorf("embed the text: %w", err)
	}
	if len(vectors) != 1 {
		return nil, fmt.Errorf("embed the text: the embedder returned %d vectors for one text", len(vectors))
	}
	return vectors[0], nil
}

// checkSimilar checks the options and fills in the limit.
func checkSimilar(sc scope.Scope, o store.SimilarOptions) (store.SimilarOptions, error) {
	if o.Limit == 0 {
		o.Limit = store.DefaultSimilar
	}
	switch {
	case o.Limit < 0 || o.Limit > store.MaxLimit:
		return o, rule.Invalid("limit", "is not between 1 and %d", store.MaxLimit)
	case math.IsNaN(o.MinSimilarity) || o.MinSimilarity < -1 || o.MinSimilarity > 1:
		return o, rule.Invalid("min_similarity", "is not between -1 and 1")
	case o.Mode < store.SearchAuto || o.Mode > store.SearchApproximate:
		return o, rule.Invalid("mode", "is unknown")
	case o.Candidates < 0:
		return o, rule.Invalid("candidates", "is negative")
	case o.Model == "":
		return o, rule.Invalid("model", "is empty, and the store has no embedder to name one")
	}
	filter, err := checkFilter(sc, o.Filter)
	o.Filter = filter
	return o, check.First(err, check.Key("model", o.Model))
}

// isSimilarEnough tells whether a similarity is within MinSimilarity, where 0 is no bound.
func isSimilarEnough(o store.SimilarOptions, similarity float64) bool {
	return o.MinSimilarity == 0 || similarity >= o.MinSimilarity
}

func (s *similarSearch) find(ctx context.Context, limit int) (vectorHits, error) {
	return s.index.find(ctx, s, limit)
}

// eligible adds the conditions of a message that the search may return to a query on
// embeddings e, messages m and conversations c.
func (s *similarSearch) eligible(q *query.Query) *query.Query {
	q.Add(" AND m.deleted_at IS NULL AND c.deleted_at IS NULL")
	s.sc.Owned(s.sc.Owned(s.sc.Owned(q, "e."), "m."), "c.")
	addFilter(s.sc, q, s.options.Filter)
	return q
}

// fromVectors joins the tables of eligible, beginning with the vectors.
func (s *similarSearch) fromVectors() string {
	join := s.sc.Dialect.OrderedJoin()
	return s.sc.Tables.Embeddings + " e" + join + s.sc.Tables.Messages + " m ON m.id = e.message_id AND m.user_id = e.user_id" +
		join + s.sc.Tables.Conversations + " c ON c.id = m.conversation_id AND c.user_id = m.user_id"
}

// fromThreads joins the same tables, beginning with the conversations. It is for a query on
// few of them.
func (s *similarSearch) fromThreads() string {
	join := s.sc.Dialect.OrderedJoin()
	return s.sc.Tables.Conversations + " c" + join + s.sc.Tables.Messages + " m ON m.conversation_id = c.id AND m.user_id = c.user_id" +
		join + s.sc.Tables.Embeddings + " e ON e.message_id = m.id AND e.user_id = m.user_id"
}
