package inbox

import (
	"io/fs"
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/convostore/convostore/store"
)

// route is what is served under a pattern, and what an operator must be allowed for it.
type route struct {
	pattern string
	may     Permissions
	serve   func(*request) error
}

// routeTable has every route but those of conversations.
var routeTable = []route{
	{"GET /{$}", MayRead, (*request).queue},
	{"GET /search", MayRead, (*request).search},
	{"GET /reports", MayRead, (*request).reports},
	{"GET /health", MaySeeHealth, (*request).health},
	{"GET /events", MayRead, (*request).queueEvents},
}

// threadTable has the routes of one conversation. Their patterns are without its path.
var threadTable = []route{
	{"GET ", MayRead, (*request).thread},
	{"POST /draft", MayDecide, (*request).saveDraft},
	{"POST /approve", MaySend, (*request).approve},
	{"POST /reject", MayDecide, (*request).reject},
	{"POST /undo", MayDecide, (*request).undo},
	{"POST /reply", MaySend, (*request).writeReply},
	{"POST /cancel", MaySend, (*request).takeBackReply},
	{"POST /retry", MaySend, (*request).retry},
	{"POST /assign", MayOrganize, (*request).assign},
	{"POST /note", MayOrganize, (*request).note},
	{"POST /label", MayOrganize, (*request).label},
	{"POST /snooze", MayOrganize, (*request).snooze},
	{"POST /unsnooze", MayOrganize, unsnooze},
	{"POST /pin", MayOrganize, pin},
	{"POST /unpin", MayOrganize, unpin},
	{"POST /archive", MayOrganize, (*request).archive},
	{"POST /reopen", MayOrganize, reopen},
	{"POST /branch", MayOrganize, (*request).branch},
	{"GET /merge", MayOrganize, (*request).mergeForm},
	{"POST /merge", MayOrganize, (*request).merge},
	{"POST /read", MayRead, (*request).markRead},
	{"GET /events", MayRead, (*request).threadEvents},
}

// routes are all that is served. A conversation is under c/{id}; for an operator of all users, to
// whom an id alone may be two conversations, it is under c/{user}/{id}.
func (in *Inbox) routes() http.Handler {
	mux := http.NewServeMux()
	for _, one := range routeTable {
		mux.Handle(one.pattern, in.handle(one))
	}
	for _, one := range threadTable {
		method, rest, _ := strings.Cut(one.pattern, " ")
		mux.Handle(method+" /c/{id}"+rest, in.handle(one))
		mux.Handle(method+" /c/{user}/{id}"+rest, in.handle(one))
	}
	mux.Handle("GET /static/", http.StripPrefix("/static", in.static()))
	mux.Handle("/", in.handle(route{may: MayRead, serve: func(r *request) error { return r.unknown(mux) }}))
	return mux
}

// static serves the style and the script, which hold nothing of anybody.
func (in *Inbox) static() http.Handler {
	dir, err := fs.Sub(files, "static")
	if err != nil {
		panic(err) // it is embedded
	}
	served := http.FileServerFS(dir)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if info, err := fs.Stat(dir, strings.TrimPrefix(r.URL.Path, "/")); err != nil || info.IsDir() {
			in.refusePlainly(w, r, http.StatusNotFound, "There is no such page.")
			return
		}
		served.ServeHTTP(w, r)
	})
}

// unknown answers what no route takes: 405 for a path that takes other methods.
func (r *request) unknown(mux *http.ServeMux) error {
	var others []string
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		other := r.Clone(r.Context())
		other.Method = method
		if _, pattern := mux.Handler(other); pattern != "/" {
			others = append(others, method)
		}
	}
	if len(others) == 0 {
		return store.ErrNotFound
	}
	return &methodError{strings.Join(others, ", ")}
}

// handle makes a handler of a route: it knows the operator, checks what they may do, reads the form
// of a POST, and answers with a page what was refused.
func (in *Inbox) handle(one route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r := &request{Request: req, w: w, in: in, now: in.options.Clock(), root: rootOf(req.URL.Path)}
		if err := r.prepare(one); err != nil {
			r.refuse(err)
			return
		}
		if err := one.serve(r); err != nil {
			r.refuse(err)
		}
	})
}

func (r *request) prepare(one route) (err error) {
	if r.op, err = r.in.operator(r.Request); err != nil {
		return err
	}
	r.known = true
	if !r.op.Can(one.may) {
		return ErrForbidden
	}
	if r.Method == http.MethodPost {
		if err := r.readForm(); err != nil {
			return err
		}
	}
	return r.readPath()
}

// readPath reads the ids of a conversation's path. What is no id is that of nothing.
func (r *request) readPath() (err error) {
	if text := r.PathValue("id"); text != "" {
		if r.id, err = uuid.Parse(text); err != nil {
			return noID(text)
		}
		r.user = r.op.UserID
	}
	if text := r.PathValue("user"); text != "" {
		user, err := uuid.Parse(text)
		if err != nil || !r.op.AllUsers && user != r.op.UserID {
			return store.ErrNotFound
		}
		r.user = user
	}
	if r.id != uuid.Nil && r.user == uuid.Nil {
		return store.ErrNotFound
	}
	return nil
}

// noID is the error of a path without the id of a conversation. c/{id}/approve looks like
// c/{user}/{id} to whoever asks for it with GET.
func noID(text string) error {
	isForm := slices.ContainsFunc(threadTable, func(one route) bool { return one.pattern == "POST /"+text })
	if isForm {
		return &methodError{http.MethodPost}
	}
	return store.ErrNotFound
}

// rootOf is the way from a path to the root of the inbox: links are relative to it, whatever stands
// before it.
func rootOf(path string) string {
	depth := strings.Count(strings.TrimPrefix(path, "/"), "/")
	if depth == 0 {
		return "./"
	}
	return strings.Repeat("../", depth)
}
