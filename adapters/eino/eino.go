// Package eino keeps what Eino's agents need to go on in convostore, on SQLite and PostgreSQL:
// [CheckPoints] is a [compose.CheckPointStore], from which a graph or a runner resumes in
// another process, and [History] has the messages of a conversation as [schema.Message].
//
//	mine := st.ForUser(userID)
//	r := adk.NewRunner(ctx, adk.RunnerConfig{
//		Agent: agent, CheckPointStore: eino.NewCheckPoints(mine, store.ConversationState(conversationID)),
//	})
//	input, err := eino.NewHistory(mine, conversationID).Window(ctx, window.Budget{Tokens: 100_000})
//	events := r.Run(ctx, input, adk.WithCheckPointID("run-1"))
//
// A message comes back as it was given, with its calls of tools and its parts: the message is the
// payload, whole, and its text what people read and search. What went through JSON is different
// in one place: numbers in an Extra are float64.
package eino

import (
	"context"
	"errors"
	"fmt"

	"github.com/cloudwego/eino/adk"
	"github.com/cloudwego/eino/compose"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/store"
)

// checkPointPrefix is what the key of a state that is a checkpoint begins with.
const checkPointPrefix = "eino.checkpoint/"

// CheckPoints keeps checkpoints as states of one place. Bytes come back as they were given. It is
// safe for concurrent use, also from several processes; the last Set of a checkpoint wins.
type CheckPoints struct {
	states store.States
	in     store.StatePlace
}

var (
	_ compose.CheckPointStore = (*CheckPoints)(nil)
	_ adk.CheckPointDeleter   = (*CheckPoints)(nil)
)

// NewCheckPoints returns the checkpoints of a place. Those of store.ConversationState go with the
// conversation, when it is deleted or erased; those of store.UserState go with the user.
func NewCheckPoints(sc store.Scope, in store.StatePlace) *CheckPoints {
	return &CheckPoints{states: sc.States(), in: in}
}

// Get returns a checkpoint, false if there is none with this id. It returns store.ErrInvalid if
// the id cannot be one, as Set does.
func (c *CheckPoints) Get(ctx context.Context, id string) ([]byte, bool, error) {
	s, err := c.states.Get(ctx, c.in, checkPointPrefix+id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("eino: get checkpoint: %w", err)
	}
	return s.Value, true, nil
}

// Set stores a checkpoint in the place of the one with its id. It returns store.ErrNotFound if the
// place is a conversation that is not there, and store.ErrInvalid for an id of more than 1,008
// bytes or with U+0000 or invalid UTF-8, and for more bytes than convostore.WithMaxMessageBytes
// allows.
func (c *CheckPoints) Set(ctx context.Context, id string, checkPoint []byte) error {
	if checkPoint == nil {
		checkPoint = []byte{} // nil would remove the state
	}
	if err := c.merge(ctx, id, checkPoint); err != nil {
		return fmt.Errorf("eino: set checkpoint: %w", err)
	}
	return nil
}

// Delete removes a checkpoint. One that is not there is no error.
func (c *CheckPoints) Delete(ctx context.Context, id string) error {
	if err := c.merge(ctx, id, nil); err != nil && !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("eino: delete checkpoint: %w", err)
	}
	return nil
}

func (c *CheckPoints) merge(ctx context.Context, id string, value conversation.Value) error {
	_, err := c.states.Merge(ctx, c.in, store.StateMap{checkPointPrefix + id: value}, store.MergeOptions{})
	return err
}
