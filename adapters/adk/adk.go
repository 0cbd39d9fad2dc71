// Package adk keeps the sessions of Google's Agent Development Kit in convostore: a
// [session.Service] on SQLite and PostgreSQL.
//
//	st, err := sqlite.Open(ctx, "agents.db", convostore.WithMigrate(migrate.Options{}))
//	r, err := runner.New(runner.Config{AppName: "travel", Agent: a, SessionService: adk.New(st, adk.Options{})})
//
// A session is a conversation, and an event a message: its text is what people read and search,
// and the event itself is the payload, whole. So the rest of the library works on the sessions of
// agents: search, reports, retention, erasure of a user.
//
// Several handles may append to one session at once, also from several processes. Nobody gets a
// "stale session" error, every event is stored once and in one order, and the states of session,
// user and app are written in the statement of the append. An event whose id the session has
// already is a redelivery, which changes nothing.
//
// The Author of a message is that of its event, and so "user" for whoever has the session: that is
// the Reader of [store.OverviewOptions] and the reader of a read mark, not the user's id. With the
// id, what the user wrote would count as unread.
package adk

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/google/uuid"
	"google.golang.org/adk/v2/platform"
	"google.golang.org/adk/v2/session"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// Options are the options of New. The zero value works.
type Options struct {
	// Tenant returns the owner of the rows of a user, store.TenantID(userID) if it is nil. Users
	// with different ids need different owners.
	Tenant func(appName, userID string) uuid.UUID
}

// Service is a session.Service on a store. It is safe for concurrent use.
type Service struct {
	st     store.Store
	tenant func(appName, userID string) uuid.UUID
}

var _ session.Service = (*Service)(nil)

// New returns the service. The caller closes the store.
func New(st store.Store, o Options) *Service {
	if o.Tenant == nil {
		o.Tenant = func(_, userID string) uuid.UUID { return store.TenantID(userID) }
	}
	return &Service{st: st, tenant: o.Tenant}
}

// Errors of the service, beside those of package store.
var (
	// ErrIncomplete says that a request has no app, user or session where it needs one.
	ErrIncomplete = errors.New("adk: app name, user id or session id is missing")
	// ErrExists says that there is a session with this id.
	ErrExists = errors.New("adk: the session exists already")
)

// ExternalKey is the external key of a session's conversation.
func ExternalKey(appName, sessionID string) string {
	return "adk:" + url.PathEscape(appName) + "/" + sessionID
}

// ident names a session.
type ident struct{ app, user, session string }

func (s *Service) scope(id ident) store.Scope { return s.st.ForUser(s.tenant(id.app, id.user)) }

// Create stores a session with its first state. One that was deleted can be created again. It
// returns ErrExists if the user has this session of this app.
func (s *Service) Create(ctx context.Context, req *session.CreateRequest) (*session.CreateResponse, error) {
	if req == nil || req.AppName == "" || req.UserID == "" {
		return nil, ErrIncomplete
	}
	id := ident{req.AppName, req.UserID, req.SessionID}
	if id.session == "" {
		id.session = platform.NewUUID(ctx)
	}
	delta, err := split(req.State)
	if err != nil {
		return nil, err
	}
	owner, err := message.ToJSON(map[string]string{userKey: id.user})
	if err != nil {
		return nil, err
	}
	var created *handle
	err = s.st.Transaction(ctx, func(tx store.Store) error {
		sc := tx.ForUser(s.tenant(id.app, id.user))
		c := &conversation.Conversation{App: id.app, ExternalKey: ExternalKey(id.app, id.session), Metadata: owner}
		if ok, err := sc.Conversations().GetOrCreate(ctx, c); err != nil {
			return err
		} else if !ok {
			return ErrExists
		}
		if err := delta.merge(ctx, sc, c); err != nil {
			return err
		}
		created, err = open(ctx, sc, id, c)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("adk: create session: %w", err)
	}
	created.set(temporary(req.State))
	return &session.CreateResponse{Session: created}, nil
}

// userKey is the key of the metadata with ADK's id of the user, of which the store knows the
// tenant alone.
const userKey = "adk_user"

// Get returns a session with its states and the events that the request asks for, in the order in
// which they were appended. It returns store.ErrNotFound if there is no such session.
func (s *Service) Get(ctx context.Context, req *session.GetRequest) (*session.GetResponse, error) {
	if req == nil || req.AppName == "" || req.UserID == "" || req.SessionID == "" {
		return nil, ErrIncomplete
	}
	id := ident{req.AppName, req.UserID, req.SessionID}
	sc := s.scope(id)
	c, err := sc.Conversations().GetByExternalKey(ctx, ExternalKey(id.app, id.session))
	if err != nil {
		return nil, fmt.Errorf("adk: get session %q: %w", id.session, err)
	}
	h, err := open(ctx, sc, id, c)
	if err != nil {
		return nil, fmt.Errorf("adk: get session %q: %w", id.session, err)
	}
	if h.events, err = readEvents(ctx, sc, c.ID, req); err != nil {
		return nil, fmt.Errorf("adk: get session %q: %w", id.session, err)
	}
	return &session.GetResponse{Session: h}, nil
}

// Delete erases a session with its events and its state. The states of its user and of its app
// stay. A session that is not there is no error.
func (s *Service) Delete(ctx context.Context, req *session.DeleteRequest) error {
	if req == nil || req.AppName == "" || req.UserID == "" || req.SessionID == "" {
		return ErrIncomplete
	}
	id := ident{req.AppName, req.UserID, req.SessionID}
	sc := s.scope(id)
	c, err := sc.Conversations().GetByExternalKey(ctx, ExternalKey(id.app, id.session))
	if err == nil {
		_, err = sc.Conversations().Erase(ctx, c.ID)
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("adk: delete session %q: %w", id.session, err)
	}
	return nil
}

// AppendEvent stores an event and its changes of state, and adds them to sess if it is a session
// of this service. A partial event is not stored. An event without an id gets one.
//
// It returns store.ErrNotFound if the session was deleted; sess is as before after an error.
func (s *Service) AppendEvent(ctx context.Context, sess session.Session, event *session.Event) error {
	switch {
	case sess == nil:
		return errors.New("adk: session is nil")
	case event == nil:
		return errors.New("adk: event is nil")
	case event.Partial:
		return nil
	}
	id := ident{sess.AppName(), sess.UserID(), sess.ID()}
	sc := s.scope(id)
	h, own := sess.(*handle)
	var conversationID uuid.UUID
	if own {
		conversationID = h.conversation
	} else {
		c, err := sc.Conversations().GetByExternalKey(ctx, ExternalKey(id.app, id.session))
		if err != nil {
			return fmt.Errorf("adk: append event to session %q: %w", id.session, err)
		}
		conversationID = c.ID
	}
	if event.ID == "" {
		event.ID = platform.NewUUID(ctx)
	}
	m, states, err := toMessage(event)
	if err != nil {
		return err
	}
	created, err := sc.Messages().AppendMany(ctx, conversationID, []*message.Message{m}, store.AppendOptions{States: states})
	if err != nil {
		return fmt.Errorf("adk: append event to session %q: %w", id.session, err)
	}
	if own && (created[0] || !h.has(event.ID)) {
		h.add(event, m.CreatedAt)
	}
	return nil
}
