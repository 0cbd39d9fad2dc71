package textindex

import (
	"database/sql"
	"slices"
	"strings"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/segment"
	"github.com/convostore/convostore/internal/words"
)

// The sizes of segments, in documents, where 512 bytes count as one. A search reads a little of
// each segment, so there should be few; a merge writes all of what it merges, and so does an
// erasure, so they should not be large. Merging by eights, each document is written three times.
const (
	smallSize = packed
	largeSize = 16_384
	fanOut    = 8
	perSize   = 512
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

// mergeSmall merges the segments of a tier when there are eight, as many of the oldest as fit
// into the largest size. What is as large as that is left alone.
func (c *changer) mergeSmall() error {
	for {
		group := c.mergeable()
		if len(group) < 2 {
			return nil
		}
		if err := c.merge(group); err != nil {
			return err
		}
	}
}

// kindOfPart is what segments have in common that are merged. What other stemmers have made stays
// apart: a segment with both would have to be made anew as a whole.
type kindOfPart struct {
	tier             int
	current, unasked bool
}

func (c *changer) mergeable() []*Part {
	tiers := map[kindOfPart][]*Part{}
	for _, p := range c.Parts { // the oldest first
		n := kindOfPart{p.tier(), p.current, words.Unasked(p.made)}
		tiers[n] = append(tiers[n], p)
		if 2*p.size() > largeSize || len(tiers[n]) < fanOut {
			continue
		}
		group, size := tiers[n], 0
		for i, of := range group {
			if size += of.size(); size > largeSize {
				return group[:i]
			}
		}
		return group
	}
	return nil
}

// merge writes the live documents of segments into one new segment and removes the others. A
// segment that is merged keeps the version of the oldest words in it, and names all stemmers.
func (c *changer) merge(parts []*Part) error {
	var b builder
	tokenizer := int64(words.Version)
	for _, p := range parts {
		blocks, err := c.load(p)
		if err != nil {
			return err
		}
		if err := b.Absorb(blocks, p.Void); err != nil {
			return err
		}
		b.made = append(b.made, strings.Fields(p.made)...)
		tokenizer = min(tokenizer, p.tokenizer)
	}
	for _, p := range parts {
		if err := c.remove(p); err != nil {
			return err
		}
	}
	return c.insert(&b, tokenizer)
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

// load reads all blocks of a segment.
func (c *changer) load(p *Part) (blocks []segment.Block, err error) {
	q := query.New("SELECT part, key, data FROM "+c.t.blocks+" WHERE segment_id = ? ORDER BY part, key", p.id)
	return blocks, q.Rows(c.db, func(rows *sql.Rows) error {
		var part record.Number
		var b segment.Block
		err := rows.Scan(&part, &b.Key, &b.Data)
		b.Part = segment.Part(part)
		blocks = append(blocks, b)
		return err
	})
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
func (c *changer) insert(b *builder, tokenizer int64) error {
	header, blocks, err := b.Build()
	if err != nil || header.Documents == 0 {
		return err
	}
	made := words.Made(b.made)
	p := &Part{
		Header: header, To: uint32(header.Documents), tokenizer: tokenizer, made: made,
		current: isCurrent(record.Number(tokenizer), record.Text(made), c.sc.Languages),
	}
	q := query.New("INSERT INTO "+c.t.segments+" (documents, length, since_at, until_at, bytes, tokenizer, dead, stems) VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
		int64(header.Documents), header.Length, header.Since, header.Until, header.Bytes, tokenizer, []byte{}, made)
	if _, err := q.Row(c.db, &p.id); err != nil {
		return err
	}
	for part := range slices.Chunk(blocks, blocksPerInsert) {
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
