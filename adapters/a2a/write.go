package a2a

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/a2aproject/a2a-go/v2/a2a"
	"github.com/a2aproject/a2a-go/v2/a2asrv/taskstore"
	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// writer writes one task in a transaction, which may run more than once.
type writer struct {
	*TaskStore
	tenant  uuid.UUID
	task    *a2a.Task
	encoded encoded

	tx      store.Store
	scope   store.Scope
	version taskstore.TaskVersion // what was written
}

func (w *writer) reader(ctx context.Context) reader {
	return reader{db: w.tx.DB(ctx), app: w.o.App, tenant: w.tenant}
}

// create stores the task unless it is there.
func (w *writer) create(ctx context.Context) error {
	w.begin()
	r := w.reader(ctx)
	before, err := r.find(w.task.ID)
	if err != nil {
		return err
	}
	if before.version > 0 {
		// Its conversation may have been erased since; then the versions go on where they were.
		at := place{before.conversation, w.task.ID}
		if found, err := r.states([]place{at}, false); err != nil {
			return err
		} else if found[at].document != nil {
			return taskstore.ErrTaskAlreadyExists
		}
	}
	at, err := w.conversation(ctx)
	if err != nil {
		return err
	}
	if err := w.point(ctx, at, before.version); err != nil {
		return err
	}
	if err := w.append(ctx, at); err != nil {
		return err
	}
	return w.writeStates(ctx, at, "")
}

// update puts the task in the place of the stored one.
func (w *writer) update(ctx context.Context, prev taskstore.TaskVersion) error {
	w.begin()
	r := w.reader(ctx)
	before, err := r.find(w.task.ID)
	if err != nil {
		return err
	}
	old := place{before.conversation, w.task.ID}
	found, err := r.states([]place{old}, false)
	if err != nil {
		return err
	}
	d := found[old].document
	switch {
	case d == nil:
		return a2a.ErrTaskNotFound
	case prev != taskstore.TaskVersionMissing && prev != before.version:
		return taskstore.ErrConcurrentModification
	}
	at := old.conversation
	if d.Task.ContextID != w.task.ContextID {
		if at, err = w.conversation(ctx); err != nil {
			return err
		}
	}
	// From here on nobody else writes the task, and the document is the one that was read.
	if err := w.point(ctx, at, before.version); err != nil {
		return err
	}
	left, kept := d.refs(), d.Artifacts
	if at == old.conversation {
		if left, err = w.match(r, at, left); err != nil {
			return err
		}
	} else if kept, err = "", w.removeStates(ctx, old.conversation); err != nil {
		return err
	}
	if err := w.remove(ctx, r, old.conversation, left); err != nil {
		return err
	}
	if err := w.append(ctx, at); err != nil {
		return err
	}
	return w.writeStates(ctx, at, kept)
}

// begin forgets what an earlier run of the transaction found.
func (w *writer) begin() {
	for _, m := range w.encoded.messages {
		m.ref = ref{Digest: digest(m.payload)}
	}
}

// conversation finds or makes the conversation of the task's context.
func (w *writer) conversation(ctx context.Context) (uuid.UUID, error) {
	c := &conversation.Conversation{App: w.o.App, ExternalKey: w.conversationKey(w.task)}
	if _, err := w.scope.Conversations().GetOrCreate(ctx, c); err != nil {
		return uuid.Nil, fmt.Errorf("the conversation of context %q: %w", w.task.ContextID, err)
	}
	return c.ID, nil
}

// point notes where the task is, if it still has the version before, and takes the next version.
func (w *writer) point(ctx context.Context, at uuid.UUID, before taskstore.TaskVersion) error {
	key := taskPrefix + string(w.task.ID)
	versions, err := w.scope.States().Merge(ctx, store.UserState(w.o.App),
		store.StateMap{key: conversation.Value(at.String())},
		store.MergeOptions{Expected: map[string]int64{key: int64(before)}})
	w.version = taskstore.TaskVersion(versions[key])
	return err
}

// match finds the rows that hold messages of the task already, and returns those that hold none
// any more. A message that somebody edited in the conversation comes back edited.
func (w *writer) match(r reader, at uuid.UUID, rows []ref) ([]ref, error) {
	left := match(rows, w.encoded.messages)
	if len(left) == 0 || len(unmatched(w.encoded.messages)) == 0 {
		return left, nil
	}
	stored, err := r.messages(at, left)
	if err != nil {
		return nil, err
	}
	for i, row := range left {
		m := stored[row.Seq]
		if m == nil {
			continue
		}
		edited, err := fromMessage(m)
		if err != nil {
			return nil, err
		}
		payload, err := marshal("message", edited)
		if err != nil {
			return nil, err
		}
		left[i].Digest = digest(payload)
	}
	return match(left, w.encoded.messages), nil
}

// remove hides messages that the task has no more (soft delete).
func (w *writer) remove(ctx context.Context, r reader, at uuid.UUID, rows []ref) error {
	stored, err := r.messages(at, rows)
	if err != nil {
		return err
	}
	for _, row := range rows {
		if m := stored[row.Seq]; m != nil {
			if _, err := w.scope.Messages().Delete(ctx, m.ID); err != nil && !errors.Is(err, store.ErrNotFound) {
				return err
			}
		}
	}
	return nil
}

// append stores the messages that have no row.
func (w *writer) append(ctx context.Context, at uuid.UUID) error {
	added := unmatched(w.encoded.messages)
	rows := make([]*message.Message, len(added))
	for i, e := range added {
		var err error
		if rows[i], err = toMessage(w.task.ID, e); err != nil {
			return err
		}
	}
	if _, err := w.scope.Messages().AppendMany(ctx, at, rows, store.AppendOptions{}); err != nil {
		return err
	}
	for i, e := range added {
		e.ref.Seq = rows[i].Seq
	}
	return nil
}

// writeStates writes the states of the task. Artifacts with the digest that is given are there.
func (w *writer) writeStates(ctx context.Context, at uuid.UUID, artifacts string) error {
	id := string(w.task.ID)
	d := w.encoded.document(w.version)
	doc, err := json.Marshal(d)
	if err != nil {
		return err
	}
	changes := store.StateMap{
		taskPrefix + id:     w.summary(),
		documentPrefix + id: doc,
	}
	if d.Artifacts != artifacts {
		changes[artifactsPrefix+id] = w.encoded.artifacts // nil removes them
	}
	_, err = w.scope.States().Merge(ctx, store.ConversationState(at), changes, store.MergeOptions{})
	return err
}

// removeStates removes the states of the task from a conversation that it leaves.
func (w *writer) removeStates(ctx context.Context, at uuid.UUID) error {
	id := string(w.task.ID)
	_, err := w.scope.States().Merge(ctx, store.ConversationState(at),
		store.StateMap{taskPrefix + id: nil, documentPrefix + id: nil, artifactsPrefix + id: nil}, store.MergeOptions{})
	return err
}
