package transfer

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
)

// lines is the library's own format: each conversation on a line, with all its live messages
// and its states. Ids and keys are kept.
type lines struct{}

// lineVersion is the version of the format.
const lineVersion = 1

// line is a line of the file.
type line struct {
	Version      int                        `json:"convostore"`
	Conversation *conversation.Conversation `json:"conversation"`
}

func (lines) marks() []string { return []string{"convostore"} }

func (lines) read(element []byte) (*thread, error) {
	var l line
	if err := json.Unmarshal(element, &l); err != nil {
		return nil, err
	}
	switch {
	case l.Version != lineVersion:
		return nil, fmt.Errorf("the line is of version %d, and this package reads version %d", l.Version, lineVersion)
	case l.Conversation == nil:
		return nil, errors.New("the line has no conversation")
	}
	c := *l.Conversation
	t := &thread{conversation: conversation.Conversation{
		ID: c.ID, App: c.App, LeadID: c.LeadID, ExternalKey: c.ExternalKey, Title: c.Title, Subject: c.Subject, Metadata: c.Metadata,
		Assignee: c.Assignee, SnoozedUntil: c.SnoozedUntil, PinnedAt: c.PinnedAt, HeldAt: c.HeldAt, CreatedAt: c.CreatedAt, UpdatedAt: c.UpdatedAt,
	}, archived: c.Status == conversation.StatusArchived, states: c.States}
	seqs := make(map[int64]bool, len(c.Messages))
	for i, m := range c.Messages {
		if m == nil || m.Seq <= 0 || seqs[m.Seq] {
			return nil, fmt.Errorf("message %d has no seq of its own", i)
		}
		seqs[m.Seq] = true
	}
	var before int64
	for _, m := range c.Messages {
		parent := before
		if m.ParentSeq != nil {
			parent = *m.ParentSeq
		}
		before = m.Seq
		t.nodes = append(t.nodes, lineNode(m, parent))
	}
	if c.HeadSeq != nil {
		t.head = seqID(*c.HeadSeq)
	}
	return t, nil
}

func seqID(seq int64) string {
	if seq <= 0 {
		return ""
	}
	return strconv.FormatInt(seq, 10)
}

// lineNode is a message as it was, without what the append gives it anew. A stream that was going
// on when it was exported has no writer here.
func lineNode(m *message.Message, parent int64) *node {
	n := &node{id: seqID(m.Seq), parent: seqID(parent), at: m.SentAt, message: m, exact: true}
	m.UserID, m.ConversationID, m.Conversation = uuid.Nil, uuid.Nil, nil
	m.Seq, m.ParentSeq, m.Revision, m.ChangeSeq, m.Fence, m.HeartbeatAt = 0, nil, 0, 0, 0, nil
	if m.State == message.StateStreaming {
		m.State = message.StateInterrupted
	}
	return n
}

// write leaves deleted messages out. One below a deleted one names the nearest that is left.
func (lines) write(s *stored) ([]byte, error) {
	c := *s.conversation
	c.Messages = nil
	at := make(map[int64]int64, len(s.messages)) // the nearest live seq
	var before int64
	for _, m := range s.messages {
		above := before
		if m.ParentSeq != nil {
			above = at[*m.ParentSeq]
		} else if len(at) > 0 {
			above = at[before]
		}
		before = m.Seq
		if m.Deleted() {
			at[m.Seq] = above
			continue
		}
		at[m.Seq] = m.Seq
		own := *m
		if c.Branched {
			own.ParentSeq = &above
		}
		c.Messages = append(c.Messages, &own)
	}
	if c.HeadSeq != nil {
		head := at[*c.HeadSeq]
		c.HeadSeq = &head
	}
	return encode(line{lineVersion, &c})
}
