package faulttest

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"github.com/google/uuid"

	"github.com/convostore/convostore/store"
)

// pack packs the index of words, which has far too few texts for an append to do so, or makes it
// anew.
func (c *client) pack(ctx context.Context) error {
	care := c.st.AllUsers().Maintenance()
	if c.r.IntN(4) == 0 {
		return c.unless(care.ReindexSearch(ctx, nil), "reindex")
	}
	return c.unless(care.PackSearch(ctx), "pack")
}

// searched fails unless searches find exactly the rows that there are: the words of all messages
// and titles, and each message by its own word. With repack, which writes, it packs the index and
// asks again. It returns how many segments the index had.
func searched(ctx context.Context, st store.Store, user uuid.UUID, d *data, repack bool) (segments int64, err error) {
	care := st.AllUsers().Maintenance()
	state, err := care.SearchState(ctx)
	if err != nil {
		return 0, err
	}
	mine := st.ForUser(user).Search()
	if err := d.search(ctx, mine); err != nil {
		return 0, fmt.Errorf("%+v: %w", state, err)
	}
	if !repack {
		return state.Segments, nil
	}
	if err := care.PackSearch(ctx); err != nil {
		return 0, err
	}
	if err := d.search(ctx, mine); err != nil {
		return 0, fmt.Errorf("packed from %+v: %w", state, err)
	}
	return state.Segments, nil
}

func (d *data) search(ctx context.Context, s store.Search) error {
	queries := map[string]map[uuid.UUID]bool{"word*": {}, `"lorem ipsum"`: {}}
	for id, m := range d.messages {
		own, rest, _ := strings.Cut(m.Content, " ")
		if !strings.HasPrefix(own, "word") {
			continue
		}
		queries[own] = map[uuid.UUID]bool{}
		if m.DeletedAt.Valid {
			continue
		}
		queries[own][id], queries["word*"][id] = true, true
		if rest != "" {
			queries[`"lorem ipsum"`][id] = true
		}
	}
	for q, want := range queries {
		got, err := foundMessages(ctx, s, q)
		if err := differ(q, want, got, err); err != nil {
			return err
		}
	}
	return d.searchTitles(ctx, s)
}

// searchTitles asks for the titles, which are numbers, and for one that nothing has.
func (d *data) searchTitles(ctx context.Context, s store.Search) error {
	titles := map[string]map[uuid.UUID]bool{"999999": {}}
	for id, c := range d.threads {
		if titles[c.Title] == nil {
			titles[c.Title] = map[uuid.UUID]bool{}
		}
		titles[c.Title][id] = true
	}
	for title, want := range titles {
		got, err := foundThreads(ctx, s, title)
		if err := differ("title "+title, want, got, err); err != nil {
			return err
		}
	}
	return nil
}

func differ(query string, want, got map[uuid.UUID]bool, err error) error {
	if err == nil && !maps.Equal(want, got) {
		err = fmt.Errorf("found %d, and there are %d: %v, %v", len(got), len(want), got, want)
	}
	if err != nil {
		return fmt.Errorf("search for %s: %w", query, err)
	}
	return nil
}

func foundMessages(ctx context.Context, s store.Search, query string) (map[uuid.UUID]bool, error) {
	return foundPages(func(p store.PageRequest) (store.Page[*store.MessageHit], error) {
		return s.Messages(ctx, query, store.TextOptions{Order: store.Newest}, p)
	}, func(h *store.MessageHit) uuid.UUID { return h.Message.ID })
}

func foundThreads(ctx context.Context, s store.Search, query string) (map[uuid.UUID]bool, error) {
	return foundPages(func(p store.PageRequest) (store.Page[*store.ConversationHit], error) {
		return s.Conversations(ctx, query, store.TextOptions{Order: store.Newest}, p)
	}, func(h *store.ConversationHit) uuid.UUID { return h.Conversation.ID })
}

// foundPages collects the ids of all pages. One that comes twice is an error.
func foundPages[T any](next func(store.PageRequest) (store.Page[T], error), id func(T) uuid.UUID) (map[uuid.UUID]bool, error) {
	ids := map[uuid.UUID]bool{}
	for p := (store.PageRequest{Limit: store.MaxLimit}); ; {
		page, err := next(p)
		for _, item := range page.Items {
			if err == nil && ids[id(item)] {
				err = fmt.Errorf("%s was found twice", id(item))
			}
			ids[id(item)] = true
		}
		if err != nil || page.Next == "" {
			return ids, err
		}
		p.After = page.Next
	}
}
