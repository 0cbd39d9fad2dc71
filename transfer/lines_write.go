package transfer

import (
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/suggestion"
)

// write leaves out what is deleted and gives the messages that are left the seqs that they get when
// they are imported: 1, 2, 3 and so on. A message below a deleted one follows the nearest that is
// left.
func (lines) write(s *stored) ([]byte, error) {
	c := *s.conversation
	n := numberLive(s.messages)
	c.Messages = nil
	for _, m := range s.messages {
		if m.Deleted() {
			continue
		}
		own := *m
		own.Seq, own.ParentSeq = n.at[m.Seq], nil
		if parent := n.at[n.above[m.Seq]]; parent != own.Seq-1 {
			own.ParentSeq, c.Branched = &parent, true // the row may be from before the branch
		}
		c.LastChangeSeq = max(c.LastChangeSeq, m.ChangeSeq)
		own.State = ended(m.State)
		c.Messages = append(c.Messages, &own)
	}
	c.LastSeq = int64(len(c.Messages))
	if c.HeadSeq != nil {
		if head := n.at[*c.HeadSeq]; head != c.LastSeq {
			c.HeadSeq = &head
		} else {
			c.HeadSeq = nil
		}
	}
	n.renumber(&c)
	l := line{Version: lineVersion, Conversation: &c, Deliveries: s.deliveries}
	if err := l.canonical(); err != nil {
		return nil, err
	}
	return encode(l)
}

// numbering maps the seqs of a conversation to those of its live messages alone.
type numbering struct {
	// at has the new seq of every message, or of the nearest live one above a deleted one; 0 if
	// there is none.
	at map[int64]int64
	// above has the parent of every message.
	above map[int64]int64
	// live are the old seqs of live messages, in order, so that the new ones are their places.
	live []int64
	ids  map[uuid.UUID]bool
}

func numberLive(messages []*message.Message) *numbering {
	n := &numbering{at: map[int64]int64{}, above: map[int64]int64{}, ids: map[uuid.UUID]bool{}}
	before := int64(0)
	for _, m := range messages {
		parent := before
		if m.ParentSeq != nil {
			parent = *m.ParentSeq
		}
		before, n.above[m.Seq] = m.Seq, parent
		if m.Deleted() {
			n.at[m.Seq] = n.at[parent]
			continue
		}
		n.live = append(n.live, m.Seq)
		n.ids[m.ID] = true
		n.at[m.Seq] = int64(len(n.live))
	}
	return n
}

// upTo is the number of live messages with this seq or a lower one.
func (n *numbering) upTo(seq int64) int64 {
	i, found := slices.BinarySearch(n.live, seq)
	if found {
		i++
	}
	return int64(i)
}

// renumber changes the seqs that rows beside the messages have. Suggestions that quote or became a
// message that is not there any more go with it.
func (n *numbering) renumber(c *conversation.Conversation) {
	for _, r := range c.Reads {
		r.Seq = n.upTo(r.Seq)
	}
	for _, s := range c.Summaries {
		s.FromSeq = max(n.upTo(s.FromSeq-1)+1, 1)
		s.ToSeq = max(n.upTo(s.ToSeq), s.FromSeq)
		if strings.HasPrefix(s.CoveredHash, libraryHash) {
			s.CoveredHash = libraryHash
		}
	}
	gone := func(id *uuid.UUID) bool { return id != nil && !n.ids[*id] }
	c.Suggestions = slices.DeleteFunc(c.Suggestions, func(s *suggestion.Suggestion) bool {
		s.AnswersSeq = n.upTo(s.AnswersSeq)
		return gone(s.InReplyToMessageID) || gone(s.SentMessageID)
	})
}

// libraryHash is how a hash that the library made begins, and in a file all that is left of it: the
// import makes it anew.
const libraryHash = "convostore:"

// canonical makes every document of the line the same whichever database it came from.
func (l *line) canonical() error {
	models := []any{l.Conversation}
	for _, m := range l.Conversation.Messages {
		models = append(models, m)
	}
	for _, s := range l.Conversation.Suggestions {
		models = append(models, s)
	}
	for _, m := range models {
		if err := canonical(m); err != nil {
			return err
		}
	}
	return nil
}
