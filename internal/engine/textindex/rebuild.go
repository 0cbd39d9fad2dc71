package textindex

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/internal/segment"
	"github.com/convostore/convostore/internal/words"
	"github.com/convostore/convostore/store"
)

// PackAll packs all that is noted now and removes all that is void, in as many transactions as it
// takes. It waits for nobody: whoever else packs does the same work.
func PackAll(ctx context.Context, st *scope.Store) error {
	for most := maxPacked; most > 0; {
		done, err := Pack(ctx, st, Step{Rows: most, Bytes: maxPackedBytes})
		if err != nil {
			return err
		}
		most = done.Next
	}
	for {
		merged, err := Merge(ctx, st, largeSize)
		if err != nil || !merged {
			return err
		}
	}
}

// Outdate marks all segments as made by no version of package words, so that RebuildOne makes
// them anew, unless some are to be made anew already: those that an interrupted rebuild has left,
// or that have the stems of other stemmers.
func Outdate(ctx context.Context, st *scope.Store) error {
	return st.Transaction(ctx, func(tx *scope.Store) error {
		c, err := change(ctx, tx.AllUsers())
		if err != nil {
			return err
		}
		// A merge that is being written would otherwise be missed.
		if err := c.backend.lock(c.db, c.t); err != nil {
			return err
		}
		state, err := State(c.db, st)
		if err != nil || state.Outdated > 0 {
			return err
		}
		_, err = query.New("UPDATE " + c.t.segments + " SET tokenizer = 0").Exec(c.db)
		return err
	})
}

// State returns the state of the index.
func State(db query.Conn, st *scope.Store) (state store.SearchState, err error) {
	t := tablesOf(st)
	count := func(table string) string { return "(SELECT count(*) FROM " + table + ")" }
	var sums []*segmentSum
	q := query.New("SELECT " + count(t.notes) + ", " + count(t.gone) + ", 0, NULL, 0, 0, 0 UNION ALL SELECT 0, 0, s.tokenizer, s.stems, count(*), " +
		"CAST(sum(s.documents) AS bigint), CAST(sum(s.bytes) AS bigint) FROM " + t.segments + " s GROUP BY s.tokenizer, s.stems")
	if sums, err = query.All(db, q, (*segmentSum).dest); err != nil {
		return state, err
	}
	for _, s := range sums {
		state.Noted, state.Void = state.Noted+int64(s.noted), state.Void+int64(s.void)
		state.Segments, state.Documents, state.Bytes = state.Segments+int64(s.segments), state.Documents+int64(s.documents), state.Bytes+int64(s.bytes)
		if s.segments > 0 && !isCurrent(s.tokenizer, s.stems, st.Languages) {
			state.Outdated += int64(s.documents)
		}
	}
	return state, nil
}

// segmentSum sums up the segments that were made in one way. The first one has the notes instead.
type segmentSum struct {
	noted, void, tokenizer, segments, documents, bytes record.Number
	stems                                              record.Text
}

func (s *segmentSum) dest() []any {
	return []any{&s.noted, &s.void, &s.tokenizer, &s.stems, &s.segments, &s.documents, &s.bytes}
}

// RebuildOne makes one segment anew from the rows, one whose words another version of package
// words has cut, or whose stems other stemmers have found. It returns how many documents it read, and how many are left in such segments.
func RebuildOne(ctx context.Context, st *scope.Store) (read, left int64, err error) {
	err = st.Transaction(ctx, func(tx *scope.Store) error {
		read, left = 0, 0
		c, err := change(ctx, tx.AllUsers())
		if err != nil {
			return err
		}
		if err := c.backend.lock(c.db, c.t); err != nil {
			return err
		}
		gone, err := c.takeGone(maxGone, query.New("1 = 1"))
		if err != nil {
			return err
		}
		if err := c.readSegments(); err != nil {
			return err
		}
		if err := c.removeGone(gone); err != nil {
			return err
		}
		read, left, err = c.rebuildOldest()
		return err
	})
	return read, left, Damaged(err)
}

// StartOver removes all segments and notes every text, in one transaction, so that a search finds
// as much after it as before. It reads nothing of the segments, which may be damaged. What is void
// stays noted as such, and hides nothing, since a text is not packed while its key is void.
func StartOver(ctx context.Context, st *scope.Store) error {
	return st.Transaction(ctx, func(tx *scope.Store) error {
		c, err := change(ctx, tx.AllUsers())
		if err != nil {
			return err
		}
		if err := c.backend.lock(c.db, c.t); err != nil {
			return err
		}
		for _, sql := range append(c.backend.noteAll(c.t), "DELETE FROM "+c.t.blocks, "DELETE FROM "+c.t.segments) {
			if _, err := query.New(sql).Exec(c.db); err != nil {
				return err
			}
		}
		return nil
	})
}

func (c *changer) rebuildOldest() (read, left int64, err error) {
	var oldest *Part
	for _, p := range c.Parts {
		if p.current {
			continue
		}
		if oldest == nil {
			oldest = p
		} else {
			left += int64(p.Documents)
		}
	}
	if oldest == nil {
		return 0, 0, nil
	}
	keys, err := c.keysOf(oldest)
	if err != nil {
		return 0, 0, err
	}
	var b builder
	for len(keys) > 0 {
		docs, n, err := c.textsOfKeys(keys[:min(packed, len(keys))])
		if err != nil {
			return 0, 0, err
		}
		b.add(docs)
		keys = keys[n:]
	}
	m, err := build(&b, words.Version)
	if err != nil {
		return 0, 0, err
	}
	return int64(oldest.Documents), left, c.replace([]*Part{oldest}, m)
}

// keysOf returns the keys of the documents of a segment that are not void.
func (c *changer) keysOf(p *Part) (keys []segment.Key, err error) {
	first := segment.Key{}.Bytes()
	chunks, err := c.fetch([]request{{of: p, part: segment.PartDocuments, low: first, high: after(nil)}})
	if err != nil {
		return nil, err
	}
	for _, chunk := range chunks[0] {
		infos, err := segment.Documents(chunk)
		if err != nil {
			return nil, err
		}
		for _, info := range infos {
			if !p.Void.Has(info.Ordinal) {
				keys = append(keys, info.Key)
			}
		}
	}
	if have := len(keys) + p.Void.Len(); have != p.Documents {
		return nil, fmt.Errorf("%w: a segment has %d documents and should have %d", store.ErrSearchIndex, have, p.Documents)
	}
	return keys, nil
}

// textsOfKeys reads the texts of the first of some documents, and returns of how many. What has moved
// since has none: it is noted.
func (c *changer) textsOfKeys(keys []segment.Key) (docs []segment.Document, n int, err error) {
	docs, n, err = textsWithin(&c.View, keys, maxPackedBytes, func(of []segment.Key) *query.Query {
		ids := make([]uuid.UUID, len(of))
		for i, k := range of {
			ids[i] = k.ID
		}
		inMessages, arg := c.sc.Dialect.InUUIDs("m.id", ids)
		inTitles, _ := c.sc.Dialect.InUUIDs("c.id", ids)
		return query.New("SELECT "+c.t.messageTexts()+" FROM "+c.t.messages+" m WHERE "+Indexable+" AND "+inMessages, arg).
			Add(" UNION ALL SELECT "+titleTexts+" FROM "+c.t.conversations+" c WHERE "+inTitles, arg)
	})
	wanted := make(map[segment.Key]bool, n)
	for _, k := range keys[:n] {
		wanted[k] = true
	}
	return slices.DeleteFunc(docs, func(d segment.Document) bool { return !wanted[d.Key] }), n, err
}
