// Package trpc keeps the sessions of agents that are made with trpc-agent-go in convostore: a
// [session.Service] on SQLite and PostgreSQL.
//
//	st, err := sqlite.Open(ctx, "agents.db", convostore.WithMigrate(migrate.Options{}))
//	r := runner.NewRunner("travel", a, runner.WithSessionService(trpc.New(st, trpc.Options{})))
//
// A session is a conversation, and an event a message: its text is what people read and search,
// and the event itself is the payload, as its JSON has it. So the rest of the library works on the
// sessions of agents: search, reports, retention, erasure of a user. A text that was edited since
// is what the agent reads from then on; notes and events of people are not shown to it.
//
// Several handles may append to one session at once, also from several processes: every event is
// stored once and in one order, and its changes of state are written in the statement of the
// append. An event whose id the session has already is a redelivery, which changes nothing.
//
// Everything else is as in the framework's in-memory service, with these differences:
//
//   - CreateSession returns ErrExists where the session is there, as the framework's services on
//     databases do; the one in memory replaces it.
//   - After an error, the handle that an event was to be appended to is as before.
//   - An event that is not stored and has no changes of state, such as a part of a streamed answer,
//     costs no query and does not make the session the newest one. Neither does a summary.
//   - GetSession takes session.WithGetSessionEventPage.
//   - GetSessionSummaryText finds a summary in the database that the handle has not.
//   - A nil session or event is an error, and so is a state with an empty key.
//   - What the JSON of an event leaves out is not kept: StructuredOutput.
//   - Nothing expires by itself: the library's retention does that.
//
// The events of a track, see [session.TrackService], are a conversation of their own, without an
// App and without texts.
package trpc

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/google/uuid"
	"trpc.group/trpc-go/trpc-agent-go/session"
	"trpc.group/trpc-go/trpc-agent-go/session/inmemory"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/store"
)

// Options are the options of New. The zero value works.
type Options struct {
	// Tenant returns the owner of the rows of a user, store.TenantID(userID) if it is nil. Users
	// with different ids need different owners.
	Tenant func(appName, userID string) uuid.UUID
	// EventLimit is how many of its newest events a session is read with at most:
	// DefaultEventLimit if 0, all of them if below 0. All are kept.
	EventLimit int
	// AppendEventHooks and GetSessionHooks are called around AppendEvent and GetSession, the first
	// one outermost.
	AppendEventHooks []session.AppendEventHook
	GetSessionHooks  []session.GetSessionHook
	// Summaries says how sessions are summed up.
	Summaries SummaryOptions
}

// DefaultEventLimit is the EventLimit of the framework's own services.
const DefaultEventLimit = 1000

// Service is a session.Service on a store. It is safe for concurrent use.
type Service struct {
	st      store.Store
	o       Options
	workers *workers
	// local reads summaries of handles; it stores nothing.
	local *inmemory.SessionService
}

var (
	_ session.Service       = (*Service)(nil)
	_ session.TrackService  = (*Service)(nil)
	_ session.WindowService = (*Service)(nil)
)

// New returns the service. The caller closes it, and then the store.
func New(st store.Store, o Options) *Service {
	if o.Tenant == nil {
		o.Tenant = func(_, userID string) uuid.UUID { return store.TenantID(userID) }
	}
	if o.EventLimit == 0 {
		o.EventLimit = DefaultEventLimit
	}
	s := &Service{st: st, o: o, local: inmemory.NewSessionService()}
	if o.Summaries.Summarizer != nil && o.Summaries.Workers >= 0 {
		s.workers = startWorkers(o.Summaries)
	}
	return s
}

// Close waits for the summaries that are being made. The store stays open.
func (s *Service) Close() error {
	s.workers.stop()
	return nil
}

// Errors of the service, beside those of the packages session and store.
var (
	// ErrExists says that there is a session with this id.
	ErrExists = errors.New("trpc: the session exists already")
	// ErrNilEvent says that an event is nil.
	ErrNilEvent = errors.New("trpc: event is nil")
	// ErrStateKey says that a key of a state does not belong where it was to be written.
	ErrStateKey = errors.New("trpc: key is not for this state")
)

// ExternalKey is the external key of a session's conversation.
func ExternalKey(appName, sessionID string) string {
	return "trpc:" + url.PathEscape(appName) + "/" + sessionID
}

// metaKey is the key of a handle's ServiceMeta that has its conversation.
const metaKey = "convostore"

// metaOf names a session and its conversation. A handle that was made into one of another session
// does not match.
func metaOf(key session.Key, id uuid.UUID) string {
	return strings.Join([]string{id.String(), key.UserID, ExternalKey(key.AppName, key.SessionID)}, "\x00")
}

// fromMeta returns the conversation that a handle was read from, if the handle knows it.
func fromMeta(sess *session.Session) (uuid.UUID, bool) {
	first, _, _ := strings.Cut(sess.ServiceMeta[metaKey], "\x00")
	id, err := uuid.Parse(first)
	return id, err == nil && metaOf(keyOf(sess), id) == sess.ServiceMeta[metaKey]
}

func keyOf(sess *session.Session) session.Key {
	return session.Key{AppName: sess.AppName, UserID: sess.UserID, SessionID: sess.ID}
}

func (s *Service) scope(appName, userID string) store.Scope {
	return s.st.ForUser(s.o.Tenant(appName, userID))
}

// find returns the conversation of a session, or store.ErrNotFound.
func (s *Service) find(ctx context.Context, key session.Key) (store.Scope, *conversation.Conversation, error) {
	sc := s.scope(key.AppName, key.UserID)
	c, err := sc.Conversations().GetByExternalKey(ctx, ExternalKey(key.AppName, key.SessionID))
	return sc, c, err
}

// onSession calls f with the conversation of a handle: with the one that the handle knows, and if
// that is gone with the one that the session has now.
func (s *Service) onSession(ctx context.Context, sess *session.Session, f func(sc store.Scope, id uuid.UUID) error) error {
	if known, ok := fromMeta(sess); ok {
		if err := f(s.scope(sess.AppName, sess.UserID), known); !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	sc, c, err := s.find(ctx, keyOf(sess))
	if err != nil {
		return err
	}
	return f(sc, c.ID)
}

// touch makes a session the one that changed last. It returns store.ErrNotFound if there is no
// such session.
func touch(ctx context.Context, sc store.Scope, id uuid.UUID) error {
	_, err := sc.Conversations().MergeMetadata(ctx, id, []byte("{}"))
	return err
}

// failed says of an error what was being done.
func failed(what string, key session.Key, err error) error {
	return fmt.Errorf("trpc: %s session %q: %w", what, key.SessionID, err)
}

func optionsOf(opts []session.Option) *session.Options {
	o := &session.Options{}
	for _, set := range opts {
		set(o)
	}
	return o
}
