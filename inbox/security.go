package inbox

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"
)

// policy lets a page load what this handler serves and nothing else: no scripts or styles in the
// page, nothing of other sites, and no site may frame it.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// maxBody is the largest body of a request: a form with what a person typed.
const maxBody = 1 << 20

var (
	errToken = errors.New("the form was not made for this operator, or before a restart")
	errForm  = errors.New("the body is no form")
)

// guard sets what holds for every answer, and refuses what other sites make a browser send.
func (in *Inbox) guard(next http.Handler) http.Handler {
	own := http.NewCrossOriginProtection()
	own.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		in.refusePlainly(w, r, http.StatusForbidden, "Another site made this request.")
	}))
	checked := own.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if !in.serves(r.Host) {
			in.refusePlainly(w, r, http.StatusMisdirectedRequest, "This is not a name of the inbox.")
			return
		}
		checked.ServeHTTP(w, r)
	})
}

// serves tells whether the inbox has the name that a request asks for.
func (in *Inbox) serves(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = host
	}
	name = strings.ToLower(strings.Trim(name, "[]"))
	if len(in.options.Hosts) == 0 {
		ip := net.ParseIP(name)
		return name == "localhost" || ip != nil && ip.IsLoopback()
	}
	return slices.ContainsFunc(in.options.Hosts, func(one string) bool {
		return one == "*" || strings.EqualFold(strings.Trim(one, "[]"), name)
	})
}

// token is what forms of an operator carry: no other site can know it, and no other operator's form
// can be used.
func (in *Inbox) token(op Operator) string {
	mac := hmac.New(sha256.New, in.options.Secret)
	mac.Write([]byte("inbox form\x00" + op.ID + "\x00" + op.UserID.String()))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// readForm reads the form of a POST and checks its token.
func (r *request) readForm() error {
	kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	if !strings.EqualFold(strings.TrimSpace(kind), "application/x-www-form-urlencoded") {
		return errForm
	}
	r.Body = http.MaxBytesReader(r.w, r.Body, maxBody)
	if err := r.ParseForm(); err != nil {
		if tooBig := new(http.MaxBytesError); errors.As(err, &tooBig) {
			return err
		}
		return errForm
	}
	if !hmac.Equal([]byte(r.PostForm.Get("token")), []byte(r.in.token(r.op))) {
		return errToken
	}
	return nil
}
