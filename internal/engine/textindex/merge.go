package textindex

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/internal/segment"
	"github.com/convostore/convostore/internal/words"
	"github.com/convostore/convostore/store"
)

// The sizes of segments, in documents, where 512 bytes count as one. A search reads a little of
// each segment, so there should be few; a merge writes all of what it merges, and so does an
// erasure, so they should not be large. Merging by eights, each document is written three times.
const (
	smallSize = packed
	largeSize = 16_384
	fanOut    = 8
	// gentleSize is what is merged at most by an append. The rest is left to who searches, and to
	// PackAll: it takes a tenth of a second, and only searches have something of it.
	gentleSize = 2048
	perSize    = 512
)

// size is the size of a segment in documents.
func (p *Part) size() int { return max(p.Documents-p.Void.Len(), int(p.Bytes/perSize), 1) }

// tier is the number of merges that a segment of this size has behind it.
func (p *Part) tier() (n int) {
	for size := smallSize * fanOut / 2; size < largeSize && p.size() >= size; size *= fanOut {
		n++
	}
	return n
}

// kindOfPart is what segments have in common that are merged. What other stemmers have made stays
// apart: a segment with both would have to be made anew as a whole.
type kindOfPart struct {
	tier             int
	current, unasked bool
}

// mergeable returns segments that should become one: eight of a tier, as many of the oldest as fit
// into the largest size, or one of which more than half is void. What is as large as that is left
// alone. With most below the largest size it returns only what has few documents.
func mergeable(parts []*Part, most int) []*Part {
	tiers := map[kindOfPart][]*Part{}
	for _, p := range parts { // the oldest first
		if 2*p.Void.Len() > p.Documents && p.Documents <= most {
			return []*Part{p}
		}
		n := kindOfPart{p.tier(), p.current, words.Unasked(p.made)}
		if n.tier > 0 && most < largeSize {
			continue
		}
		tiers[n] = append(tiers[n], p)
		if 2*p.size() > largeSize || len(tiers[n]) < fanOut {
			continue
		}
		group, size := tiers[n], 0
		for i, of := range group {
			if size += of.size(); size > most {
				return group[:i]
			}
		}
		return group
	}
	return nil
}

// Merge merges some segments of together at most so many documents, if there are any that should be
// one, and tells whether it did. It reads and writes anew what they have before it begins its
// transaction, which is therefore short, and gives up if somebody else has changed them meanwhile.
func Merge(ctx context.Context, st *scope.Store, most int) (merged bool, err error) {
	c, err := change(ctx, st.AllUsers())
	if err == nil {
		err = c.readSegments()
	}
	if err != nil {
		return false, Damaged(err)
	}
	group := mergeable(c.Parts, most)
	if len(group) == 0 {
		return false, nil
	}
	made, madeErr := c.absorb(group)
	err = st.Transaction(ctx, func(tx *scope.Store) error {
		merged = false
		in, err := change(ctx, tx.AllUsers())
		if err != nil {
			return err
		}
		free, err := in.backend.tryLock(in.db, in.t)
		if err != nil || !free {
			return err
		}
		if err := in.readSegments(); err != nil {
			return err
		}
		same := in.unchanged(group)
		if same == nil {
			return nil
		}
		if madeErr != nil {
			return madeErr
		}
		merged = true
		return in.replace(same, made)
	})
	return merged && err == nil, Damaged(err)
}

// unchanged returns the segments as the transaction has them, nil if one is not there any more or
// has other void documents.
func (c *changer) unchanged(group []*Part) (same []*Part) {
	for _, p := range group {
		i := slices.IndexFunc(c.Parts, func(o *Part) bool { return o.id == p.id })
		if i < 0 || !bytes.Equal(c.Parts[i].Void.Bytes(), p.Void.Bytes()) {
			return nil
		}
		same = append(same, c.Parts[i])
	}
	return same
}

// made is a segment that is not in the database yet.
type made struct {
	segment.Header
	blocks    []segment.Block
	tokenizer int64
	stems     string
}

