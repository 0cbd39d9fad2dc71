package store

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/internal/mergepatch"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
)

func (s conversations) Create(ctx context.Context, c *conversation.Conversation) error {
	if c == nil {
		return errNil("conversation")
	}
	if len(c.Suggestions) > 0 {
		return rule.Invalid("suggestions", "are created by themselves")
	}
	sc, err := s.newConversation(ctx, c)
	if err != nil {
		return err
	}
	if len(c.Messages) == 0 {
		return fail("create conversation", sc.guarded(ctx, func() error { return sc.insertConversation(ctx, c, "") }))
	}
	return fail("create conversation", sc.createWithMessages(ctx, c))
}

func (sc scope) createWithMessages(ctx context.Context, c *conversation.Conversation) error {
	drafts, err := sc.drafts(ctx, c.ID, c.Messages)
	if err != nil {
		return err
	}
	// The stored values are kept aside until the transaction holds, since it may run
	// more than once.
	var stored conversation.Conversation
	err = sc.transaction(ctx, func(tx *store) error {
		in := sc.in(tx)
		stored = *c
		if err := in.insertConversation(ctx, &stored, ""); err != nil {
			return err
		}
		thread := stateOf(&stored)
		batch, err := in.appendBatch(ctx, drafts, map[uuid.UUID]*threadState{c.ID: thread}, nil)
		if err != nil {
			return err
		}
		if i := slices.Index(batch.created, false); i >= 0 {
			return &BatchError{Index: i, Err: errTaken}
		}
		thread.apply(&stored)
		return nil
	})
	switch {
	case err == nil:
		*c = stored
	case dialect.KindOf(err) == dialect.Unique:
		return errTaken
	}
	return err
}

// prepareNew gives a conversation its keys and times and validates it.
func (sc scope) prepareNew(c *conversation.Conversation) (scope, error) {
	owner, err := sc.newOwner(c.UserID)
	if err != nil {
		return sc, err
	}
	if err := sc.giveID(&c.ID); err != nil {
		return sc, err
	}
	if sc.stripNUL {
		stripConversation(c)
	}
	c.UserID, c.LastSeq = owner, 0
	c.Normalize(sc.instant())
	return sc.as(owner), c.Validate()
}

// insertConversation inserts c. A taken key is ErrConflict, or no row where onConflict
// says so; the statement returns the row as it is then.
func (sc scope) insertConversation(ctx context.Context, c *conversation.Conversation, onConflict string) error {
	messages := c.Messages
	q := newQuery("INSERT INTO "+sc.tables.conversations+" ("+conversationColumns+") VALUES ("+marks(14)+")",
		conversationArgs(c)...)
	q.add(onConflict + " RETURNING " + conversationColumns)
	var stored conversation.Conversation
	found, err := q.row(session(ctx, sc.writer), conversationDest(&stored)...)
	switch {
	case dialect.KindOf(err) == dialect.Unique:
		return fmt.Errorf("%w: the id or the external key of the conversation is taken", ErrConflict)
	case err != nil:
		return err
	case !found:
		return ErrNotFound
	}
	*c, c.Messages = stored, messages
	return nil
}

func (s conversations) Upsert(ctx context.Context, c *conversation.Conversation) (bool, error) {
	if c == nil {
		return false, errNil("conversation")
	}
	if c.ID == uuid.Nil {
		return false, rule.Invalid("id", "is the nil UUID")
	}
	if err := noChildren(c); err != nil {
		return false, err
	}
	sc, err := s.newConversation(ctx, c)
	if err != nil {
		return false, err
	}
	var created bool
	var stored conversation.Conversation
	err = sc.transaction(ctx, func(tx *store) (err error) {
		stored = *c
		created, err = sc.in(tx).upsert(ctx, &stored)
		return err
	})
	if err != nil {
		return false, fail("upsert conversation", err)
	}
	*c = stored
	return created, nil
}

// upsert updates first: of the two statements that is the one that a second call needs,
// and on SQLite it takes the write lock.
func (sc scope) upsert(ctx context.Context, c *conversation.Conversation) (created bool, err error) {
	updated, err := sc.updateConversation(ctx, c.ID, ExcludeDeleted,
		newQuery("lead_id = ?, external_key = ?, title = ?, subject = ?, metadata = ?",
			null(c.LeadID), null(c.ExternalKey), null(c.Title), null(c.Subject), c.Metadata))
	if err == nil {
		*c = *updated
		return false, nil
	}
	if !errors.Is(err, ErrNotFound) {
		return false, err
	}
	err = sc.insertConversation(ctx, c, " ON CONFLICT (id, user_id) DO NOTHING")
	if !errors.Is(err, ErrNotFound) {
		return err == nil, err
	}
	// The row appeared between the two statements, or it is deleted.
	if _, err := sc.get(session(ctx, sc.writer), c.ID); err == nil {
		return sc.upsert(ctx, c)
	}
	return false, fmt.Errorf("%w: the conversation is deleted; restore or erase it first", ErrConflict)
}

