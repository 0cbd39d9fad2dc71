package threads

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/internal/engine/erase"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/internal/mergepatch"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

// newConversation prepares a conversation and sees that the schema can take it.
func (s conversations) newConversation(ctx context.Context, c *conversation.Conversation) (scope.Scope, error) {
	sc, err := prepareNew(s.sc, c)
	if err != nil {
		return sc, err
	}
	db, err := s.sc.Writing(ctx)
	if err != nil {
		return sc, err
	}
	return sc, query.Wrap("create conversation", s.sc.CheckLead(db, c.LeadID))
}

func (s conversations) Create(ctx context.Context, c *conversation.Conversation) error {
	if c == nil {
		return scope.ErrNil("conversation")
	}
	if len(c.Suggestions) > 0 {
		return rule.Invalid("suggestions", "are created by themselves")
	}
	sc, err := s.newConversation(ctx, c)
	if err != nil {
		return err
	}
	if len(c.Messages) == 0 {
		return query.Wrap("create conversation", sc.Guarded(ctx, func() error { return insertConversation(ctx, sc, c, "") }))
	}
	return query.Wrap("create conversation", createWithMessages(ctx, sc, c))
}

func createWithMessages(ctx context.Context, sc scope.Scope, c *conversation.Conversation) error {
	drafts, err := drafts(ctx, sc, c.ID, c.Messages)
	if err != nil {
		return err
	}
	// The stored values are kept aside until the transaction holds, since it may run
	// more than once.
	var stored conversation.Conversation
	err = sc.Transaction(ctx, func(tx *scope.Store) error {
		in := sc.In(tx)
		stored = *c
		if err := insertConversation(ctx, in, &stored, ""); err != nil {
			return err
		}
		thread := stateOf(&stored)
		batch, err := appendBatch(ctx, in, drafts, map[uuid.UUID]*threadState{c.ID: thread}, nil)
		if err != nil {
			return err
		}
		if i := slices.Index(batch.created, false); i >= 0 {
			return &store.BatchError{Index: i, Err: errTaken}
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
func prepareNew(sc scope.Scope, c *conversation.Conversation) (scope.Scope, error) {
	owner, err := sc.NewOwner(c.UserID)
	if err != nil {
		return sc, err
	}
	if err := sc.GiveID(&c.ID); err != nil {
		return sc, err
	}
	if sc.StripNUL {
		record.StripConversation(c)
	}
	c.UserID, c.LastSeq = owner, 0
	c.Normalize(sc.Instant())
	return sc.As(owner), c.Validate()
}

// insertConversation inserts c. A taken key is ErrConflict, or no row where onConflict
// says so; the statement returns the row as it is then.
func insertConversation(ctx context.Context, sc scope.Scope, c *conversation.Conversation, onConflict string) error {
	messages := c.Messages
	q := query.New("INSERT INTO "+sc.Tables.Conversations+" ("+record.ConversationColumns+") VALUES ("+query.Marks(14)+")",
		record.ConversationArgs(c)...)
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

func (s conversations) Upsert(ctx context.Context, c *conversation.Conversation) (bool, error) {
	if c == nil {
		return false, scope.ErrNil("conversation")
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
	err = sc.Transaction(ctx, func(tx *scope.Store) (err error) {
		stored = *c
		created, err = upsert(ctx, sc.In(tx), &stored)
		return err
	})
	if err != nil {
		return false, query.Wrap("upsert conversation", err)
	}
	*c = stored
	return created, nil
}

// upsert updates first: of the two statements that is the one that a second call needs,
// and on SQLite it takes the write lock.
func upsert(ctx context.Context, sc scope.Scope, c *conversation.Conversation) (created bool, err error) {
	updated, err := updateConversation(ctx, sc, c.ID, store.ExcludeDeleted,
		query.New("lead_id = ?, external_key = ?, title = ?, subject = ?, metadata = ?",
			record.Null(c.LeadID), record.Null(c.ExternalKey), record.Null(c.Title), record.Null(c.Subject), c.Metadata))
	if err == nil {
		*c = *updated
		return false, nil
	}
	if !errors.Is(err, store.ErrNotFound) {
		return false, err
	}
	err = insertConversation(ctx, sc, c, " ON CONFLICT (id, user_id) DO NOTHING")
	if !errors.Is(err, store.ErrNotFound) {
		return err == nil, err
	}
	// The row appeared between the two statements, or it is deleted.
	if _, err := Get(sc, query.On(ctx, sc.Writer), c.ID); err == nil {
		return upsert(ctx, sc, c)
	}
	return false, fmt.Errorf("%w: the conversation is deleted; restore or erase it first", store.ErrConflict)
}

func noChildren(c *conversation.Conversation) error {
	if len(c.Messages) > 0 || len(c.Suggestions) > 0 {
		return rule.Invalid("messages", "and suggestions are not taken here")
	}
	return nil
}

func (s conversations) GetOrCreate(ctx context.Context, c *conversation.Conversation) (bool, error) {
	if c == nil {
		return false, scope.ErrNil("conversation")
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
	created, err := getOrCreate(ctx, sc, c)
	return created, query.Wrap("get or create conversation", err)
}

// getOrCreate reads first, since most calls find the row.
func getOrCreate(ctx context.Context, sc scope.Scope, c *conversation.Conversation) (created bool, err error) {
	stored, err := byExternalKey(ctx, sc, c.ExternalKey)
	if err != nil {
		return false, err
	}
	if stored == nil {
		err := sc.Guarded(ctx, func() error {
			return insertConversation(ctx, sc, c, " ON CONFLICT (user_id, external_key) WHERE external_key IS NOT NULL DO NOTHING")
		})
		if !errors.Is(err, store.ErrNotFound) {
			return err == nil, err
		}
		if stored, err = byExternalKey(ctx, sc, c.ExternalKey); err != nil {
			return false, err
		}
		if stored == nil {
			return false, fmt.Errorf("%w: the conversation was erased meanwhile", store.ErrConflict)
		}
	}
	*c = *stored
	if c.Deleted() {
		return false, fmt.Errorf("%w: the conversation of this key is deleted; restore or erase it first", store.ErrConflict)
	}
	return false, nil
}

// byExternalKey reads from the writer: a reader may not have seen yet what made an
// insert step back.
func byExternalKey(ctx context.Context, sc scope.Scope, key string) (*conversation.Conversation, error) {
	q := query.New("SELECT "+record.ConversationColumns+" FROM "+sc.Tables.Conversations+
		" WHERE external_key = ? AND user_id = ?", key, sc.User)
	found, err := query.All(query.On(ctx, sc.Writer), q, record.ConversationDest)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}

func (s conversations) SetTitle(ctx context.Context, id uuid.UUID, title string) (*conversation.Conversation, error) {
	if s.sc.StripNUL {
		record.StripText(&title)
	}
	if err := check.Length("title", title, conversation.MaxTitle); err != nil {
		return nil, err
	}
	return s.set(ctx, id, store.ExcludeDeleted, query.New("title = ?", record.Null(title)))
}

func (s conversations) SetSubject(ctx context.Context, id uuid.UUID, subject string) (*conversation.Conversation, error) {
	if s.sc.StripNUL {
		record.StripText(&subject)
	}
	if err := check.Text("subject", subject); err != nil {
		return nil, err
	}
	return s.set(ctx, id, store.ExcludeDeleted, query.New("subject = ?", record.Null(subject)))
}

func (s conversations) SetMetadata(ctx context.Context, id uuid.UUID, doc message.JSON) (*conversation.Conversation, error) {
	if s.sc.StripNUL {
		record.StripJSON(&doc)
	}
	if err := check.JSON("metadata", doc); err != nil {
		return nil, err
	}
	return s.set(ctx, id, store.ExcludeDeleted, query.New("metadata = ?", doc))
}

func (s conversations) MergeMetadata(ctx context.Context, id uuid.UUID, patch message.JSON) (*conversation.Conversation, error) {
	if s.sc.StripNUL {
		record.StripJSON(&patch)
	}
	if err := check.JSON("metadata", patch); err != nil {
		return nil, err
	}
	if !mergepatch.IsObject(patch) {
		return nil, rule.Invalid("metadata", "is not a JSON object")
	}
	if _, err := s.sc.Writing(ctx); err != nil {
		return nil, err
	}
	owner, err := s.sc.Owner(ctx, s.sc.Tables.Conversations, id)
	if err != nil {
		return nil, query.Wrap("merge metadata", err)
	}
	var merged *conversation.Conversation
	sc := s.sc.As(owner)
	err = sc.Transaction(ctx, func(tx *scope.Store) (err error) {
		merged, err = mergeMetadata(ctx, sc.In(tx), id, patch)
		return err
	})
	return merged, query.Wrap("merge metadata", err)
}

// mergeMetadata merges in Go: the operators of the databases disagree with each other
// and with the RFC, and SQLite's loses digits. The first update is the lock.
func mergeMetadata(ctx context.Context, sc scope.Scope, id uuid.UUID, patch message.JSON) (*conversation.Conversation, error) {
	c, err := updateConversation(ctx, sc, id, store.ExcludeDeleted, query.New("metadata = metadata"))
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
	return updateConversation(ctx, sc, id, store.ExcludeDeleted, query.New("metadata = ?", message.JSON(doc)))
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
	return s.setWhere(ctx, "change status", id, store.ExcludeDeleted, query.New("status = ?", to), scope.StatusIs(from))
}

// setWhere runs one update of one conversation where a condition holds; where it does
// not, the row stays as it is and is returned as well.
func (s conversations) setWhere(ctx context.Context, doing string, id uuid.UUID, d store.Deleted, assign *query.Query, when string) (*conversation.Conversation, error) {
	if _, err := s.sc.Writing(ctx); err != nil {
		return nil, err
	}
	owner, err := s.sc.Owner(ctx, s.sc.Tables.Conversations, id)
	if err != nil {
		return nil, query.Wrap(doing, err)
	}
	sc := s.sc.As(owner)
	var c *conversation.Conversation
	err = sc.Retry(ctx, func() (err error) {
		q := scope.Deleted(query.New("UPDATE "+sc.Tables.Conversations+" SET ").Append(assign).
			Add(", updated_at = ? WHERE id = ? AND user_id = ?", sc.Instant(), id, owner), d, "").Add(" AND " + when + " RETURNING " + record.ConversationColumns)
		if c, err = query.One(query.On(ctx, sc.Writer), q, record.ConversationDest); errors.Is(err, store.ErrNotFound) {
			c, err = getWith(sc, query.On(ctx, sc.Writer), id, d)
		}
		return err
	})
	return c, query.Wrap(doing, err)
}

func (s conversations) Hold(ctx context.Context, id uuid.UUID) (*conversation.Conversation, error) {
	return s.setWhere(ctx, "hold conversation", id, store.IncludeDeleted, query.New("held_at = ?", s.sc.Instant()), scope.NotHeld)
}

func (s conversations) Release(ctx context.Context, id uuid.UUID) (*conversation.Conversation, error) {
	return s.setWhere(ctx, "release conversation", id, store.IncludeDeleted, query.New("held_at = NULL"), "held_at IS NOT NULL")
}

func (s conversations) Delete(ctx context.Context, id uuid.UUID) (*conversation.Conversation, error) {
	return s.set(ctx, id, store.ExcludeDeleted, query.New("deleted_at = ?", s.sc.Instant()))
}

func (s conversations) Restore(ctx context.Context, id uuid.UUID) (*conversation.Conversation, error) {
	c, err := s.set(ctx, id, store.OnlyDeleted, query.New("deleted_at = NULL"))
	if errors.Is(err, store.ErrNotFound) {
		db, err := s.sc.Writing(ctx)
		if err != nil {
			return nil, err
		}
		c, err := Get(s.sc, db, id)
		return c, query.Wrap("restore conversation", err)
	}
	return c, err
}

// set runs one update of one conversation.
func (s conversations) set(ctx context.Context, id uuid.UUID, d store.Deleted, assign *query.Query) (*conversation.Conversation, error) {
	if _, err := s.sc.Writing(ctx); err != nil {
		return nil, err
	}
	owner, err := s.sc.Owner(ctx, s.sc.Tables.Conversations, id)
	if err != nil {
		return nil, query.Wrap("update conversation", err)
	}
	sc := s.sc.As(owner)
	var c *conversation.Conversation
	err = sc.Guarded(ctx, func() (err error) {
		c, err = updateConversation(ctx, sc, id, d, assign)
		return err
	})
	return c, query.Wrap("update conversation", err)
}

// updateConversation runs one guarded update and returns the row as it is then.
func updateConversation(ctx context.Context, sc scope.Scope, id uuid.UUID, d store.Deleted, assign *query.Query) (*conversation.Conversation, error) {
	q := scope.Deleted(query.New("UPDATE "+sc.Tables.Conversations+" SET ").Append(assign).
		Add(", updated_at = ? WHERE id = ? AND user_id = ?", sc.Instant(), id, sc.User), d, "").
		Add(" RETURNING " + record.ConversationColumns)
	c, err := query.One(query.On(ctx, sc.Writer), q, record.ConversationDest)
	if dialect.KindOf(err) == dialect.Unique {
		return nil, fmt.Errorf("%w: another conversation has this external key", store.ErrConflict)
	}
	return c, err
}

func (s conversations) Erase(ctx context.Context, id uuid.UUID) (store.Counts, error) {
	if _, err := s.sc.Writing(ctx); err != nil {
		return store.Counts{}, err
	}
	owner, err := s.sc.Owner(ctx, s.sc.Tables.Conversations, id)
	if err != nil {
		return store.Counts{}, query.Wrap("erase conversation", err)
	}
	counts, err := erase.Where(ctx, s.sc.As(owner), query.New("user_id = ? AND id = ?", owner, id))
	if err == nil && counts.Conversations == 0 {
		err = store.ErrNotFound
	}
	return counts, query.Wrap("erase conversation", err)
}
