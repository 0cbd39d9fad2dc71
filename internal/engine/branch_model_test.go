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
	activity   time.Time
	createdAt  time.Time
}

func newModelThread(c *conversation.Conversation) *modelThread {
	return &modelThread{
		id: c.ID, nodes: map[int64]*modelNode{},
		status: conversation.StatusActive, activity: c.LastMessageAt, createdAt: c.CreatedAt,
	}
}

// add appends a message under a parent.
func (m *modelThread) add(n *modelNode, parent int64) {
	m.addTo(n, parent, m.last == 0)
}

func (m *modelThread) addTo(n *modelNode, parent int64, first bool) {
	if first || n.sentAt.After(m.activity) {
		m.activity = n.sentAt
	}
	m.status = m.status.After(n.direction)
	m.last++
	n.seq, n.parent = m.last, parent
	m.head, m.nodes[n.seq] = n.seq, n
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
	m.head, m.activity = seq, m.createdAt
	status := conversation.StatusActive
	for i, n := range live(m.path(seq)) {
		if status = status.After(n.direction); i == 0 || n.sentAt.After(m.activity) {
			m.activity = n.sentAt
		}
	}
	if m.status != conversation.StatusArchived {
		m.status = status
	}
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
