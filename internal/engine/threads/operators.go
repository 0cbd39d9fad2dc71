package threads

import (
	"context"
	"strconv"
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

func (s conversations) Assign(ctx context.Context, id uuid.UUID, assignee string, o store.AssignOptions) (*conversation.Conversation, error) {
	s.sc.Clean.Text(&assignee)
	if err := check.Name("assignee", assignee); err != nil {
		return nil, err
	}
	return s.assign(ctx, id, assignee, o)
}

func (s conversations) Unassign(ctx context.Context, id uuid.UUID, o store.AssignOptions) (*conversation.Conversation, error) {
	return s.assign(ctx, id, "", o)
}

// assign gives a conversation to somebody, or to nobody.
func (s conversations) assign(ctx context.Context, id uuid.UUID, assignee string, o store.AssignOptions) (*conversation.Conversation, error) {
	const isOther = "coalesce(assignee, '') <> "
	condition := query.New(isOther+s.sc.Dialect.Param("text"), assignee)
	var from string
	if o.From != nil {
		from = *o.From
		s.sc.Clean.Text(&from)
		if err := check.Key("from", from); err != nil {
			return nil, err
		}
		condition.Add(" AND coalesce(assignee, '') = "+s.sc.Dialect.Param("text"), from)
	}
	c, err := s.updateWhere(ctx, "assign conversation", id, store.ExcludeDeleted, query.New("assignee = ?", record.Null(assignee)), condition,
		func(c *conversation.Conversation) bool {
			return c.Assignee != assignee && (o.From == nil || c.Assignee == from)
		})
	if err == nil && c.Assignee != assignee {
		return nil, &store.AssignedError{ConversationID: id, Assignee: c.Assignee}
	}
	return c, err
}

func (s conversations) Snooze(ctx context.Context, id uuid.UUID, until time.Time) (*conversation.Conversation, error) {
	until = message.Instant(until)
	if err := check.Time("snoozed_until", until); err != nil {
		return nil, err
	}
	if !until.After(s.sc.Instant()) {
		return nil, rule.Invalid("snoozed_until", "is not after now")
	}
	return s.updateWhere(ctx, "snooze conversation", id, store.ExcludeDeleted, query.New("snoozed_until = ?", until),
		query.New("(snoozed_until IS NULL OR snoozed_until <> ?)", until),
		func(c *conversation.Conversation) bool { return c.SnoozedUntil == nil || !c.SnoozedUntil.Equal(until) })
}

func (s conversations) Unsnooze(ctx context.Context, id uuid.UUID) (*conversation.Conversation, error) {
	return s.updateWhere(ctx, "unsnooze conversation", id, store.ExcludeDeleted, query.New("snoozed_until = NULL"), query.New("snoozed_until IS NOT NULL"),
		func(c *conversation.Conversation) bool { return c.SnoozedUntil != nil })
}

func (s conversations) Pin(ctx context.Context, id uuid.UUID) (*conversation.Conversation, error) {
	return s.updateWhere(ctx, "pin conversation", id, store.ExcludeDeleted, query.New("pinned_at = ?", s.sc.Instant()), query.New("pinned_at IS NULL"),
		func(c *conversation.Conversation) bool { return c.PinnedAt == nil })
}

func (s conversations) Unpin(ctx context.Context, id uuid.UUID) (*conversation.Conversation, error) {
	return s.updateWhere(ctx, "unpin conversation", id, store.ExcludeDeleted, query.New("pinned_at = NULL"), query.New("pinned_at IS NOT NULL"),
		func(c *conversation.Conversation) bool { return c.PinnedAt != nil })
}

func (s conversations) Counts(ctx context.Context, assignee string) (store.QueueCounts, error) {
	var counts store.QueueCounts
	if err := s.sc.CleanFilter("assignee", &assignee); err != nil {
		return counts, err
	}
	if err := check.Key("assignee", assignee); err != nil {
		return counts, err
	}
	db, err := s.sc.Reading(ctx)
	if err != nil {
		return counts, err
	}
	queue := store.ConversationFilter{Statuses: []conversation.Status{conversation.StatusNeedsReply}}
	mine, nobodys := queue, queue
	mine.Assignee, nobodys.Unassigned = assignee, true
	q := query.New("SELECT ").Append(newListed(s.sc, queue).length()).
		Add(", ").Append(newListed(s.sc, queue).drafts()).
		Add(", ").Append(newListed(s.sc, nobodys).length()).
		Add(", ").Append(newListed(s.sc, store.ConversationFilter{Snoozed: store.OnlySnoozed}).length())
	dest := []any{&counts.NeedsReply, &counts.WithDraft, &counts.Unassigned, &counts.Snoozed}
	if assignee != "" {
		q.Add(", ").Append(newListed(s.sc, mine).length())
		dest = append(dest, &counts.Mine)
	}
	_, err = q.Row(db, dest...)
	return counts, query.Wrap("count queues", err)
}

// length counts the rows of a list without HasDraft, up to MaxQueueCount. It reads them in the order of
// the list, so that the database takes the list's indexes.
func (l listed) length() *query.Query {
	var parts []*query.Query
	for _, p := range l.parts(true) {
		if l.f.Snoozed == store.OnlySnoozed && !l.sc.All {
			p.through = l.sc.Through("conversations_snoozed_idx")
		}
		q := fromMatching(l.sc, query.New("SELECT 1 AS n"), l.f, p)
		switch {
		case l.f.Snoozed == store.OnlySnoozed:
			q.Add(" ORDER BY snoozed_until")
		case p.bounded:
			q.Add(" ORDER BY " + l.sortOf(p).First() + l.direction)
		}
		parts = append(parts, p.limit(l.sc, q, store.MaxQueueCount))
	}
	return most(together(parts, "n"))
}

// drafts counts the conversations of the queue that have a pending suggestion, up to MaxQueueCount. It
// goes through the suggestions, the newest of each conversation: most of those that are pending are for
// what waits.
func (l listed) drafts() *query.Query {
	of := l.sc.Tables.Suggestions
	index := "ai_suggestions_pending_idx"
	if l.sc.All {
		index = "ai_suggestions_all_pending_idx"
	}
	q := query.New("SELECT 1 AS n FROM " + of + " s" + l.sc.Through(index) + " WHERE " + pending("s."))
	l.sc.Owned(q, "s.").
		Add(" AND (SELECT "+scope.StatusIs(l.f.Statuses)+" AND c.deleted_at IS NULL AND (c.snoozed_until IS NULL OR c.snoozed_until <= ?) FROM "+
			l.sc.Tables.Conversations+" c WHERE c.id = s.conversation_id AND c.user_id = s.user_id)", l.now).
		Add(" AND s.id = (SELECT x.id FROM " + newestDraft(l.sc, "s.conversation_id", "s.user_id") + ")").
		Add(" ORDER BY s.created_at DESC, s.id DESC LIMIT " + strconv.Itoa(store.MaxQueueCount))
	return most(q)
}

// most counts the rows of a query, up to MaxQueueCount.
func most(q *query.Query) *query.Query {
	return query.New("(SELECT count(*) FROM (SELECT n FROM (").Append(q).Add(") p LIMIT " + strconv.Itoa(store.MaxQueueCount) + ") n)")
}
