package search

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/internal/words"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

// textSearch is a text search whose input was checked.
type textSearch struct {
	sc       scope.Scope
	db       query.Conn
	o        store.TextOptions
	features *scope.Features
	// part is what MatchSubstring looks for, query what the others do.
	part  string
	query words.Query
	// only are conversations to look in, all if there are none.
	only []uuid.UUID
}

// in narrows a search to conversations.
func (t *textSearch) in(threads []uuid.UUID) *textSearch {
	in := *t
	in.only = threads
	return &in
}

func (s search) Messages(ctx context.Context, text string, o store.TextOptions, p store.PageRequest) (store.Page[*store.MessageHit], error) {
	t, l, err := s.textSearch(ctx, "search messages", text, o, p)
	if err != nil || t.nothing() {
		return store.Page[*store.MessageHit]{Items: []*store.MessageHit{}}, query.Wrap("search messages", err)
	}
	list, err := t.findMessages(l.After, l.Limit+1)
	if err != nil {
		return store.Page[*store.MessageHit]{}, query.Wrap("search messages", err)
	}
	page := scope.PageOf(list, l, t.place)
	hits, err := t.messageHits(page.Items)
	return store.Page[*store.MessageHit]{Items: hits, Next: page.Next}, query.Wrap("search messages", err)
}

func (s search) Conversations(ctx context.Context, text string, o store.TextOptions, p store.PageRequest) (store.Page[*store.ConversationHit], error) {
	t, l, err := s.textSearch(ctx, "search conversations", text, o, p)
	if err != nil || t.nothing() {
		return store.Page[*store.ConversationHit]{Items: []*store.ConversationHit{}}, query.Wrap("search conversations", err)
	}
	list, err := t.findThreads(l.After, l.Limit+1)
	if err != nil {
		return store.Page[*store.ConversationHit]{}, query.Wrap("search conversations", err)
	}
	page := scope.PageOf(list, l, t.threadPlace)
	hits, err := t.conversationHits(page.Items)
	return store.Page[*store.ConversationHit]{Items: hits, Next: page.Next}, query.Wrap("search conversations", err)
}

// textHits returns the best messages, without pages.
func (s search) textHits(ctx context.Context, text string, o store.TextOptions, limit int) ([]*store.MessageHit, error) {
	t, _, err := s.textSearch(ctx, "", text, o, store.PageRequest{})
	if err != nil || t.nothing() {
		return nil, err
	}
	list, err := t.findMessages(nil, limit)
	if err != nil {
		return nil, err
	}
	return t.messageHits(list)
}

// textSearch checks the input of a method and that the database can do it.
func (s search) textSearch(ctx context.Context, method, text string, o store.TextOptions, p store.PageRequest) (t *textSearch, l scope.Listing, err error) {
	if o, err = checkText(o); err != nil {
		return nil, l, err
	}
	if err := scope.CheckPart("text", text); err != nil {
		return nil, l, err
	}
	asked := struct {
		Text    string
		Options store.TextOptions
	}{text, o}
	if l, err = s.sc.Listing(ctx, method, asked, p); err != nil {
		return nil, l, err
	}
	t = &textSearch{sc: s.sc, db: l.DB, o: o}
	if t.features, err = s.sc.SchemaFeatures(query.On(ctx, s.sc.Reader)); err != nil {
		return nil, l, err
	}
	if err := t.features.CheckLead(o.Filter.LeadID); err != nil {
		return nil, l, err
	}
	switch o.Match {
	case store.MatchSubstring:
		t.part = strings.TrimSpace(text)
		return t, l, nil
	case store.MatchAny:
		t.query = words.Parse(text).Any()
	default:
		t.query = words.Parse(text)
	}
	if !t.features.FullText {
		err = fmt.Errorf("%w: the database was migrated without full text, which finds words: call migrate.RebuildSearch, "+
			"or look for a part with MatchSubstring", store.ErrUnsupported)
	}
	return t, l, err
}

// nothing tells whether there is nothing to look for.
func (t *textSearch) nothing() bool { return t.part == "" && t.query.Empty() }

// ranks tells whether the order is by rank.
func (t *textSearch) ranks() bool { return t.o.Order == store.ByRank }

func checkText(o store.TextOptions) (_ store.TextOptions, err error) {
	switch {
	case o.Match < store.MatchAll || o.Match > store.MatchSubstring:
		return o, rule.Invalid("match", "is unknown")
	case o.Order < store.ByRank || o.Order > store.Newest:
		return o, rule.Invalid("order", "is unknown")
	case o.Match == store.MatchSubstring:
		o.Order = store.Newest
	}
	o.Filter, err = checkFilter(o.Filter)
	return o, err
}
