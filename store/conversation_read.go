package store

import (
	"context"
	"iter"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
)

func (s conversations) Get(ctx context.Context, id uuid.UUID) (*conversation.Conversation, error) {
	db, err := s.reading(ctx)
	if err != nil {
		return nil, err
	}
	c, err := s.get(db, id)
	return c, fail("get conversation", err)
}

func (sc scope) get(db conn, id uuid.UUID) (*conversation.Conversation, error) {
	return sc.getWith(db, id, ExcludeDeleted)
}

func (sc scope) getWith(db conn, id uuid.UUID, d Deleted) (*conversation.Conversation, error) {
	q := newQuery("SELECT "+conversationColumns+" FROM "+sc.tables.conversations+" WHERE id = ?", id)
	sc.owned(q, "").deleted(d, "")
	return one(db, q, conversationDest)
}

// deleted narrows a query by the mark of the soft delete.
func (q *query) deleted(d Deleted, alias string) *query {
	switch d {
	case ExcludeDeleted:
		q.add(" AND " + alias + "deleted_at IS NULL")
	case OnlyDeleted:
		q.add(" AND " + alias + "deleted_at IS NOT NULL")
	}
	return q
}

func (s conversations) GetByExternalKey(ctx context.Context, key string) (*conversation.Conversation, error) {
	if key == "" {
		return nil, rule.Invalid("external_key", "is empty")
	}
	if err := check.Key("external_key", key); err != nil {
		return nil, err
	}
	db, err := s.reading(ctx)
	if err != nil {
		return nil, err
	}
	q := newQuery("SELECT "+conversationColumns+" FROM "+s.tables.conversations+" WHERE external_key = ?", key)
	s.owned(q, "").deleted(ExcludeDeleted, "").add(" LIMIT 2")
	c, err := one(db, q, conversationDest)
	return c, fail("get conversation", err)
}

func (s conversations) Thread(ctx context.Context, id uuid.UUID) (*conversation.Conversation, error) {
	db, err := s.reading(ctx)
	if err != nil {
		return nil, err
	}
	c, err := s.get(db, id)
	if err != nil {
		return nil, fail("read thread", err)
	}
	q := newQuery("SELECT "+messageColumns+" FROM "+s.tables.messages+
		" WHERE conversation_id = ? AND user_id = ? AND deleted_at IS NULL ORDER BY seq", c.ID, c.UserID)
	if c.Messages, err = collect(db, q, messageDest); err != nil {
		return nil, fail("read thread", err)
	}
	q = newQuery("SELECT "+suggestionColumns+" FROM "+s.tables.suggestions+
		" WHERE conversation_id = ? AND user_id = ? AND deleted_at IS NULL ORDER BY created_at, id", c.ID, c.UserID)
	c.Suggestions, err = collect(db, q, suggestionDest)
	return c, fail("read thread", err)
}

func (s conversations) List(ctx context.Context, f ConversationFilter, p PageRequest) (Page[*conversation.Conversation], error) {
	return s.listConversations(ctx, f, p)
}

func (sc scope) listConversations(ctx context.Context, f ConversationFilter, p PageRequest) (Page[*conversation.Conversation], error) {
	var page Page[*conversation.Conversation]
	f, err := f.normalize()
	if err != nil {
		return page, err
	}
	l, err := sc.listing(ctx, "conversations", f, p)
	if err != nil {
		return page, err
	}
	if err := sc.checkLead(l.db, f.LeadID); err != nil {
		return page, fail("list conversations", err)
	}
	q := newQuery("SELECT " + conversationColumns)
	sc.matching(q, f)
	if l.after != nil {
		sc.after(q, f.Order.column(), "", "<", l.after.time(), l.after)
	}
	q.add(sc.orderBy(f.Order.column(), "", " DESC")+" LIMIT ?", l.limit+1)
	found, err := collect(l.db, q, conversationDest)
	if err != nil {
		return page, fail("list conversations", err)
	}
	return pageOf(found, l, func(c *conversation.Conversation) place { return f.Order.place(c) }), nil
}

func (s conversations) ListNumbered(ctx context.Context, f ConversationFilter, n NumberRequest) (NumberedPage[*conversation.Conversation], error) {
	var page NumberedPage[*conversation.Conversation]
	f, err := f.normalize()
	if err != nil {
		return page, err
	}
	if n, err = n.normalize(); err != nil {
		return page, err
	}
	db, err := s.reading(ctx)
	if err != nil {
		return page, err
	}
	if err := s.checkLead(db, f.LeadID); err != nil {
		return page, fail("list conversations", err)
	}
	page.Number, page.Size = n.Number, n.Size
	if _, err := s.matching(newQuery("SELECT count(*)"), f).row(db, &page.Total); err != nil {
		return page, fail("count conversations", err)
	}
	page.Pages = (page.Total + int64(n.Size) - 1) / int64(n.Size)
	q := s.matching(newQuery("SELECT "+conversationColumns), f).
		add(s.orderBy(f.Order.column(), "", " DESC")+" LIMIT ? OFFSET ?", n.Size, int64(n.Number-1)*int64(n.Size))
	page.Items, err = collect(db, q, conversationDest)
	return page, fail("list conversations", err)
}

