package main

import (
	"context"
	"embed"
	"io/fs"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/store"
)

//go:embed page
var files embed.FS

// server answers the requests of the page. ctx ends when the program leaves: then streams of
// events end, which would otherwise never do so.
type server struct {
	ctx     context.Context
	store   store.Store
	options *options
	replies *replies
}

func newServer(ctx context.Context, st store.Store, o *options) *server {
	return &server{ctx: ctx, store: st, options: o, replies: newReplies(ctx, st, o)}
}

func (s *server) serve(ctx context.Context, listener net.Listener) error {
	web := &http.Server{Handler: s.handler(), ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- web.Serve(listener) }()
	go s.replies.sweep(ctx)
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	leaving, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	err := web.Shutdown(leaving)
	s.replies.wait()
	return err
}

func (s *server) handler() http.Handler {
	page, err := fs.Sub(files, "page")
	if err != nil {
		panic(err) // it is embedded
	}
	mux := http.NewServeMux()
	mux.Handle("/", http.FileServerFS(page))
	for pattern, h := range map[string]handler{
		"GET /api/chats":                s.listChats,
		"POST /api/chats":               reading(s.createChat),
		"GET /api/chats/{id}":           s.readChat,
		"PATCH /api/chats/{id}":         reading(s.renameChat),
		"DELETE /api/chats/{id}":        s.deleteChat,
		"POST /api/chats/{id}/restore":  s.restoreChat,
		"POST /api/chats/{id}/read":     reading(s.markRead),
		"POST /api/chats/{id}/branch":   reading(s.switchBranch),
		"POST /api/chats/{id}/messages": reading(s.send),
		"POST /api/messages/{id}/again": reading(s.answerAgain),
		"POST /api/messages/{id}/goon":  s.goOn,
		"POST /api/messages/{id}/stop":  s.stop,
		"POST /api/messages/{id}/vote":  reading(s.vote),
		"GET /api/messages/{id}/text":   s.followText,
		"GET /api/chats/{id}/events":    s.events,
		"GET /api/events":               s.events,
		"/api/":                         func(*request) (any, error) { return nil, store.ErrNotFound },
	} {
		mux.Handle(pattern, s.handle(h))
	}
	return guard(mux)
}

// policy lets the page load what this server serves and nothing else. Trusted types make the
// browser refuse innerHTML and its like.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// guard sets what holds for every answer, and refuses requests that other sites make the browser
// send.
func guard(next http.Handler) http.Handler {
	own := http.NewCrossOriginProtection().Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		if !local(r.Host) {
			http.Error(w, "this is not the name of this machine", http.StatusMisdirectedRequest)
			return
		}
		own.ServeHTTP(w, r)
	})
}

// local tells whether a request names the server by its address or as localhost. With any other name
// a site that has the address of this machine in the DNS could read the chats, because there is no
// login. A service with a login has its own name here.
func local(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = host
	}
	return name == "localhost" || net.ParseIP(strings.Trim(name, "[]")) != nil
}

// owner is whose rows a person sees. By default all share the rows of one owner, as the people of a
// workspace do; each has read marks and votes of their own all the same.
func (s *server) owner(person string) uuid.UUID {
	if s.options.private {
		return store.TenantID("person:" + person)
	}
	return store.TenantID("user:" + s.options.user)
}
