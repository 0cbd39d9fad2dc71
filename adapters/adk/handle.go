package adk

import (
	"context"
	"iter"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"google.golang.org/adk/v2/session"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/store"
)

// handle is a session as it was read, with what was appended through it since.
type handle struct {
	id           ident
	conversation uuid.UUID

	mu      sync.RWMutex
	events  []*session.Event
	state   map[string]any
	updated time.Time
}

// open returns the handle of a conversation with its states, without events.
func open(ctx context.Context, sc store.Scope, id ident, c *conversation.Conversation) (*handle, error) {
	h := newHandle(id, c)
	states, err := sc.States().OfConversation(ctx, c.ID)
	if err != nil {
		return nil, err
	}
	if err := h.decode(states); err != nil {
		return nil, err
	}
	return h, nil
}

// decode takes the states of a conversation, its user and its app.
func (h *handle) decode(states store.ConversationStates) error {
	for prefix, list := range map[string][]*store.State{
		"": states.Conversation, session.KeyPrefixUser: states.User, session.KeyPrefixApp: states.App,
	} {
		for _, s := range list {
			if err := decode(h.state, prefix, s.Key, s.Value); err != nil {
				return err
			}
		}
	}
	return nil
}

func newHandle(id ident, c *conversation.Conversation) *handle {
	return &handle{id: id, conversation: c.ID, state: map[string]any{}, updated: c.UpdatedAt}
}

// add adds an event that was stored.
func (h *handle) add(event *session.Event, at time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.events = append(h.events, event)
	maps.Copy(h.state, event.Actions.StateDelta)
	if h.updated = event.Timestamp; h.updated.IsZero() {
		h.updated = at
	}
}

// has tells whether the handle has an event. One whose append was repeated, because nobody knew
// whether it was stored, it has not.
func (h *handle) has(id string) bool {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return slices.ContainsFunc(h.events, func(e *session.Event) bool { return e.ID == id })
}

func (h *handle) set(values map[string]any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	maps.Copy(h.state, values)
}

func (h *handle) ID() string      { return h.id.session }
func (h *handle) AppName() string { return h.id.app }
func (h *handle) UserID() string  { return h.id.user }

func (h *handle) LastUpdateTime() time.Time {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.updated
}

func (h *handle) State() session.State   { return stateOf{h} }
func (h *handle) Events() session.Events { return eventsOf{h} }

// stateOf is the state of a handle. Set changes the handle alone: what is to be stored goes with
// an event.
type stateOf struct{ h *handle }

func (s stateOf) Get(key string) (any, error) {
	s.h.mu.RLock()
	defer s.h.mu.RUnlock()
	v, ok := s.h.state[key]
	if !ok {
		return nil, session.ErrStateKeyNotExist
	}
	return v, nil
}

func (s stateOf) Set(key string, value any) error {
	s.h.set(map[string]any{key: value})
	return nil
}

// All yields the state as it was when the iteration began.
func (s stateOf) All() iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		s.h.mu.RLock()
		state := maps.Clone(s.h.state)
		s.h.mu.RUnlock()
		maps.All(state)(yield)
	}
}

// eventsOf are the events of a handle.
type eventsOf struct{ h *handle }

// All yields the events that there were when the iteration began.
func (e eventsOf) All() iter.Seq[*session.Event] {
	return func(yield func(*session.Event) bool) {
		e.h.mu.RLock()
		events := slices.Clone(e.h.events)
		e.h.mu.RUnlock()
		slices.Values(events)(yield)
	}
}

func (e eventsOf) Len() int {
	e.h.mu.RLock()
	defer e.h.mu.RUnlock()
	return len(e.h.events)
}

// At returns nil for an index that is out of range.
func (e eventsOf) At(i int) *session.Event {
	e.h.mu.RLock()
	defer e.h.mu.RUnlock()
	if i < 0 || i >= len(e.h.events) {
		return nil
	}
	return e.h.events[i]
}
