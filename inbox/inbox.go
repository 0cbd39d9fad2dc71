// Package inbox is the review inbox: pages for the people who read, decide on and send the replies
// that a model has drafted. It is an http.Handler that a host mounts behind its own login, with all
// that it needs embedded in it.
//
//	h, err := inbox.New(st, inbox.Options{Operator: whoIs})
//	mux.Handle("/inbox/", http.StripPrefix("/inbox", requireLogin(h)))
//
// docs/inbox.md says what the pages do, what they refuse and how they are kept safe.
package inbox

import (
	"context"
	"net/http"

	"github.com/convostore/convostore/store"
)

// Inbox serves the pages. It is safe for concurrent use, and any number of them may work on one
// database.
type Inbox struct {
	store    store.Store
	options  Options
	pages    pages
	handler  http.Handler
	presence *presence
	watches  *watches
	// open ends with Close: streams of events would otherwise never do so.
	open  context.Context
	close context.CancelFunc
}

var _ http.Handler = (*Inbox)(nil)

// New returns an inbox over a store. A bad option is an *OptionError, which names the field.
func New(st store.Store, o Options) (*Inbox, error) {
	if st == nil {
		return nil, &OptionError{Field: "Store", Rule: "is nil"}
	}
	if err := o.complete(); err != nil {
		return nil, err
	}
	parsed, err := parsePages()
	if err != nil {
		return nil, err
	}
	in := &Inbox{store: st, options: o, pages: parsed, presence: newPresence(o.Clock)}
	in.open, in.close = context.WithCancel(context.Background())
	in.watches = newWatches(in.open, st)
	in.handler = in.guard(in.routes())
	if o.Prefix != "" {
		in.handler = http.StripPrefix(o.Prefix, in.handler)
	}
	return in, nil
}

// ServeHTTP implements http.Handler.
func (in *Inbox) ServeHTTP(w http.ResponseWriter, r *http.Request) { in.handler.ServeHTTP(w, r) }

// Close ends the streams of events, so that a server that shuts down need not wait for the pages
// that are open: give it to http.Server.RegisterOnShutdown. Pages are served as before.
func (in *Inbox) Close() { in.close() }
