package storetest

import (
	"cmp"
	"slices"
	"time"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

func (o *oracle) Summary(p store.Period) store.Summary {
	counts := func(deleted bool) store.StatusCounts {
		having := func(s conversation.Status) int64 {
			return count(o.conversations, func(c *conversation.Conversation) bool {
				return c.Status == s && c.Deleted() == deleted && during(p, c.CreatedAt)
			})
		}
		return store.StatusCounts{
			Active: having(conversation.StatusActive), NeedsReply: having(conversation.StatusNeedsReply),
			Waiting: having(conversation.StatusWaiting), Archived: having(conversation.StatusArchived),
		}
	}
	return store.Summary{Live: counts(false), Deleted: counts(true)}
}

// Daily is the one day, without any other bounds.
func (o *oracle) Daily(at time.Time) store.Daily {
	day := civil(at, at.Location())
	p := store.Period{Zone: at.Location()}
	p.Since, _ = firstMoment(day, at.Location())
	p.Before, _ = firstMoment(day.AddDate(0, 0, 1), at.Location())
	return o.DailySeries(p)[0]
}

func (o *oracle) DailySeries(p store.Period) []store.Daily {
	p = o.series(p)
	started, sent, drafted := inDays(p, o.started(), startedAt), inDays(p, o.messages, sentAt), inDays(p, o.suggestions, draftedAt)
	var rows []store.Daily
	for _, d := range days(p) {
		cs, ms := started[d.Date], sent[d.Date]
		rows = append(rows, store.Daily{
			Day: d, NewConversations: int64(len(cs)), NeedsReply: count(cs, needsReply),
			Messages: int64(len(ms)), Inbound: count(ms, hasDirection(message.DirectionInbound)),
			Outbound: count(ms, hasDirection(message.DirectionOutbound)), Suggestions: stats(drafted[d.Date]),
		})
	}
	return rows
}

func needsReply(c *conversation.Conversation) bool {
	return c.Status == conversation.StatusNeedsReply
}

func (o *oracle) MostActive(t store.Top) []store.ConversationActivity {
	var rows []store.ConversationActivity
	for id, ms := range grouped(o.sent(t.Period), threadOf) {
		times := slices.SortedFunc(slices.Values(collectTimes(ms)), time.Time.Compare)
		rows = append(rows, store.ConversationActivity{
			ConversationRef: o.ref(id), Messages: int64(len(ms)),
			Inbound:  count(ms, hasDirection(message.DirectionInbound)),
			Outbound: count(ms, hasDirection(message.DirectionOutbound)),
			FirstAt:  times[0], LastAt: times[len(times)-1],
		})
	}
	slices.SortFunc(rows, func(a, b store.ConversationActivity) int {
		return cmp.Or(cmp.Compare(b.Messages, a.Messages), b.LastAt.Compare(a.LastAt), byID(a.ConversationID, b.ConversationID))
	})
	return top(rows, t.Limit)
}

func collectTimes(ms []*message.Message) []time.Time {
	var times []time.Time
	for _, m := range ms {
		times = append(times, m.SentAt)
	}
	return times
}

func (o *oracle) Unread(since time.Time) []*store.UnreadConversation {
	var rows []*store.UnreadConversation
	for _, c := range o.started() {
		if needsReply(c) && !c.LastMessageAt.Before(since) {
			row := &store.UnreadConversation{ConversationRef: o.ref(c.ID), LastMessageAt: c.LastMessageAt}
			row.Unanswered, row.WaitingSince = unanswered(o.threads[c.ID])
			rows = append(rows, row)
		}
	}
	slices.SortFunc(rows, func(a, b *store.UnreadConversation) int {
		return cmp.Or(b.LastMessageAt.Compare(a.LastMessageAt), byID(b.ConversationID, a.ConversationID))
	})
	return rows
}

// unanswered looks at what came in after the last message that went out.
func unanswered(thread []*message.Message) (n int64, since *time.Time) {
	for _, m := range thread {
		switch {
		case m.Direction == message.DirectionOutbound && !undelivered(m):
			n, since = 0, nil
		case m.Direction == message.DirectionInbound:
			if n++; n == 1 {
				since = &m.SentAt
			}
		}
	}
	return n, since
}

func (o *oracle) MessagesWithAttachments(p store.Period) []*store.AttachedMessage {
	ms := filter(o.messages, func(m *message.Message) bool { return len(m.Attachments) > 0 && during(p, m.SentAt) })
	slices.SortFunc(ms, func(a, b *message.Message) int {
		return cmp.Or(b.SentAt.Compare(a.SentAt), byID(b.ID, a.ID))
	})
	var rows []*store.AttachedMessage
	for _, m := range ms {
		rows = append(rows, &store.AttachedMessage{
			ConversationRef: o.ref(m.ConversationID), MessageID: m.ID, Direction: m.Direction,
			SentAt: m.SentAt, CreatedAt: m.CreatedAt, Attachments: m.Attachments,
		})
	}
	return rows
}

func (o *oracle) AttachmentCounts(t store.Top) []store.ConversationAttachments {
	ms := filter(o.sent(t.Period), func(m *message.Message) bool { return len(m.Attachments) > 0 })
	var rows []store.ConversationAttachments
	for id, group := range grouped(ms, threadOf) {
		row := store.ConversationAttachments{ConversationRef: o.ref(id), Messages: int64(len(group))}
		for _, m := range group {
			row.Attachments += int64(len(m.Attachments))
		}
		rows = append(rows, row)
	}
	slices.SortFunc(rows, func(a, b store.ConversationAttachments) int {
		return cmp.Or(cmp.Compare(b.Attachments, a.Attachments), byID(a.ConversationID, b.ConversationID))
	})
	return top(rows, t.Limit)
}
