package conversation

import (
	"time"

	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
)

// Assign gives the conversation to somebody, whoever has it. It returns a *rule.InvalidError for a name
// that is empty, has more than 1,024 bytes, U+0000 or invalid UTF-8.
func (c *Conversation) Assign(assignee string) error {
	if err := check.Name("assignee", assignee); err != nil {
		return err
	}
	c.setAssignee(assignee)
	return nil
}

// Unassign takes the conversation from who has it.
func (c *Conversation) Unassign() { c.setAssignee("") }

func (c *Conversation) setAssignee(assignee string) {
	if c.Assignee != assignee {
		c.Assignee, c.UpdatedAt = assignee, message.Now()
	}
}

// Snooze takes the conversation out of the queue until a time. It returns a *rule.InvalidError for one
// that is not after now.
func (c *Conversation) Snooze(until time.Time) error {
	until = message.Instant(until)
	if err := check.Time("snoozed_until", until); err != nil {
		return err
	}
	now := message.Now()
	if !until.After(now) {
		return rule.Invalid("snoozed_until", "is not after now")
	}
	if c.SnoozedUntil == nil || !c.SnoozedUntil.Equal(until) {
		c.SnoozedUntil, c.UpdatedAt = &until, now
	}
	return nil
}

// Unsnooze brings the conversation back to the queue.
func (c *Conversation) Unsnooze() {
	if c.SnoozedUntil != nil {
		c.SnoozedUntil, c.UpdatedAt = nil, message.Now()
	}
}

// SnoozedAt reports whether the conversation is snoozed at t, which is mostly now.
func (c *Conversation) SnoozedAt(t time.Time) bool {
	return c.SnoozedUntil != nil && c.SnoozedUntil.After(t)
}

// Pin marks the conversation for the top of lists. One that is pinned keeps its time.
func (c *Conversation) Pin() {
	if !c.Pinned() {
		now := message.Now()
		c.PinnedAt, c.UpdatedAt = &now, now
	}
}

// Unpin takes the mark off.
func (c *Conversation) Unpin() {
	if c.Pinned() {
		c.PinnedAt, c.UpdatedAt = nil, message.Now()
	}
}

// Pinned reports whether the conversation is pinned.
func (c *Conversation) Pinned() bool { return c.PinnedAt != nil }
