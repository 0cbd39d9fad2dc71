package query

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// SQLite must not see the values of parameters when it plans: it would plan for each of them.
func TestMarked(t *testing.T) {
	t.Parallel()
	const sql = "SELECT a FROM b WHERE c = ? AND d IN (?, ?) LIMIT ?"
	require.Equal(t, "SELECT a FROM b WHERE c = +? AND d IN (+?, +?) LIMIT +?", marked([]byte(sql), false))
	require.Equal(t, "SELECT a FROM b WHERE c = $1 AND d IN ($2, $3) LIMIT $4", marked([]byte(sql), true))
	for _, numbered := range []bool{false, true} {
		s := NewStatement(sql, numbered)
		require.Equal(t, marked([]byte(sql), numbered), s.With(nil).text)
	}
}
