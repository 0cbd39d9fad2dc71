package transfer

import (
	"cmp"
	"container/heap"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/internal/clean"
	"github.com/convostore/convostore/message"
)

// thread is a conversation of a file.
type thread struct {
	conversation conversation.Conversation
	// archived says that the conversation was archived.
	archived bool
	// header is what the file says of the conversation without its messages, nil if Export needs
	// none.
	header []byte
	// What only the library's own format has: whose the conversation was, what it has beside its
	// messages, a state in the place of a conversation, and what cannot be read.
	owner    uuid.UUID
	rows     *lineRows
	state    *looseState
	problems []Problem
	// nodes are the messages and what stands between them, in the order of the file.
	nodes []*node
	// head is the id of the node whose path was shown, "" for the last one.
	head string
	// byID has the nodes that arrange took.
	byID map[string]*node
}

// node is a place in the tree of a conversation.
type node struct {
	id, parent string // no parent begins a path
	// message is nil where a file has a node without one.
	message *message.Message
	at      time.Time // zero if the file does not say
	// path leads to the message in a line of the library's own format, which has the times of its
	// own.
	path string

	// What arrange finds out.
	up       *node // the nearest ancestor with a message
	children []*node
	file     int // the place in the file
}

// arrange returns the nodes with a message, each after its parent and otherwise by time, and
// ties in the order of the file. It gives every message a time.
//
// A parent that is not there, and one that would close a circle, is none. Of two nodes with one
// id the first is taken.
func (t *thread) arrange() []*node {
	byID := make(map[string]*node, len(t.nodes))
	t.byID = byID
	if t.rows != nil {
		return t.inFileOrder()
	}
	nodes := t.nodes[:0:0]
	for i, n := range t.nodes {
		if byID[n.id] == nil {
			byID[n.id], n.file = n, i
			nodes = append(nodes, n)
		}
	}
	cutCircles(nodes, byID)
	var kept []*node
	for _, n := range nodes {
		if n.message == nil {
			continue
		}
		for p := byID[n.parent]; p != nil; p = byID[p.parent] {
			if p.message != nil {
				n.up = p
				p.children = append(p.children, n)
				break
			}
		}
		kept = append(kept, n)
	}
	sorted := inOrder(kept)
	t.giveTimes(sorted)
	return inOrder(sorted)
}

// inFileOrder is arrange for the library's own format, in which parents come first and the order
// is that of the seqs.
func (t *thread) inFileOrder() (kept []*node) {
	for _, n := range t.nodes {
		t.byID[n.id] = n
		if n.message == nil {
			continue
		}
		for n.up = t.byID[n.parent]; n.up != nil && n.up.message == nil; {
			n.up = t.byID[n.up.parent]
		}
		if n.up != nil {
			n.up.children = append(n.up.children, n)
		}
		kept = append(kept, n)
	}
	t.giveTimes(kept)
	return kept
}

// cutCircles takes the parent from a node of each circle: the one that comes first in the file.
func cutCircles(nodes []*node, byID map[string]*node) {
	const walked = -1
	state := make(map[*node]int, len(nodes)) // the number of the walk that met the node, or walked
	for walk, n := range nodes {
		var path []*node
		for p := n; p != nil && state[p] != walked; p = byID[p.parent] {
			if state[p] == walk+1 {
				first := p
				for q := byID[p.parent]; q != p; q = byID[q.parent] {
					if q.file < first.file {
						first = q
					}
				}
				first.parent = ""
				break
			}
			state[p] = walk + 1
			path = append(path, p)
		}
		for _, p := range path {
			state[p] = walked
		}
	}
}

// giveTimes gives the nodes that have no time the one of their parent, else that of the first of
// their descendants, else that of the conversation, and never the present time.
func (t *thread) giveTimes(parentsFirst []*node) {
	for _, n := range parentsFirst {
		if n.at.IsZero() && n.up != nil {
			n.at = n.up.at
		}
	}
	guessed := map[*node]bool{}
	for _, n := range slices.Backward(parentsFirst) {
		for _, c := range n.children {
			if !c.at.IsZero() && (n.at.IsZero() || guessed[n] && c.at.Before(n.at)) {
				n.at, guessed[n] = c.at, true
			}
		}
	}
	for _, n := range parentsFirst {
		if n.at.IsZero() && n.up != nil {
			n.at = n.up.at
		}
		if n.at.IsZero() {
			n.at = t.conversation.CreatedAt
		}
		if n.path == "" || n.message.SentAt.IsZero() {
			n.message.SentAt, n.message.CreatedAt = n.at, n.at
		}
	}
}

// headNode returns the node with a message that the head of the file stands for: itself or the
// nearest above it. It returns nil for a head that is not there, and goes by what arrange took.
func (t *thread) headNode() *node {
	for n := t.byID[t.head]; n != nil; n = t.byID[n.parent] {
		if n.message != nil {
			return n
		}
	}
	return nil
}

// inOrder sorts nodes topologically.
func inOrder(nodes []*node) []*node {
	ready := &queue{}
	for _, n := range nodes {
		if n.up == nil {
			*ready = append(*ready, n)
		}
	}
	heap.Init(ready)
	sorted := make([]*node, 0, len(nodes))
	for ready.Len() > 0 {
		n := heap.Pop(ready).(*node)
		sorted = append(sorted, n)
		for _, c := range n.children {
			heap.Push(ready, c)
		}
	}
	return sorted
}

// queue is a heap of nodes by time.
type queue []*node

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	return cmp.Or(q[i].at.Compare(q[j].at), cmp.Compare(q[i].file, q[j].file)) < 0
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)   { *q = append(*q, x.(*node)) }
func (q *queue) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}

// shorten cuts a title to what a conversation takes.
func shorten(s string) string {
	s = clean.String(s)
	if r := []rune(s); len(r) > conversation.MaxTitle {
		return string(r[:conversation.MaxTitle])
	}
	return s
}

// key makes the key of a node from its id, which a broken file may have too long.
func key(id string) string {
	if id = clean.String(id); len(id) <= check.MaxKey {
		return id
	}
	return strings.ToValidUTF8(id[:check.MaxKey], "")
}
