package dialect_test

import (
	"database/sql"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/internal/pgtest"
	"github.com/convostore/convostore/message"
)

func TestArrays(t *testing.T) {
	t.Parallel()
	db, err := sql.Open("pgx", pgtest.DSN(t))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	texts := []any{`plain`, `a "quoted" \ word`, `{curly},comma`, "two\nlines\t", "", "NULL", nil, `\`, `"`, "é 漢 🙂"}
	at := time.Date(2026, 1, 2, 3, 4, 5, 678901000, time.UTC)
	a := dialect.NewArrays(4)
	for i, s := range texts {
		require.NoError(t, a.Add([]any{s, int64(i), at, message.Headers{"a\\": {`"b"`}}}))
	}
	require.Positive(t, a.Size())
	rows, err := db.Query("SELECT * FROM unnest(CAST($1 AS text[]), CAST($2 AS bigint[]), CAST($3 AS timestamptz[]), CAST($4 AS jsonb[])) WITH ORDINALITY ORDER BY 5", a.Args()...)
	require.NoError(t, err)
	defer rows.Close()
	for i, want := range texts {
		require.True(t, rows.Next())
		var (
			s       sql.NullString
			n, nth  int64
			when    time.Time
			headers message.Headers
		)
		require.NoError(t, rows.Scan(&s, &n, &when, &headers, &nth))
		require.Equal(t, want != nil, s.Valid)
		if want != nil {
			require.Equal(t, want, s.String)
		}
		require.EqualValues(t, i, n)
		require.True(t, at.Equal(when))
		require.Equal(t, message.Headers{"a\\": {`"b"`}}, headers)
	}
	require.False(t, rows.Next())
	require.NoError(t, rows.Err())
}

func TestArraysWithoutRows(t *testing.T) {
	t.Parallel()
	require.Equal(t, []any{"{}", "{}"}, dialect.NewArrays(2).Args())
}

func TestArraysRefuse(t *testing.T) {
	t.Parallel()
	require.Error(t, dialect.NewArrays(1).Add([]any{struct{}{}}))
}
