package conversation

import (
	"time"

	"github.com/convostore/convostore/message"
)

// move moves LastMessageAt and Status by the next message, which has its seq and its parent. switched
// says that its path is another one than that of the head so far.
func (c *Conversation) move(m *message.Message, switched bool) {
	at, known := Activity(m.OrderedAt(), message.Now()), int64(len(c.Messages)) == c.LastSeq
	if !switched && (!m.Kind.Counts() || c.LastSeq > 0 && !at.Before(c.LastMessageAt)) || !known {
		if m.Kind.Counts() && (c.LastSeq == 0 || !at.Before(c.LastMessageAt)) {
			c.LastMessageAt, c.Status = at, c.Status.AfterMessage(m)
		}
		return
	}
	active, latest, turn := c.latestBefore(m)
	if m.Kind.Counts() {
		if !active || at.After(latest) {
			latest = at
		}
		if !at.Before(turn) {
			c.Status = c.Status.AfterMessage(m)
		}
		active = true
	}
	if c.LastMessageAt = c.CreatedAt; active {
		c.LastMessageAt = latest
	}
}

// latestBefore tells whether a live message on the path before m is activity, when the latest of them was
// ordered, and when the latest turn.
func (c *Conversation) latestBefore(m *message.Message) (active bool, latest, turn time.Time) {
	bySeq := make(map[int64]*message.Message, len(c.Messages))
	for _, o := range c.Messages {
		bySeq[o.Seq] = o
	}
	for o := bySeq[m.Parent()]; o != nil; o = bySeq[o.Parent()] {
		if o.Deleted() || !o.Kind.Counts() {
			continue
		}
		at := Activity(o.OrderedAt(), message.Now())
		if !active || at.After(latest) {
			latest = at
		}
		if Status("").AfterMessage(o) != "" && at.After(turn) {
			turn = at
		}
		active = true
	}
	return active, latest, turn
}
