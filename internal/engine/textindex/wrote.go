package textindex

import (
	"context"
	"sync/atomic"

	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/scope"
)

// Index is what the scopes of a store share about the index of words: when to pack.
type Index struct {
	// noted counts the rows that this process noted since it last looked how many there are, and
	// bytes those of their texts. looked says that it has looked.
	noted, bytes atomic.Int64
	looked       atomic.Bool
	// packing says that a goroutine packs, and refused that the database takes no writes.
	packing, refused atomic.Bool
}

// Noted counts rows whose texts are noted, and the bytes of these. When there are enough of them it
// packs them, unless somebody else does or st is in a transaction. It packs twice as many as were noted since the
// last time, and leaves what others have heaped up to the next calls. That the rows are written
// is certain by then: an error of the packing is nobody's, and the next one packs what it left.
func (x *Index) Noted(ctx context.Context, st *scope.Store, rows, bytes int) {
	noted, size := x.noted.Add(int64(rows)), x.bytes.Add(int64(bytes))
	if st.InTx || x.refused.Load() || x.looked.Load() && noted < packed && size < packedBytes || !x.packing.CompareAndSwap(false, true) {
		return
	}
	defer x.packing.Store(false)
	x.noted.Store(0)
	x.bytes.Store(0)
	n, err := countNotes(ctx, st)
	if err != nil {
		return
	}
	if !x.looked.Swap(true) && n < packed {
		x.noted.Add(n)
	}
	if n < packed && size < packedBytes {
		return
	}
	rows, bytes = 2*int(max(noted, packed)), 2*int(max(size, packedBytes))
	for most := rows; most > 0 && rows > 0 && bytes > 0; {
		done, err := Pack(ctx, st, min(most, rows, maxPacked), min(bytes, maxPackedBytes))
		x.refused.Store(dialect.KindOf(err) == dialect.ReadOnly)
		if err != nil {
			return
		}
		most, rows, bytes = done.Next, rows-done.Rows, bytes-done.Bytes
	}
}

// PackNoted packs noted texts if the view had to read many of them: those of a host that writes
// past the store, or in its own transactions alone. It does nothing without an index.
func (v *View) PackNoted() {
	if len(v.noted.documents) >= 2*packed || v.noted.bytes >= 2*packedBytes {
		v.sc.Noted(v.db.Ctx, packed, v.noted.bytes)
	}
}

// countNotes counts the notes, but not many more than a segment gets. It is 0 without an index.
func countNotes(ctx context.Context, st *scope.Store) (n int64, err error) {
	db := query.On(ctx, st.Writer)
	f, err := st.SchemaFeatures(db)
	if err != nil || !f.FullText {
		return 0, err
	}
	_, err = query.New("SELECT count(*) FROM (SELECT 1 FROM "+tablesOf(st).notes+" LIMIT ?) n", 4*maxPacked).Row(db, &n)
	return n, err
}
