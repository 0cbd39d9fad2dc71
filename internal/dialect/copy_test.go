package dialect_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/internal/pgtest"
	"github.com/convostore/convostore/message"
)

// TestCopyRows has the server read back what was copied.
func TestCopyRows(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	conn, err := pgx.Connect(ctx, pgtest.DSN(t))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close(t.Context())) })
	_, err = conn.Exec(ctx, `CREATE TEMPORARY TABLE copied (nth bigint, word text, doc jsonb, at timestamptz, raw bytea, yes boolean, half float8, cost numeric)`)
	require.NoError(t, err)
	texts := []any{
		"plain", `a "quoted" \ word`, "two\nlines\tand\r\nmore", "", `\N`, `\.`, "\\", "\n", `\\n`, "NULL", nil, "é 漢 🙂", "\v\b\f",
	}
	at := time.Date(2026, 1, 2, 3, 4, 5, 678901000, time.FixedZone("", 3600))
	cost := decimal.RequireFromString("0.000000000000000001")
	var rows dialect.CopyRows
	for i, text := range texts {
		doc := message.Headers{"a\\\n": {"\"b\"\t"}}
		require.NoError(t, rows.Add([]any{int64(i), text, doc, at, []byte{0, '\\', '\n', 255}, i%2 == 0, 0.1, cost}))
	}
	_, err = conn.PgConn().CopyFrom(ctx, bytes.NewReader(rows.Text()), "COPY copied FROM STDIN")
	require.NoError(t, err)
	for i, want := range texts {
		var (
			word *string
			doc  message.Headers
			when time.Time
			raw  []byte
			yes  bool
			half float64
			paid decimal.Decimal
		)
		require.NoError(t, conn.QueryRow(ctx, "SELECT word, doc, at, raw, yes, half, cost::text FROM copied WHERE nth = $1", i).
			Scan(&word, &doc, &when, &raw, &yes, &half, &paid))
		if want == nil {
			require.Nil(t, word)
		} else {
			require.Equal(t, want, *word)
		}
		require.Equal(t, message.Headers{"a\\\n": {"\"b\"\t"}}, doc)
		require.True(t, at.Equal(when))
		require.Equal(t, []byte{0, '\\', '\n', 255}, raw)
		require.Equal(t, i%2 == 0, yes)
		require.InDelta(t, 0.1, half, 0)
		require.True(t, cost.Equal(paid))
	}
	rows.Reset()
	require.Empty(t, rows.Text())
	require.Error(t, rows.Add([]any{struct{}{}}))
}
