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
	// noted counts the rows that this process noted since it last looked how many there are,
	// and looked says that it has looked.
	noted  atomic.Int64
	looked atomic.Bool
	// packing says that a goroutine packs, and refused that the database takes no writes.
	packing, refused atomic.Bool
}

// Noted counts rows whose texts are noted. When there are enough of them it packs them, unless
// somebody else does or st is in a transaction. It packs twice as many as were noted since the
// last time, and leaves what others have heaped up to the next calls. That the rows are written
// is certain by then: an error of the packing is nobody's, and the next one packs what it left.
func (x *Index) Noted(ctx context.Context, st *scope.Store, rows int) {
	noted := x.noted.Add(int64(rows))
	if st.InTx || x.refused.Load() || x.looked.Load() && noted < packed || !x.packing.CompareAndSwap(false, true) {
		return
	}
	defer x.packing.Store(false)
	x.noted.Store(0)
	n, err := countNotes(ctx, st)
	if err != nil {
		return
	}
	if !x.looked.Swap(true) && n < packed {
		x.noted.Add(n)
	}
	for left := 2 * max(noted, packed); n >= packed && left > 0; {
		most := min(int(left), maxPacked)
		done, err := Pack(ctx, st, most)
		x.refused.Store(dialect.KindOf(err) == dialect.ReadOnly)
		if err != nil || done.Busy || done.Rows < most {
			return
		}
		left -= int64(done.Rows)
	}
}

// PackNoted packs noted texts if the view had to read many of them: those of a host that writes
// past the store, or in its own transactions alone. It does nothing without an index.
func (v *View) PackNoted() {
	if len(v.Noted) >= 2*packed {
		v.sc.Noted(v.db.Ctx, packed)
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