func noChildren(c *conversation.Conversation) error {
	if len(c.Messages) > 0 || len(c.Suggestions) > 0 {
		return rule.Invalid("messages", "and suggestions are not taken here")
	}
	return nil
}

func (s conversations) GetOrCreate(ctx context.Context, c *conversation.Conversation) (bool, error) {
	if c == nil {
		return false, errNil("conversation")
	}
	if c.ExternalKey == "" {
		return false, rule.Invalid("external_key", "is empty")
	}
	if err := noChildren(c); err != nil {
		return false, err
	}
	sc, err := s.newConversation(ctx, c)
	if err != nil {
		return false, err
	}
	created, err := sc.getOrCreate(ctx, c)
	return created, fail("get or create conversation", err)
}

// getOrCreate reads first, since most calls find the row.
func (sc scope) getOrCreate(ctx context.Context, c *conversation.Conversation) (created bool, err error) {
	stored, err := sc.byExternalKey(ctx, c.ExternalKey)
	if err != nil {
		return false, err
	}
	if stored == nil {
		err := sc.guarded(ctx, func() error {
			return sc.insertConversation(ctx, c, " ON CONFLICT (user_id, external_key) WHERE external_key IS NOT NULL DO NOTHING")
		})
		if !errors.Is(err, ErrNotFound) {
			return err == nil, err
		}
		if stored, err = sc.byExternalKey(ctx, c.ExternalKey); err != nil {
			return false, err
		}
		if stored == nil {
			return false, fmt.Errorf("%w: the conversation was erased meanwhile", ErrConflict)
		}
	}
	*c = *stored
	if c.Deleted() {
		return false, fmt.Errorf("%w: the conversation of this key is deleted; restore or erase it first", ErrConflict)
	}
	return false, nil
}

// byExternalKey reads from the writer: a reader may not have seen yet what made an
// insert step back.
func (sc scope) byExternalKey(ctx context.Context, key string) (*conversation.Conversation, error) {
	q := newQuery("SELECT "+conversationColumns+" FROM "+sc.tables.conversations+
		" WHERE external_key = ? AND user_id = ?", key, sc.user)
	found, err := collect(session(ctx, sc.writer), q, conversationDest)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}

func (s conversations) SetTitle(ctx context.Context, id uuid.UUID, title string) (*conversation.Conversation, error) {
	if s.stripNUL {
		stripText(&title)
	}
	if err := check.Length("title", title, conversation.MaxTitle); err != nil {
		return nil, err
	}
	return s.set(ctx, id, ExcludeDeleted, newQuery("title = ?", null(title)))
}

func (s conversations) SetSubject(ctx context.Context, id uuid.UUID, subject string) (*conversation.Conversation, error) {
	if s.stripNUL {
		stripText(&subject)
	}
	if err := check.Text("subject", subject); err != nil {
		return nil, err
	}
	return s.set(ctx, id, ExcludeDeleted, newQuery("subject = ?", null(subject)))
}

func (s conversations) SetMetadata(ctx context.Context, id uuid.UUID, doc message.JSON) (*conversation.Conversation, error) {
	if s.stripNUL {
		stripJSON(&doc)
	}
	if err := check.JSON("metadata", doc); err != nil {
		return nil, err
	}
	return s.set(ctx, id, ExcludeDeleted, newQuery("metadata = ?", doc))
}

func (s conversations) MergeMetadata(ctx context.Context, id uuid.UUID, patch message.JSON) (*conversation.Conversation, error) {
	if s.stripNUL {
		stripJSON(&patch)
	}
	if err := check.JSON("metadata", patch); err != nil {
		return nil, err
	}
	if !mergepatch.IsObject(patch) {
		return nil, rule.Invalid("metadata", "is not a JSON object")
	}
	if _, err := s.writing(ctx); err != nil {
		return nil, err
	}
	owner, err := s.owner(ctx, s.tables.conversations, id)
	if err != nil {
		return nil, fail("merge metadata", err)
	}
	var merged *conversation.Conversation
	sc := s.as(owner)
	err = sc.transaction(ctx, func(tx *store) (err error) {
		merged, err = sc.in(tx).mergeMetadata(ctx, id, patch)
		return err
	})
	return merged, fail("merge metadata", err)
}

// mergeMetadata merges in Go: the operators of the databases disagree with each other
// and with the RFC, and SQLite's loses digits. The first update is the lock.
func (sc scope) mergeMetadata(ctx context.Context, id uuid.UUID, patch message.JSON) (*conversation.Conversation, error) {
	c, err := sc.updateConversation(ctx, id, ExcludeDeleted, newQuery("metadata = metadata"))
	if err != nil {
		return nil, err
	}
	doc, err := mergepatch.Apply(c.Metadata, patch)
	if err != nil {
		return nil, err
	}
	// Merging deepens nothing that either part did not have, but it may join two.
	if err := check.JSON("metadata", doc); err != nil {
		return nil, err
	}
	return sc.updateConversation(ctx, id, ExcludeDeleted, newQuery("metadata = ?", message.JSON(doc)))
}

