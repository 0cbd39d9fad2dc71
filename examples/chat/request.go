package main

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"

	"github.com/google/uuid"

	"github.com/convostore/convostore/store"
)

// request is a request with who makes it and what it is about.
type request struct {
	*http.Request
	w http.ResponseWriter
	// mine are the rows that the request may see, and person is the browser.
	mine   store.Scope
	person string
	// id is that of the path, the nil UUID if it has none.
	id uuid.UUID
}

// handler returns the answer to a request, nil if there is nothing to say, or written if it has
// written the answer itself.
type handler func(r *request) (any, error)

type written struct{}

func (s *server) handle(h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		person := personOf(w, r)
		q := &request{Request: r, w: w, person: person, mine: s.store.ForUser(s.owner(person))}
		var body any
		err := q.readID()
		if err == nil {
			body, err = h(q)
		}
		switch {
		case err != nil:
			refuse(w, r, err)
		case body == nil:
			w.WriteHeader(http.StatusNoContent)
		case body != written{}:
			answer(w, http.StatusOK, body)
		}
	})
}

// readID takes an id that is no UUID for that of nothing.
func (r *request) readID() (err error) {
	if id := r.PathValue("id"); id != "" {
		if r.id, err = uuid.Parse(id); err != nil {
			return store.ErrNotFound
		}
	}
	return nil
}

// maxBody is the largest body of a request: text that a person typed.
const maxBody = 1 << 20

var errBody = errors.New("the body is not the JSON that is expected")

// reading makes a handler of one that takes the body of the request.
func reading[B any](h func(*request, B) (any, error)) handler {
	return func(r *request) (any, error) {
		var body B
		if json.NewDecoder(http.MaxBytesReader(r.w, r.Body, maxBody)).Decode(&body) != nil {
			return nil, errBody
		}
		return h(r, body)
	}
}

func answer(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body) // who has gone needs no answer
}

// refuse answers with the kind of an error. What the library says about bad input is for people to
// read; what a database says is for the log alone.
func refuse(w http.ResponseWriter, r *http.Request, err error) {
	code, text := http.StatusInternalServerError, "something went wrong on the server"
	switch {
	case errors.Is(err, store.ErrNotFound):
		code, text = http.StatusNotFound, "there is no such thing"
	case errors.Is(err, store.ErrConflict):
		code, text = http.StatusConflict, err.Error()
	case errors.Is(err, store.ErrInvalid), errors.Is(err, errBody):
		code, text = http.StatusBadRequest, err.Error()
	case r.Context().Err() == nil:
		slog.ErrorContext(r.Context(), "request failed", "path", r.URL.Path, "error", err)
	}
	answer(w, code, map[string]string{"error": text})
}

// personOf names the browser by a cookie, random so that nobody can guess another one's. A service
// with a login has the name of the account here.
func personOf(w http.ResponseWriter, r *http.Request) string {
	name := rand.Text()
	if c, err := r.Cookie("person"); err == nil && len(c.Value) == len(name) {
		return c.Value
	}
	http.SetCookie(w, &http.Cookie{
		Name: "person", Value: name, Path: "/", MaxAge: 365 * 24 * 3600, HttpOnly: true, SameSite: http.SameSiteStrictMode,
	})
	return name
}
