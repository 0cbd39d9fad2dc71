package bench

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/postgres"
	"github.com/convostore/convostore/store/sqlite"
)

func TestZZFill(t *testing.T) {
	o := migrate.Options{WithoutFullText: true, WithoutVectorIndex: true, Dimensions: 8}
	if os.Getenv("ZZ") == "sqlite" {
		st, err := sqlite.Open(t.Context(), "/tmp/million.db", store.WithMigrate(o))
		require.NoError(t, err)
		db, _ := st.DB(t.Context()).DB()
		fill(t, db, false, million)
		require.NoError(t, st.Close())
		return
	}
	st, err := postgres.Open(t.Context(), os.Getenv("DSN"), store.WithMigrate(o))
	require.NoError(t, err)
	db, _ := st.DB(t.Context()).DB()
	fill(t, db, true, million)
	require.NoError(t, st.Close())
}
