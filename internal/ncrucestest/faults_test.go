package ncrucestest

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/internal/faulttest"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/storetest"
)

func TestEveryCallFailsOnce(t *testing.T) {
	t.Parallel()
	for name, how := range faulttest.Failures() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(faulttest.Memory(t), "a.db")
			storetest.RunFaults(t, func(tb testing.TB, opts ...convostore.Option) store.Store {
				tb.Helper()
				st, closeAll, err := faulty("wal", opts...)(tb.Context(), path, faulttest.Settings{Migrate: true})
				require.NoError(tb, err)
				tb.Cleanup(func() { require.NoError(tb, closeAll()) })
				return st
			}, faulttest.NewFaults(t, path, how), 4*faulttest.Every())
		})
	}
}
