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
		active = true
	}
	if c.LastMessageAt = c.CreatedAt; active {
		c.LastMessageAt = latest
	}
	switch {
	case Status("").AfterMessage(m) != "" && (turn == nil || !at.Before(Activity(turn.OrderedAt(), message.Now()))):
		c.Status = c.Status.AfterMessage(m)
	case !switched || c.Status == StatusArchived:
	case turn == nil:
		c.Status = StatusActive
	default:
		c.Status = c.Status.AfterMessage(turn)
	}
}

// latestBefore tells whether a live message on the path before m is activity, when the latest of them was
// ordered, and which one is the latest turn.
func (c *Conversation) latestBefore(m *message.Message) (active bool, latest time.Time, turn *message.Message) {
	var turnAt time.Time
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
		if Status("").AfterMessage(o) != "" && (turn == nil || at.After(turnAt)) {
			turn, turnAt = o, at
		}
		active = true
	}
	return active, latest, turn
}
