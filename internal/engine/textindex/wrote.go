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
// packs them, unless somebody else does or st is in a transaction: twice as many as were noted since
// the last time, so that what others have heaped up is left to the next calls. all says that the
// caller searches, which may take longer than an append. That the rows are written is certain by
// then: an error of the packing is nobody's, and the next one packs what it left.
func (x *Index) Noted(ctx context.Context, st *scope.Store, rows, bytes int, all bool) {
	noted, size := x.noted.Add(int64(rows)), x.bytes.Add(int64(bytes))
	if st.InTx || x.refused.Load() || x.looked.Load() && !all && noted < packed && size < packedBytes || !x.packing.CompareAndSwap(false, true) {
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
	some, most := Step{Rows: 2 * int(max(noted, packed)), Bytes: 2 * int(max(size, packedBytes)), Gentle: true}, gentleSize
	if all {
		some, most = Step{Rows: maxPacked, Bytes: maxPackedBytes}, largeSize
	}
	if enough := n >= packed || size >= packedBytes; enough {
		err = packSome(ctx, st, some)
	} else if !all {
		return
	}
	if err == nil {
		_, err = Merge(ctx, st, most)
	}
	x.refused.Store(dialect.KindOf(err) == dialect.ReadOnly)
}

// packSome packs in as many steps as it takes.
func packSome(ctx context.Context, st *scope.Store, some Step) error {
	for rows := some.Rows; rows > 0 && some.Rows > 0 && some.Bytes > 0; {
		step := some
		step.Rows, step.Bytes = min(rows, some.Rows, maxPacked), min(some.Bytes, maxPackedBytes)
		done, err := Pack(ctx, st, step)
		if err != nil {
			return err
		}
		rows, some.Rows, some.Bytes = done.Next, some.Rows-done.Rows, some.Bytes-done.Bytes
	}
	return nil
}

// Tend packs noted texts if the view had to read many of them, those of a host that writes past the
// store or in its own transactions alone, and merges if there are many segments. It does nothing
// without an index.
func (v *View) Tend() {
	bytes := 0
	for i := range v.Noted {
		bytes += v.Noted[i].Size()
	}
	if v.crowded || len(v.Noted) >= 2*packed || bytes >= 2*packedBytes {
		v.sc.Tend(v.db.Ctx, len(v.Noted), bytes)
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
