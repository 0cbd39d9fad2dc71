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

// Codes is a copy of the codes in an SQLite database. A row that has come since has a
// greater row_id than all before it, and no row changes. A row that has gone is noticed
// when its vector is looked for. Whatever the copy has, only rows of the table are found.
type Codes struct {
	mu    sync.Mutex
	lists map[codeKey]codeList
	// erasures is the store's count of erasures when the copy was begun: after another one
	// it is made anew.
	erasures int64
	// last is the greatest row_id that was read.
	last int64
}

type codeKey struct {
	model string
	user  uuid.UUID
}

// CodesAsked says whose codes are compared, of which model, and where they are read.
type CodesAsked struct {
	Scope      scope.Scope
	DB         query.Conn
	Model      string
	Dimensions int
}

func (a CodesAsked) concerns(key codeKey) bool {
	return key.model == a.Model && (a.Scope.All || key.user == a.Scope.User)
}

// codeList is only appended to: who holds one may read it while others add.
type codeList struct {
	rows []int64
	// words has the code of each row, one after the other.
	words []uint64
}

// InMemory tells whether to use the copy: not in a transaction, whose rows nobody else
// sees and which may be rolled back.
func InMemory(sc scope.Scope) bool { return sc.CodesInMemory && !sc.InTx }

// Rank brings the copy up to date and compares.
func (c *Codes) Rank(ctx context.Context, a CodesAsked, v message.Vector) (*Ranked, error) {
	lists, err := c.current(a)
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

// current brings the copy up to date and returns the lists of a search.
func (c *Codes) current(a CodesAsked) (lists []codeList, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := a.Scope.Erasures.Load(); n != c.erasures {
		c.lists, c.last, c.erasures = nil, 0, n
	}
	if err := c.read(a); err != nil {
		return nil, err
	}
	for key, l := range c.lists {
		if a.concerns(key) {
			lists = append(lists, l)
		}
	}
	return lists, nil
}

// read adds what is new, all or nothing: the rows do not come in order.
func (c *Codes) read(a CodesAsked) error {
	q := query.New("SELECT row_id, model, user_id, " + CodeColumn(a.Dimensions) + " FROM " + a.Scope.Tables.Embeddings)
	if c.last > 0 {
		q.Add(" WHERE row_id > ?", c.last)
	}
	fresh, last := map[codeKey]codeList{}, c.last
	err := q.Rows(a.DB, func(rows *sql.Rows) error {
		var (
			row  int64
			key  codeKey
			code sql.RawBytes
		)
		if err := rows.Scan(&row, &key.model, &key.user, &code); err != nil {
			return err
		}
		l := fresh[key]
		l.rows, l.words = append(l.rows, row), vector.AppendWords(l.words, code)
		fresh[key] = l
		last = max(last, row)
		return nil
	})
	if err != nil {
		return err
	}
	if c.lists == nil {
		c.lists = map[codeKey]codeList{}
	}
	for key, more := range fresh {
		l := c.lists[key]
		c.lists[key] = codeList{append(l.rows, more.rows...), append(l.words, more.words...)}
	}
	c.last = last
	return nil
}

// RemoveGone takes those of some rows that are not in the table any more out of the copy.
// list is the rows in JSON.
func (c *Codes) RemoveGone(a CodesAsked, rows []int64, list string) error {
	gone := make(map[int64]bool, len(rows))
	for _, row := range rows {
		gone[row] = true
	}
	q := query.New("SELECT row_id FROM "+a.Scope.Tables.Embeddings+" WHERE row_id IN (SELECT value FROM json_each(?))", list)
	err := q.Rows(a.DB, func(rows *sql.Rows) error {
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
		if a.concerns(key) {
			c.lists[key] = l.without(gone)
		}
	}
	return nil
}

// without returns the list itself if it has none of the rows, and else a new one.
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
