package trpc

import (
	"context"
	"errors"

	"github.com/google/uuid"
	"trpc.group/trpc-go/trpc-agent-go/session"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/store"
)

// CreateSession stores a session with its first state, under a new id if the key has none. One that
// was deleted can be created again. It returns ErrExists if the user has this session of this app.
func (s *Service) CreateSession(ctx context.Context, key session.Key, state session.StateMap, _ ...session.Option) (*session.Session, error) {
	if err := key.CheckUserKey(); err != nil {
		return nil, err
	}
	if key.SessionID == "" {
		key.SessionID = uuid.NewString()
	}
	changes, err := encodeStates(state)
	if err != nil {
		return nil, failed("create", key, err)
	}
	var sess *session.Session
	err = s.st.Transaction(ctx, func(tx store.Store) error {
		sc := tx.ForUser(s.o.Tenant(key.AppName, key.UserID))
		c := &conversation.Conversation{App: key.AppName, ExternalKey: ExternalKey(key.AppName, key.SessionID)}
		if ok, err := sc.Conversations().GetOrCreate(ctx, c); err != nil {
			return err
		} else if !ok {
			return ErrExists
		}
		if _, err := sc.States().Merge(ctx, store.ConversationState(c.ID), changes, store.MergeOptions{}); err != nil {
			return err
		}
		sess, err = open(ctx, sc, key, c)
		return err
	})
	if err != nil {
		return nil, failed("create", key, err)
	}
	return sess, nil
}

// GetSession returns a session with its states, its summaries, and the events and tracks that the
// options ask for, in the order in which they were appended; nil and no error if there is no such
// session.
//
// The events begin with one of the user's, as in all services of the framework: if those asked for
// have none, the user's last one before them is put in front. An event page is as it is.
func (s *Service) GetSession(ctx context.Context, key session.Key, opts ...session.Option) (*session.Session, error) {
	if err := key.CheckSessionKey(); err != nil {
		return nil, err
	}
	hctx := &session.GetSessionContext{Context: ctx, Key: key, Options: optionsOf(opts)}
	return s.runGetHooks(0, hctx)
}

func (s *Service) runGetHooks(i int, c *session.GetSessionContext) (*session.Session, error) {
	if i < len(s.o.GetSessionHooks) {
		return s.o.GetSessionHooks[i](c, func() (*session.Session, error) { return s.runGetHooks(i+1, c) })
	}
	return s.getSession(c.Context, c.Key, c.Options)
}

func (s *Service) getSession(ctx context.Context, key session.Key, o *session.Options) (*session.Session, error) {
	if err := session.ValidateGetSessionOptions(o, true); err != nil {
		return nil, err
	}
	sc, c, err := s.find(ctx, key)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil //nolint:nilnil // what the interface asks for
	}
	if err != nil {
		return nil, failed("get", key, err)
	}
	sess, err := open(ctx, sc, key, c)
	if err != nil {
		return nil, failed("get", key, err)
	}
	if err := s.fill(ctx, sc, c.ID, sess, o); err != nil {
		return nil, failed("get", key, err)
	}
	return sess, nil
}

// fill reads the events and the tracks of a session.
func (s *Service) fill(ctx context.Context, sc store.Scope, id uuid.UUID, sess *session.Session, o *session.Options) error {
	if err := (reader{sc, id}).events(ctx, sess, o, s.o.EventLimit); err != nil {
		return err
	}
	return readTracks(ctx, sc, id, sess, o)
}

// open returns the handle of a conversation with its states, without events.
func open(ctx context.Context, sc store.Scope, key session.Key, c *conversation.Conversation) (*session.Session, error) {
	states, err := sc.States().OfConversation(ctx, c.ID)
	if err != nil {
		return nil, err
	}
	return newHandle(key, c, states)
}

func newHandle(key session.Key, c *conversation.Conversation, states store.ConversationStates) (*session.Session, error) {
	sess := session.NewSession(key.AppName, key.UserID, key.SessionID,
		session.WithSessionCreatedAt(c.CreatedAt), session.WithSessionUpdatedAt(c.UpdatedAt))
	sess.ServiceMeta = map[string]string{metaKey: metaOf(key, c.ID)}
	if err := decodeOwn(sess, states.Conversation); err != nil {
		return nil, err
	}
	share(sess, states.App, states.User)
	return sess, nil
}

// DeleteSession erases a session with its events, its tracks and its state. The states of its user
// and of its app stay. A session that is not there is no error.
func (s *Service) DeleteSession(ctx context.Context, key session.Key, _ ...session.Option) error {
	if err := key.CheckSessionKey(); err != nil {
		return err
	}
	err := s.st.Transaction(ctx, func(tx store.Store) error {
		sc := tx.ForUser(s.o.Tenant(key.AppName, key.UserID))
		c, err := sc.Conversations().GetByExternalKey(ctx, ExternalKey(key.AppName, key.SessionID))
		if err != nil {
			return err
		}
		// It keeps others from appending to a track meanwhile.
		if err := touch(ctx, sc, c.ID); err != nil {
			return err
		}
		tracks, err := tracksOf(ctx, sc, c.ID)
		if err != nil {
			return err
		}
		if _, err := sc.Conversations().Erase(ctx, c.ID); err != nil {
			return err
		}
		return eraseTracks(ctx, sc, c.ID, tracks)
	})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return failed("delete", key, err)
	}
	return nil
}
