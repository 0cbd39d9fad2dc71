package search

import (
	"errors"
	"fmt"
	"slices"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/internal/engine/textindex"
	"github.com/convostore/convostore/internal/segment"
	"github.com/convostore/convostore/internal/words"
	"github.com/convostore/convostore/store"
)

// wordSearch is a text search by words, on the index as it was at one moment.
type wordSearch struct {
	*textSearch
	view *textindex.View
	// chosen are the conversations that a selective filter leaves, once they were read.
	chosen *chosenThreads
}

// chosenThreads are all of the conversations if few is set.
type chosenThreads struct {
	threads []scope.OwnedID
	few     bool
}

// maxReads is how often the index is read anew because it changed meanwhile. A change takes
// milliseconds and comes once in hundreds of appends.
const maxReads = 100

// onIndex runs fn on the index, and again if somebody merged what it reads.
func (t *textSearch) onIndex(fn func(w *wordSearch) error) error {
	for try := 1; ; try++ {
		view, err := textindex.Read(t.db, t.sc)
		if err == nil {
			if err = fn(&wordSearch{textSearch: t, view: view}); err == nil {
				view.Tend()
			}
		}
		switch {
		case !errors.Is(err, textindex.ErrVanished):
			return textindex.Damaged(err)
		case try == maxReads: // blocks are missing
			return fmt.Errorf("%w: %w", store.ErrSearchIndex, err)
		}
	}
}

// find returns what matches in some fields, and no conversation that the filter names another
// one for.
func (w *wordSearch) find(fields ...segment.Field) (*textindex.Found, error) {
	found, err := w.view.Find(segment.NewPlan(w.query, fields, w.languages()...))
	if err != nil || len(found.Matches) == 0 {
		return found, err
	}
	threads, few, err := w.fewThreads()
	if err != nil || !few {
		return found, err
	}
	err = found.In(threads)
	return found, err
}

// languages are those by whose stems words are looked up: of all texts that there are, or the one
// that the options name.
func (w *wordSearch) languages() []*words.Language {
	all := w.view.Languages()
	if w.options.Language == "" {
		return all
	}
	return slices.DeleteFunc(all, func(l *words.Language) bool { return l.Code != w.options.Language })
}

// messageFields are the fields that a search for messages looks in.
func (t *textSearch) messageFields() []segment.Field {
	if len(t.options.In) == 0 {
		return []segment.Field{segment.Content}
	}
	fields := make([]segment.Field, len(t.options.In))
	for i, f := range t.options.In {
		fields[i] = indexFields[f]
	}
	return fields
}

// indexFields are the fields of the index by those of the contract.
var indexFields = map[store.TextField]segment.Field{
	store.InContent: segment.Content, store.InAttachments: segment.Attachments,
	store.InToolResults: segment.ToolResults, store.InMetadata: segment.Metadata,
}

// maxFewThreads is how many conversations are looked up in the index one by one.
const maxFewThreads = 100

// fewThreads returns the conversations that a selective filter leaves, if these are few. Else
// each match is checked by itself.
func (w *wordSearch) fewThreads() (threads []scope.OwnedID, few bool, err error) {
	if !isSelective(w.options.Filter) {
		return nil, false, nil
	}
	if w.chosen != nil {
		return w.chosen.threads, w.chosen.few, nil
	}
	c := w.conversations()
	q := query.New("SELECT c.user_id, c.id" + w.fromRows(c) + " WHERE 1 = 1")
	q = w.eligible(q, c, nil).Add(" LIMIT ?", maxFewThreads+1)
	found, err := query.All(w.db, q, func(t *scope.OwnedID) []any { return []any{&t.User, &t.ID} })
	if err != nil {
		return nil, false, err
	}
	w.chosen = &chosenThreads{query.Values(found), len(found) <= maxFewThreads}
	return w.chosen.threads, w.chosen.few, nil
}

// keyOf is the key of a document's row.
func keyOf(info segment.Info) scope.OwnedID {
	return scope.OwnedID{ID: info.Key.ID, User: info.Key.User}
}
