package engine_test

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
)

// modelNode is a message of a modelThread.
type modelNode struct {
	id          uuid.UUID
	seq, parent int64
	content     string
	key         string
	sentAt      time.Time
	direction   message.Direction
	note        bool
	role        message.Role
	tools       bool
	files       bool
	deleted     bool
}

// modelThread says what a conversation with branches must be like: every message has its parent by
// itself, and a path is a walk over parents.
type modelThread struct {
	id         uuid.UUID
	nodes      map[int64]*modelNode
	last, head int64
	status     conversation.Status
	createdAt  time.Time
}

func newModelThread(c *conversation.Conversation) *modelThread {
	return &modelThread{
		id: c.ID, nodes: map[int64]*modelNode{},
		status: conversation.StatusActive, createdAt: c.CreatedAt,
	}
}

// add appends a message under a parent.
func (m *modelThread) add(n *modelNode, parent int64) {
	switched := parent != m.head
	m.last++
	n.seq, n.parent = m.last, parent
	m.head, m.nodes[n.seq] = n.seq, n
	if turn := m.latestTurn(); turn == n || switched && m.status != conversation.StatusArchived {
		m.status = statusOf(turn)
	}
}

// activity is when the latest live message of the path of the head was sent.
func (m *modelThread) activity() time.Time {
	at, found := m.createdAt, false
	for _, n := range live(m.path(m.head)) {
		if !n.note && (!found || n.sentAt.After(at)) {
			at, found = n.sentAt, true
		}
	}
	return at
}

// latestTurn is the latest live message on the path of the head, nil if there is none.
func (m *modelThread) latestTurn() (turn *modelNode) {
	for _, n := range live(m.path(m.head)) {
		if !n.note && (turn == nil || !n.sentAt.Before(turn.sentAt)) {
			turn = n
		}
	}
	return turn
}

func statusOf(turn *modelNode) conversation.Status {
	if turn == nil {
		return conversation.StatusActive
	}
	return conversation.StatusActive.After(turn.direction)
}

// recount gives the status of the path, unless the conversation is archived.
func (m *modelThread) recount() {
	if m.status != conversation.StatusArchived {
		m.status = statusOf(m.latestTurn())
	}
}

// mark deletes or restores a message. It moves the status if it was the latest one, or is.
func (m *modelThread) mark(n *modelNode, deleted bool) {
	was := m.latestTurn()
	n.deleted = deleted
	if m.latestTurn() != was {
		m.recount()
	}
}

// setHead shows another path.
func (m *modelThread) setHead(seq int64) {
	if seq != m.head {
		m.head = seq
		m.recount()
	}
}

// path returns the messages of the path that ends with a seq, deleted ones included.
func (m *modelThread) path(end int64) []*modelNode {
	var path []*modelNode
	for seq := end; seq > 0; seq = m.nodes[seq].parent {
		path = append(path, m.nodes[seq])
	}
	slices.Reverse(path)
	return path
}

func live(nodes []*modelNode) []*modelNode {
	return slices.DeleteFunc(slices.Clone(nodes), func(n *modelNode) bool { return n.deleted })
}

func contentsOf(nodes []*modelNode) []string {
	all := []string{}
	for _, n := range live(nodes) {
		all = append(all, n.content)
	}
	return all
}

// truncate hides what follows a seq on the path of the head.
func (m *modelThread) truncate(seq int64, free bool) (hidden int64) {
	path := m.path(m.head)
	follows := slices.DeleteFunc(slices.Clone(path), func(n *modelNode) bool { return n.seq <= seq })
	if len(follows) == 0 {
		return 0
	}
	for _, n := range follows {
		if !n.deleted {
			hidden++
		}
		if n.deleted = true; free {
			n.key = ""
		}
	}
	m.setHead(seq)
	return hidden
}

// purge removes deleted messages; their children move up.
func (m *modelThread) purge() (removed int64) {
	up := func(seq int64) int64 {
		for seq > 0 && m.nodes[seq].deleted {
			seq = m.nodes[seq].parent
		}
		return seq
	}
	m.head = up(m.head)
	for _, n := range m.nodes {
		if !n.deleted {
			n.parent = up(n.parent)
		}
	}
	for seq, n := range m.nodes {
		if n.deleted {
			delete(m.nodes, seq)
			removed++
		}
	}
	return removed
}

// siblings returns the live messages with the same parent, in the order of seq.
func (m *modelThread) siblings(seq int64) []*modelNode {
	var all []*modelNode
	for _, n := range m.nodes {
		if n.parent == m.nodes[seq].parent && !n.deleted {
			all = append(all, n)
		}
	}
	slices.SortFunc(all, func(a, b *modelNode) int { return int(a.seq - b.seq) })
	return all
}

// tip returns the newest live message that comes after a message, or the message.
func (m *modelThread) tip(seq int64) int64 {
	tip := seq
	for _, n := range m.nodes {
		if !n.deleted && n.seq > tip && slices.Contains(m.path(n.seq), m.nodes[seq]) {
			tip = n.seq
		}
	}
	return tip
}

// keyed returns the message with an idempotency key, or nil.
func (m *modelThread) keyed(key string) *modelNode {
	for _, n := range m.nodes {
		if key != "" && n.key == key {
			return n
		}
	}
	return nil
}
