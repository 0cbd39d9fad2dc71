package ncrucestest

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store/sqlite"
)

// A program may have this driver beside the one of store/sqlite: they have two names.
func TestBesideTheOwnDriver(t *testing.T) {
	t.Parallel()
	st, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "a.db"), convostore.WithMigrate(migrate.Options{}))
	require.NoError(t, err)
	require.NoError(t, st.Close())
}
