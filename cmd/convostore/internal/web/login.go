// Package web serves a handler to one person: a token instead of a login, on loopback unless told
// otherwise, and an end that waits for nobody long.
package web

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"strings"
)

// MinToken is how many characters a token has at least.
const MinToken = 16

// NewToken returns a random token.
func NewToken() string { return rand.Text() + rand.Text() }

// login lets those in who know the token.
type login struct {
	token  string
	next   http.Handler
	secure bool
}

// Login wraps a handler. Whoever brings the token, in the query of any page or in the form that is
// shown without it, gets a cookie, and sees the pages. Secure says that the pages are reached by TLS.
func Login(token string, secure bool, next http.Handler) http.Handler {
	return &login{token, next, secure}
}

func (l *login) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Query().Has("token"):
		l.enter(w, r, r.URL.Query().Get("token"), without(r.URL))
	case r.Method == http.MethodPost && r.URL.Path == "/login":
		r.Body = http.MaxBytesReader(w, r.Body, 4096)
		l.enter(w, r, strings.TrimSpace(r.PostFormValue("token")), "/")
	case l.known(r):
		l.next.ServeHTTP(w, r)
	default:
		l.form(w, "")
	}
}

// enter sets the cookie, and leads on to a page of this server.
func (l *login) enter(w http.ResponseWriter, r *http.Request, token, to string) {
	if !same(token, l.token) {
		l.form(w, "This is not the token.")
		return
	}
	http.SetCookie(w, &http.Cookie{
		Name: l.name(), Value: l.value(), Path: "/", HttpOnly: true, Secure: l.secure, SameSite: http.SameSiteStrictMode,
	})
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// without returns the path and the query less the token.
func without(u *url.URL) string {
	q := u.Query()
	q.Del("token")
	// A path of two slashes would be the name of another host.
	to := url.URL{Path: "/" + strings.TrimLeft(u.Path, "/"), RawQuery: q.Encode()}
	return to.String()
}

func (l *login) known(r *http.Request) bool {
	c, err := r.Cookie(l.name())
	return err == nil && same(c.Value, l.value())
}

// name differs by token: cookies do not tell the ports of one host apart.
func (l *login) name() string { return "convostore_" + l.derived("name")[:8] }

// value is not the token, so that who reads the cookie's store does not know it.
func (l *login) value() string { return l.derived("cookie") }

func (l *login) derived(what string) string {
	h := hmac.New(sha256.New, []byte(l.token))
	h.Write([]byte(what)) // never fails
	return hex.EncodeToString(h.Sum(nil))
}

// same compares in a time that says nothing of where they differ.
func same(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

const page = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>convostore</title></head>
<body><main><h1>convostore</h1>%s
<form method="post" action="/login"><p><label for="token">The token that was printed at the start</label></p>
<p><input id="token" name="token" type="password" autocomplete="current-password" required autofocus> <button>Enter</button></p></form>
</main></body></html>
`

func (l *login) form(w http.ResponseWriter, wrong string) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusUnauthorized)
	if wrong != "" {
		wrong = `<p role="alert">` + html.EscapeString(wrong) + "</p>"
	}
	_, _ = fmt.Fprintf(w, page, wrong) // whoever asked may be gone
}
