package main

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"

	"github.com/google/uuid"

	"github.com/convostore/convostore/store"
)

//go:embed page
var files embed.FS

// maxBody is the largest body of a request. A message is text that a person typed.
const maxBody = 1 << 20

// server answers the requests of the page. ctx ends when the program leaves: then streams of
// events end, which would otherwise never do so.
type server struct {
	ctx     context.Context //nolint:containedctx // it is the life of the server, not of a call
	store   store.Store
	options *options
	replies *replies
}

func newServer(ctx context.Context, st store.Store, o *options) *server {
	return &server{ctx: ctx, store: st, options: o, replies: newReplies(ctx, st, o)}
}

func (s *server) handler() http.Handler {
	page, err := fs.Sub(files, "page")
	if err != nil {
		panic(err) // it is embedded
	}
	mux := http.NewServeMux()
	mux.Handle("/", http.FileServerFS(page))
	for pattern, handle := range map[string]handler{
		"GET /api/chats":                s.listChats,
		"POST /api/chats":               s.createChat,
		"GET /api/chats/{id}":           s.readChat,
		"PATCH /api/chats/{id}":         s.renameChat,
		"DELETE /api/chats/{id}":        s.deleteChat,
		"POST /api/chats/{id}/restore":  s.restoreChat,
		"POST /api/chats/{id}/read":     s.markRead,
		"POST /api/chats/{id}/branch":   s.switchBranch,
		"POST /api/chats/{id}/messages": s.send,
		"POST /api/messages/{id}/again": s.answerAgain,
		"POST /api/messages/{id}/goon":  s.goOn,
		"POST /api/messages/{id}/stop":  s.stop,
		"POST /api/messages/{id}/vote":  s.vote,
		"GET /api/messages/{id}/text":   s.followText,
		"GET /api/events":               s.events,
		"GET /api/chats/{id}/events":    s.events,
		"/api/":                         func(http.ResponseWriter, *request) error { return store.ErrNotFound },
	} {
		mux.Handle(pattern, s.handle(handle))
	}
	return s.guard(mux)
}

// policy lets the page load what this server serves and nothing else. Trusted types make the
// browser refuse innerHTML and its like.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// guard sets what holds for every answer, and refuses requests that other sites make the browser
// send.
func (s *server) guard(next http.Handler) http.Handler {
	own := http.NewCrossOriginProtection().Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		own.ServeHTTP(w, r)
	})
}

// request is a request with who makes it: mine are the rows of the owner, person is the browser.
type request struct {
	*http.Request
	mine   store.Scope
	person string
}

// handler answers a request, or returns an error that handle makes an answer of.
type handler func(w http.ResponseWriter, r *request) error

func (s *server) handle(h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		person := personOf(w, r)
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		if err := h(w, &request{r, s.store.ForUser(s.owner(person)), person}); err != nil {
			refuse(w, r, err)
		}
	})
}

// id reads the id in the path. One that is no UUID is that of nothing.
func (r *request) id() (uuid.UUID, error) {
	id, err := uuid.Parse(r.PathValue("id"))
	if err != nil {
		return id, store.ErrNotFound
	}
	return id, nil
}

// errBody is a request whose body cannot be read.
var errBody = errors.New("the body is not the JSON that is expected")

func (r *request) read(body any) error {
	if err := json.NewDecoder(r.Body).Decode(body); err != nil {
		return errBody
	}
	return nil
}

func answer(w http.ResponseWriter, code int, body any) error {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	return json.NewEncoder(w).Encode(body)
}

// refuse answers with the kind of an error. What the library says about bad input is for people to
// read; what a database says is for the log alone.
func refuse(w http.ResponseWriter, r *http.Request, err error) {
	code, text := http.StatusInternalServerError, "something went wrong on the server"
	switch {
	case r.Context().Err() != nil:
		return
	case errors.Is(err, store.ErrNotFound):
		code, text = http.StatusNotFound, "there is no such thing"
	case errors.Is(err, store.ErrConflict):
		code, text = http.StatusConflict, err.Error()
	case errors.Is(err, store.ErrInvalid), errors.Is(err, errBody):
		code, text = http.StatusBadRequest, err.Error()
	default:
		slog.ErrorContext(r.Context(), "request failed", "path", r.URL.Path, "error", err)
	}
	_ = answer(w, code, map[string]string{"error": text})
}
