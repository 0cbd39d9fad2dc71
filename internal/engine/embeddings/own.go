package embeddings

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
)

// CheckOwn checks the vectors of a new message and fills in their keys and missing times. It
// replaces m.Embeddings by copies. A vector that store.Embeddings.Set would refuse, a model
// named twice and nil are invalid.
func CheckOwn(ctx context.Context, sc scope.Scope, m *message.Message) error {
	if len(m.Embeddings) == 0 {
		return nil
	}
	if m.State == message.StateStreaming {
		return rule.Invalid("embeddings", "are of a text that is not complete")
	}
	f, err := sc.SchemaFeatures(query.On(ctx, sc.Writer))
	if err != nil {
		return err
	}
	models := map[string]bool{}
	// Copies, because the caller may have given the same vectors to two messages.
	m.Embeddings = slices.Clone(m.Embeddings)
	for i, e := range m.Embeddings {
		if e == nil {
			return scope.ErrNil("embedding")
		}
		own := *e
		e, m.Embeddings[i] = &own, &own
		if err := check.First(checkModel(sc, &e.Model), f.CheckVector(e.Vector), check.Time("created_at", e.CreatedAt)); err != nil {
			return err
		}
		if models[e.Model] {
			return rule.Invalid("embeddings", "have a model twice")
		}
		models[e.Model] = true
		e.MessageID, e.UserID, e.ConversationID = m.ID, m.UserID, m.ConversationID
		if e.CreatedAt = message.Instant(e.CreatedAt); e.CreatedAt.IsZero() {
			e.CreatedAt = sc.Instant()
		}
	}
	return nil
}

// InsertOwn inserts the vectors of messages that were just inserted. The vectors must have
// passed CheckOwn.
func InsertOwn(sc scope.Scope, db query.Conn, vectors []*message.Embedding) error {
	for part := range slices.Chunk(vectors, vectorRows) {
		q := query.New("INSERT INTO " + sc.Tables.Embeddings + " (" + record.EmbeddingColumns + ") VALUES ")
		for i, e := range part {
			if i > 0 {
				q.Add(", ")
			}
			q.Add("("+query.Marks(6)+")", e.MessageID, e.UserID, e.Model, e.ConversationID, db.Stored(e.Vector), e.CreatedAt)
		}
		if _, err := q.Exec(db); err != nil {
			return err
		}
	}
	return giveOwnLists(sc, db, vectors)
}

// giveOwnLists gives the vectors of messages of any number of users their lists.
func giveOwnLists(sc scope.Scope, db query.Conn, vectors []*message.Embedding) error {
	type key struct {
		user  uuid.UUID
		model string
	}
	given := map[key]bool{}
	for _, e := range vectors {
		k := key{e.UserID, e.Model}
		if given[k] {
			continue
		}
		given[k] = true
		if err := giveLists(sc.As(e.UserID), db, e.Model); err != nil {
			return err
		}
	}
	return nil
}

// DropVectors deletes all vectors of a message whose content has changed, the claims of jobs
// that are embedding the old content, and the failures to embed it. It must come after the UPDATE, whose row lock makes
// writers of vectors wait: as a part of the same statement it would not see what they wrote
// before.
func DropVectors(ctx context.Context, sc scope.Scope, messageID uuid.UUID) error {
	db := query.On(ctx, sc.Writer)
	for _, table := range []string{sc.Tables.Embeddings, sc.Tables.Claims, sc.Tables.Failures} {
		q := query.New("DELETE FROM "+table+" WHERE message_id = ? AND user_id = ?", messageID, sc.User)
		if _, err := q.Exec(db); err != nil {
			return err
		}
	}
	return nil
}
