package threads

import (
	"context"
	"iter"
	"time"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/store"
)

func (s conversations) List(ctx context.Context, f store.ConversationFilter, p store.PageRequest) (store.Page[*conversation.Conversation], error) {
	return listConversations(ctx, s.sc, f, p)
}

func listConversations(ctx context.Context, sc scope.Scope, f store.ConversationFilter, p store.PageRequest) (store.Page[*conversation.Conversation], error) {
	var page store.Page[*conversation.Conversation]
	f, err := checkConversationFilter(sc, f)
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
	q := newListed(sc, f).page(l.After, l.Limit+1)
	page, err = scope.ReadPage(l, q, record.ConversationDest, (*conversation.Conversation).Size,
		func(c *conversation.Conversation) scope.Place { return conversationPlace(f, c) })
	return page, query.Wrap("list conversations", err)
}

func (s conversations) ListNumbered(ctx context.Context, f store.ConversationFilter, n store.NumberRequest) (store.NumberedPage[*conversation.Conversation], error) {
	var page store.NumberedPage[*conversation.Conversation]
	f, err := checkConversationFilter(s.sc, f)
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
	list := newListed(s.sc, f)
	page, err = scope.ReadNumbered(db, n, list.count(), list.numbered, record.ConversationDest)
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

// ListUnread lists the live conversations that need a reply, are not snoozed, and whose last message
// was sent at since or later, newest activity first. The zero time means all of them.
func ListUnread(ctx context.Context, sc scope.Scope, since time.Time, p store.PageRequest) (store.Page[*conversation.Conversation], error) {
	if err := check.Time("since", since); err != nil {
		return store.Page[*conversation.Conversation]{}, err
	}
	return listConversations(ctx, sc, store.ConversationFilter{
		Statuses: []conversation.Status{conversation.StatusNeedsReply}, ActiveSince: since,
	}, p)
}
