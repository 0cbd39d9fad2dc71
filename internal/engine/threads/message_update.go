package threads

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/internal/engine/embeddings"
	"github.com/convostore/convostore/internal/engine/query"
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
	m, err := s.refuseStreaming(ctx, id, func() (*message.Message, error) {
		if u.Content == nil && bytes <= scope.SmallEdit {
			return s.update(ctx, id, store.ExcludeDeleted, notStreaming, assign)
		}
		return s.edit(ctx, id, assign, u.Content != nil)
	})
	if err == nil {
		s.sc.Noted(ctx, 1, bytes)
	}
	return m, err
}

// edit runs an update in a transaction, which undoes it if the row is too large then. If the
// content changes, it deletes the embeddings of the old one.
func (s messages) edit(ctx context.Context, id uuid.UUID, assign *query.Query, changesContent bool) (*message.Message, error) {
	m, err := changeMessage(ctx, s.sc, id, store.ExcludeDeleted, notStreaming, assign, func(in scope.Scope, m *message.Message) error {
		if err := in.CheckSize("message", m.Size()); err != nil || !changesContent {
			return err
		}
		return embeddings.DropVectors(ctx, in, id)
	})
	return m, query.Wrap("update", err)
}

// notStreaming keeps an edit away from a message that belongs to the writer of a stream. Every
// edit of a message has it, and runs in refuseStreaming.
const notStreaming = " AND state <> 'streaming'"

// refuseStreaming runs an edit with the condition notStreaming. If it found no row because the
// message is streaming it returns a *store.StreamError.
func (s messages) refuseStreaming(ctx context.Context, id uuid.UUID, edit func() (*message.Message, error)) (m *message.Message, err error) {
	err = scope.Settle(func() (bool, error) {
		if m, err = edit(); !errors.Is(err, store.ErrNotFound) {
			return true, err
		}
		now, err := getMessage(s.sc, query.On(ctx, s.sc.Writer), id)
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

func (s messages) Delete(ctx context.Context, id uuid.UUID) (*message.Message, error) {
	m, err := changeMessage(ctx, s.sc, id, store.ExcludeDeleted, "", query.New("deleted_at = ?", s.sc.Instant()),
		func(in scope.Scope, m *message.Message) error { return Vanished(ctx, in, m) })
	return m, query.Wrap("delete message", err)
}

func (s messages) Restore(ctx context.Context, id uuid.UUID) (*message.Message, error) {
	var m *message.Message
	err := scope.Settle(func() (_ bool, err error) {
		m, err = changeMessage(ctx, s.sc, id, store.OnlyDeleted, notMoved, query.New("deleted_at = NULL"), func(in scope.Scope, m *message.Message) error {
			if err := Appeared(ctx, in, m, true); err != nil {
				return err
			}
			return SupersedeBy(ctx, in, m)
		})
		if !errors.Is(err, store.ErrNotFound) {
			return true, query.Wrap("restore message", err)
		}
		db, err := s.sc.Writing(ctx)
		if err != nil {
			return false, err
		}
		if m, err = findMessage(s.sc, db, id, store.IncludeDeleted); err != nil {
			return false, query.Wrap("restore message", err)
		}
		if hasMoved(m) != uuid.Nil {
			return true, query.Wrap("restore message", store.ErrNotFound)
		}
		return !m.Deleted(), nil
	})
	if err != nil {
		return nil, err
	}
	return m, nil
}

// update updates a message of a live conversation and returns the row as it is then. It
// returns ErrNotFound if there is no such row among those that d and the condition select.
func (s messages) update(ctx context.Context, id uuid.UUID, d store.Deleted, condition string, assign *query.Query) (*message.Message, error) {
	m, err := changeMessage(ctx, s.sc, id, d, condition, assign, nil)
	return m, query.Wrap("update", err)
}

func (s messages) RestoreAll(ctx context.Context, conversationID uuid.UUID) (int64, error) {
	sc, err := OwnerScope(ctx, s.sc, conversationID)
	if err != nil {
		return 0, query.Wrap("restore messages", err)
	}
	var restored int64
	err = sc.Transaction(ctx, func(tx *scope.Store) (err error) {
		in := sc.In(tx)
		restored, err = changeMany(ctx, in, conversationID, query.New("deleted_at = NULL"), query.New(" AND deleted_at IS NOT NULL"+notMoved))
		if err != nil || restored == 0 {
			return err
		}
		if err := recount(ctx, in, conversationID); err != nil {
			return err
		}
		return SupersedeOvertaken(ctx, in, conversationID)
	})
	sc.Noted(ctx, int(restored), 0)
	return restored, query.Wrap("restore messages", err)
}