func (s conversations) All(ctx context.Context, f ConversationFilter) iter.Seq2[*conversation.Conversation, error] {
	return walk(func(p PageRequest) (Page[*conversation.Conversation], error) { return s.List(ctx, f, p) })
}

func (s conversations) NeedsReply(ctx context.Context, p PageRequest) (Page[*conversation.Conversation], error) {
	return s.listUnread(ctx, time.Time{}, p)
}

func (s conversations) Unread(ctx context.Context, since time.Time, p PageRequest) (Page[*conversation.Conversation], error) {
	return s.listUnread(ctx, since, p)
}

// listUnread reads the conversations that need a reply.
func (sc scope) listUnread(ctx context.Context, since time.Time, p PageRequest) (Page[*conversation.Conversation], error) {
	if err := check.Time("since", since); err != nil {
		return Page[*conversation.Conversation]{}, err
	}
	return sc.listConversations(ctx, ConversationFilter{
		Statuses: []conversation.Status{conversation.StatusNeedsReply}, ActiveSince: since,
	}, p)
}

// matching adds FROM and WHERE.
func (sc scope) matching(q *query, f ConversationFilter) *query {
	q.add(" FROM " + sc.tables.conversations + " WHERE 1 = 1")
	sc.owned(q, "").deleted(f.Deleted, "")
	if f.LeadID != "" {
		q.add(" AND lead_id = ?", f.LeadID)
	}
	if len(f.Statuses) > 0 {
		q.add(" AND " + statusIs(f.Statuses))
	}
	q.within("last_message_at", f.ActiveSince, f.ActiveBefore)
	q.within("created_at", f.CreatedSince, f.CreatedBefore)
	if f.Text != "" {
		like, pattern := sc.dialect.Like(), likePattern(f.Text)
		q.add(" AND (title "+like+` ? ESCAPE '\' OR subject `+like+` ? ESCAPE '\')`, pattern, pattern)
	}
	return q
}

// statusIs writes the statuses out, since a planner takes a partial index only for a
// constant. They are validated.
func statusIs[S ~string](statuses []S) string {
	words := make([]string, len(statuses))
	for i, st := range statuses {
		words[i] = "'" + string(st) + "'"
	}
	if len(words) == 1 {
		return "status = " + words[0]
	}
	return "status IN (" + strings.Join(words, ", ") + ")"
}

func (q *query) within(column string, since, before time.Time) {
	if !since.IsZero() {
		q.add(" AND "+column+" >= ?", since)
	}
	if !before.IsZero() {
		q.add(" AND "+column+" < ?", before)
	}
}

var likeEscaper = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// likePattern matches s anywhere, its % and _ as letters.
func likePattern(s string) string { return "%" + likeEscaper.Replace(s) + "%" }

func (o ConversationOrder) column() string {
	if o == NewestCreated {
		return "created_at"
	}
	return "last_message_at"
}

func (o ConversationOrder) place(c *conversation.Conversation) place {
	if o == NewestCreated {
		return place{key: timeKey(c.CreatedAt), id: c.ID, user: c.UserID}
	}
	return place{key: timeKey(c.LastMessageAt), id: c.ID, user: c.UserID}
}

// normalize checks a filter and brings its times to the form of the tables.
func (f ConversationFilter) normalize() (ConversationFilter, error) {
	for _, st := range f.Statuses {
		if !st.Valid() {
			return f, rule.Invalid("statuses", "has an unknown status")
		}
	}
	if f.Order < NewestActivity || f.Order > NewestCreated {
		return f, rule.Invalid("order", "is unknown")
	}
	f.Statuses = distinct(f.Statuses)
	for _, t := range []*time.Time{&f.ActiveSince, &f.ActiveBefore, &f.CreatedSince, &f.CreatedBefore} {
		*t = message.Instant(*t)
	}
	return f, check.First(
		f.Deleted.validate(),
		check.Key("lead_id", f.LeadID),
		checkPart("text", f.Text),
		check.Time("active_since", f.ActiveSince),
		check.Time("active_before", f.ActiveBefore),
		check.Time("created_since", f.CreatedSince),
		check.Time("created_before", f.CreatedBefore),
	)
}

func (d Deleted) validate() error {
	if d < ExcludeDeleted || d > OnlyDeleted {
		return rule.Invalid("deleted", "is unknown")
	}
	return nil
}
