package threads

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/window"
)

// contextPage is how many messages Context reads at a time.
const contextPage = 50

func (s messages) Context(ctx context.Context, conversationID uuid.UUID, b window.Budget) (window.Window, error) {
	if err := b.Validate(); err != nil {
		return window.Window{}, err
	}
	r := &contextReader{messages: s, conversationID: conversationID, budget: b, have: map[int64]bool{}}
	w, err := r.read(ctx)
	return w, query.Wrap("read context", err)
}

// contextReader reads a conversation from its end on. Every read goes through listMessages, which
// follows the path of the conversation's head.
type contextReader struct {
	messages
	conversationID uuid.UUID
	budget         window.Budget
	found          []*message.Message
	have           map[int64]bool // the seqs of found
	// summaries are those of this path, and chosen those of them that the window may use.
	summaries, chosen []*conversation.Summary
}

// read reads page by page until the budget is full, and then one page more: what belongs to a
// step of the window's is there then, unless a step is longer than a page.
func (r *contextReader) read(ctx context.Context) (window.Window, error) {
	if err := r.pinned(ctx); err != nil {
		return window.Window{}, err
	}
	before, limit, full := int64(0), contextPage, false
	for {
		page, _, err := r.page(ctx, store.MessageFilter{BeforeSeq: before}, limit)
		if err != nil {
			return window.Window{}, err
		}
		if len(page) > 0 {
			before = r.take(page)
		}
		w, err := window.Build(r.found, r.summaries, r.budget)
		if err != nil || len(page) == 0 || before == 1 {
			return w, err
		}
		if full {
			w.UnreadBefore = before
			return w, nil
		}
		full = slices.ContainsFunc(w.LeftOut, func(l window.LeftOut) bool { return l.Reason == window.OverBudget && l.Seq >= before })
		if limit = min(2*limit, store.MaxLimit); full {
			limit = contextPage
		}
	}
}

func (r *contextReader) page(ctx context.Context, f store.MessageFilter, limit int) ([]*message.Message, bool, error) {
	f.Order = store.ReverseThreadOrder
	return listMessages(ctx, r.sc, r.conversationID, f, nil, limit)
}

// pinned reads the system's messages, the last user's and the summaries.
func (r *contextReader) pinned(ctx context.Context) error {
	db, err := r.sc.Reading(ctx)
	if err != nil {
		return err
	}
	if r.summaries, err = listSummaries(r.sc, db, r.conversationID); err != nil {
		return err
	}
	for before, more := int64(0), true; more; {
		f := store.MessageFilter{Roles: []message.Role{message.RoleDeveloper, message.RoleSystem}, BeforeSeq: before}
		page, cut, err := r.page(ctx, f, store.MaxLimit)
		if err != nil {
			return err
		}
		r.add(page...)
		if more = cut || len(page) == store.MaxLimit; more {
			before = page[len(page)-1].Seq
		}
	}
	last, err := r.lastUser(ctx)
	if err != nil {
		return err
	}
	if last != nil {
		r.add(last)
	}
	return r.choose(ctx, last)
}

// choose chooses among the summaries of this path. A summary is of this path if its last message
// is.
func (r *contextReader) choose(ctx context.Context, last *message.Message) error {
	seen := map[*conversation.Summary]bool{}
	for {
		r.chosen = window.Choose(r.summaries, last)
		at := slices.IndexFunc(r.chosen, func(s *conversation.Summary) bool { return !seen[s] })
		if at < 0 {
			return nil
		}
		s := r.chosen[at]
		end, _, err := r.page(ctx, store.MessageFilter{BeforeSeq: s.ToSeq + 1}, 1)
		if err != nil {
			return err
		}
		if seen[s] = true; len(end) == 0 || end[0].Seq != s.ToSeq {
			r.summaries = slices.DeleteFunc(r.summaries, func(one *conversation.Summary) bool { return one == s })
		}
	}
}

// lastUser reads the last user's message that a window may have, nil if there is none.
func (r *contextReader) lastUser(ctx context.Context) (*message.Message, error) {
	for before := int64(0); ; {
		page, _, err := r.page(ctx, store.MessageFilter{Roles: []message.Role{message.RoleUser}, BeforeSeq: before}, 5)
		if err != nil || len(page) == 0 {
			return nil, err
		}
		for _, m := range page {
			if r.budget.Pins(m) {
				return m, nil
			}
		}
		before = page[len(page)-1].Seq
	}
}

func (r *contextReader) add(ms ...*message.Message) {
	for _, m := range ms {
		if !r.have[m.Seq] {
			r.have[m.Seq] = true
			r.found = append(r.found, m)
		}
	}
}

// take adds a page of messages and returns the seq to go on before: where a summary stands in the
// place of messages, that of the first one.
func (r *contextReader) take(page []*message.Message) int64 {
	for _, m := range page {
		for _, s := range r.chosen {
			if s.FromSeq <= m.Seq && m.Seq <= s.ToSeq {
				return s.FromSeq
			}
		}
		r.add(m)
	}
	return page[len(page)-1].Seq
}
