package search

import (
	"context"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/internal/substring"
	"github.com/convostore/convostore/internal/words"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

// textSearch is a text search with checked input.
type textSearch struct {
	sc      scope.Scope
	db      query.Conn
	options store.TextOptions
	// part finds the text of MatchSubstring, nil in the other modes; query has their words.
	part  *substring.Finder
	query words.Query
	// only limits the search to these conversations; empty means all.
	only []uuid.UUID
}

// inThreads returns a copy of the search that looks in these conversations only.
func (t *textSearch) inThreads(ids []uuid.UUID) *textSearch {
	narrowed := *t
	narrowed.only = ids
	return &narrowed
}

func (s search) Messages(ctx context.Context, text string, o store.TextOptions, p store.PageRequest) (store.Page[*store.MessageHit], error) {
	t, l, err := s.prepareText(ctx, "search messages", text, o, p)
	if err != nil || t.isEmpty() {
		return store.Page[*store.MessageHit]{Items: []*store.MessageHit{}}, query.Wrap("search messages", err)
	}
	matches, err := t.findMessages(l.After, l.Limit+1)
	if err != nil {
		return store.Page[*store.MessageHit]{}, query.Wrap("search messages", err)
	}
	page := scope.PageOf(matches, l, t.place)
	hits, err := t.messageHits(page.Items)
	return store.Page[*store.MessageHit]{Items: hits, Next: page.Next}, query.Wrap("search messages", err)
}

func (s search) Conversations(ctx context.Context, text string, o store.TextOptions, p store.PageRequest) (store.Page[*store.ConversationHit], error) {
	t, l, err := s.prepareText(ctx, "search conversations", text, o, p)
	if err != nil || t.isEmpty() {
		return store.Page[*store.ConversationHit]{Items: []*store.ConversationHit{}}, query.Wrap("search conversations", err)
	}
	matches, err := t.findThreads(l.After, l.Limit+1)
	if err != nil {
		return store.Page[*store.ConversationHit]{}, query.Wrap("search conversations", err)
	}
	page := scope.PageOf(matches, l, t.threadPlace)
	hits, err := t.conversationHits(page.Items)
	return store.Page[*store.ConversationHit]{Items: hits, Next: page.Next}, query.Wrap("search conversations", err)
}

// textHits returns the first messages of a search, at most limit, without pages.
func (s search) textHits(ctx context.Context, text string, o store.TextOptions, limit int) ([]*store.MessageHit, error) {
	t, _, err := s.prepareText(ctx, "", text, o, store.PageRequest{})
	if err != nil || t.isEmpty() {
		return nil, err
	}
	matches, err := t.findMessages(nil, limit)
	if err != nil {
		return nil, err
	}
	return t.messageHits(matches)
}

// prepareText checks the input of a method, and that the database has what the search needs.
func (s search) prepareText(ctx context.Context, method, text string, o store.TextOptions, p store.PageRequest) (t *textSearch, l scope.Listing, err error) {
	s.sc.Clean.Text(&text)
	if o, err = checkText(s.sc, o); err != nil {
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
	t = &textSearch{sc: s.sc, db: l.DB, options: o}
	features, err := s.sc.SchemaFeatures(query.On(ctx, s.sc.Reader))
	if err != nil {
		return nil, l, err
	}
	if err := features.CheckLead(o.Filter.LeadID); err != nil {
		return nil, l, err
	}
	switch o.Match {
	case store.MatchSubstring:
		if part := strings.TrimSpace(text); part != "" {
			t.part = substring.New(part)
		}
		return t, l, nil
	default:
		t.query = s.parse(text)
		if o.Match == store.MatchAny {
			t.query = t.query.Any()
		}
	}
	return t, l, t.query.Check()
}

// parse parses a query, which finds other forms of its words if the store has stemmers.
func (s search) parse(text string) words.Query {
	if s.sc.Languages == nil {
		return words.Parse(text)
	}
	return words.ParseForms(text)
}

// isEmpty tells whether the text has nothing to look for.
func (t *textSearch) isEmpty() bool { return t.part == nil && t.query.Empty() }

// byRank tells whether the order is by rank; else it is newest first.
func (t *textSearch) byRank() bool { return t.options.Order == store.ByRank }

// bySubstring tells whether the search is for a part of a word, which no index answers.
func (t *textSearch) bySubstring() bool { return t.options.Match == store.MatchSubstring }

// checkText checks the options. MatchSubstring has no rank, so its order is store.Newest.
func checkText(sc scope.Scope, o store.TextOptions) (_ store.TextOptions, err error) {
	switch {
	case o.Match < store.MatchAll || o.Match > store.MatchSubstring:
		return o, rule.Invalid("match", "is unknown")
	case o.Order < store.ByRank || o.Order > store.Newest:
		return o, rule.Invalid("order", "is unknown")
	case slices.ContainsFunc(o.In, func(f store.TextField) bool { return f < store.InContent || f > store.InMetadata }):
		return o, rule.Invalid("in", "has an unknown part of a message")
	case o.Match == store.MatchSubstring:
		if slices.ContainsFunc(o.In, func(f store.TextField) bool { return f != store.InContent }) {
			return o, rule.Invalid("in", "has more than the content, in which alone MatchSubstring looks")
		}
		o.Order = store.Newest
	}
	if s := o.Language; s != "" && !sc.Languages.Has(s) {
		return o, rule.Invalid("language", "is none that the store has a stemmer of, see WithStemming")
	}
	o.In = slices.Compact(slices.Sorted(slices.Values(o.In)))
	o.Filter, err = checkFilter(sc, o.Filter)
	return o, err
}
