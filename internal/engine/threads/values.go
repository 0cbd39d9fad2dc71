package threads

import (
	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/scope"
)

// values is rows as the SELECT or the VALUES of a statement. Each begins with the scope's
// user, who is not among its values.
func values(sc scope.Scope, types []string, rows [][]any) (*query.Query, error) {
	unnest := sc.Dialect.Unnest(types)
	if unnest == "" {
		return valuesOf(sc, len(types), rows), nil
	}
	arrays, err := arraysOf(len(types), rows)
	if err != nil {
		return nil, err
	}
	return query.New("SELECT CAST(? AS uuid), v.* FROM "+unnest+" AS v", append([]any{sc.User}, arrays...)...), nil
}

// arraysOf are rows as the arguments of Unnest.
func arraysOf(width int, rows [][]any) ([]any, error) {
	a := dialect.NewArrays(width)
	for _, row := range rows {
		if err := a.Add(row); err != nil {
			return nil, err
		}
	}
	return a.Args(), nil
}

func valuesOf(sc scope.Scope, width int, rows [][]any) *query.Query {
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
