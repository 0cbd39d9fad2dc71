package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/words"
	"github.com/convostore/convostore/rule"
)

// textSearch is a text search whose input was checked.
type textSearch struct {
	scope
	db       conn
	o        TextOptions
	features *features
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

func (s search) Messages(ctx context.Context, text string, o TextOptions, p PageRequest) (Page[*MessageHit], error) {
	t, l, err := s.textSearch(ctx, "search messages", text, o, p)
	if err != nil || t.nothing() {
		return Page[*MessageHit]{Items: []*MessageHit{}}, fail("search messages", err)
	}
	list, err := t.findMessages(l.after, l.limit+1)
	if err != nil {
		return Page[*MessageHit]{}, fail("search messages", err)
	}
	page := pageOf(list, l, t.place)
	hits, err := t.messageHits(page.Items)
	return Page[*MessageHit]{Items: hits, Next: page.Next}, fail("search messages", err)
}

func (s search) Conversations(ctx context.Context, text string, o TextOptions, p PageRequest) (Page[*ConversationHit], error) {
	t, l, err := s.textSearch(ctx, "search conversations", text, o, p)
	if err != nil || t.nothing() {
		return Page[*ConversationHit]{Items: []*ConversationHit{}}, fail("search conversations", err)
	}
	list, err := t.findThreads(l.after, l.limit+1)
	if err != nil {
		return Page[*ConversationHit]{}, fail("search conversations", err)
	}
	page := pageOf(list, l, t.threadPlace)
	hits, err := t.conversationHits(page.Items)
	return Page[*ConversationHit]{Items: hits, Next: page.Next}, fail("search conversations", err)
}

// textHits returns the best messages, without pages.
func (s search) textHits(ctx context.Context, text string, o TextOptions, limit int) ([]*MessageHit, error) {
	t, _, err := s.textSearch(ctx, "", text, o, PageRequest{})
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
func (s search) textSearch(ctx context.Context, method, text string, o TextOptions, p PageRequest) (t *textSearch, l listing, err error) {
	if o, err = o.normalize(); err != nil {
		return nil, l, err
	}
	if err := checkPart("text", text); err != nil {
		return nil, l, err
	}
	asked := struct {
		Text    string
		Options TextOptions
	}{text, o}
	if l, err = s.listing(ctx, method, asked, p); err != nil {
		return nil, l, err
	}
	t = &textSearch{scope: s.scope, db: l.db, o: o}
	if t.features, err = s.schemaFeatures(session(ctx, s.reader)); err != nil {
		return nil, l, err
	}
	if err := t.features.checkLead(o.Filter.LeadID); err != nil {
		return nil, l, err
	}
	switch o.Match {
	case MatchSubstring:
		t.part = strings.TrimSpace(text)
		return t, l, nil
	case MatchAny:
		t.query = words.Parse(text).Any()
	default:
		t.query = words.Parse(text)
	}
	if !t.features.fullText {
		err = fmt.Errorf("%w: the database was migrated without full text, which finds words: call migrate.RebuildSearch, "+
			"or look for a part with MatchSubstring", ErrUnsupported)
	}
	return t, l, err
}

// nothing tells whether there is nothing to look for.
func (t *textSearch) nothing() bool { return t.part == "" && t.query.Empty() }

// ranks tells whether the order is by rank.
func (t *textSearch) ranks() bool { return t.o.Order == ByRank }

func (o TextOptions) normalize() (_ TextOptions, err error) {
	switch {
	case o.Match < MatchAll || o.Match > MatchSubstring:
		return o, rule.Invalid("match", "is unknown")
	case o.Order < ByRank || o.Order > Newest:
		return o, rule.Invalid("order", "is unknown")
	case o.Match == MatchSubstring:
		o.Order = Newest
	}
	o.Filter, err = o.Filter.normalize()
	return o, err
}
