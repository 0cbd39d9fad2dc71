package threads

import (
	"context"
	"iter"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

func (s conversations) Get(ctx context.Context, id uuid.UUID) (*conversation.Conversation, error) {
	db, err := s.sc.Reading(ctx)
	if err != nil {
		return nil, err
	}
	c, err := Get(s.sc, db, id)
	return c, query.Wrap("get conversation", err)
}

func Get(sc scope.Scope, db query.Conn, id uuid.UUID) (*conversation.Conversation, error) {
	return getWith(sc, db, id, store.ExcludeDeleted)
}

func getWith(sc scope.Scope, db query.Conn, id uuid.UUID, d store.Deleted) (*conversation.Conversation, error) {
	q := query.New("SELECT "+record.ConversationColumns+" FROM "+sc.Tables.Conversations+" WHERE id = ?", id)
	scope.Deleted(sc.Owned(q, ""), d, "")
	return query.One(db, q, record.ConversationDest)
}

func (s conversations) GetByExternalKey(ctx context.Context, key string) (*conversation.Conversation, error) {
	if key == "" {
		return nil, rule.Invalid("external_key", "is empty")
	}
	if err := check.Key("external_key", key); err != nil {
		return nil, err
	}
	db, err := s.sc.Reading(ctx)
	if err != nil {
		return nil, err
	}
	q := query.New("SELECT "+record.ConversationColumns+" FROM "+s.sc.Tables.Conversations+" WHERE external_key = ?", key)
	scope.Deleted(s.sc.Owned(q, ""), store.ExcludeDeleted, "").Add(" LIMIT 2")
	c, err := query.One(db, q, record.ConversationDest)
	return c, query.Wrap("get conversation", err)
}

func (s conversations) Thread(ctx context.Context, id uuid.UUID) (*conversation.Conversation, error) {
	db, err := s.sc.Reading(ctx)
	if err != nil {
		return nil, err
	}
	c, err := Get(s.sc, db, id)
	if err != nil {
		return nil, query.Wrap("read thread", err)
	}
	q := query.New("SELECT "+record.MessageColumns+" FROM "+s.sc.Tables.Messages+
		" WHERE conversation_id = ? AND user_id = ? AND deleted_at IS NULL ORDER BY seq", c.ID, c.UserID)
	if c.Messages, err = query.All(db, q, record.MessageDest); err != nil {
		return nil, query.Wrap("read thread", err)
	}
	q = query.New("SELECT "+record.SuggestionColumns+" FROM "+s.sc.Tables.Suggestions+
		" WHERE conversation_id = ? AND user_id = ? AND deleted_at IS NULL ORDER BY created_at, id", c.ID, c.UserID)
	c.Suggestions, err = query.All(db, q, record.SuggestionDest)
	return c, query.Wrap("read thread", err)
}

func (s conversations) List(ctx context.Context, f store.ConversationFilter, p store.PageRequest) (store.Page[*conversation.Conversation], error) {
	return listConversations(ctx, s.sc, f, p)
}

func listConversations(ctx context.Context, sc scope.Scope, f store.ConversationFilter, p store.PageRequest) (store.Page[*conversation.Conversation], error) {
	var page store.Page[*conversation.Conversation]
	f, err := checkConversationFilter(f)
	if err != nil {
		return page, err
	}
	l, err := sc.Listing(ctx, "conversations", f, p)
	if err != nil {
		return page, err
	}
	if err := sc.CheckLead(l.DB, f.LeadID); err != nil {
		return page, query.Wrap("list conversations", err)
	}
	q := query.New("SELECT " + record.ConversationColumns)
	matching(sc, q, f)
	if l.After != nil {
		sc.After(q, conversationTime(f.Order), "", "<", l.After.Time(), l.After)
	}
	q.Add(sc.OrderBy(conversationTime(f.Order), "", " DESC")+" LIMIT ?", l.Limit+1)
	found, err := query.All(l.DB, q, record.ConversationDest)
	if err != nil {
		return page, query.Wrap("list conversations", err)
	}
	return scope.PageOf(found, l, func(c *conversation.Conversation) scope.Place { return conversationPlace(f.Order, c) }), nil
}

func (s conversations) ListNumbered(ctx context.Context, f store.ConversationFilter, n store.NumberRequest) (store.NumberedPage[*conversation.Conversation], error) {
	var page store.NumberedPage[*conversation.Conversation]
	f, err := checkConversationFilter(f)
	if err != nil {
		return page, err
	}
	if n, err = scope.Numbered(n); err != nil {
		return page, err
	}
	db, err := s.sc.Reading(ctx)
	if err != nil {
		return page, err
	}
	if err := s.sc.CheckLead(db, f.LeadID); err != nil {
		return page, query.Wrap("list conversations", err)
	}
	page.Number, page.Size = n.Number, n.Size
	if _, err := matching(s.sc, query.New("SELECT count(*)"), f).Row(db, &page.Total); err != nil {
		return page, query.Wrap("count conversations", err)
	}
	page.Pages = (page.Total + int64(n.Size) - 1) / int64(n.Size)
	q := matching(s.sc, query.New("SELECT "+record.ConversationColumns), f).
		Add(s.sc.OrderBy(conversationTime(f.Order), "", " DESC")+" LIMIT ? OFFSET ?", n.Size, int64(n.Number-1)*int64(n.Size))
	page.Items, err = query.All(db, q, record.ConversationDest)
	return page, query.Wrap("list conversations", err)
}

func (s conversations) All(ctx context.Context, f store.ConversationFilter) iter.Seq2[*conversation.Conversation, error] {
	return scope.Walk(func(p store.PageRequest) (store.Page[*conversation.Conversation], error) { return s.List(ctx, f, p) })
}

func (s conversations) NeedsReply(ctx context.Context, p store.PageRequest) (store.Page[*conversation.Conversation], error) {
	return ListUnread(ctx, s.sc, time.Time{}, p)
}

func (s conversations) Unread(ctx context.Context, since time.Time, p store.PageRequest) (store.Page[*conversation.Conversation], error) {
	return ListUnread(ctx, s.sc, since, p)
}

// ListUnread reads the conversations that need a reply.
func ListUnread(ctx context.Context, sc scope.Scope, since time.Time, p store.PageRequest) (store.Page[*conversation.Conversation], error) {
	if err := check.Time("since", since); err != nil {
		return store.Page[*conversation.Conversation]{}, err
	}
	return listConversations(ctx, sc, store.ConversationFilter{
		Statuses: []conversation.Status{conversation.StatusNeedsReply}, ActiveSince: since,
	}, p)
}

// matching adds FROM and WHERE.
func matching(sc scope.Scope, q *query.Query, f store.ConversationFilter) *query.Query {
	q.Add(" FROM " + sc.Tables.Conversations + " WHERE 1 = 1")
	scope.Deleted(sc.Owned(q, ""), f.Deleted, "")
	if f.LeadID != "" {
		q.Add(" AND lead_id = ?", f.LeadID)
	}
	if len(f.Statuses) > 0 {
		q.Add(" AND " + scope.StatusIs(f.Statuses))
	}
	scope.Between(q, "last_message_at", f.ActiveSince, f.ActiveBefore)
	scope.Between(q, "created_at", f.CreatedSince, f.CreatedBefore)
	if f.Text != "" {
		like, pattern := sc.Dialect.Like(), scope.LikePattern(f.Text)
		q.Add(" AND (title "+like+` ? ESCAPE '\' OR subject `+like+` ? ESCAPE '\')`, pattern, pattern)
	}
	return q
}

func conversationTime(o store.ConversationOrder) string {
	if o == store.NewestCreated {
		return "created_at"
	}
	return "last_message_at"
}

func conversationPlace(o store.ConversationOrder, c *conversation.Conversation) scope.Place {
	if o == store.NewestCreated {
		return scope.Place{Key: scope.TimeKey(c.CreatedAt), ID: c.ID, User: c.UserID}
	}
	return scope.Place{Key: scope.TimeKey(c.LastMessageAt), ID: c.ID, User: c.UserID}
}

// checkConversationFilter checks a filter and brings its times to the form of the tables.
func checkConversationFilter(f store.ConversationFilter) (store.ConversationFilter, error) {
	for _, st := range f.Statuses {
		if !st.Valid() {
			return f, rule.Invalid("statuses", "has an unknown status")
		}
	}
	if f.Order < store.NewestActivity || f.Order > store.NewestCreated {
		return f, rule.Invalid("order", "is unknown")
	}
	f.Statuses = scope.Distinct(f.Statuses)
	for _, t := range []*time.Time{&f.ActiveSince, &f.ActiveBefore, &f.CreatedSince, &f.CreatedBefore} {
		*t = message.Instant(*t)
	}
	return f, check.First(
		validate(f.Deleted),
		check.Key("lead_id", f.LeadID),
		scope.CheckPart("text", f.Text),
		check.Time("active_since", f.ActiveSince),
		check.Time("active_before", f.ActiveBefore),
		check.Time("created_since", f.CreatedSince),
		check.Time("created_before", f.CreatedBefore),
	)
}

func validate(d store.Deleted) error {
	if d < store.ExcludeDeleted || d > store.OnlyDeleted {
		return rule.Invalid("deleted", "is unknown")
	}
	return nil
}
