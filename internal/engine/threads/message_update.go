package threads

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/internal/engine/embeddings"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

func (s messages) Update(ctx context.Context, id uuid.UUID, u store.MessageUpdate) (*message.Message, error) {
	if u.Content == nil && u.Metadata == nil {
		return nil, rule.Invalid("update", "changes nothing")
	}
	now := s.sc.Instant()
	assign, bytes := query.New("edited_at = ?", now), 0
	if u.Content != nil {
		content := *u.Content
		s.sc.Clean.Text(&content)
		if err := check.Text("content", content); err != nil {
			return nil, err
		}
		assign.Add(", content = ?", content)
		bytes += len(content)
	}
	if u.Metadata != nil {
		doc := *u.Metadata
		s.sc.Clean.Document(&doc)
		if err := check.JSON("metadata", doc); err != nil {
			return nil, err
		}
		assign.Add(", metadata = ?", doc)
		bytes += check.Written(doc)
	}
	if err := s.sc.CheckSize("message", bytes); err != nil {
		return nil, err
	}
	if u.Content == nil && bytes <= scope.SmallEdit {
		return s.refuseStreaming(ctx, id, func() (*message.Message, error) {
			assign := query.New("").Append(assign).Add(countChange)
			return scope.SetRow(ctx, s.sc, s.sc.Tables.Messages, record.MessageColumns, record.MessageDest, id, store.ExcludeDeleted, assign, notStreaming)
		})
	}
	m, err := s.edit(ctx, id, assign, u.Content != nil)
	if err == nil {
		s.sc.Noted(ctx, 1)
	}
	return m, err
}

// edit runs an update in a transaction, which undoes it if the row is too large then. If the
// content changes, it deletes the embeddings of the old one.
func (s messages) edit(ctx context.Context, id uuid.UUID, assign *query.Query, changesContent bool) (m *message.Message, err error) {
	if _, err := s.sc.Writing(ctx); err != nil {
		return nil, err
	}
	return s.refuseStreaming(ctx, id, func() (*message.Message, error) {
		err = s.sc.Shared(ctx, func(tx *scope.Store) (err error) {
			in := s.sc.In(tx)
			if m, err = editMessage(ctx, in, id, assign); err != nil || !changesContent {
				return err
			}
			return embeddings.DropVectors(ctx, in.As(m.UserID), id)
		})
		if err != nil {
			return nil, query.Wrap("update", err)
		}
		return m, nil
	})
}

// notStreaming keeps an edit away from a message that belongs to the writer of a stream.
const notStreaming = " AND state <> 'streaming'"

// refuseStreaming runs an edit with the condition notStreaming. If it found no row because the
// message is streaming it returns a *store.StreamError.
func (s messages) refuseStreaming(ctx context.Context, id uuid.UUID, edit func() (*message.Message, error)) (m *message.Message, err error) {
	err = scope.Settle(func() (bool, error) {
		if m, err = edit(); !errors.Is(err, store.ErrNotFound) {
			return true, err
		}
		db := query.On(ctx, s.sc.Writer)
		now, err := getMessage(s.sc, db, id)
		switch {
		case err != nil:
			return true, err
		case now.State == message.StateStreaming:
			return true, &store.StreamError{MessageID: id, Reason: store.StreamActive, State: now.State, HeartbeatAt: now.HeartbeatAt}
		}
		return false, nil
	})
	if err != nil {
		return nil, err
	}
	return m, nil
}

// editMessage updates a live message. If the row is too large then, it returns ErrInvalid, and
// the caller's transaction undoes it.
func editMessage(ctx context.Context, sc scope.Scope, id uuid.UUID, assign *query.Query) (*message.Message, error) {
	assign = query.New("").Append(assign).Add(countChange)
	m, err := scope.UpdateRow(ctx, sc, sc.Tables.Messages, record.MessageColumns, record.MessageDest, id, store.ExcludeDeleted, assign, notStreaming)
	if err == nil {
		err = sc.CheckSize("message", m.Size())
	}
	return m, err
}

func (s messages) Delete(ctx context.Context, id uuid.UUID) (*message.Message, error) {
	return s.update(ctx, id, store.ExcludeDeleted, query.New("deleted_at = ?", s.sc.Instant()))
}

func (s messages) Restore(ctx context.Context, id uuid.UUID) (*message.Message, error) {
	var m *message.Message
	err := scope.Settle(func() (_ bool, err error) {
		m, err = s.update(ctx, id, store.OnlyDeleted, query.New("deleted_at = NULL"))
		if !errors.Is(err, store.ErrNotFound) {
			return true, err
		}
		db, err := s.sc.Writing(ctx)
		if err != nil {
			return false, err
		}
		if m, err = findMessage(s.sc, db, id, store.IncludeDeleted); err != nil {
			return false, query.Wrap("restore message", err)
		}
		return !m.Deleted(), nil
	})
	if err != nil {
		return nil, err
	}
	return m, nil
}

// countChange is an assignment of every change of a message after its append.
const countChange = ", revision = revision + 1"

// update updates a message of a live conversation and returns the row as it is then. It
// returns ErrNotFound if there is no such row among those that d selects.
func (s messages) update(ctx context.Context, id uuid.UUID, d store.Deleted, assign *query.Query) (*message.Message, error) {
	assign.Add(countChange)
	return scope.SetRow(ctx, s.sc, s.sc.Tables.Messages, record.MessageColumns, record.MessageDest, id, d, assign, "")
}

func (s messages) RestoreAll(ctx context.Context, conversationID uuid.UUID) (int64, error) {
	sc, err := OwnerScope(ctx, s.sc, conversationID)
	if err != nil {
		return 0, query.Wrap("restore messages", err)
	}
	var restored int64
	err = sc.Transaction(ctx, func(tx *scope.Store) (err error) {
		restored, err = restoreAll(ctx, sc.In(tx), conversationID)
		return err
	})
	sc.Noted(ctx, int(restored))
	return restored, query.Wrap("restore messages", err)
}

func restoreAll(ctx context.Context, sc scope.Scope, conversationID uuid.UUID) (int64, error) {
	if err := LockConversation(ctx, sc, conversationID); err != nil {
		return 0, err
	}
	return query.New("UPDATE "+sc.Tables.Messages+" SET deleted_at = NULL, updated_at = ?"+countChange+
		" WHERE conversation_id = ? AND user_id = ? AND deleted_at IS NOT NULL", sc.Instant(), conversationID, sc.User).
		Exec(query.On(ctx, sc.Writer))
}
