package embeddings

import (
	"context"
	"database/sql"
	"slices"
	"sync"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/internal/vector"
	"github.com/convostore/convostore/message"
)

// Codes is a copy in memory of the codes in an SQLite database. Each refresh adds the rows
// that are new: a new row has a greater row_id than all before it, and no row changes. A row
// that is gone is noticed when a search reads its vector. A search returns only rows of the
// table, whatever the copy has.
type Codes struct {
	mu    sync.Mutex
	lists map[codeKey]codeList
	// erasures is the store's count of erasures when the copy was begun. If the count has
	// changed, the copy starts from nothing.
	erasures int64
	// last is the greatest row_id in the copy.
	last int64
}

type codeKey struct {
	model string
	user  uuid.UUID
}

// CodeQuery selects the codes of a scope and a model. DB is the connection to read new ones.
type CodeQuery struct {
	Scope      scope.Scope
	DB         query.Conn
	Model      string
	Dimensions int
}

func (q CodeQuery) selects(key codeKey) bool {
	return key.model == q.Model && (q.Scope.All || key.user == q.Scope.User)
}

// codeList only grows by appending, so that a search may read a list while another adds to
// the copy.
type codeList struct {
	rows []int64
	// words has the codes of the rows, one after the other.
	words []uint64
}

// InMemory tells whether a scope uses the copy in memory. Inside a transaction it does not:
// nobody else sees the rows of the transaction, and they may be rolled back.
func InMemory(sc scope.Scope) bool { return sc.CodesInMemory && !sc.InTx }

// Rank brings the copy up to date and compares its codes with that of v.
func (c *Codes) Rank(ctx context.Context, q CodeQuery, v message.Vector) (*Ranked, error) {
	lists, err := c.refresh(q)
	if err != nil {
		return nil, err
	}
	code := vector.Code(v)
	r := NewRanked(len(v))
	for _, l := range lists {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		for i, row := range l.rows {
			r.Add(row, vector.Hamming(code, l.words[i*len(code):][:len(code)]))
		}
	}
	return r, nil
}

// refresh brings the copy up to date and returns the lists that a query selects.
func (c *Codes) refresh(q CodeQuery) (lists []codeList, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := q.Scope.Erasures.Load(); n != c.erasures {
		c.lists, c.last, c.erasures = nil, 0, n
	}
	if err := c.readNew(q); err != nil {
		return nil, err
	}
	for key, l := range c.lists {
		if q.selects(key) {
			lists = append(lists, l)
		}
	}
	return lists, nil
}

// readNew adds the new rows, or none of them after an error: they are not read in the order
// of row_ids, so that after a part of them last would be wrong.
func (c *Codes) readNew(q CodeQuery) error {
	statement := query.New("SELECT row_id, model, user_id, " + CodeColumn(q.Dimensions) + " FROM " + q.Scope.Tables.Embeddings)
	if c.last > 0 {
		statement.Add(" WHERE row_id > ?", c.last)
	}
	added, last := map[codeKey]codeList{}, c.last
	err := statement.Rows(q.DB, func(rows *sql.Rows) error {
		var (
			row  int64
			key  codeKey
			code sql.RawBytes
		)
		if err := rows.Scan(&row, &key.model, &key.user, &code); err != nil {
			return err
		}
		l := added[key]
		l.rows, l.words = append(l.rows, row), vector.AppendWords(l.words, code)
		added[key] = l
		last = max(last, row)
		return nil
	})
	if err != nil {
		return err
	}
	if c.lists == nil {
		c.lists = map[codeKey]codeList{}
	}
	for key, more := range added {
		l := c.lists[key]
		c.lists[key] = codeList{append(l.rows, more.rows...), append(l.words, more.words...)}
	}
	c.last = last
	return nil
}

// RemoveGone removes from the copy those of some rows that the table no longer has. list is
// the same rows as a JSON array.
func (c *Codes) RemoveGone(q CodeQuery, rows []int64, list string) error {
	gone := make(map[int64]bool, len(rows))
	for _, row := range rows {
		gone[row] = true
	}
	statement := query.New("SELECT row_id FROM "+q.Scope.Tables.Embeddings+" WHERE row_id IN (SELECT value FROM json_each(?))", list)
	err := statement.Rows(q.DB, func(rows *sql.Rows) error {
		var row int64
		err := rows.Scan(&row)
		delete(gone, row)
		return err
	})
	if err != nil || len(gone) == 0 {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for key, l := range c.lists {
		if q.selects(key) {
			c.lists[key] = l.without(gone)
		}
	}
	return nil
}

// without returns the list without some rows. It returns the list itself if it has none of
// them, and otherwise a copy.
func (l codeList) without(gone map[int64]bool) codeList {
	if !slices.ContainsFunc(l.rows, func(row int64) bool { return gone[row] }) {
		return l
	}
	width := len(l.words) / len(l.rows)
	var kept codeList
	for i, row := range l.rows {
		if !gone[row] {
			kept.rows = append(kept.rows, row)
			kept.words = append(kept.words, l.words[i*width:][:width]...)
		}
	}
	return kept
}
