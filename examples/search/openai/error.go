package openai

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Error is a refusal by the server.
type Error struct {
	// Status is that of HTTP.
	Status int
	// Type and Code are the server's words for the reason; either may be empty.
	Type, Code string
	// Message is the server's sentence. It may quote the texts or the key, so Error
	// leaves it out: show it to whoever sent them, and log it nowhere.
	Message string
	// RetryAfter is when the server wants to be asked again, 0 if it did not say.
	RetryAfter time.Duration
	// said tells "at once" from nothing.
	said bool
}

func (e *Error) Error() string {
	reason := e.Type
	if e.Code != "" && e.Code != e.Type {
		reason = strings.TrimPrefix(reason+", "+e.Code, ", ")
	}
	if reason != "" {
		reason = " (" + reason + ")"
	}
	return strings.TrimSpace(fmt.Sprintf("openai: status %d %s", e.Status, http.StatusText(e.Status))) + reason
}

// transportError says that a request or its response got lost.
type transportError struct{ err error }

func (e *transportError) Error() string { return "openai: " + e.err.Error() }
func (e *transportError) Unwrap() error { return e.err }

// Retryable tells whether the same call may work a little later: a limit of calls, a
// server that is down or busy, a connection that broke. It is for EmbedOptions.Retry. A
// used-up quota has the status of a limit and does not pass by itself.
func Retryable(err error) bool {
	var refused *Error
	if errors.As(err, &refused) {
		switch {
		case refused.Type == noQuota || refused.Code == noQuota:
			return false
		case refused.Status == http.StatusRequestTimeout, refused.Status == http.StatusTooManyRequests:
			return true
		}
		return refused.Status >= 500 && refused.Status != http.StatusNotImplemented
	}
	var lost *transportError
	return errors.As(err, &lost) && !errors.Is(err, context.Canceled)
}

const (
	noQuota = "insufficient_quota"
	maxBody = 64 << 10
)

// name is what types and codes look like. Anything else could be a text.
var name = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)

// refusal reads {"error": {"message": …, "type": …, "code": …}}, and the variations of
// servers that are not OpenAI's: a code that is a number, an error that is a sentence.
func refusal(res *http.Response) error {
	e := &Error{Status: res.StatusCode}
	e.RetryAfter, e.said = retryAfter(res.Header.Get("Retry-After"), time.Now())
	text, err := io.ReadAll(io.LimitReader(res.Body, maxBody))
	if err != nil {
		return e // the status says the most of it
	}
	var body struct {
		Error json.RawMessage `json:"error"`
	}
	if json.Unmarshal(text, &body) != nil {
		return e
	}
	var reason struct {
		Message, Type string
		Code          any
	}
	if json.Unmarshal(body.Error, &e.Message) == nil || json.Unmarshal(body.Error, &reason) != nil {
		return e
	}
	e.Message, e.Type = reason.Message, named(reason.Type)
	if reason.Code != nil {
		e.Code = named(fmt.Sprint(reason.Code))
	}
	return e
}

func named(s string) string {
	if name.MatchString(s) {
		return s
	}
	return ""
}

// retryAfter takes seconds and dates.
func retryAfter(value string, now time.Time) (time.Duration, bool) {
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second, true
	}
	if t, err := http.ParseTime(value); err == nil {
		return max(0, t.Sub(now)), true
	}
	return 0, false
}
