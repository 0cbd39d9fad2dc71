package search

import (
	"context"
	"fmt"
	"math"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/internal/engine/embeddings"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

// nearest is a similarity search whose input was checked.
type nearest struct {
	sc       scope.Scope
	codes    *embeddings.Codes
	db       query.Conn
	features *scope.Features
	vector   message.Vector
	o        store.SimilarOptions
}

func (s search) SimilarMessages(ctx context.Context, like store.SimilarTo, o store.SimilarOptions) (store.Similar[*store.SimilarMessage], error) {
	n, err := s.nearestTo(ctx, like, o)
	if err != nil {
		return store.Similar[*store.SimilarMessage]{}, query.Wrap("find similar messages", err)
	}
	f, err := n.find(ctx, n.o.Limit)
	if err != nil {
		return store.Similar[*store.SimilarMessage]{}, query.Wrap("find similar messages", err)
	}
	result, err := n.messages(f)
	return result, query.Wrap("find similar messages", err)
}

func (s search) MoreLike(ctx context.Context, messageID uuid.UUID, o store.SimilarOptions) (store.Similar[*store.SimilarMessage], error) {
	result, err := s.moreLike(ctx, messageID, o)
	return result, query.Wrap("find more like a message", err)
}

func (s search) moreLike(ctx context.Context, messageID uuid.UUID, o store.SimilarOptions) (result store.Similar[*store.SimilarMessage], err error) {
	n, err := s.comparing(ctx, o)
	if err != nil {
		return result, err
	}
	owner, err := s.sc.OwnerIn(n.db, s.sc.Tables.Messages, messageID)
	if err != nil {
		return result, err
	}
	own, err := embeddings.Get(s.sc.As(owner), n.db, messageID, n.o.Model)
	if err != nil {
		return result, err
	}
	n.vector = own.Vector
	f, err := n.find(ctx, n.o.Limit+1)
	if err != nil {
		return result, err
	}
	return n.messages(f.without(scope.OwnedID{ID: messageID, User: owner}, n.o.Limit))
}

// nearestTo prepares a search for what is like a vector or a text.
func (s search) nearestTo(ctx context.Context, like store.SimilarTo, o store.SimilarOptions) (*nearest, error) {
	if (len(like.Vector) == 0) == (like.Text == "") {
		return nil, rule.Invalid("like", "has not one of vector and text")
	}
	n, err := s.comparing(ctx, o)
	if err != nil {
		return nil, err
	}
	if n.vector = like.Vector; like.Text == "" {
		return n, n.features.CheckVector(n.vector)
	}
	if n.vector, err = embedText(ctx, s.sc.Store, like.Text, n.o.Model); err != nil {
		return nil, err
	}
	if err := n.features.CheckVector(n.vector); err != nil {
		return nil, fmt.Errorf("the embedder's answer: %w", err)
	}
	return n, nil
}

// comparing checks the options and that the database can compare vectors.
func (s search) comparing(ctx context.Context, o store.SimilarOptions) (*nearest, error) {
	if o.Model == "" && s.sc.Embedder != nil {
		o.Model = s.sc.Embedder.Model()
	}
	o, err := checkSimilar(o)
	if err != nil {
		return nil, err
	}
	n := &nearest{sc: s.sc, codes: s.codes, o: o}
	if n.db, err = s.sc.Reading(ctx); err != nil {
		return nil, err
	}
	if n.features, err = s.sc.SchemaFeatures(query.On(ctx, s.sc.Reader)); err != nil {
		return nil, err
	}
	if err := n.features.CheckLead(o.Filter.LeadID); err != nil {
		return nil, err
	}
	if !n.features.Vectors {
		return nil, fmt.Errorf("%w: the database was migrated without pgvector, which compares vectors", store.ErrUnsupported)
	}
	return n, nil
}

// embedText makes the vector of a text. Vectors of different models have nothing in common.
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
func checkSimilar(o store.SimilarOptions) (store.SimilarOptions, error) {
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
	filter, err := checkFilter(o.Filter)
	o.Filter = filter
	return o, check.First(err, check.Key("model", o.Model))
}

// keeps tells whether a similarity is within the bound.
func keeps(o store.SimilarOptions, similarity float64) bool {
	return o.MinSimilarity == 0 || similarity >= o.MinSimilarity
}

// find returns the nearest messages. A limit above MaxLimit is good here.
func (n *nearest) find(ctx context.Context, limit int) (found, error) {
	if n.sc.Dialect.Name() == dialect.Postgres {
		return n.findPostgres(ctx, limit)
	}
	return n.findSQLite(ctx, limit)
}

// eligible adds the conditions of a message that may be found to a query on embeddings e,
// messages m and conversations c.
func (n *nearest) eligible(q *query.Query) *query.Query {
	q.Add(" AND m.deleted_at IS NULL AND c.deleted_at IS NULL")
	n.sc.Owned(n.sc.Owned(n.sc.Owned(q, "e."), "m."), "c.")
	searchFilter(q, n.o.Filter)
	return q
}

// fromVectors joins what eligible looks at.
func (n *nearest) fromVectors() string {
	join := n.sc.Dialect.OrderedJoin()
	return n.sc.Tables.Embeddings + " e" + join + n.sc.Tables.Messages + " m ON m.id = e.message_id AND m.user_id = e.user_id" +
		join + n.sc.Tables.Conversations + " c ON c.id = m.conversation_id AND c.user_id = m.user_id"
}

// fromThreads joins the same tables the other way round, for few conversations.
func (n *nearest) fromThreads() string {
	join := n.sc.Dialect.OrderedJoin()
	return n.sc.Tables.Conversations + " c" + join + n.sc.Tables.Messages + " m ON m.conversation_id = c.id AND m.user_id = c.user_id" +
		join + n.sc.Tables.Embeddings + " e ON e.message_id = m.id AND e.user_id = m.user_id"
}

// isSelective tells whether the filter leaves what one person said or had said to them: to
// compare all of it is quick.
func isSelective(f store.SearchFilter) bool { return f.ConversationID != uuid.Nil || f.LeadID != "" }
