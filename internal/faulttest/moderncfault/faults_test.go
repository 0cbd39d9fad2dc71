//go:build linux

package moderncfault_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/internal/faulttest"
	"github.com/convostore/convostore/internal/testrun"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/sqlite"
	"github.com/convostore/convostore/store/storetest"
)

func TestEveryCallFailsOnce(t *testing.T) {
	testrun.OnlyFull(t)
	t.Parallel()
	for name, how := range faulttest.Failures() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(faulttest.Memory(t), "a.db")
			storetest.RunFaults(t, func(tb testing.TB, opts ...convostore.Option) store.Store {
				tb.Helper()
				opts = append(opts, convostore.WithMigrate(migrate.Options{}))
				st, err := sqlite.Open(tb.Context(), path, opts...)
				require.NoError(tb, err)
				tb.Cleanup(func() { require.NoError(tb, st.Close()) })
				return st
			}, faulttest.NewFaults(t, path, how), faulttest.Every())
		})
	}
}

// TestOpenMeetsEveryFault has a store opened, and a database migrated, while a call fails. What
// failed leaves nothing that a second try does not finish.
func TestOpenMeetsEveryFault(t *testing.T) {
	testrun.WithoutRace(t)
	t.Parallel()
	for name, how := range faulttest.Failures() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			faulttest.OpenMeetsEveryFault(t, open, how)
		})
	}
}
