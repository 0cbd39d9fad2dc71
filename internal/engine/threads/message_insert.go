package threads

import (
	"iter"

	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
)

// insertMessages inserts drafts that have their seqs.
func insertMessages(sc scope.Scope, db query.Conn, drafts []Draft) error {
	byCopy, err := copies(sc, db, drafts)
	if err != nil {
		return err
	}
	if byCopy {
		return copyMessages(sc, db, drafts)
	}
	insert := "INSERT INTO " + sc.Tables.Messages + " (" + record.UserFirst + ") "
	for part := range insertParts(drafts, sc.Dialect.RowsPerInsert()) {
		source, err := messageSource(sc, db, rowsOf(part))
		if err != nil {
			return err
		}
		if _, err := query.New(insert).Append(source).Exec(db); err != nil {
			return err
		}
	}
	return nil
}

// insertParts splits drafts into parts that one statement takes. A part also ends when its
// contents exceed 4 MiB, because the statement's values are copied.
func insertParts(drafts []Draft, maxRows int) iter.Seq[[]Draft] {
	const maxBytes = 4 << 20
	return func(yield func([]Draft) bool) {
		first, size := 0, 0
		for i, d := range drafts {
			if i > first && (i-first == maxRows || size > maxBytes) {
				if !yield(drafts[first:i]) {
					return
				}
				first, size = i, 0
			}
			size += len(d.Content)
		}
		if first < len(drafts) {
			yield(drafts[first:])
		}
	}
}

// fitOneInsert tells whether one INSERT takes all drafts.
func fitOneInsert(sc scope.Scope, drafts []Draft) bool {
	for part := range insertParts(drafts, sc.Dialect.RowsPerInsert()) {
		return len(part) == len(drafts)
	}
	return false
}

// rowsOf returns the values of drafts in the order of record.UserFirst, without the user.
func rowsOf(drafts []Draft) [][]any {
	rows := make([][]any, len(drafts))
	for i, d := range drafts {
		args := make([]any, 0, len(record.MessageTypes))
		rows[i] = record.MessageArgs(append(args, d.ID.String(), d.ConversationID.String(), d.Seq), d.Message)
	}
	return rows
}

// messageSource is rowSource for an INSERT. Citus does not see in a SELECT from arrays that all
// rows are of one shard: it takes them to the coordinator and sends them on by COPY, whose
// errors have lost their SQLSTATE. VALUES go to the shard.
func messageSource(sc scope.Scope, db query.Conn, rows [][]any) (*query.Query, error) {
	types := record.MessageTypes
	if sc.Dialect.Unnest(types) == "" {
		return valuesClause(sc, len(types), rows), nil
	}
	f, err := sc.SchemaFeatures(db)
	if err != nil {
		return nil, err
	}
	if f.Distributed {
		return valuesClause(sc, len(types), rows), nil
	}
	return rowSource(sc, types, rows)
}

// rowSource returns a SELECT or VALUES that yields rows of the given column types. It puts
// the scope's user before the values of each row.
func rowSource(sc scope.Scope, types []string, rows [][]any) (*query.Query, error) {
	unnest := sc.Dialect.Unnest(types)
	if unnest == "" {
		return valuesClause(sc, len(types), rows), nil
	}
	arrays, err := arraysOf(len(types), rows)
	if err != nil {
		return nil, err
	}
	return query.New("SELECT CAST(? AS uuid), v.* FROM "+unnest+" AS v", append([]any{sc.User}, arrays...)...), nil
}

// arraysOf returns rows as the arguments of Unnest: one array for each column.
func arraysOf(width int, rows [][]any) ([]any, error) {
	a := dialect.NewArrays(width)
	for _, row := range rows {
		if err := a.Add(row); err != nil {
			return nil, err
		}
	}
	return a.Args(), nil
}

func valuesClause(sc scope.Scope, width int, rows [][]any) *query.Query {
	q := query.New("VALUES ")
	row := "(?, " + query.Marks(width) + ")"
	for i, args := range rows {
		if i > 0 {
			q.Add(", ")
		}
		q.Add(row, sc.User)
		q.Args = append(q.Args, args...)
	}
	return q
}