// absorb makes one segment of the live documents of some. It keeps the version of the oldest
// words in them, and names all stemmers.
func (c *changer) absorb(parts []*Part) (made, error) {
	var b builder
	tokenizer := int64(words.Version)
	for _, p := range parts {
		blocks, err := c.load(p)
		if err != nil {
			return made{}, err
		}
		if err := b.Absorb(blocks, p.Void); err != nil {
			return made{}, err
		}
		b.made = append(b.made, strings.Fields(p.made)...)
		tokenizer = min(tokenizer, p.tokenizer)
	}
	return build(&b, tokenizer)
}

func build(b *builder, tokenizer int64) (made, error) {
	header, blocks, err := b.Build()
	return made{header, blocks, tokenizer, words.Made(b.made)}, err
}

// replace writes a segment in place of others.
func (c *changer) replace(parts []*Part, by made) error {
	for _, p := range parts {
		if err := c.remove(p); err != nil {
			return err
		}
	}
	return c.insert(by)
}

// builder packs documents into a segment, and keeps in mind by which stemmers these have stems.
type builder struct {
	segment.Builder
	made []string
}

func (b *builder) add(docs []segment.Document) {
	for _, d := range docs {
		b.Add(d)
		if made := d.Language.Made(); !slices.Contains(b.made, made) {
			b.made = append(b.made, made)
		}
	}
}

// load reads all blocks of a segment. It fails if some are missing.
func (c *changer) load(p *Part) (blocks []segment.Block, err error) {
	q := query.New("SELECT part, key, data FROM "+c.t.blocks+" WHERE segment_id = ? ORDER BY part, key", p.id)
	bytes := int64(0)
	err = q.Rows(c.db, func(rows *sql.Rows) error {
		var part record.Number
		var b segment.Block
		err := rows.Scan(&part, &b.Key, &b.Data)
		b.Part = segment.Part(part)
		blocks = append(blocks, b)
		bytes += int64(len(b.Key) + len(b.Data))
		return err
	})
	if err == nil && bytes != p.Bytes {
		err = fmt.Errorf("%w: a segment has blocks of %d bytes and should have %d", store.ErrSearchIndex, bytes, p.Bytes)
	}
	return blocks, err
}

func (c *changer) remove(p *Part) error {
	for _, sql := range []string{"DELETE FROM " + c.t.blocks + " WHERE segment_id = ?", "DELETE FROM " + c.t.segments + " WHERE id = ?"} {
		if _, err := query.New(sql, p.id).Exec(c.db); err != nil {
			return err
		}
	}
	c.Parts = slices.DeleteFunc(c.Parts, func(o *Part) bool { return o == p })
	return nil
}

// blocksPerInsert keeps a statement well below the largest number of arguments.
const blocksPerInsert = 64

// insert writes a segment. One without documents is left out.
func (c *changer) insert(m made) error {
	if m.Documents == 0 {
		return nil
	}
	p := &Part{
		Header: m.Header, To: uint32(m.Documents), tokenizer: m.tokenizer, made: m.stems,
		current: isCurrent(record.Number(m.tokenizer), record.Text(m.stems), c.sc.Languages),
	}
	q := query.New("INSERT INTO "+c.t.segments+" (documents, length, since_at, until_at, bytes, tokenizer, dead, stems) VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
		int64(m.Documents), m.Length, m.Since, m.Until, m.Bytes, m.tokenizer, []byte{}, m.stems)
	if _, err := q.Row(c.db, &p.id); err != nil {
		return err
	}
	for part := range slices.Chunk(m.blocks, blocksPerInsert) {
		q := query.New("INSERT INTO " + c.t.blocks + " (segment_id, part, key, data) VALUES ")
		for i, block := range part {
			if i > 0 {
				q.Add(", ")
			}
			q.Add("(?, ?, ?, ?)", p.id, int64(block.Part), block.Key, block.Data)
		}
		if _, err := q.Exec(c.db); err != nil {
			return err
		}
	}
	c.Parts = append(c.Parts, p)
	return nil
}
