package erase

import (
	"context"
	"fmt"
	"slices"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/store"
)

// Remove deletes rows, children before parents, and returns how many of each table. It must
// run in a transaction: after an error, rows of some tables may be deleted already.
func Remove(ctx context.Context, sc scope.Scope, conditions Conditions) (store.Counts, error) {
	defer sc.Erasures.Add(1)
	db := query.On(ctx, sc.Writer)
	together, err := deletesTogether(db, sc)
	switch {
	case err != nil:
		return store.Counts{}, err
	case together:
		return conditions.removeTogether(db, sc)
	}
	return conditions.removeEach(db, sc)
}

// deletesTogether tells whether one statement can delete from all tables. Distributed tables take
// none.
func deletesTogether(db query.Conn, sc scope.Scope) (bool, error) {
	if !sc.Dialect.DeletesTogether() {
		return false, nil
	}
	f, err := sc.SchemaFeatures(db)
	return err == nil && !f.Distributed, err
}

// tables returns the tables with a condition, children before parents.
func (c Conditions) tables() []*record.Table {
	tables := slices.DeleteFunc(record.Tables(), func(t *record.Table) bool { return c[t] == nil })
	slices.Reverse(tables)
	return tables
}

// removeTogether takes one round trip for all tables, however many of them have rows. All parts
// see the rows as they were before the statement, and the foreign keys cascade after it, so that
// the numbers are those of removeEach.
func (c Conditions) removeTogether(db query.Conn, sc scope.Scope) (counts store.Counts, err error) {
	tables := c.tables()
	removed, dest := make([]int64, len(tables)), make([]any, len(tables))
	q, numbers := query.New("WITH "), ""
	for i, table := range tables {
		between := ", "
		if dest[i] = &removed[i]; i == 0 {
			between = ""
		}
		q.Add(fmt.Sprintf("%sd%d AS (DELETE FROM %s WHERE ", between, i, sc.Tables.Of(table))).Append(c[table]).Add(" RETURNING 1)")
		numbers += fmt.Sprintf("%s(SELECT count(*) FROM d%d)", between, i)
	}
	if _, err := q.Add(" SELECT "+numbers).Row(db, dest...); err != nil {
		return counts, err
	}
	for i, table := range tables {
		table.Add(&counts, removed[i])
	}
	return counts, nil
}

// removeEach takes a statement for each table that has rows.
func (c Conditions) removeEach(db query.Conn, sc scope.Scope) (counts store.Counts, err error) {
	tables, err := c.filled(db, sc)
	if err != nil {
		return counts, err
	}
	for _, table := range tables {
		n, err := query.New("DELETE FROM " + sc.Tables.Of(table) + " WHERE ").Append(c[table]).Exec(db)
		if err != nil {
			return counts, err
		}
		table.Add(&counts, n)
	}
	return counts, nil
}

// filled returns the tables that have rows to remove, children before parents. Most services
// use few of the tables. One statement asks which, so that the others cost none: a row that
// somebody adds after it goes with its parent, by the foreign key. The table of the outermost
// parent is always among them, since its rows were looked for before.
func (c Conditions) filled(db query.Conn, sc scope.Scope) ([]*record.Table, error) {
	tables := c.tables()
	if len(tables) < 3 {
		return tables, nil
	}
	asked := tables[:len(tables)-1]
	found, dest := make([]bool, len(asked)), make([]any, len(asked))
	q := query.New("SELECT ")
	for i, table := range asked {
		if dest[i] = &found[i]; i > 0 {
			q.Add(", ")
		}
		q.Add("EXISTS (SELECT 1 FROM " + sc.Tables.Of(table) + " WHERE ").Append(c[table]).Add(")")
	}
	if _, err := q.Row(db, dest...); err != nil {
		return nil, err
	}
	i := -1
	return slices.DeleteFunc(tables, func(*record.Table) bool {
		i++
		return i < len(found) && !found[i]
	}), nil
}
