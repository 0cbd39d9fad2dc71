package textindex

import (
	"context"
	"database/sql"
	"slices"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/internal/segment"
	"github.com/convostore/convostore/internal/words"
)

const (
	// packed is how many noted rows are worth a segment. A search reads the texts of those that
	// are not packed yet.
	packed = 256
	// maxPacked is how many rows a segment gets at once.
	maxPacked = 2048
	// maxGone is how many void documents are looked up at once.
	maxGone = 100_000
)

// Packed is what a step did.
type Packed struct {
	// Rows were noted and are now in a segment, or not to be found any more.
	Rows int
	// Gone are the void documents that were marked or removed.
	Gone int
	// Busy says that somebody else changes segments, so that nothing was done.
	Busy bool
}

// Pack packs up to most noted rows into a segment, marks what is void, and merges small
// segments, all in one transaction. Whoever reads meanwhile sees all of it or nothing.
func Pack(ctx context.Context, st *scope.Store, most int) (done Packed, err error) {
	err = st.Transaction(ctx, func(tx *scope.Store) error {
		done = Packed{}
		c, err := change(ctx, tx.AllUsers())
		if err != nil {
			return err
		}
		free, err := c.backend.tryLock(c.db, c.t)
		if err != nil || !free {
			done.Busy = !free
			return err
		}
		done, err = c.pack(most)
		return err
	})
	return done, Damaged(err)
}

// changer changes segments. It has the lock of those who do.
type changer struct {
	View
}

func change(ctx context.Context, sc scope.Scope) (*changer, error) {
	a, err := accessOf(sc)
	return &changer{View{access: a, db: query.On(ctx, sc.Writer)}}, err
}

// pack takes the notes first: an edit waits for its note. What it finds void after that is
// void in the segments there are, and the texts that it reads then are newer than that. What is
// void and could not be taken, because there is too much of it or somebody else has it, would hide
// the new text as well: see settled.
func (c *changer) pack(most int) (done Packed, err error) {
	notes, err := c.backend.takeNotes(c.db, c.t, most)
	if err != nil {
		return done, err
	}
	gone, err := c.backend.takeGone(c.db, c.t, maxGone, query.New("1 = 1"))
	if err != nil {
		return done, err
	}
	done = Packed{Rows: len(notes), Gone: len(gone)}
	if done.Rows+done.Gone == 0 {
		return done, nil
	}
	if err := c.readSegments(); err != nil {
		return done, err
	}
	if err := c.removeGone(gone); err != nil {
		return done, err
	}
	err = c.textsOf(notes, func(docs []segment.Document) error {
		settled, err := c.settled(docs)
		if err != nil {
			return err
		}
		done.Rows -= len(docs) - len(settled)
		return c.add(settled)
	})
	if err != nil {
		return done, err
	}
	return done, c.mergeSmall()
}

// readSegments reads the rows of all segments, as they are now.
func (c *changer) readSegments() error {
	c.Parts = nil
	q := query.New("SELECT " + segmentColumns + " FROM " + c.t.segments + " s ORDER BY s.id")
	return q.Rows(c.db, func(rows *sql.Rows) error {
		var r segmentRow
		if err := rows.Scan(r.dest()...); err != nil {
			return err
		}
		p, err := r.part(c.sc.Languages)
		c.Parts = append(c.Parts, p)
		return err
	})
}

// removeGone marks documents as void in the segments that have them. A segment with erased ones
// is written anew without them and all else that is void, so that no word of theirs stays.
func (c *changer) removeGone(gone []goneRow) error {
	var erased, others []segment.Key
	for i := range gone {
		switch key := gone[i].key.key(); {
		case gone[i].key.wrong: // no segment has it
		case gone[i].erased:
			erased = append(erased, key)
		default:
			others = append(others, key)
		}
	}
	if err := c.void(others, func(p *Part) bool { return 2*p.Void.Len() > p.Documents }); err != nil {
		return err
	}
	return c.void(erased, func(*Part) bool { return true })
}

// void marks documents, and writes those segments anew of which rewrite is true.
func (c *changer) void(documents []segment.Key, rewrite func(*Part) bool) error {
	if len(documents) == 0 || len(c.Parts) == 0 {
		return nil
	}
	parts := slices.Clone(c.Parts)
	places, err := c.find(parts, documents)
	if err != nil {
		return err
	}
	for i, p := range parts {
		if len(places[i]) == 0 {
			continue
		}
		p.Void = p.Void.With(places[i])
		if rewrite(p) {
			err = c.merge([]*Part{p})
		} else {
			_, err = query.New("UPDATE "+c.t.segments+" SET dead = ? WHERE id = ?", p.Void.Bytes(), p.id).Exec(c.db)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// settled returns the documents that are not void any more. The others are noted again, and
// packed once their earlier text is void in its segment.
func (c *changer) settled(docs []segment.Document) ([]segment.Document, error) {
	ids := make([]uuid.UUID, len(docs))
	for i, d := range docs {
		ids[i] = d.Key.ID
	}
	in, arg := c.sc.Dialect.InUUIDs("id", ids)
	rows, err := query.All(c.db, query.New("SELECT user_id, thread_id, id, kind FROM "+c.t.gone+" WHERE "+in, arg), (*keyRow).dest)
	if err != nil || len(rows) == 0 {
		return docs, err
	}
	void := make(map[segment.Key]bool, len(rows))
	for _, r := range rows {
		void[r.key()] = true
	}
	settled := make([]segment.Document, 0, len(docs))
	for _, d := range docs {
		if !void[d.Key] {
			settled = append(settled, d)
			continue
		}
		if _, err := c.backend.note(c.t, d.Key).Exec(c.db); err != nil {
			return nil, err
		}
	}
	return settled, nil
}

// add makes a segment of documents.
func (c *changer) add(docs []segment.Document) error {
	var b builder
	b.add(docs)
	return c.insert(&b, words.Version)
}
