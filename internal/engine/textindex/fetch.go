package textindex

import (
	"bytes"
	"database/sql"
	"errors"
	"slices"
	"sort"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/segment"
)

// ErrVanished says that a segment of a view is no longer there, because somebody merged it.
// The view must be read again.
var ErrVanished = errors.New("convostore: the index of words changed while it was read")

// request asks for blocks of one part of one segment: the one that a key low falls into, and
// the others with keys before high.
type request struct {
	of        *Part
	part      segment.Part
	low, high []byte
}

// maxRequests is how many requests a statement has at most.
const maxRequests = 512

// fetch returns the blocks of each request, in the order of their keys.
func (v *View) fetch(requests []request) ([][]segment.Block, error) {
	blocks := make([][]segment.Block, len(requests))
	for from := 0; from < len(requests); from += maxRequests {
		to := min(from+maxRequests, len(requests))
		if err := v.fetchSome(requests[from:to], blocks[from:to]); err != nil {
			return nil, err
		}
	}
	return blocks, nil
}

func (v *View) fetchSome(requests []request, blocks [][]segment.Block) error {
	begin := func() { clear(blocks) }
	err := v.fetchQuery(requests).Read(v.db, begin, func(rows *sql.Rows) error {
		var n int
		var id record.Number
		var b segment.Block
		if err := rows.Scan(&n, &id, &b.Key, &b.Data); err != nil || n >= len(requests) {
			return err
		}
		if id == 0 {
			return ErrVanished
		}
		if b.Key != nil {
			b.Part = requests[n].part
			blocks[n] = append(blocks[n], b)
		}
		return nil
	})
	for _, of := range blocks {
		slices.SortFunc(of, func(a, b segment.Block) int { return bytes.Compare(a.Key, b.Key) })
	}
	return err
}

// fetchQuery begins with the requests. Their number is a power of two, so that a driver that
// keeps statements prepared has few of them; the last ones may ask for nothing.
func (v *View) fetchQuery(requests []request) *query.Query {
	size := 1
	for size < len(requests) {
		size *= 2
	}
	d := v.sc.Dialect
	q := query.New("WITH r (n, segment_id, part, low, high) AS (VALUES ")
	for n := range size {
		marks := ", (?, ?, ?, ?, ?)"
		if n == 0 {
			marks = "(" + d.Param("bigint") + ", " + d.Param("bigint") + ", " + d.Param("smallint") + ", " +
				d.Param(v.backend.bytes()) + ", " + d.Param(v.backend.bytes()) + ")"
		}
		if n < len(requests) {
			r := requests[n]
			q.Add(marks, int64(n), r.of.id, int64(r.part), r.low, r.high)
		} else {
			q.Add(marks, int64(n), int64(0), int64(0), []byte{}, []byte{})
		}
	}
	return q.Add(") SELECT r.n, s.id, b.key, b.data FROM r LEFT JOIN " + v.t.segments + " s ON s.id = r.segment_id LEFT JOIN " + v.backend.blocks(v.t))
}

// place is where a key is, or would be, among the documents of a segment.
type place struct {
	at    uint32
	found bool
}

// ordinals returns the place of each key in each of the segments.
func (v *View) ordinals(parts []*Part, keys [][]byte) ([][]place, error) {
	var requests []request
	for _, p := range parts {
		for _, key := range keys {
			requests = append(requests, request{of: p, part: segment.PartDocuments, low: key, high: append(slices.Clone(key), 0)})
		}
	}
	blocks, err := v.fetch(requests)
	if err != nil {
		return nil, err
	}
	places := make([][]place, len(parts))
	for i := range parts {
		for j, key := range keys {
			at, err := placeIn(blocks[i*len(keys)+j], key)
			if err != nil {
				return nil, err
			}
			places[i] = append(places[i], at)
		}
	}
	return places, nil
}

// placeIn returns the place of a key, given the chunks of documents around it: none if the key
// is below all of the segment's.
func placeIn(chunks []segment.Block, key []byte) (p place, err error) {
	for _, chunk := range chunks {
		infos, err := segment.Documents(chunk)
		if err != nil {
			return p, err
		}
		n := sort.Search(len(infos), func(i int) bool { return bytes.Compare(infos[i].Key.Bytes(), key) >= 0 })
		if len(infos) > 0 && n == len(infos) {
			p = place{at: infos[n-1].Ordinal + 1}
			continue
		}
		return place{at: infos[n].Ordinal, found: bytes.Equal(infos[n].Key.Bytes(), key)}, nil
	}
	return p, nil
}

// fewKeys is how many keys are looked up one by one. More of them are looked for among all
// documents from the first to the last.
const fewKeys = 128

// find returns, for each segment, the ordinals of those of the documents that it has.
func (v *View) find(parts []*Part, documents []segment.Key) ([][]uint32, error) {
	keys := make([][]byte, len(documents))
	for i, k := range documents {
		keys[i] = k.Bytes()
	}
	if len(keys) > fewKeys {
		return v.findMany(parts, keys)
	}
	places, err := v.ordinals(parts, keys)
	found := make([][]uint32, len(parts))
	for i, of := range places {
		for _, p := range of {
			if p.found {
				found[i] = append(found[i], p.at)
			}
		}
	}
	return found, err
}

func (v *View) findMany(parts []*Part, keys [][]byte) ([][]uint32, error) {
	slices.SortFunc(keys, bytes.Compare)
	wanted := make(map[string]bool, len(keys))
	for _, k := range keys {
		wanted[string(k)] = true
	}
	found := make([][]uint32, len(parts))
	for i, p := range parts {
		chunks, err := v.fetch([]request{{of: p, part: segment.PartDocuments, low: keys[0], high: append(slices.Clone(keys[len(keys)-1]), 0)}})
		if err != nil {
			return nil, err
		}
		for _, chunk := range chunks[0] {
			infos, err := segment.Documents(chunk)
			if err != nil {
				return nil, err
			}
			for _, info := range infos {
				if wanted[string(info.Key.Bytes())] {
					found[i] = append(found[i], info.Ordinal)
				}
			}
		}
	}
	return found, nil
}
