package browser

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/inbox"
	"github.com/convostore/convostore/inbox/internal/seed"
	"github.com/convostore/convostore/internal/browsertest"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/sqlite"
	"github.com/convostore/convostore/suggestion"
)

// site is a host that serves the inbox from a file, and can be stopped and started on the same port.
type site struct {
	t      *testing.T
	addr   string
	file   string
	user   uuid.UUID
	st     store.Store
	mine   store.Scope
	inbox  *inbox.Inbox
	server *http.Server
	// ahead is how far the clock of the host is before that of the browser, in nanoseconds.
	ahead atomic.Int64
}

func newSite(t *testing.T) *site {
	t.Helper()
	browsertest.Browser(t)
	s := &site{t: t, addr: "127.0.0.1:0", file: filepath.Join(t.TempDir(), "inbox.db"), user: uuid.New()}
	s.start()
	t.Cleanup(s.stop)
	return s
}

func (s *site) now() time.Time { return time.Now().Add(time.Duration(s.ahead.Load())) }

func (s *site) advance(d time.Duration) { s.ahead.Add(int64(d)) }

// start returns when the host listens: on a free port at first, and then on the same one.
func (s *site) start() {
	s.t.Helper()
	ctx := context.Background()
	st, err := sqlite.Open(ctx, s.file, convostore.WithClock(s.now), convostore.WithMigrate(migrate.Options{}))
	require.NoError(s.t, err)
	in, err := inbox.New(st, inbox.Options{
		Operator: operator(s.user), Secret: []byte(strings.Repeat("s", 32)), Clock: s.now, Logger: slog.New(slog.NewTextHandler(s.t.Output(), nil)),
	})
	require.NoError(s.t, err)
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.addr)
	require.NoError(s.t, err)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /login/{name}", login)
	mux.HandleFunc("GET /favicon.ico", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.Handle("/inbox/", http.StripPrefix("/inbox", in))
	s.st, s.mine, s.inbox, s.addr = st, st.ForUser(s.user), in, listener.Addr().String()
	s.server = &http.Server{Handler: mux, ReadHeaderTimeout: patience}
	s.server.RegisterOnShutdown(in.Close)
	go s.server.Serve(listener) //nolint:errcheck // it ends with stop
}

// stop ends the host as a deployment does: what was begun is answered.
func (s *site) stop() {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	require.NoError(s.t, s.server.Shutdown(ctx))
	require.NoError(s.t, s.st.Close())
}

// The cookie of the host says who somebody is.
const cookie = "operator"

func login(w http.ResponseWriter, r *http.Request) {
	http.SetCookie(w, &http.Cookie{Name: cookie, Value: r.PathValue("name"), Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode})
	w.Header().Set("Content-Type", "text/html")
	_, _ = io.WriteString(w, "<!doctype html><title>Welcome</title>")
}

func operator(user uuid.UUID) func(*http.Request) (inbox.Operator, error) {
	return func(r *http.Request) (inbox.Operator, error) {
		c, err := r.Cookie(cookie)
		if err != nil {
			return inbox.Operator{}, inbox.ErrUnauthenticated
		}
		name := strings.ToUpper(c.Value[:1]) + c.Value[1:]
		return inbox.Operator{ID: c.Value, Name: name, UserID: user, May: inbox.MayAll}, nil
	}
}

// mail is a conversation with one mail of a lead.
func (s *site) mail(subject, text string) (*conversation.Conversation, *message.Message) {
	s.t.Helper()
	c := &conversation.Conversation{Subject: subject, LeadID: "lead of " + subject}
	require.NoError(s.t, s.mine.Conversations().Create(s.t.Context(), c))
	return c, s.arrives(c.ID, text)
}

// arrives appends a mail of the lead.
func (s *site) arrives(id uuid.UUID, text string) *message.Message {
	s.t.Helper()
	m := seed.Mail(text)
	_, err := s.mine.Messages().Append(s.t.Context(), id, m)
	require.NoError(s.t, err)
	return m
}

// drafted is a draft that answers a message.
func (s *site) drafted(to *message.Message, text string) *suggestion.Suggestion {
	s.t.Helper()
	d := seed.Draft(to, text)
	d.ModelUsed = "model-1"
	require.NoError(s.t, s.mine.Suggestions().Create(s.t.Context(), d))
	return d
}

// queue makes so many conversations with a draft each, the one that waits longest first.
func (s *site) queue(n int) []*suggestion.Suggestion {
	s.t.Helper()
	drafts := make([]*suggestion.Suggestion, n)
	for i := range drafts {
		_, m := s.mail(fmt.Sprintf("Offer %d", i), "How much are ten?")
		drafts[i] = s.drafted(m, fmt.Sprintf("Ten are %d euros.", i))
	}
	return drafts
}

func (s *site) suggestion(id uuid.UUID) *suggestion.Suggestion {
	s.t.Helper()
	d, err := s.mine.Suggestions().Get(s.t.Context(), id)
	require.NoError(s.t, err)
	return d
}

// outbox are the entries that are still to be delivered, by the text that goes out.
func (s *site) outbox() map[string]int {
	s.t.Helper()
	found := map[string]int{}
	for after := store.Cursor(""); ; {
		list, err := s.mine.Deliveries().List(s.t.Context(), store.DeliveryFilter{State: store.DeliveryOpen}, store.PageRequest{After: after})
		require.NoError(s.t, err)
		for _, entry := range list.Items {
			m, err := s.mine.Messages().Get(s.t.Context(), entry.MessageID)
			require.NoError(s.t, err)
			found[m.Content]++
		}
		if after = list.Next; after == "" {
			return found
		}
	}
}
