package store

import (
	"context"
	"fmt"
	"math"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
)

// nearest is a similarity search whose input was checked.
type nearest struct {
	scope
	codes    *codes
	db       conn
	features *features
	vector   message.Vector
	o        SimilarOptions
}

func (s search) SimilarMessages(ctx context.Context, like Like, o SimilarOptions) (Similar[*SimilarMessage], error) {
	n, err := s.nearestTo(ctx, like, o)
	if err != nil {
		return Similar[*SimilarMessage]{}, fail("find similar messages", err)
	}
	f, err := n.find(ctx, n.o.Limit)
	if err != nil {
		return Similar[*SimilarMessage]{}, fail("find similar messages", err)
	}
	result, err := n.messages(f)
	return result, fail("find similar messages", err)
}

func (s search) MoreLike(ctx context.Context, messageID uuid.UUID, o SimilarOptions) (Similar[*SimilarMessage], error) {
	result, err := s.moreLike(ctx, messageID, o)
	return result, fail("find more like a message", err)
}

func (s search) moreLike(ctx context.Context, messageID uuid.UUID, o SimilarOptions) (result Similar[*SimilarMessage], err error) {
	n, err := s.comparing(ctx, o)
	if err != nil {
		return result, err
	}
	owner, err := s.ownerIn(n.db, s.tables.messages, messageID)
	if err != nil {
		return result, err
	}
	own, err := s.as(owner).embedding(n.db, messageID, n.o.Model)
	if err != nil {
		return result, err
	}
	n.vector = own.Vector
	f, err := n.find(ctx, n.o.Limit+1)
	if err != nil {
		return result, err
	}
	return n.messages(f.without(ownedID{messageID, owner}, n.o.Limit))
}

// nearestTo prepares a search for what is like a vector or a text.
func (s search) nearestTo(ctx context.Context, like Like, o SimilarOptions) (*nearest, error) {
	if (len(like.Vector) == 0) == (like.Text == "") {
		return nil, rule.Invalid("like", "has not one of vector and text")
	}
	n, err := s.comparing(ctx, o)
	if err != nil {
		return nil, err
	}
	if n.vector = like.Vector; like.Text == "" {
		return n, n.features.checkVector(n.vector)
	}
	if n.vector, err = s.embed(ctx, like.Text, n.o.Model); err != nil {
		return nil, err
	}
	if err := n.features.checkVector(n.vector); err != nil {
		return nil, fmt.Errorf("the embedder's answer: %w", err)
	}
	return n, nil
}

// comparing checks the options and that the database can compare vectors.
func (s search) comparing(ctx context.Context, o SimilarOptions) (*nearest, error) {
	if o.Model == "" && s.embedder != nil {
		o.Model = s.embedder.Model()
	}
	o, err := o.normalize()
	if err != nil {
		return nil, err
	}
	n := &nearest{scope: s.scope, codes: s.codes, o: o}
	if n.db, err = s.reading(ctx); err != nil {
		return nil, err
	}
	if n.features, err = s.schemaFeatures(session(ctx, s.reader)); err != nil {
		return nil, err
	}
	if err := n.features.checkLead(o.Filter.LeadID); err != nil {
		return nil, err
	}
	if !n.features.vectors {
		return nil, fmt.Errorf("%w: the database was migrated without pgvector, which compares vectors", ErrUnsupported)
	}
	return n, nil
}

// embed makes the vector of a text. Vectors of different models have nothing in common.
func (s *store) embed(ctx context.Context, text, model string) (message.Vector, error) {
	if s.embedder == nil {
		return nil, rule.Invalid("embedder", "is missing: a text needs one, see WithEmbedder")
	}
	if own := s.embedder.Model(); own != model {
		return nil, rule.Invalid("model", "is not %s, which makes the vector of the text", own)
	}
	vectors, err := s.embedder.Embed(ctx, []string{text})
	if err != nil {
		return nil, fmt.Errorf("embed the text: %w", err)
	}
	if len(vectors) != 1 {
		return nil, fmt.Errorf("embed the text: the embedder returned %d vectors for one text", len(vectors))
	}
	return vectors[0], nil
}

// normalize checks the options and fills in the limit.
func (o SimilarOptions) normalize() (SimilarOptions, error) {
	if o.Limit == 0 {
		o.Limit = DefaultSimilar
	}
	switch {
	case o.Limit < 0 || o.Limit > MaxLimit:
		return o, rule.Invalid("limit", "is not between 1 and %d", MaxLimit)
	case math.IsNaN(o.MinSimilarity) || o.MinSimilarity < -1 || o.MinSimilarity > 1:
		return o, rule.Invalid("min_similarity", "is not between -1 and 1")
	case o.Mode < SearchAuto || o.Mode > SearchApproximate:
		return o, rule.Invalid("mode", "is unknown")
	case o.Candidates < 0:
		return o, rule.Invalid("candidates", "is negative")
	case o.Model == "":
		return o, rule.Invalid("model", "is empty, and the store has no embedder to name one")
	}
	filter, err := o.Filter.normalize()
	o.Filter = filter
	return o, check.First(err, check.Key("model", o.Model))
}

// keeps tells whether a similarity is within the bound.
func (o SimilarOptions) keeps(similarity float64) bool {
	return o.MinSimilarity == 0 || similarity >= o.MinSimilarity
}

// find returns the nearest messages. A limit above MaxLimit is good here.
func (n *nearest) find(ctx context.Context, limit int) (found, error) {
	if n.dialect.Name() == dialect.Postgres {
		return n.findPostgres(ctx, limit)
	}
	return n.findSQLite(ctx, limit)
}

// eligible adds the conditions of a message that may be found to a query on embeddings e,
// messages m and conversations c.
func (n *nearest) eligible(q *query) *query {
	q.add(" AND m.deleted_at IS NULL AND c.deleted_at IS NULL")
	n.owned(n.owned(n.owned(q, "e."), "m."), "c.")
	q.searchFilter(n.o.Filter)
	return q
}

// fromVectors joins what eligible looks at.
func (n *nearest) fromVectors() string {
	join := n.dialect.OrderedJoin()
	return n.tables.embeddings + " e" + join + n.tables.messages + " m ON m.id = e.message_id AND m.user_id = e.user_id" +
		join + n.tables.conversations + " c ON c.id = m.conversation_id AND c.user_id = m.user_id"
}

// fromThreads joins the same tables the other way round, for few conversations.
func (n *nearest) fromThreads() string {
	join := n.dialect.OrderedJoin()
	return n.tables.conversations + " c" + join + n.tables.messages + " m ON m.conversation_id = c.id AND m.user_id = c.user_id" +
		join + n.tables.embeddings + " e ON e.message_id = m.id AND e.user_id = m.user_id"
}

// few tells whether the filter leaves what one person said or had said to them: to
// compare all of it is quick.
func (f SearchFilter) few() bool { return f.ConversationID != uuid.Nil || f.LeadID != "" }
