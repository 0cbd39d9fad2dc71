package threads

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

func (s conversations) Create(ctx context.Context, c *conversation.Conversation) error {
	if c == nil {
		return scope.ErrNil("conversation")
	}
	if err := checkOnlyMessages(c); err != nil {
		return err
	}
	sc, err := newConversation(ctx, s.sc, c)
	if err != nil {
		return err
	}
	if len(c.Messages) == 0 {
		err = insertAlone(ctx, sc, c, "")
	} else {
		err = createWithMessages(ctx, sc, c)
	}
	if err == nil {
		sc.Noted(ctx, 1+len(c.Messages), textBytes(c.Messages...))
	}
	return query.Wrap("create conversation", err)
}

// checkOnlyMessages refuses a conversation with children other than messages, which would be
// left out without a word.
func checkOnlyMessages(c *conversation.Conversation) error {
	for _, children := range []struct {
		field string
		n     int
	}{
		{"suggestions", len(c.Suggestions)},
		{"labels", len(c.Labels)},
		{"reads", len(c.Reads)},
		{"states", len(c.States)},
		{"summaries", len(c.Summaries)},
	} {
		if children.n > 0 {
			return rule.Invalid(children.field, "are not stored with a new conversation")
		}
	}
	return nil
}

// newConversation fills in and validates a conversation, checks that its lead id fits the
// lead column, and returns the scope of its owner.
func newConversation(ctx context.Context, sc scope.Scope, c *conversation.Conversation) (scope.Scope, error) {
	ownerScope, err := prepareConversation(sc, c)
	if err != nil {
		return ownerScope, err
	}
	db, err := sc.Writing(ctx)
	if err != nil {
		return ownerScope, err
	}
	return ownerScope, query.Wrap("create conversation", sc.CheckLead(db, c.LeadID))
}

// prepareConversation gives a conversation its owner, its id and its times, and validates
// it. It returns the scope of the owner.
func prepareConversation(sc scope.Scope, c *conversation.Conversation) (scope.Scope, error) {
	owner, err := sc.NewOwner(c.UserID)
	if err != nil {
		return sc, err
	}
	if err := sc.GiveID(&c.ID); err != nil {
		return sc, err
	}
	sc.Clean.Model(c)
	c.UserID, c.LastSeq, c.LastChangeSeq, c.Branched, c.HeadSeq = owner, 0, 0, false, nil
	c.Normalize(sc.Instant())
	return sc.As(owner), check.First(sc.CheckSize("conversation", c.Size()), c.Validate())
}

// insertAlone is insertConversation outside of a transaction. It overwrites c only when the
// insert is committed.
func insertAlone(ctx context.Context, sc scope.Scope, c *conversation.Conversation, onConflict string) error {
	var stored conversation.Conversation
	err := sc.Guarded(ctx, func(on *scope.Store) error {
		stored = *c
		return insertConversation(ctx, sc.In(on), &stored, onConflict)
	})
	if err == nil {
		*c = stored
	}
	return err
}

func createWithMessages(ctx context.Context, sc scope.Scope, c *conversation.Conversation) error {
	drafts, err := newDrafts(ctx, sc, c.ID, c.Messages)
	if err != nil {
		return err
	}
	// The transaction may run more than once, so c is overwritten only after it commits.
	var stored conversation.Conversation
	err = unlessCopyRefused(func() error {
		return sc.Shared(ctx, func(tx *scope.Store) error {
			in := sc.In(tx)
			stored = *c
			if err := insertConversation(ctx, in, &stored, ""); err != nil {
				return err
			}
			thread := newThreadState(&stored)
			thread.asleep = true // the caller says whether it is snoozed
			batch, err := appendBatch(ctx, in, drafts, map[uuid.UUID]*threadState{c.ID: thread}, batchOptions{})
			if err != nil {
				return err
			}
			if i := slices.Index(batch.created, false); i >= 0 {
				return &store.BatchError{Index: i, Err: errTaken}
			}
			thread.apply(&stored)
			return nil
		})
	})
	switch {
	case err == nil:
		*c = stored
	case dialect.KindOf(err) == dialect.Unique:
		return errTaken
	}
	return err
}

// insertConversation inserts c and replaces it with the stored row; its messages stay. A
// taken id or external key is ErrConflict. With an onConflict clause that does nothing, a
// key of that clause that is taken is ErrNotFound, because the statement returns no row.
func insertConversation(ctx context.Context, sc scope.Scope, c *conversation.Conversation, onConflict string) error {
	messages := c.Messages
	args := record.ConversationArgs(c)
	q := query.New("INSERT INTO "+sc.Tables.Conversations+" ("+record.ConversationColumns+") VALUES ("+query.Marks(len(args))+")", args...)
	q.Add(onConflict + " RETURNING " + record.ConversationColumns)
	var stored conversation.Conversation
	found, err := q.Row(query.On(ctx, sc.Writer), record.ConversationDest(&stored)...)
	switch {
	case dialect.KindOf(err) == dialect.Unique:
		return fmt.Errorf("%w: the id or the external key of the conversation is taken", store.ErrConflict)
	case err != nil:
		return err
	case !found:
		return store.ErrNotFound
	}
	*c, c.Messages = stored, messages
	return nil
}
