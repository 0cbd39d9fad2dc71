package bench

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

// million is what the plans are made for.
var million = size{users: 1000, conversations: 100_000, messages: 9, extra: 100, suggestions: 20_000}

// target is what a query asks for; it differs from run to run.
type target struct {
	size
	j            int
	user         uuid.UUID
	conversation uuid.UUID
	st           store.Store
	mine, all    store.Scope
}

// at is a live long conversation that needs a reply, another one for every k, and its
// owner.
func (z size) at(st store.Store, k int) target {
	j := k * 10 % z.users
	return target{
		size: z, j: j, user: z.userOf(j), conversation: id(kindConversation, j),
		st: st, mine: st.ForUser(z.userOf(j)), all: st.AllUsers(),
	}
}

// reviewer is a user with suggestions to decide on.
func (t target) reviewer() store.Scope { return t.st.ForUser(t.userOf(t.j / 50 * 50)) }

// waiting is one of them: every tenth suggestion waits, and conversation 5 i has the i-th.
func (t target) waiting() uuid.UUID { return id(kindSuggestion, t.j/50*10) }

// end is after the last message.
func (z size) end() time.Time { return z.sentAt(z.conversations, z.messages+z.extra) }

func (t target) lead() string { return "lead-" + itoa(t.j%(t.conversations/5)) }

// seedQuery is a query that was asked for, as the library has it. Writes are undone.
type seedQuery struct {
	name  string
	run   func(ctx context.Context, t target) error
	write bool
	// whole queries read a table from end to end by their nature.
	whole bool
}

var page50 = store.PageRequest{Limit: 50}

func only[T any](_ T, err error) error { return err }

func (t target) inThread(ctx context.Context, f store.MessageFilter) error {
	return only(t.mine.Messages().List(ctx, t.conversation, f, page50))
}

func (t target) list(ctx context.Context, sc store.Scope, f store.ConversationFilter) error {
	return only(sc.Conversations().List(ctx, f, page50))
}

