// Package genkit keeps the sessions of Genkit's agents, and the history of its flows, in
// convostore: on SQLite and PostgreSQL.
//
// A [SessionStore] is Genkit's session store. Give it to an agent:
//
//	sessions := genkit.NewSessionStore[State](st, tenant, genkit.Options{App: "travel"})
//	agent := exp.DefineAgent(g, "guide", prompt, aix.WithSessionStore(sessions))
//
// A session is a conversation. The messages of its snapshots are messages of the conversation,
// each stored once, however many snapshots have it: what a snapshot adds to its parent is
// appended, and a history that went another way is a branch. What else a snapshot has (custom
// state, artifacts, times) is a state of the conversation, and a message of the kind event marks
// where it was taken. So the rest of the library works on the sessions of agents: search, tails,
// lists, retention, and erasure, which takes the snapshots along. A message that somebody edits or
// deletes is edited or gone in every snapshot.
//
// A [History] is for flows that call a model by themselves: it reads what a model is to be sent,
// within a budget, and appends what a call of Generate added.
//
// Messages come back as they were given: each is the payload, to the byte as Genkit encodes it.
// Its text is what people read and search, and its requests of tools and their responses are where
// package payload finds them.
package genkit

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/firebase/genkit/go/ai/exp"
	"github.com/google/uuid"

	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

// Options are the options of NewSessionStore. The zero value works.
type Options struct {
	// App is the app of the conversations, by which they can be listed. Sessions of different
	// apps are different sessions, also if their ids are equal, and so are snapshots.
	App string
	// Every is store.TailOptions.Every of the subscriptions to a status: how long a change may take
	// to be noticed where no doorbell rings. Less than store.MinTailEvery is that.
	Every time.Duration
	// MaxChain is how many snapshots a session keeps along the parents of a new one: older ones are
	// removed when that is stored. 0 keeps all. Messages stay, and so do the snapshots of other
	// branches until they are gone on from.
	MaxChain int
}

// SessionStore is an exp.SessionStore and an exp.SnapshotSubscriber on a store. It is safe for
// concurrent use, also of several processes.
//
// Bad input is a *store.InvalidError, which names the field: a session without an id, an id that
// is no key (too long, or not text), a message that is nil, a user who is the nil UUID. What a
// snapshot has beside its messages may take as many bytes as convostore.WithMaxMessageBytes allows
// for a message.
type SessionStore[State any] struct {
	st     store.Store
	tenant func(ctx context.Context) uuid.UUID
	o      Options
}

var (
	_ exp.SessionStore[any]  = (*SessionStore[any])(nil)
	_ exp.SnapshotSubscriber = (*SessionStore[any])(nil)
)

// NewSessionStore returns a session store. tenant says who owns the sessions that a call is about,
// such as store.TenantID of the user whom the host has put into the context: a user finds the
// sessions and the snapshots of nobody else. It panics if tenant is nil or Options.MaxChain below
// 0. The caller closes the store.
func NewSessionStore[State any](st store.Store, tenant func(ctx context.Context) uuid.UUID, o Options) *SessionStore[State] {
	switch {
	case tenant == nil:
		panic("genkit: tenant is nil")
	case o.MaxChain < 0:
		panic("genkit: MaxChain is below 0")
	case o.Every != 0:
		o.Every = max(o.Every, store.MinTailEvery)
	}
	return &SessionStore[State]{st: st, tenant: tenant, o: o}
}

// ExternalKey is the external key of a session's conversation.
func ExternalKey(app, sessionID string) string {
	return "genkit:" + url.PathEscape(app) + "/" + sessionID
}

// The keys of the states of a session's conversation.
const (
	latestKey      = "genkit.latest"
	snapshotPrefix = "genkit.snapshot/"
)

// EventFormat is the payload format of the event that marks a snapshot. Its metadata has the id of
// the snapshot and its status, and what is written there says to tails that the status changed.
const EventFormat = "genkit.snapshot"

// events is the namespace of the ids of events. It never changes.
var events = uuid.MustParse("5f1d0a52-8f0e-4c8e-9f0b-5b6a3c1f7d21")

// eventID is the id of the message that marks a snapshot, by which it is found.
func (s *SessionStore[State]) eventID(snapshotID string) uuid.UUID {
	return uuid.NewSHA1(events, []byte(ExternalKey(s.o.App, snapshotID)))
}

// mark is the metadata of an event.
type mark struct {
	Snapshot string             `json:"genkit_snapshot,omitempty"`
	Status   exp.SnapshotStatus `json:"genkit_status"`
}

// document is the state that a snapshot is kept in: all of it but its messages, and where those
// are.
type document[State any] struct {
	Snapshot *exp.SessionSnapshot[State] `json:"snapshot"`
	Trail    trail                       `json:"trail"`
}

// trail says which messages a snapshot has: those in PayloadFormat on the path that ends with Tip.
// Count is how many there were and Hash is of them, as they were when the snapshot was written:
// a later snapshot that begins with the same needs nothing but what follows. A Count below 0 says
// that nobody counted.
type trail struct {
	Tip   int64  `json:"tip"`
	Count int    `json:"count"`
	Hash  []byte `json:"hash,omitempty"`
}

// pointer names the snapshot that a session has created last.
type pointer struct {
	ID        string    `json:"id"`
	CreatedAt time.Time `json:"created_at"`
}

// before says whether another snapshot is later: by its time, and of equal ones by its id.
func (p pointer) before(q pointer) bool {
	if p.CreatedAt.Equal(q.CreatedAt) {
		return p.ID < q.ID
	}
	return p.CreatedAt.Before(q.CreatedAt)
}

func encode[State any](snap *exp.SessionSnapshot[State], t trail) ([]byte, error) {
	bare := *snap
	if bare.State != nil {
		state := *bare.State
		state.Messages, bare.State = nil, &state
	}
	doc, err := json.Marshal(document[State]{&bare, t})
	if err != nil {
		return nil, fmt.Errorf("encode snapshot %q: %w", snap.SnapshotID, err)
	}
	return doc, nil
}

func decode[State any](value []byte) (d document[State], err error) {
	if err = json.Unmarshal(value, &d); err == nil && d.Snapshot == nil {
		err = errors.New("no snapshot in it")
	}
	return d, err
}

// digest is a hash of messages that depends on where each begins.
func digest(canonical [][]byte) []byte {
	h := sha256.New()
	for _, m := range canonical {
		_ = binary.Write(h, binary.BigEndian, int64(len(m)))
		h.Write(m)
	}
	return h.Sum(nil)
}

func newEvent(id uuid.UUID, snap string, status exp.SnapshotStatus) (*message.Message, error) {
	metadata, err := message.ToJSON(mark{snap, status})
	if err != nil {
		return nil, err
	}
	return &message.Message{
		ID: id, Role: message.RoleSystem, Kind: message.KindEvent, Metadata: metadata,
		Payload: message.Payload("{}"), PayloadFormat: EventFormat,
	}, nil
}

// maxID is what a key of a state leaves for an id.
const maxID = 1024 - len(snapshotPrefix)

// checkID refuses an id that is no key.
func checkID(field, id string) error {
	switch {
	case id == "":
		return errEmpty(field)
	case len(id) > maxID:
		return rule.Invalid(field, "has more than %d bytes", maxID)
	case !utf8.ValidString(id) || strings.Contains(id, "\x00"):
		return rule.Invalid(field, "is not valid UTF-8 without U+0000")
	}
	return nil
}

func isID(id string) bool { return checkID("", id) == nil }

func errEmpty(field string) error { return rule.Invalid(field, "is empty") }
