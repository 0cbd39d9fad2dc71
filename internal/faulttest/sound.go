package faulttest

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/suggestion"
)

// The rules of docs/kinds.md and docs/drafts.md for what the clients write: whole messages of the
// kind message, none of them in an outbox, in conversations without branches that nobody archives.
// They are in plain Go and call nothing that the library has for them.

// sound fails unless a conversation's messages are numbered 1, 2, 3 …, and its seq, activity and
// status and the state of its suggestions follow from them.
func sound(d *data, id uuid.UUID) error {
	c := d.threads[id]
	var ms []*message.Message
	for _, m := range d.messages {
		if m.ConversationID == id {
			ms = append(ms, m)
		}
	}
	slices.SortFunc(ms, func(a, b *message.Message) int { return cmp.Compare(a.Seq, b.Seq) })
	for i, m := range ms {
		if m.Seq != int64(i+1) {
			return fmt.Errorf("conversation %s has message %d in place %d", id, m.Seq, i+1)
		}
	}
	status, at := follows(c.CreatedAt, ms)
	if c.LastSeq != int64(len(ms)) || c.Status != status || !c.LastMessageAt.Equal(at) {
		return fmt.Errorf("conversation %s has seq %d, status %s, activity %s, and its %d messages say %s, %s",
			id, c.LastSeq, c.Status, c.LastMessageAt, len(ms), status, at)
	}
	for _, s := range d.suggestions {
		if s.ConversationID != id {
			continue
		}
		if err := waits(s, ms); err != nil {
			return err
		}
	}
	return nil
}

// follows returns the status and the activity that a conversation has by its messages, which are
// in the order of their seqs: those of the latest one that is live.
func follows(created time.Time, ms []*message.Message) (conversation.Status, time.Time) {
	var latest *message.Message
	for _, m := range ms {
		if !m.DeletedAt.Valid && (latest == nil || !sentAt(m).Before(sentAt(latest))) {
			latest = m
		}
	}
	switch {
	case latest == nil:
		return conversation.StatusActive, created
	case latest.Direction == message.DirectionInbound:
		return conversation.StatusNeedsReply, sentAt(latest)
	}
	return conversation.StatusWaiting, sentAt(latest)
}

// waits fails if a suggestion waits that a message of the conversation has overtaken, or if one was
// superseded that none has. When a message was deleted is not asked: one that is deleted by now may
// have been so before the suggestion was made, or may have superseded it first.
func waits(s *suggestion.Suggestion, ms []*message.Message) error {
	live := slices.DeleteFunc(slices.Clone(ms), func(m *message.Message) bool { return m.DeletedAt.Valid })
	switch {
	case s.Status == suggestion.StatusPending && overtaken(s.AnswersSeq, live, ms):
		return fmt.Errorf("suggestion %s is pending, and a message has overtaken it", s.ID)
	case s.Status == suggestion.StatusSuperseded && !overtaken(s.AnswersSeq, ms, live):
		return fmt.Errorf("suggestion %s is superseded, and no message has overtaken it", s.ID)
	}
	return nil
}

// overtaken tells whether a message came in after a seq, and none up to that seq was sent later.
func overtaken(answers int64, ms, seen []*message.Message) bool {
	in := func(m *message.Message) bool { return m.Direction == message.DirectionInbound }
	return slices.ContainsFunc(ms, func(m *message.Message) bool {
		return in(m) && m.Seq > answers && !slices.ContainsFunc(seen, func(s *message.Message) bool {
			return in(s) && s.Seq <= answers && sentAt(s).After(sentAt(m))
		})
	})
}

// sentAt is when a message was sent, but not later than it was stored.
func sentAt(m *message.Message) time.Time {
	if m.CreatedAt.Before(m.SentAt) {
		return m.CreatedAt
	}
	return m.SentAt
}
