package web

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const token = "0123456789abcdef"

// answer is what a handler answered.
type answer struct {
	status  int
	header  http.Header
	cookies []*http.Cookie
}

func ask(t *testing.T, h http.Handler, r *http.Request) answer {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	result := w.Result()
	require.NoError(t, result.Body.Close())
	return answer{result.StatusCode, result.Header, result.Cookies()}
}

func inside() http.Handler {
	return Login(token, true, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
}

func TestTheTokenBecomesACookie(t *testing.T) {
	t.Parallel()
	h := inside()
	form := httptest.NewRequest(http.MethodPost, "/login", strings.NewReader(url.Values{"token": {token}}.Encode()))
	form.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for to, r := range map[string]*http.Request{
		"/c/1?view=all": httptest.NewRequest(http.MethodGet, "/c/1?token="+token+"&view=all", nil),
		"/":             form,
		"/evil.example": httptest.NewRequest(http.MethodGet, "http://h//evil.example?token="+token, nil),
	} {
		answer := ask(t, h, r)
		assert.Equal(t, http.StatusSeeOther, answer.status)
		assert.Equal(t, to, answer.header.Get("Location"), "a page of this server, without the token")
		require.Len(t, answer.cookies, 1)
		c := answer.cookies[0]
		assert.True(t, c.HttpOnly && c.Secure && c.SameSite == http.SameSiteStrictMode)
		assert.NotContains(t, c.Value, token)
		again := httptest.NewRequest(http.MethodGet, "/", nil)
		again.AddCookie(c)
		assert.Equal(t, http.StatusTeapot, ask(t, h, again).status)
		c.Value = "x" + c.Value[1:]
		other := httptest.NewRequest(http.MethodGet, "/", nil)
		other.AddCookie(c)
		assert.Equal(t, http.StatusUnauthorized, ask(t, h, other).status)
	}
}

func TestWithoutTheToken(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/", "/login", "/?token=", "/?token=" + token[1:], "/?token=" + token + "x"} {
		answer := ask(t, inside(), httptest.NewRequest(http.MethodGet, path, nil))
		assert.Equal(t, http.StatusUnauthorized, answer.status, path)
		assert.Empty(t, answer.cookies)
		assert.Contains(t, answer.header.Get("Content-Security-Policy"), "default-src 'none'")
	}
}

func TestLoopback(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]bool{
		"127.0.0.1:80": true, "[::1]:80": true, "localhost:0": true, "127.9.9.9:1": true,
		":80": false, "0.0.0.0:80": false, "[::]:80": false, "10.0.0.1:80": false, "example.com:80": false, "127.0.0.1": false,
	} {
		assert.Equal(t, want, Loopback(address), address)
	}
}
