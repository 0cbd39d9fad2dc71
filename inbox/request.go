package inbox

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/store"
)

// request is a request with who makes it and what it is about.
type request struct {
	*http.Request
	w  http.ResponseWriter
	in *Inbox
	// op is who makes the request, and known says that the host has told.
	op    Operator
	known bool
	// user and id are those of the conversation in the path, uuid.Nil if there is none.
	user, id uuid.UUID
	// root is the way from the path to that of the inbox.
	root string
	now  time.Time
}

// methodError says which methods a path takes.
type methodError struct{ allow string }

func (e *methodError) Error() string { return "the path takes " + e.allow }

// rows are those that the operator sees.
func (r *request) rows() store.Scope { return r.op.rows(r.in.store) }

// mine are the rows of the user whose conversation is in the path.
func (r *request) mine() store.Scope { return r.in.store.ForUser(r.user) }

// path is the way to a conversation from the root of the inbox.
func (r *request) path(user, id uuid.UUID) string {
	if r.op.AllUsers {
		return "c/" + user.String() + "/" + id.String()
	}
	return "c/" + id.String()
}

// frame is what every page has around its own content.
type frame struct {
	Title, Heading string
	// Root is before every link, and Path is the page's own path after it.
	Root     string
	Path     string
	Operator Operator
	Token    string
	// Search is what the field of the search has.
	Search string
	// Tab is the part of the inbox that the page belongs to.
	Tab  string
	Zone string
	Now  stamp
	Done *doneBanner
	Body any
}

// frame returns the frame of a page.
func (r *request) frame(title string) *frame {
	f := &frame{
		Title: oneLine(title), Heading: r.in.options.Title, Root: r.root, Operator: r.op, Token: r.in.token(r.op),
		Path: strings.TrimPrefix(r.URL.Path, "/"), Now: r.stamp(r.now),
	}
	if r.op.Location != nil {
		f.Zone = r.op.Location.String()
	}
	return f
}

// OperatorName is how the operator is called.
func (f *frame) OperatorName() string { return oneLine(f.Operator.Label()) }

// OperatorID is the operator as events name them.
func (f *frame) OperatorID() string { return oneLine(f.Operator.ID) }

// CanSeeHealth says whether the page of health is theirs.
func (f *frame) CanSeeHealth() bool { return f.Operator.Can(MaySeeHealth) }

// render answers with a page. It is made before the first byte goes out, so that an error is a page
// of its own and not half of one.
func (r *request) render(code int, page string, f *frame) error {
	var b bytes.Buffer
	if err := r.in.pages[page].ExecuteTemplate(&b, "layout", f); err != nil {
		return err
	}
	r.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	r.w.WriteHeader(code)
	_, _ = r.w.Write(b.Bytes()) // who has gone needs no answer
	return nil
}

// redirect answers a POST that worked: the browser reads the page anew. The way is relative, because
// nobody here knows what stands before the path.
func (r *request) redirect(way string) error {
	r.w.Header().Set("Location", r.root+way)
	r.w.WriteHeader(http.StatusSeeOther)
	return nil
}

// typed is what somebody typed into a form that was refused: it is shown, so that it is not lost.
type typed struct{ Label, Text string }

// typed are the texts of the form.
func (r *request) typed() []typed {
	var all []typed
	for _, field := range []struct{ name, label string }{
		{"text", "Your reply"}, {"feedback", "Your reason"}, {"note", "Your note"}, {"label", "Label"}, {"assignee", "Assignee"},
	} {
		if text := r.PostForm.Get(field.name); text != "" {
			all = append(all, typed{field.label, newlines(text)})
		}
	}
	return all
}

// refusal is the content of a page that says why something was not done.
type refusal struct {
	What  string
	Typed []typed
	// Again is where to go on, a way from the root.
	Again, AgainLabel string
}

// refuse answers with the kind of an error. What a database says is for the log alone.
func (r *request) refuse(err error) {
	code, what := r.verdict(err)
	if merged := new(store.MergedError); errors.As(err, &merged) && r.Method == http.MethodGet {
		_ = r.redirect(r.path(r.user, merged.Into))
		return
	}
	if wantsJSON(r.Request) {
		r.answerJSON(code, map[string]string{"error": what})
		return
	}
	if !r.known {
		r.in.refusePlainly(r.w, r.Request, code, what)
		return
	}
	body := &refusal{What: what, Typed: r.typed(), Again: "", AgainLabel: "To the queue"}
	if r.id != uuid.Nil && code != http.StatusNotFound {
		body.Again, body.AgainLabel = r.path(r.user, r.id), "To the conversation"
	}
	f := r.frame(http.StatusText(code))
	f.Body = body
	if err := r.render(code, "refusal", f); err != nil {
		r.in.options.Logger.ErrorContext(r.Context(), "inbox: page failed", "error", err)
		r.in.refusePlainly(r.w, r.Request, http.StatusInternalServerError, "Something went wrong.")
	}
}

// verdict is the status of an error and what people are told.
func (r *request) verdict(err error) (code int, what string) {
	var (
		refused *refusedError
		invalid *store.InvalidError
		tooBig  *http.MaxBytesError
		method  *methodError
	)
	switch {
	case errors.As(err, &refused) && errors.Is(err, ErrUnauthenticated):
		return http.StatusUnauthorized, "Log in to see this page."
	case errors.As(err, &refused), errors.Is(err, ErrForbidden):
		return http.StatusForbidden, "You may not do this."
	case errors.Is(err, errToken):
		return http.StatusForbidden, "This form is out of date. Open the page again; what you typed is below."
	case errors.Is(err, errForm):
		return http.StatusUnsupportedMediaType, "This is no form of the inbox."
	case errors.As(err, &tooBig):
		return http.StatusRequestEntityTooLarge, "That is too much text for one form."
	case errors.As(err, &method):
		r.w.Header().Set("Allow", method.allow)
		return http.StatusMethodNotAllowed, "This address does something else."
	case errors.Is(err, store.ErrNotFound):
		return http.StatusNotFound, "There is no such page, or it is not yours."
	case errors.As(err, &invalid):
		return http.StatusBadRequest, "Not possible: " + invalid.Field + " " + invalid.Rule + "."
	case errors.Is(err, store.ErrConflict):
		return http.StatusConflict, "Somebody else was quicker."
	case errors.Is(err, context.Canceled):
		return http.StatusServiceUnavailable, "The request was broken off."
	}
	r.in.options.Logger.ErrorContext(r.Context(), "inbox: request failed", "path", r.URL.Path, "error", err)
	return http.StatusInternalServerError, "Something went wrong. It was noted."
}

// refusePlainly answers with a page that needs no operator.
func (in *Inbox) refusePlainly(w http.ResponseWriter, r *http.Request, code int, what string) {
	var b bytes.Buffer
	f := &frame{Title: http.StatusText(code), Heading: in.options.Title, Root: rootOf(r.URL.Path), Body: &refusal{What: what}}
	if err := in.pages["plain"].ExecuteTemplate(&b, "plain", f); err != nil {
		http.Error(w, what, code)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(code)
	_, _ = w.Write(b.Bytes()) // who has gone needs no answer
}
