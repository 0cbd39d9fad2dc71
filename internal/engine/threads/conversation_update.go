package threads

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

func (s conversations) SetTitle(ctx context.Context, id uuid.UUID, title string) (*conversation.Conversation, error) {
	s.sc.Clean.Text(&title)
	if err := check.Length("title", title, conversation.MaxTitle); err != nil {
		return nil, err
	}
	return s.update(ctx, id, store.ExcludeDeleted, query.New("title = ?", record.Null(title)))
}

func (s conversations) SetSubject(ctx context.Context, id uuid.UUID, subject string) (*conversation.Conversation, error) {
	s.sc.Clean.Text(&subject)
	if err := check.Text("subject", subject); err != nil {
		return nil, err
	}
	return s.edit(ctx, id, len(subject), query.New("subject = ?", record.Null(subject)))
}

func (s conversations) SetMetadata(ctx context.Context, id uuid.UUID, doc message.JSON) (*conversation.Conversation, error) {
	s.sc.Clean.Document(&doc)
	if err := check.JSON("metadata", doc); err != nil {
		return nil, err
	}
	return s.edit(ctx, id, check.Written(doc), query.New("metadata = ?", doc))
}

// edit is update for a text or a document of so many bytes. A small one needs no transaction: a
// row cannot grow beyond its bound by more than one of them.
func (s conversations) edit(ctx context.Context, id uuid.UUID, bytes int, assign *query.Query) (*conversation.Conversation, error) {
	if err := s.sc.CheckSize("conversation", bytes); err != nil {
		return nil, err
	}
	if bytes <= scope.SmallEdit {
		return s.update(ctx, id, store.ExcludeDeleted, assign)
	}
	sc, err := OwnerScope(ctx, s.sc, id)
	if err != nil {
		return nil, query.Wrap("update conversation", err)
	}
	var c *conversation.Conversation
	err = sc.Transaction(ctx, func(tx *scope.Store) (err error) {
		c, err = editConversation(ctx, sc.In(tx), id, assign)
		return err
	})
	if err != nil {
		return nil, query.Wrap("update conversation", err)
	}
	return c, nil
}

// editConversation updates a live conversation. If the row is too large then, it returns
// ErrInvalid, and the caller's transaction undoes it.
func editConversation(ctx context.Context, sc scope.Scope, id uuid.UUID, assign *query.Query) (*conversation.Conversation, error) {
	c, err := updateConversation(ctx, sc, id, store.ExcludeDeleted, assign)
	if err == nil {
		err = sc.CheckSize("conversation", c.Size())
	}
	return c, err
}

func (s conversations) Archive(ctx context.Context, id uuid.UUID) (*conversation.Conversation, error) {
	return s.setStatus(ctx, id, conversation.StatusArchived, conversation.OpenStatuses())
}

func (s conversations) Reopen(ctx context.Context, id uuid.UUID) (*conversation.Conversation, error) {
	archived := conversation.StatusArchived
	return s.setStatus(ctx, id, archived.Reopened(), []conversation.Status{archived})
}

// setStatus sets the status if the present one is among from. A conversation with another
// status is returned unchanged.
func (s conversations) setStatus(ctx context.Context, id uuid.UUID, to conversation.Status, from []conversation.Status) (*conversation.Conversation, error) {
	return s.updateWhere(ctx, "change status", id, store.ExcludeDeleted, query.New("status = ?", to), scope.StatusIs(from),
		func(c *conversation.Conversation) bool { return slices.Contains(from, c.Status) })
}

func (s conversations) Hold(ctx context.Context, id uuid.UUID) (*conversation.Conversation, error) {
	return s.updateWhere(ctx, "hold conversation", id, store.IncludeDeleted, query.New("held_at = ?", s.sc.Instant()), scope.NotHeld,
		func(c *conversation.Conversation) bool { return c.HeldAt == nil })
}

func (s conversations) Release(ctx context.Context, id uuid.UUID) (*conversation.Conversation, error) {
	return s.updateWhere(ctx, "release conversation", id, store.IncludeDeleted, query.New("held_at = NULL"), "held_at IS NOT NULL",
		func(c *conversation.Conversation) bool { return c.HeldAt != nil })
}

// updateWhere updates a conversation if the condition holds and returns the row as it is
// then. If the condition does not hold, it returns the row unchanged. meets is the condition in
// Go.
func (s conversations) updateWhere(ctx context.Context, doing string, id uuid.UUID, d store.Deleted, assign *query.Query, condition string, meets func(*conversation.Conversation) bool) (*conversation.Conversation, error) {
	sc, err := OwnerScope(ctx, s.sc, id)
	if err != nil {
		return nil, query.Wrap(doing, err)
	}
	var c *conversation.Conversation
	err = scope.Settle(func() (done bool, err error) {
		err = sc.Single(ctx, func(on *scope.Store) (err error) {
			db := query.On(ctx, on.Writer)
			q := scope.Deleted(query.New("UPDATE "+sc.Tables.Conversations+" SET ").Append(assign).
				Add(", updated_at = ? WHERE id = ? AND user_id = ?", sc.Instant(), id, sc.User), d, "").
				Add(" AND " + condition + " AND " + notMerged + " RETURNING " + record.ConversationColumns)
			c, err = query.One(db, q, record.ConversationDest)
			if done = !errors.Is(err, store.ErrNotFound); done {
				return err
			}
			c, err = getConversation(sc, db, id, d)
			if err == nil {
				err = liveOrDeleted(c)
			}
			done = err == nil && !meets(c)
			return err
		})
		return done, err
	})
	if err != nil {
		return nil, query.Wrap(doing, err)
	}
	return c, nil
}

// update updates a conversation and returns the row as it is then. It returns ErrNotFound if
// there is no such row among those that d selects.
func (s conversations) update(ctx context.Context, id uuid.UUID, d store.Deleted, assign *query.Query) (*conversation.Conversation, error) {
	return s.updateIf(ctx, id, d, "", assign)
}

// updateIf is update with one more condition, which begins with AND.
func (s conversations) updateIf(ctx context.Context, id uuid.UUID, d store.Deleted, condition string, assign *query.Query) (*conversation.Conversation, error) {
	sc, err := OwnerScope(ctx, s.sc, id)
	if err != nil {
		return nil, query.Wrap("update conversation", err)
	}
	var c *conversation.Conversation
	err = sc.Guarded(ctx, func(on *scope.Store) (err error) {
		c, err = updateConversation(ctx, sc.In(on), id, d, assign, condition)
		return err
	})
	if err != nil {
		return nil, query.Wrap("update conversation", err)
	}
	return c, nil
}

// updateConversation is the statement of update, for a scope of one user. The caller guards
// it against the abort of a transaction: an external key that is taken is ErrConflict. Conditions begin with AND.
func updateConversation(ctx context.Context, sc scope.Scope, id uuid.UUID, d store.Deleted, assign *query.Query, conditions ...string) (*conversation.Conversation, error) {
	q := scope.Deleted(query.New("UPDATE "+sc.Tables.Conversations+" SET ").Append(assign).
		Add(", updated_at = ? WHERE id = ? AND user_id = ?", sc.Instant(), id, sc.User), d, "").
		Add(strings.Join(conditions, "") + " RETURNING " + record.ConversationColumns)
	c, err := query.One(query.On(ctx, sc.Writer), q, record.ConversationDest)
	if dialect.KindOf(err) == dialect.Unique {
		return nil, fmt.Errorf("%w: another conversation has this external key", store.ErrConflict)
	}
	return c, err
}
