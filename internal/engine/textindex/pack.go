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
	// packedBytes of noted texts are worth one too, however few rows they are.
	packedBytes = 1 << 20
	// maxPacked is how many rows a segment gets at once, and maxPackedBytes about how many bytes of
	// texts, of which there may be several times as much in memory meanwhile.
	maxPacked      = 2048
	maxPackedBytes = 8 << 20
	// maxGone is how many void documents are looked up at once.
	maxGone = 100_000
)

// Packed is what a step did.
type Packed struct {
	// Rows were noted and are now in a segment, or not to be found any more.
	Rows int
	// Bytes are those of the texts that were packed.
	Bytes int
	// Gone are the void documents that were marked or removed.
	Gone int
	// Next is how many rows the next step should take, 0 if there is nothing that it could do.
	Next int
	// Busy says that somebody else changes segments, so that nothing was done.
	Busy bool
}

// Step is what Pack does at most.
type Step struct {
	// Rows are noted rows, and Bytes about the bytes of their texts.
	Rows, Bytes int
	// Gentle leaves alone what was erased past the store, for which whole segments are written
	// anew.
	Gentle bool
}

// Pack packs noted rows into a segment and marks what is void, all in one transaction. Whoever
// reads meanwhile sees all of it or nothing.
func Pack(ctx context.Context, st *scope.Store, step Step) (done Packed, err error) {
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
		done, err = c.pack(step)
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
func (c *changer) pack(step Step) (done Packed, err error) {
	notes, err := c.backend.takeNotes(c.db, c.t, step.Rows)
	if err != nil {
		return done, err
	}
	gone, err := c.takeGone(maxGone, step.gone())
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
	read, err := c.addNoted(notes, step.Bytes, &done)
	if err != nil {
		return done, err
	}
	switch {
	case read < len(notes):
		done.Next = read
	case read == step.Rows && done.Rows > 0 || len(gone) == maxGone:
		done.Next = min(2*step.Rows, maxPacked)
	}
	return done, nil
}

func (s Step) gone() *query.Query {
	if s.Gentle {
		return query.New("NOT erased")
	}
	return query.New("1 = 1")
}

// addNoted makes a segment of noted texts, as many as fit, and notes the others again. It returns
// how many it read.
func (c *changer) addNoted(notes []note, bytes int, done *Packed) (read int, err error) {
	docs, read, err := textsWithin(&c.View, notes, bytes, func(of []note) *query.Query { return c.backend.texts(c.t, of) })
	if err != nil {
		return 0, err
	}
	if rest := notes[read:]; len(rest) > 0 {
		if _, err := c.backend.noteAgain(c.t, rest).Exec(c.db); err != nil {
			return 0, err
		}
	}
	sure, err := c.settled(docs)
	done.Rows = read - len(docs) + len(sure)
	for _, d := range sure {
		done.Bytes += d.Size()
	}
	if err != nil || len(sure) == 0 {
		return read, err
	}
	return read, c.add(sure)
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
	if err := c.void(others, false); err != nil {
		return err
	}
	return c.void(erased, true)
}

// void marks documents, or writes the segments that have them anew.
func (c *changer) void(documents []segment.Key, rewrite bool) error {
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
		if rewrite {
			err = c.rewrite(p)
		} else {
			_, err = query.New("UPDATE "+c.t.segments+" SET dead = ? WHERE id = ?", p.Void.Bytes(), p.id).Exec(c.db)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *changer) rewrite(p *Part) error {
	by, err := c.absorb([]*Part{p})
	if err != nil {
		return err
	}
	return c.replace([]*Part{p}, by)
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
	m, err := build(&b, words.Version)
	if err != nil {
		return err
	}
	return c.insert(m)
}
