package query

import (
	"database/sql"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/store"
)

func TestLostTransactionsAreBounded(t *testing.T) {
	t.Parallel()
	var l lostTransactions
	pools := make([]*sql.Tx, maxLost+1)
	for i := range pools {
		pools[i] = &sql.Tx{}
		require.NoError(t, l.of(pools[i]))
		l.add(pools[i], store.ErrRolledBack)
		require.ErrorIs(t, l.of(pools[i]), store.ErrRolledBack)
	}
	require.Len(t, l.entries, maxLost)
	require.NoError(t, l.of(pools[0]), "the oldest")
	for _, pool := range pools {
		l.forget(pool)
		require.NoError(t, l.of(pool))
	}
	require.Empty(t, l.entries)
	require.False(t, l.nonEmpty.Load())
}
