package store

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
)

func (s messages) Update(ctx context.Context, id uuid.UUID, u MessageUpdate) (*message.Message, error) {
	if u.Content == nil && u.Metadata == nil {
		return nil, rule.Invalid("update", "changes nothing")
	}
	now := s.instant()
	assign := newQuery("edited_at = ?", now)
	if u.Content != nil {
		content := *u.Content
		if s.stripNUL {
			stripText(&content)
		}
		if err := check.Text("content", content); err != nil {
			return nil, err
		}
		assign.add(", content = ?", content)
	}
	if u.Metadata != nil {
		doc := *u.Metadata
		if s.stripNUL {
			stripJSON(&doc)
		}
		if err := check.JSON("metadata", doc); err != nil {
			return nil, err
		}
		assign.add(", metadata = ?", doc)
	}
	if u.Content == nil {
		return s.set(ctx, id, ExcludeDeleted, assign)
	}
	return s.setContent(ctx, id, assign)
}

// setContent also removes what was made from the content before.
func (s messages) setContent(ctx context.Context, id uuid.UUID, assign *query) (m *message.Message, err error) {
	if _, err := s.writing(ctx); err != nil {
		return nil, err
	}
	err = s.transaction(ctx, func(tx *store) error {
		in := s.in(tx)
		var err error
		if m, err = updateRow(ctx, in, s.tables.messages, messageColumns, messageDest, id, ExcludeDeleted, assign, ""); err != nil {
			return err
		}
		return in.as(m.UserID).dropVectors(ctx, id)
	})
	if err != nil {
		return nil, fail("update", err)
	}
	return m, nil
}

func (s messages) Delete(ctx context.Context, id uuid.UUID) (*message.Message, error) {
	return s.set(ctx, id, ExcludeDeleted, newQuery("deleted_at = ?", s.instant()))
}

func (s messages) Restore(ctx context.Context, id uuid.UUID) (*message.Message, error) {
	m, err := s.set(ctx, id, OnlyDeleted, newQuery("deleted_at = NULL"))
	if errors.Is(err, ErrNotFound) {
		db, err := s.writing(ctx)
		if err != nil {
			return nil, err
		}
		m, err := s.getMessage(db, id)
		return m, fail("restore message", err)
	}
	return m, err
}

// set runs one update of one message in a live conversation.
func (s messages) set(ctx context.Context, id uuid.UUID, d Deleted, assign *query) (*message.Message, error) {
	return setRow(ctx, s.scope, s.tables.messages, messageColumns, messageDest, id, d, assign, "")
}

func (s messages) RestoreAll(ctx context.Context, conversationID uuid.UUID) (int64, error) {
	sc, err := s.appender(ctx, conversationID)
	if err != nil {
		return 0, fail("restore messages", err)
	}
	var restored int64
	err = sc.transaction(ctx, func(tx *store) (err error) {
		restored, err = sc.in(tx).restoreAll(ctx, conversationID)
		return err
	})
	return restored, fail("restore messages", err)
}

func (sc scope) restoreAll(ctx context.Context, conversationID uuid.UUID) (int64, error) {
	if err := sc.lockConversation(ctx, conversationID); err != nil {
		return 0, err
	}
	return newQuery("UPDATE "+sc.tables.messages+" SET deleted_at = NULL, updated_at = ?"+
		" WHERE conversation_id = ? AND user_id = ? AND deleted_at IS NOT NULL", sc.instant(), conversationID, sc.user).
		exec(session(ctx, sc.writer))
}

// lockConversation keeps others from appending to a conversation, deleting it or
// deciding in it until the transaction ends. It returns ErrNotFound if there is none.
func (sc scope) lockConversation(ctx context.Context, id uuid.UUID) error {
	var locked uuid.UUID
	found, err := sc.lock("id", newQuery("id = ? AND deleted_at IS NULL", id)).row(session(ctx, sc.writer), &locked)
	if err == nil && !found {
		return ErrNotFound
	}
	return err
}

// setRow runs one update of one row in a live conversation and returns it as it is then;
// and is one more condition.
func setRow[T any](ctx context.Context, sc scope, table, columns string, dest func(*T) []any, id uuid.UUID, d Deleted, assign *query, and string) (*T, error) {
	if _, err := sc.writing(ctx); err != nil {
		return nil, err
	}
	row, err := updateRow(ctx, sc, table, columns, dest, id, d, assign, and)
	return row, fail("update", err)
}

// updateRow is setRow with the errors as they come.
func updateRow[T any](ctx context.Context, sc scope, table, columns string, dest func(*T) []any, id uuid.UUID, d Deleted, assign *query, and string) (*T, error) {
	owner, err := sc.owner(ctx, table, id)
	if err != nil {
		return nil, err
	}
	as := sc.as(owner)
	q := newQuery("UPDATE "+table+" AS t SET ").addQuery(assign).
		add(", updated_at = ? WHERE id = ? AND user_id = ?", sc.instant(), id, owner).
		deleted(d, "")
	as.inLive(q, "t.").add(and + " RETURNING " + columns)
	var row *T
	err = as.retry(ctx, func() (err error) {
		row, err = one(session(ctx, as.writer), q, dest)
		return err
	})
	return row, err
}
