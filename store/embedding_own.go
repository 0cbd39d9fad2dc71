package store

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
)

// checkOwn checks the vectors that a new message brings along and gives them its keys.
func (sc scope) checkOwn(ctx context.Context, m *message.Message) error {
	if len(m.Embeddings) == 0 {
		return nil
	}
	f, err := sc.schemaFeatures(session(ctx, sc.writer))
	if err != nil {
		return err
	}
	models := map[string]bool{}
	// Two messages may have come with the same vectors, which are to be each one's own.
	m.Embeddings = slices.Clone(m.Embeddings)
	for i, e := range m.Embeddings {
		if e == nil {
			return errNil("embedding")
		}
		own := *e
		e, m.Embeddings[i] = &own, &own
		if models[e.Model] {
			return rule.Invalid("embeddings", "have a model twice")
		}
		models[e.Model] = true
		if err := check.First(checkModel(e.Model), f.checkVector(e.Vector), check.Time("created_at", e.CreatedAt)); err != nil {
			return err
		}
		e.MessageID, e.UserID, e.ConversationID = m.ID, m.UserID, m.ConversationID
		if e.CreatedAt = message.Instant(e.CreatedAt); e.CreatedAt.IsZero() {
			e.CreatedAt = sc.instant()
		}
	}
	return nil
}

// insertOwn inserts the vectors of messages that were just inserted.
func (sc scope) insertOwn(db conn, vectors []*message.Embedding) error {
	for part := range slices.Chunk(vectors, vectorRows) {
		q := newQuery("INSERT INTO " + sc.tables.embeddings + " (" + embeddingColumns + ") VALUES ")
		for i, e := range part {
			if i > 0 {
				q.add(", ")
			}
			q.add("("+marks(6)+")", e.MessageID, e.UserID, e.Model, e.ConversationID, db.stored(e.Vector), e.CreatedAt)
		}
		if _, err := q.exec(db); err != nil {
			return err
		}
	}
	return nil
}

// dropVectors removes what was made from the content of a message, and the claims of
// those who are making more of it. It comes after the update, whose lock those who write
// vectors wait for: in one statement it would not see what they wrote before.
func (sc scope) dropVectors(ctx context.Context, messageID uuid.UUID) error {
	db := session(ctx, sc.writer)
	for _, table := range []string{sc.tables.embeddings, sc.tables.claims} {
		q := newQuery("DELETE FROM "+table+" WHERE message_id = ? AND user_id = ?", messageID, sc.user)
		if _, err := q.exec(db); err != nil {
			return err
		}
	}
	return nil
}
