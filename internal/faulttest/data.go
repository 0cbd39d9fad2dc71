package faulttest

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

// data is everything of a user in a database.
type data struct {
	threads     map[uuid.UUID]*conversation.Conversation
	messages    map[uuid.UUID]*message.Message
	suggestions map[uuid.UUID]*suggestion.Suggestion
}

// has tells whether a message is in a conversation as it was sent.
func (d *data) has(thread uuid.UUID, m *message.Message) bool {
	found := d.messages[m.ID]
	return found != nil && found.ConversationID == thread && found.Content == m.Content && found.IdempotencyKey == m.IdempotencyKey
}

func read(t *testing.T, st store.Store, user uuid.UUID) (*data, error) {
	t.Helper()
	d := &data{map[uuid.UUID]*conversation.Conversation{}, map[uuid.UUID]*message.Message{}, map[uuid.UUID]*suggestion.Suggestion{}}
	mine := st.ForUser(user)
	for c, err := range mine.Conversations().All(t.Context(), store.ConversationFilter{}) {
		if err != nil {
			return nil, err
		}
		d.threads[c.ID] = c
	}
	for m, err := range mine.Messages().AllByUser(t.Context(), store.MessageFilter{Deleted: store.IncludeDeleted}) {
		if err != nil {
			return nil, err
		}
		d.messages[m.ID] = m
	}
	var suggestions []*suggestion.Suggestion
	err := st.DB(t.Context()).Where("user_id = ?", user).Find(&suggestions).Error
	for _, s := range suggestions {
		d.suggestions[s.ID] = s
	}
	return d, err
}

// ErrLost says that an acknowledged call is not there.
var ErrLost = errors.New("acknowledged and lost")

// check compares a database with what the calls had come to when the power went.
func (w *workload) check(t *testing.T, st store.Store, at int) (Result, error) {
	t.Helper()
	w.checks++
	if err := intact(t.Context(), st, w.checks%8 == 0); err != nil {
		return Result{}, err
	}
	d, err := read(t, st, w.user)
	if err != nil {
		return Result{}, err
	}
	res := Result{Cuts: 1}
	var errs []error
	for _, c := range w.calls {
		errs = append(errs, w.compare(c, d, at, &res))
	}
	if err := errors.Join(errs...); err != nil {
		return res, err
	}
	for id := range d.threads {
		if err := sound(d, id); err != nil {
			return res, err
		}
	}
	segments, err := searched(t.Context(), st, w.user, d, w.checks%4 == 0)
	if err != nil {
		return res, err
	}
	if segments > 0 {
		res.Segmented++
	}
	return res, w.goOn(t, st, d)
}

// live compares a store with what its calls have returned since it was opened: what succeeded is
// there, and what failed is not. What an earlier cut has decided on stays as it was, also what
// had failed and came back.
func (w *workload) live(t *testing.T, st store.Store) error {
	t.Helper()
	d, err := read(t, st, w.user)
	if err != nil {
		return err
	}
	for _, c := range w.calls {
		if err := w.compare(c, d, w.disk.Now(), &Result{}); err != nil {
			return err
		}
		// A title is there with a later one, and what was not made counts as erased.
		if !c.settled && c.failed && c.there && c.name != "title" && c.name != erase {
			return fmt.Errorf("%s, events from %d: failed, and is there", c.name, c.begun)
		}
	}
	for id := range d.threads {
		if err := sound(d, id); err != nil {
			return err
		}
	}
	if _, err := searched(t.Context(), st, w.user, d, false); err != nil {
		return err
	}
	return intact(t.Context(), st, false)
}

// compare finds out whether the effect of a call is there, and whether it has to be.
func (w *workload) compare(c *call, d *data, at int, res *Result) error {
	c.there = false
	if !c.may(at) && c.name == erase { // what it erased may not be there either
		return nil
	}
	there, err := c.found(d)
	c.there = there
	switch gone := w.erasures[c.thread]; {
	case err != nil:
	case there && !c.may(at):
		err = errors.New("is there before it was made")
	case !there && c.must(at) && (gone == nil || gone == c || !gone.may(at) || d.threads[c.thread] != nil):
		err = ErrLost
	}
	if err != nil {
		return fmt.Errorf("%s, events %d to %d: %w", c.name, c.begun, c.ended, err)
	}
	if c.settled || !c.may(at) {
		return nil
	}
	res.Calls++
	switch {
	case c.failed && there:
		res.Revived++
	case c.failed:
		res.Failed++
	case c.must(at):
		res.Acknowledged++
	case there:
		res.Kept++
	}
	return nil
}

// goOn writes to what a cut has left: a message that is there is known again, and a new one gets
// the next seq.
func (w *workload) goOn(t *testing.T, st store.Store, d *data) error {
	t.Helper()
	mine := st.ForUser(w.user).Messages()
	for _, old := range d.messages {
		if old.Deleted() {
			continue // its id is taken
		}
		again := &message.Message{ID: old.ID, IdempotencyKey: old.IdempotencyKey, Content: old.Content, Direction: old.Direction, Role: old.Role}
		created, err := mine.Append(t.Context(), old.ConversationID, again)
		if err != nil || created || again.Seq != old.Seq {
			return fmt.Errorf("redelivery: %t, seq %d for %d, %w", created, again.Seq, old.Seq, err)
		}
		break
	}
	for id, c := range d.threads {
		m := &message.Message{Content: "after", Direction: message.DirectionInbound, Role: message.RoleUser}
		created, err := mine.Append(t.Context(), id, m)
		if err != nil || !created || m.Seq != c.LastSeq+1 {
			return fmt.Errorf("next append: %t, seq %d after %d, %w", created, m.Seq, c.LastSeq, err)
		}
		break
	}
	return nil
}
