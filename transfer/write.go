package transfer

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

// outcome is what became of a conversation.
type outcome struct {
	conversations, messages, known, rows, deleted int64
	problems                                      []Problem
}

// writer stores one conversation.
type writer struct {
	sc     store.Scope
	thread *parsed
	id     uuid.UUID
	out    outcome
	seqs   map[string]int64 // of the nodes that are stored, by their ids in the file
	stored map[string]int64 // of the messages that were there, by id and by key
	last   int64            // the last seq
	head   int64            // what an append without a parent follows
	batch  []*message.Message
	nodes  []*node // of the batch
	added  []*node // those that were appended
}

// appendMany is how many messages are appended in one statement.
const appendMany = 500

func (im *importer) write(ctx context.Context, tx store.Store, p *parsed) (outcome, error) {
	user, err := im.ownerOf(p)
	if err != nil {
		return outcome{}, err
	}
	if p.state != nil {
		return writeState(ctx, tx, user, p.state)
	}
	w := &writer{sc: tx.ForUser(user), thread: p, seqs: map[string]int64{}, stored: map[string]int64{}}
	for _, problem := range p.problems {
		w.out.problems = append(w.out.problems, p.problem(problem.Node, problem.Err))
	}
	created, err := w.open(ctx)
	if errors.Is(err, errDeleted) {
		return outcome{deleted: 1}, nil
	}
	if err != nil {
		return outcome{}, err
	}
	if created {
		w.out.conversations = 1
	}
	if err := w.append(ctx); err != nil {
		return outcome{}, err
	}
	if created || w.out.messages > 0 {
		err = w.finish(ctx, im.format, created)
	}
	if err == nil && p.rows != nil {
		err = (&rowWriter{w, user, im, tx, p.rows, map[uuid.UUID]bool{}}).write(ctx, created)
	}
	return w.out, err
}

// ownerOf returns the user whose a conversation or a state becomes.
func (im *importer) ownerOf(p *parsed) (uuid.UUID, error) {
	if !im.all {
		return im.user, nil
	}
	if user := p.owner; user != uuid.Nil || p.state != nil && p.state.app != nil {
		return user, nil
	}
	return uuid.Nil, rule.Invalid("user_id", "is not set")
}

var errDeleted = errors.New("the conversation is deleted")

// open creates the conversation, or finds it and what is stored of it.
func (w *writer) open(ctx context.Context) (created bool, err error) {
	c := w.thread.conversation
	if c.ExternalKey != "" {
		created, err = w.sc.Conversations().GetOrCreate(ctx, &c)
	} else {
		created, err = w.create(ctx, &c)
	}
	if errors.Is(err, store.ErrConflict) && c.Deleted() {
		return false, errDeleted
	}
	if err != nil {
		return false, err
	}
	w.id, w.last, w.head = c.ID, c.LastSeq, c.LastSeq
	if created {
		return true, nil
	}
	if c.HeadSeq != nil {
		w.head = *c.HeadSeq
	}
	for m, err := range w.sc.Messages().All(ctx, c.ID, store.MessageFilter{Deleted: store.IncludeDeleted, Branches: store.AllBranches}) {
		if err != nil {
			return false, err
		}
		w.stored[m.ID.String()] = m.Seq
		if m.IdempotencyKey != "" {
			w.stored[m.IdempotencyKey] = m.Seq
		}
	}
	return false, nil
}

// create creates a conversation that has no external key, or finds it by its id.
func (w *writer) create(ctx context.Context, c *conversation.Conversation) (bool, error) {
	if c.ID == uuid.Nil {
		return false, rule.Invalid("conversation", "has neither an id nor an external key")
	}
	found, err := w.sc.Conversations().Get(ctx, c.ID)
	if err == nil {
		*c = *found
		return false, nil
	}
	if !errors.Is(err, store.ErrNotFound) {
		return false, err
	}
	if err := w.sc.Conversations().Create(ctx, c); errors.Is(err, store.ErrConflict) {
		return false, errDeleted
	} else if err != nil {
		return false, err
	}
	return true, nil
}

// append stores the messages that are not there, parents first.
func (w *writer) append(ctx context.Context) error {
	for _, n := range w.thread.nodes {
		if seq, ok := w.known(n); ok {
			w.seqs[n.id] = seq
			w.out.known++
			continue
		}
		m := *n.message
		parent := w.parentOf(n)
		if err := w.check(&m); err != nil {
			w.out.problems = append(w.out.problems, w.thread.problem(n.id, within(n.path, err)))
			w.seqs[n.id] = parent
			continue
		}
		next := w.last + int64(len(w.batch)) + 1
		if parent != w.follows() {
			m.ParentSeq = &parent
		}
		w.seqs[n.id] = next
		w.batch, w.nodes = append(w.batch, &m), append(w.nodes, n)
		if len(w.batch) == appendMany {
			if err := w.flush(ctx); err != nil {
				return err
			}
		}
	}
	return w.flush(ctx)
}

// known returns the seq of a node that is stored.
func (w *writer) known(n *node) (int64, bool) {
	for _, id := range []string{n.message.ID.String(), n.message.IdempotencyKey} {
		if seq, ok := w.stored[id]; ok && id != "" && id != uuid.Nil.String() {
			return seq, true
		}
	}
	return 0, false
}

func (w *writer) parentOf(n *node) int64 {
	if n.up == nil {
		return 0
	}
	return w.seqs[n.up.id]
}

// follows is the parent of the next message if it names none.
func (w *writer) follows() int64 {
	if len(w.batch) > 0 {
		return w.last + int64(len(w.batch))
	}
	return w.head
}

// check finds out whether the store would refuse a message.
func (w *writer) check(m *message.Message) error {
	probe := *m
	probe.Normalize(time.Unix(0, 0))
	if err := probe.Validate(); err != nil {
		return err
	}
	if n := m.Size(); n > message.MaxBytes {
		return rule.Invalid("message", "has %d bytes, above the bound of %d", n, message.MaxBytes)
	}
	return nil
}

func (w *writer) flush(ctx context.Context) error {
	if len(w.batch) == 0 {
		return nil
	}
	last := w.last
	created, err := w.sc.Messages().AppendMany(ctx, w.id, w.batch, store.AppendOptions{ExpectedSeq: &last})
	if err != nil {
		return err
	}
	for i, ok := range created {
		if !ok {
			return rule.Invalid("message", "%s is stored in another conversation", w.nodes[i].id)
		}
	}
	w.out.messages += int64(len(w.batch))
	w.last += int64(len(w.batch))
	w.head = w.last
	w.added = append(w.added, w.nodes...)
	w.batch, w.nodes = nil, nil
	return nil
}

// finish sets what the conversation has beside its messages. The head is that of the file, as
// long as nobody appended here since.
func (w *writer) finish(ctx context.Context, f Format, created bool) error {
	if h := w.thread.headNode(); h != nil && w.seqs[h.id] != w.head && w.seqs[h.id] > 0 {
		if _, err := w.sc.Messages().SetHead(ctx, w.id, w.seqs[h.id]); err != nil {
			return err
		}
	}
	if err := w.keepHeader(ctx, f); err != nil {
		return err
	}
	if created && w.thread.archived {
		_, err := w.sc.Conversations().Archive(ctx, w.id)
		return err
	}
	return nil
}