var seedQueries = []seedQuery{
	// The lead conversations with e-mail and suggestions.
	{name: "conversations needing reply, all users", run: func(ctx context.Context, t target) error {
		return only(t.all.Conversations().NeedsReply(ctx, page50))
	}},
	{name: "conversations needing reply, one user", run: func(ctx context.Context, t target) error {
		return only(t.mine.Conversations().NeedsReply(ctx, page50))
	}},
	{name: "conversation with full thread", run: func(ctx context.Context, t target) error {
		return only(t.mine.Conversations().Thread(ctx, t.conversation))
	}},
	{name: "pending suggestions with context, all users", run: func(ctx context.Context, t target) error {
		return only(t.all.Suggestions().Pending(ctx, page50))
	}},
	{name: "pending suggestions with context, one user", run: func(ctx context.Context, t target) error {
		return only(t.reviewer().Suggestions().Pending(ctx, page50))
	}},
	{name: "suggestions of a conversation", run: func(ctx context.Context, t target) error {
		return only(t.mine.Suggestions().ListByConversation(ctx, t.conversation, page50))
	}},
	{name: "conversations by lead", run: func(ctx context.Context, t target) error {
		return t.list(ctx, t.mine, store.ConversationFilter{LeadID: t.lead()})
	}},
	{name: "conversations by lead, all users", run: func(ctx context.Context, t target) error {
		return t.list(ctx, t.all, store.ConversationFilter{LeadID: t.lead()})
	}},
	{name: "conversations by lead and status set", run: func(ctx context.Context, t target) error {
		return t.list(ctx, t.mine, store.ConversationFilter{LeadID: t.lead(), Statuses: conversation.OpenStatuses()})
	}},
	{name: "search in title and subject, one user", run: func(ctx context.Context, t target) error {
		return t.list(ctx, t.mine, store.ConversationFilter{Text: "improvements " + itoa(t.j)})
	}},
	{name: "unread since, all users", run: func(ctx context.Context, t target) error {
		return only(t.all.Conversations().Unread(ctx, t.sentAt(0, t.messages), page50))
	}},
	{name: "unread since, one user", run: func(ctx context.Context, t target) error {
		return only(t.mine.Conversations().Unread(ctx, t.sentAt(0, t.messages), page50))
	}},
	{name: "messages with attachments, one user", run: func(ctx context.Context, t target) error {
		return only(t.mine.Messages().ListByUser(ctx, store.MessageFilter{HasAttachments: true}, page50))
	}},
	{name: "messages with attachments, all users", run: func(ctx context.Context, t target) error {
		return only(t.all.Messages().ListByUser(ctx, store.MessageFilter{HasAttachments: true}, page50))
	}},
	{name: "messages with attachments, in a conversation", run: func(ctx context.Context, t target) error {
		return t.inThread(ctx, store.MessageFilter{HasAttachments: true})
	}},
	{name: "find by Gmail id", run: func(ctx context.Context, t target) error {
		return notFoundIsFine(only(t.mine.Messages().FindByProviderID(ctx, message.ProviderGmail, "gm-"+itoa(t.conversations+t.j))))
	}},
	{name: "find by Postmark id", run: func(ctx context.Context, t target) error {
		return notFoundIsFine(only(t.mine.Messages().FindByProviderID(ctx, message.ProviderPostmark, "pm-"+itoa(2*t.conversations+t.j))))
	}},
	{name: "find by Gmail id, all users", run: func(ctx context.Context, t target) error {
		return notFoundIsFine(only(t.all.Messages().FindByProviderID(ctx, message.ProviderGmail, "gm-"+itoa(t.conversations+t.j))))
	}},
	{name: "conversation of a Gmail thread", run: func(ctx context.Context, t target) error {
		return notFoundIsFine(only(t.mine.Messages().FindThread(ctx, &message.Message{GmailThreadID: "thread-" + itoa(t.j)})))
	}},
	{name: "conversation of In-Reply-To", run: func(ctx context.Context, t target) error {
		return notFoundIsFine(only(t.mine.Messages().FindThread(ctx, &message.Message{Headers: message.Headers{
			"In-Reply-To": {"<m" + itoa(t.conversations+t.j) + "@example.com>"},
		}})))
	}},
	{name: "page by number with total, one user", run: func(ctx context.Context, t target) error {
		return only(t.mine.Conversations().ListNumbered(ctx, store.ConversationFilter{}, store.NumberRequest{Number: 3, Size: 20}))
	}},
	{name: "archive inactive, one user", write: true, run: func(ctx context.Context, t target) error {
		return only(t.mine.Maintenance().ArchiveInactive(ctx, t.sentAt(0, t.messages)))
	}},
	{name: "archive inactive, all users", write: true, run: func(ctx context.Context, t target) error {
		return only(t.all.Maintenance().ArchiveInactive(ctx, t.sentAt(t.conversations/20, t.messages)))
	}},
	{name: "erase a lead", write: true, run: func(ctx context.Context, t target) error {
		return only(t.mine.Maintenance().EraseLead(ctx, t.lead()))
	}},
	{name: "orphans", whole: true, run: func(ctx context.Context, t target) error {
		return only(t.mine.Maintenance().Orphans(ctx))
	}},
	// The chats of users.
	{name: "user's conversations, newest first", run: func(ctx context.Context, t target) error {
		return t.list(ctx, t.mine, store.ConversationFilter{Order: store.NewestCreated})
	}},
	{name: "user's conversations, newest activity first", run: func(ctx context.Context, t target) error {
		return t.list(ctx, t.mine, store.ConversationFilter{})
	}},
	{name: "user's conversations, second page", run: func(ctx context.Context, t target) error {
		first, err := t.mine.Conversations().List(ctx, store.ConversationFilter{}, page50)
		if err != nil {
			return err
		}
		return only(t.mine.Conversations().List(ctx, store.ConversationFilter{}, store.PageRequest{Limit: 50, After: first.Next}))
	}},
	{name: "user's deleted conversations", run: func(ctx context.Context, t target) error {
		return t.list(ctx, t.mine, store.ConversationFilter{Deleted: store.OnlyDeleted})
	}},
	{name: "everybody's conversations, newest first", run: func(ctx context.Context, t target) error {
		return t.list(ctx, t.all, store.ConversationFilter{Order: store.NewestCreated})
	}},
	{name: "everybody's conversations, newest activity first", run: func(ctx context.Context, t target) error {
		return t.list(ctx, t.all, store.ConversationFilter{})
	}},
	{name: "conversation by id", run: func(ctx context.Context, t target) error {
		return only(t.mine.Conversations().Get(ctx, t.conversation))
	}},
	{name: "conversation by external key", run: func(ctx context.Context, t target) error {
		return only(t.mine.Conversations().GetByExternalKey(ctx, "ext-"+itoa(t.j)))
	}},
	{name: "conversation by id, all users", run: func(ctx context.Context, t target) error {
		return only(t.all.Conversations().Get(ctx, t.conversation))
	}},
	{name: "update title", write: true, run: func(ctx context.Context, t target) error {
		return only(t.mine.Conversations().SetTitle(ctx, t.conversation, "Budget"))
	}},
	{name: "soft delete a conversation", write: true, run: func(ctx context.Context, t target) error {
		return only(t.mine.Conversations().Delete(ctx, t.conversation))
	}},
	{name: "append a message", write: true, run: func(ctx context.Context, t target) error {
		m := newMessage(1)
		m.IdempotencyKey = "delivery"
		return only(t.mine.Messages().Append(ctx, t.conversation, m))
	}},
	{name: "message by id", run: func(ctx context.Context, t target) error {
		return only(t.mine.Messages().Get(ctx, t.messageID(t.j, seqNotDeleted(t.j))))
	}},
	{name: "messages in a conversation, first page", run: func(ctx context.Context, t target) error {
		return t.inThread(ctx, store.MessageFilter{})
	}},
	{name: "last 50 messages", run: func(ctx context.Context, t target) error {
		return only(t.mine.Messages().Last(ctx, t.conversation, 50))
	}},
	{name: "messages around a seq", run: func(ctx context.Context, t target) error {
		return only(t.mine.Messages().Around(ctx, t.conversation, 60, 10))
	}},
	{name: "messages by role in a conversation", run: func(ctx context.Context, t target) error {
		return t.inThread(ctx, store.MessageFilter{Roles: []message.Role{message.RoleUser}})
	}},
	{name: "messages with tool calls in a conversation", run: func(ctx context.Context, t target) error {
		return t.inThread(ctx, store.MessageFilter{HasToolCalls: true})
	}},
	{name: "messages by time of sending in a conversation", run: func(ctx context.Context, t target) error {
		return t.inThread(ctx, store.MessageFilter{Order: store.SentOrder})
	}},
	{name: "user's messages, newest first", run: func(ctx context.Context, t target) error {
		return only(t.mine.Messages().ListByUser(ctx, store.MessageFilter{}, page50))
	}},
	{name: "everybody's messages, newest first", run: func(ctx context.Context, t target) error {
		return only(t.all.Messages().ListByUser(ctx, store.MessageFilter{}, page50))
	}},
	{name: "user's messages with tool calls", run: func(ctx context.Context, t target) error {
		return only(t.mine.Messages().ListByUser(ctx, store.MessageFilter{HasToolCalls: true}, page50))
	}},
	{name: "soft delete a message", write: true, run: func(ctx context.Context, t target) error {
		return only(t.mine.Messages().Delete(ctx, t.messageID(t.j, seqNotDeleted(t.j))))
	}},
	{name: "restore the messages of a conversation", write: true, run: func(ctx context.Context, t target) error {
		return only(t.mine.Messages().RestoreAll(ctx, t.conversation))
	}},
	{name: "approve a suggestion", write: true, run: func(ctx context.Context, t target) error {
		return only(t.reviewer().Suggestions().Approve(ctx, t.waiting(), suggestion.Review{By: "operator"}))
	}},
	{name: "suggestion by id", run: func(ctx context.Context, t target) error {
		return only(t.reviewer().Suggestions().Get(ctx, t.waiting()))
	}},
	{name: "erase a conversation", write: true, run: func(ctx context.Context, t target) error {
		return only(t.mine.Conversations().Erase(ctx, t.conversation))
	}},
	{name: "erase a user", write: true, run: func(ctx context.Context, t target) error {
		return only(t.mine.Maintenance().EraseUser(ctx))
	}},
	{name: "purge what was deleted, one user", write: true, run: func(ctx context.Context, t target) error {
		return only(t.mine.Maintenance().Purge(ctx, t.end()))
	}},
	{name: "purge what was deleted, all users", write: true, run: func(ctx context.Context, t target) error {
		return only(t.all.Maintenance().Purge(ctx, t.sentAt(0, 2)))
	}},
}

// notFoundIsFine for look-ups by what only mails have: the plan is the same.
func notFoundIsFine(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}
