package main

import (
	"crypto/rand"
	"net/http"

	"github.com/google/uuid"

	"github.com/convostore/convostore/store"
)

// cookie names the browser. A service with a login has the name of the account here.
const cookie = "person"

// personOf names the browser, and gives it a name if it has none. The name tells who has read and
// voted; it is random, so that nobody can guess another one's.
func personOf(w http.ResponseWriter, r *http.Request) string {
	if c, err := r.Cookie(cookie); err == nil && len(c.Value) == len(rand.Text()) {
		return c.Value
	}
	c := &http.Cookie{
		Name: cookie, Value: rand.Text(), Path: "/", MaxAge: 365 * 24 * 3600,
		HttpOnly: true, SameSite: http.SameSiteStrictMode,
	}
	http.SetCookie(w, c)
	return c.Value
}

// owner is whose rows a person sees. By default all share the rows of one owner, as the people of a
// workspace do; each has read marks and votes of their own all the same.
func (s *server) owner(person string) uuid.UUID {
	if s.options.private {
		return store.TenantID("person:" + person)
	}
	return store.TenantID("user:" + s.options.user)
}
