package transfer

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/suggestion"
)

// lines is the library's own format: each conversation on a line, with everything that is live in
// it. Ids, keys, times and versions are kept.
type lines struct{}

func (lines) marks() []string { return []string{"convostore"} }

// lineRows are what a line has beside the messages.
type lineRows struct {
	// conversation is the row as it was.
	conversation conversation.Conversation
	// seqs are those of the file that have a message, in order.
	seqs        []int64
	suggestions []placed[suggestion.Suggestion]
	labels      []placed[conversation.Label]
	reads       []placed[conversation.Read]
	states      []placed[conversation.State]
	summaries   []placed[conversation.Summary]
	deliveries  []placed[message.OutboxEntry]
	// What belongs to messages names its message, whatever the file says of that.
	embeddings []placed[message.Embedding]
	refs       []placed[message.Ref]
	votes      []placed[message.Vote]
}

func (lines) read(element []byte) (*thread, error) {
	var l rawLine
	if err := decodeAt("line", element, &l); err != nil {
		return nil, err
	}
	states := 0
	for _, doc := range []json.RawMessage{l.UserState, l.AppState} {
		if doc != nil {
			states++
		}
	}
	switch {
	case l.Version != lineVersion:
		return nil, rule.Invalid("convostore", "is version %d of the format, and this package reads version %d", l.Version, lineVersion)
	case states == 1 && l.Conversation == nil:
		return readState(l)
	case l.Conversation == nil || states > 0:
		return nil, rule.Invalid("conversation", "is not the one thing on the line")
	}
	var c rawConversation
	if err := decodeAt("conversation", l.Conversation, &c); err != nil {
		return nil, err
	}
	if c.LastChangeSeq > mostChanges {
		return nil, rule.Invalid("conversation.last_change_seq", "is above %d", int64(mostChanges))
	}
	t := &thread{conversation: c.Conversation, owner: c.UserID}
	t.conversation.UserID = uuid.Nil
	t.rows = &lineRows{
		conversation: t.conversation,
		suggestions:  decodeRows[suggestion.Suggestion](&t.problems, "conversation.suggestions", c.Suggestions),
		labels:       decodeRows[conversation.Label](&t.problems, "conversation.labels", c.Labels),
		reads:        decodeRows[conversation.Read](&t.problems, "conversation.reads", c.Reads),
		states:       decodeRows[conversation.State](&t.problems, "conversation.states", c.States),
		summaries:    decodeRows[conversation.Summary](&t.problems, "conversation.summaries", c.Summaries),
		deliveries:   decodeRows[message.OutboxEntry](&t.problems, "deliveries", l.Deliveries),
	}
	t.readLineMessages(c.Messages)
	if c.HeadSeq != nil {
		t.head = seqID(*c.HeadSeq)
	}
	return t, nil
}

// readLineMessages makes nodes of the messages. One that cannot be read is a node without a
// message if its seq can be, so that those below it follow the one above it.
func (t *thread) readLineMessages(docs []json.RawMessage) {
	l := &lineReader{thread: t, ids: map[string]bool{}}
	for i, doc := range docs {
		path := fmt.Sprintf("conversation.messages[%d]", i)
		var m rawMessage
		err := decodeAt(path, doc, &m)
		if err == nil {
			err = l.add(path, &m)
		}
		if err == nil {
			continue
		}
		var place struct {
			Seq       int64  `json:"seq"`
			ParentSeq *int64 `json:"parent_seq"`
		}
		id := ""
		if json.Unmarshal(doc, &place) == nil && place.Seq > l.before {
			parent := l.parent(place.ParentSeq)
			if parent >= place.Seq { // a circle
				parent = l.before
			}
			t.nodes = append(t.nodes, &node{id: seqID(place.Seq), parent: seqID(parent)})
			l.before, id = place.Seq, seqID(place.Seq)
		}
		t.problems = append(t.problems, Problem{Node: id, Err: err})
	}
}

// mostChanges leaves room for the changes that are still to come, which count on.
const mostChanges = 1 << 53

// lineReader reads the messages of a line.
type lineReader struct {
	*thread
	before int64 // the seq of the message before
	ids    map[string]bool
}

func (l *lineReader) parent(given *int64) int64 {
	if given != nil {
		return *given
	}
	return l.before
}

// add makes a node of a message, without what the append gives it anew. A stream that was going
// on when it was exported has no writer here.
func (l *lineReader) add(path string, m *rawMessage) error {
	switch {
	case m.Seq <= l.before:
		return rule.Invalid(path+".seq", "is not above that of the message before")
	case m.ParentSeq != nil && *m.ParentSeq >= m.Seq:
		return rule.Invalid(path+".parent_seq", "is not before the message's own seq")
	case m.ID == uuid.Nil:
		return rule.Invalid(path+".id", "is not set")
	case m.ChangeSeq > mostChanges:
		return rule.Invalid(path+".change_seq", "is above %d", int64(mostChanges))
	case m.Revision > mostChanges:
		return rule.Invalid(path+".revision", "is above %d", int64(mostChanges))
	case m.Deleted():
		return rule.Invalid(path+".deleted_at", "is set: what was deleted is not imported")
	}
	change := seqID(m.ChangeSeq)
	for field, id := range map[string]string{"id": m.ID.String(), "idempotency_key": m.IdempotencyKey, "change_seq": change} {
		if id != "" && l.ids[field+id] {
			return rule.Invalid(path+"."+field, "is that of an earlier message")
		}
	}
	l.ids["id"+m.ID.String()], l.ids["idempotency_key"+m.IdempotencyKey], l.ids["change_seq"+change] = true, true, true

	row := &m.Message
	l.nodes = append(l.nodes, &node{id: seqID(m.Seq), parent: seqID(l.parent(m.ParentSeq)), path: path, at: m.SentAt, message: row})
	l.before = m.Seq
	l.rows.seqs = append(l.rows.seqs, m.Seq)
	for _, e := range decodeRows[message.Embedding](&l.problems, path+".embeddings", m.Embeddings) {
		e.row.MessageID = m.ID
		l.rows.embeddings = append(l.rows.embeddings, e)
	}
	for _, r := range decodeRows[message.Ref](&l.problems, path+".refs", m.Refs) {
		r.row.MessageID = m.ID
		l.rows.refs = append(l.rows.refs, r)
	}
	for _, v := range decodeRows[message.Vote](&l.problems, path+".votes", m.Votes) {
		v.row.MessageID = m.ID
		l.rows.votes = append(l.rows.votes, v)
	}
	row.UserID, row.ConversationID, row.Conversation = uuid.Nil, uuid.Nil, nil
	row.Seq, row.ParentSeq = 0, nil
	row.State = ended(row.State)
	return nil
}

// ended is the state of a message that nobody writes to any more.
func ended(s message.State) message.State {
	if s == message.StateStreaming {
		return message.StateInterrupted
	}
	return s
}

func seqID(seq int64) string {
	if seq <= 0 {
		return ""
	}
	return strconv.FormatInt(seq, 10)
}