func (s conversations) Archive(ctx context.Context, id uuid.UUID) (*conversation.Conversation, error) {
	return s.setStatus(ctx, id, conversation.StatusArchived, conversation.OpenStatuses())
}

func (s conversations) Reopen(ctx context.Context, id uuid.UUID) (*conversation.Conversation, error) {
	archived := conversation.StatusArchived
	return s.setStatus(ctx, id, archived.Reopened(), []conversation.Status{archived})
}

// setStatus sets a status where the present one is among from, and touches nothing
// else.
func (s conversations) setStatus(ctx context.Context, id uuid.UUID, to conversation.Status, from []conversation.Status) (*conversation.Conversation, error) {
	return s.setWhere(ctx, "change status", id, ExcludeDeleted, newQuery("status = ?", to), statusIs(from))
}

// setWhere runs one update of one conversation where a condition holds; where it does
// not, the row stays as it is and is returned as well.
func (s conversations) setWhere(ctx context.Context, doing string, id uuid.UUID, d Deleted, assign *query, when string) (*conversation.Conversation, error) {
	if _, err := s.writing(ctx); err != nil {
		return nil, err
	}
	owner, err := s.owner(ctx, s.tables.conversations, id)
	if err != nil {
		return nil, fail(doing, err)
	}
	sc := s.as(owner)
	var c *conversation.Conversation
	err = sc.retry(ctx, func() (err error) {
		q := newQuery("UPDATE "+sc.tables.conversations+" SET ").addQuery(assign).
			add(", updated_at = ? WHERE id = ? AND user_id = ?", sc.instant(), id, owner).
			deleted(d, "").add(" AND " + when + " RETURNING " + conversationColumns)
		if c, err = one(session(ctx, sc.writer), q, conversationDest); errors.Is(err, ErrNotFound) {
			c, err = sc.getWith(session(ctx, sc.writer), id, d)
		}
		return err
	})
	return c, fail(doing, err)
}

func (s conversations) Hold(ctx context.Context, id uuid.UUID) (*conversation.Conversation, error) {
	return s.setWhere(ctx, "hold conversation", id, IncludeDeleted, newQuery("held_at = ?", s.instant()), notHeld)
}

func (s conversations) Release(ctx context.Context, id uuid.UUID) (*conversation.Conversation, error) {
	return s.setWhere(ctx, "release conversation", id, IncludeDeleted, newQuery("held_at = NULL"), "held_at IS NOT NULL")
}

func (s conversations) Delete(ctx context.Context, id uuid.UUID) (*conversation.Conversation, error) {
	return s.set(ctx, id, ExcludeDeleted, newQuery("deleted_at = ?", s.instant()))
}

func (s conversations) Restore(ctx context.Context, id uuid.UUID) (*conversation.Conversation, error) {
	c, err := s.set(ctx, id, OnlyDeleted, newQuery("deleted_at = NULL"))
	if errors.Is(err, ErrNotFound) {
		db, err := s.writing(ctx)
		if err != nil {
			return nil, err
		}
		c, err := s.get(db, id)
		return c, fail("restore conversation", err)
	}
	return c, err
}

// set runs one update of one conversation.
func (s conversations) set(ctx context.Context, id uuid.UUID, d Deleted, assign *query) (*conversation.Conversation, error) {
	if _, err := s.writing(ctx); err != nil {
		return nil, err
	}
	owner, err := s.owner(ctx, s.tables.conversations, id)
	if err != nil {
		return nil, fail("update conversation", err)
	}
	sc := s.as(owner)
	var c *conversation.Conversation
	err = sc.guarded(ctx, func() (err error) {
		c, err = sc.updateConversation(ctx, id, d, assign)
		return err
	})
	return c, fail("update conversation", err)
}

// updateConversation runs one guarded update and returns the row as it is then.
func (sc scope) updateConversation(ctx context.Context, id uuid.UUID, d Deleted, assign *query) (*conversation.Conversation, error) {
	q := newQuery("UPDATE "+sc.tables.conversations+" SET ").addQuery(assign).
		add(", updated_at = ? WHERE id = ? AND user_id = ?", sc.instant(), id, sc.user).
		deleted(d, "").
		add(" RETURNING " + conversationColumns)
	c, err := one(session(ctx, sc.writer), q, conversationDest)
	if dialect.KindOf(err) == dialect.Unique {
		return nil, fmt.Errorf("%w: another conversation has this external key", ErrConflict)
	}
	return c, err
}
