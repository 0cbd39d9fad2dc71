package transfer

import (
	"encoding/json"
	"slices"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
)

// stored is a conversation of the store that is being exported.
type stored struct {
	conversation *conversation.Conversation
	// messages are all there are, by seq, also the deleted ones, which paths go through.
	messages []*message.Message
	// kept is the header that the import of the same format kept, nil if there is none.
	kept   []byte
	format Format
	// deliveries are those of the messages, for JSONL.
	deliveries []*message.OutboxEntry
}

// live is the number of live messages.
func (s *stored) live() (n int64) {
	for _, m := range s.messages {
		if !m.Deleted() {
			n++
		}
	}
	return n
}

func (s *stored) archived() bool { return s.conversation.Status == conversation.StatusArchived }

// header returns the object that the conversation came as, or a new one.
func (s *stored) header(create func() object) (object, error) {
	if s.kept == nil {
		return create(), nil
	}
	return parseObject(s.kept)
}

// place is a node of the tree that is written.
type place struct {
	id string
	// message is nil for a node that came without one.
	message *message.Message
	// original is the node as it came, nil if the message was written here.
	original object
	// was is the text of the original.
	was    string
	parent *place
	// root is what stands for the parent of a first node, as it came.
	root     json.RawMessage
	children []*place
}

// edited reports whether the text is another than that of the original.
func (p *place) edited() bool {
	return p.message != nil && p.original != nil && p.message.Content != p.was
}

// parentID returns the id of the parent, "" for none.
func (p *place) parentID() string {
	if p.parent == nil {
		return ""
	}
	return p.parent.id
}

// withNeighbours sets the parent and the children of a node. Children that it came with keep
// their order, before later ones.
func (p *place) withNeighbours(o object, parentKey, childrenKey string) (json.RawMessage, error) {
	switch {
	case p.parent != nil:
		o = o.withRaw(parentKey, raw("", p.parent.id).value)
	case p.root != nil:
		o = o.withRaw(parentKey, p.root)
	case o.has(parentKey):
		o = o.withRaw(parentKey, json.RawMessage("null"))
	}
	rank := map[string]int{}
	for i, doc := range p.original.list(childrenKey) {
		var id string
		if json.Unmarshal(doc, &id) == nil {
			rank[id] = i + 1
		}
	}
	children := make([]string, 0, len(p.children))
	for _, c := range p.children {
		children = append(children, c.id)
	}
	slices.SortStableFunc(children, func(a, b string) int {
		x, y := rank[a], rank[b]
		switch {
		case x == y:
			return 0
		case y == 0 || x != 0 && x < y:
			return -1
		}
		return 1
	})
	if o.has(childrenKey) || len(children) > 0 {
		o = o.withRaw(childrenKey, raw("", children).value)
	}
	return encode(o)
}

// tree is what is written of a conversation.
type tree struct {
	places []*place
	byID   map[string]*place
	// shown is the last message of the path that is shown, nil if there is none.
	shown *place
}

// nodeReader reads a node of a format.
type nodeReader func(m member) (*node, error)

// tree links the live messages, and the nodes without a message that the header kept.
func (s *stored) tree(bare object, parentKey string, read nodeReader) *tree {
	t := &tree{byID: map[string]*place{}}
	for _, m := range bare {
		o, err := parseObject(m.value)
		if err != nil {
			continue
		}
		t.add(&place{id: m.key, original: o})
	}
	at := make([]*place, len(s.messages)) // nil for one that is deleted
	index := make(map[int64]int, len(s.messages))
	above := make([]int, len(s.messages)) // the index of the parent, -1 for none
	for i, m := range s.messages {
		index[m.Seq], above[i] = i, i-1
		if m.ParentSeq != nil {
			above[i] = -1
			if p, ok := index[*m.ParentSeq]; ok {
				above[i] = p
			}
		}
		if !m.Deleted() {
			at[i] = s.place(m, read)
			t.add(at[i])
		}
	}
	live := func(i int) *place {
		for i >= 0 && at[i] == nil {
			i = above[i]
		}
		if i < 0 {
			return nil
		}
		return at[i]
	}
	for i, p := range at {
		if p != nil {
			t.link(p, parentKey, above[i] < 0, live(above[i]))
		}
	}
	t.linkBare(bare, parentKey)
	for _, p := range t.places {
		if p.parent != nil {
			p.parent.children = append(p.parent.children, p)
		}
	}
	t.shown = live(s.headIndex(index))
	return t
}

func (s *stored) headIndex(index map[int64]int) int {
	if h := s.conversation.HeadSeq; h != nil {
		if i, ok := index[*h]; ok {
			return i
		}
	}
	return len(s.messages) - 1
}

func (t *tree) add(p *place) {
	t.places = append(t.places, p)
	t.byID[p.id] = p
}

// place makes the place of a message. One that did not come in this format has the message's id.
func (s *stored) place(m *message.Message, read nodeReader) *place {
	p := &place{id: m.ID.String(), message: m}
	if m.PayloadFormat != string(s.format) {
		return p
	}
	o, err := parseObject(m.Payload)
	if err != nil {
		return p
	}
	n, err := read(member{m.IdempotencyKey, json.RawMessage(m.Payload)})
	if err != nil || n.message == nil {
		return p
	}
	p.id, p.original, p.was = n.id, o, n.message.Content
	return p
}

// link gives a message its parent: the one it came with if that is there, else the nearest
// stored one above it.
func (t *tree) link(p *place, parentKey string, first bool, above *place) {
	if p.original != nil {
		if came := t.byID[p.original.text(parentKey)]; came != nil && came != p {
			p.parent = came
			return
		}
		if first {
			p.root = p.original.get(parentKey)
			return
		}
	}
	p.parent = above
	if p.parent == nil {
		p.parent = t.root()
	}
}

// root returns the first node without a message and without a parent.
func (t *tree) root() *place {
	for _, p := range t.places {
		if p.message == nil && p.parent == nil {
			return p
		}
	}
	return nil
}

// linkBare gives the nodes without a message the parents that they came with.
func (t *tree) linkBare(bare object, parentKey string) {
	for _, m := range bare {
		p := t.byID[m.key]
		if p == nil || p.message != nil {
			continue
		}
		came := p.original.text(parentKey)
		if p.parent = t.byID[came]; p.parent == nil {
			p.root = p.original.get(parentKey)
		}
	}
}

// head returns the id of the node that is shown. came is the one of the header: it stays if it is
// the shown one, or a node without a message below it.
func (t *tree) head(came string) string {
	if t.shown == nil {
		return came
	}
	p := t.byID[came]
	for p != nil && p.message == nil {
		p = p.parent
	}
	if p == t.shown {
		return came
	}
	return t.shown.id
}

// path returns the ids of the messages from the first one to the one with this id.
func (t *tree) path(id string) (ids []string) {
	for p, n := t.byID[id], 0; p != nil && n <= len(t.places); p, n = p.parent, n+1 {
		if p.message != nil {
			ids = append(ids, p.id)
		}
	}
	slices.Reverse(ids)
	return ids
}
