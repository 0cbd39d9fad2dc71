package trpc

import (
	"context"

	"github.com/google/uuid"
	"trpc.group/trpc-go/trpc-agent-go/event"
	"trpc.group/trpc-go/trpc-agent-go/session"

	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// AppendEvent stores an event and its changes of state, and adds them to sess, which keeps the
// events that the options ask for. A partial event and one without content are not stored; their
// changes of state are.
//
// It returns store.ErrNotFound if there is no such session; sess is as before after an error.
func (s *Service) AppendEvent(ctx context.Context, sess *session.Session, e *event.Event, opts ...session.Option) error {
	if sess == nil {
		return session.ErrNilSession
	}
	if e == nil {
		return ErrNilEvent
	}
	key := keyOf(sess)
	if err := key.CheckSessionKey(); err != nil {
		return err
	}
	hctx := &session.AppendEventContext{Context: ctx, Session: sess, Event: e, Key: key}
	return s.runAppendHooks(0, hctx, opts)
}

func (s *Service) runAppendHooks(i int, c *session.AppendEventContext, opts []session.Option) error {
	if i < len(s.o.AppendEventHooks) {
		return s.o.AppendEventHooks[i](c, func() error { return s.runAppendHooks(i+1, c, opts) })
	}
	return s.appendEvent(c.Context, c.Session, c.Event, opts)
}

func (s *Service) appendEvent(ctx context.Context, sess *session.Session, e *event.Event, opts []session.Option) error {
	if sess == nil {
		return session.ErrNilSession
	}
	if e == nil {
		return ErrNilEvent
	}
	changes, err := encodeStates(e.StateDelta)
	if err != nil {
		return failed("append event to", keyOf(sess), err)
	}
	added := true
	switch {
	case e.Response != nil && !e.IsPartial && e.IsValidContent():
		added, err = s.store(ctx, sess, e, changes)
	case len(changes) > 0:
		err = s.onSession(ctx, sess, func(_ store.Scope, id uuid.UUID) error {
			return s.st.Transaction(ctx, func(tx store.Store) error {
				return mergeSession(ctx, tx.ForUser(s.o.Tenant(sess.AppName, sess.UserID)), id, changes)
			})
		})
	}
	if err != nil {
		return failed("append event to", keyOf(sess), err)
	}
	if added || !has(sess, e.ID) {
		sess.UpdateUserSession(e, opts...)
	}
	return nil
}

// store appends the message of an event, and reports whether it was not there.
func (s *Service) store(ctx context.Context, sess *session.Session, e *event.Event, changes store.StateMap) (added bool, err error) {
	m, err := toMessage(e)
	if err != nil {
		return false, err
	}
	err = s.onSession(ctx, sess, func(sc store.Scope, id uuid.UUID) error {
		own := *m
		created, err := sc.Messages().AppendMany(ctx, id, []*message.Message{&own}, store.AppendOptions{States: store.AppendStates{Conversation: changes}})
		added = err == nil && created[0]
		return err
	})
	return added, err
}

// has tells whether a handle has an event. One whose append was repeated, because nobody knew
// whether it was stored, it has not.
func has(sess *session.Session, id string) bool {
	for _, e := range sess.GetEvents() {
		if e.ID == id {
			return true
		}
	}
	return false
}
