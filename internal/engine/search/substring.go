package search

import (
	"slices"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/store"
)

// A search for a part goes in two steps. The database finds the rows that have the beginning of
// the part, which for a short one is all there is to know. For a longer one the texts of these
// rows are read, as few as fill the page, and compared here: a database would need the product
// of both lengths for a text and a part that repeat themselves.

// textBytes is how many bytes of texts are in memory at once, apart from the last text.
const textBytes = store.MaxPageBytes

// firstTexts and mostTexts bound how many texts a statement asks for. Of a server, those beyond
// textBytes come over the wire in vain, so that after these it asks for few.
const firstTexts, mostTexts = 16, 512

// mayHavePart adds the condition that a row has the beginning of the part. sure says that this
// is the whole part.
func (t *textSearch) mayHavePart(q *query.Query, x textTable) (sure bool) {
	return t.sc.MayContain(q, t.part, x.columns...)
}

// partRows begins a query of the rows of x that may have the part.
func (t *textSearch) partRows(columns string, x textTable, after *scope.Place) (q *query.Query, sure bool) {
	q = query.New("SELECT " + columns + t.fromRows(x) + " WHERE ")
	sure = t.mayHavePart(q, x)
	return t.eligible(q, x, after), sure
}

// textRow is a row and its texts.
type textRow struct {
	key   scope.OwnedID
	texts [2]string
}

func (r *textRow) size() int { return len(r.texts[0]) + len(r.texts[1]) }

// havePart returns those of some rows of x whose texts have the part. Rows that were deleted
// meanwhile do not.
func (t *textSearch) havePart(x textTable, keys []scope.OwnedID) (map[scope.OwnedID]bool, error) {
	has := map[scope.OwnedID]bool{}
	for n := firstTexts; len(keys) > 0; {
		n = min(n, len(keys))
		rows, more, err := t.readTexts(x, keys[:n])
		if err != nil {
			return nil, err
		}
		read := map[scope.OwnedID]bool{}
		for _, r := range rows {
			read[r.key] = true
			if t.part.In(r.texts[0]) || t.part.In(r.texts[1]) {
				has[r.key] = true
			}
		}
		if !more {
			keys, n = keys[n:], min(4*n, mostTexts)
			continue
		}
		keys = slices.DeleteFunc(slices.Clone(keys), func(key scope.OwnedID) bool { return read[key] })
		n = 2 * len(rows)
	}
	return has, nil
}

// readTexts reads the texts of some rows until they have textBytes; more tells whether it left
// rows out.
func (t *textSearch) readTexts(x textTable, keys []scope.OwnedID) (rows []*textRow, more bool, err error) {
	ids := make([]uuid.UUID, len(keys))
	for i, key := range keys {
		ids[i] = key.ID
	}
	columns := ""
	for _, column := range x.columns {
		columns += ", coalesce(" + column + ", '')"
	}
	in, arg := t.sc.Dialect.InUUIDs(x.alias+".id", ids)
	q := query.New("SELECT "+x.alias+".id, "+x.alias+".user_id"+columns+" FROM "+x.table+" "+x.alias+
		" WHERE "+x.alias+".deleted_at IS NULL AND "+in, arg)
	dest := func(r *textRow) []any {
		return []any{&r.key.ID, &r.key.User, &r.texts[0], &r.texts[1]}[:2+len(x.columns)]
	}
	return query.Within(t.db, t.sc.Owned(q, x.alias+"."), dest, (*textRow).size, textBytes)
}
