//go:build linux

package moderncfault_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/internal/faulttest"
	_ "github.com/convostore/convostore/internal/faulttest/moderncfault"
	"github.com/convostore/convostore/internal/testrun"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/sqlite"
)

// open is sqlite.Open. It has no synchronous=OFF, and is told so only to open what a cut left.
func open(ctx context.Context, path string, s faulttest.Settings) (store.Store, func() error, error) {
	var opts []convostore.Option
	if s.Migrate {
		opts = append(opts, convostore.WithMigrate(migrate.Options{}))
	}
	if s.Synchronous == string(sqlite.Normal) {
		opts = append(opts, sqlite.WithSynchronous(sqlite.Normal))
	}
	st, err := sqlite.Open(ctx, path, opts...)
	if err != nil {
		return nil, nil, err
	}
	if s.Checkpoint > 0 {
		err = st.DB(ctx).Exec(fmt.Sprintf("PRAGMA wal_autocheckpoint = %d", s.Checkpoint)).Error
	}
	return st, st.Close, err
}

func TestPowerCuts(t *testing.T) {
	testrun.WithoutRace(t)
	t.Parallel()
	(&faulttest.PowerCuts{Driver: open}).KeepsAll(t)
}

// TestPowerCutsWithoutWaiting has a store that does not wait for the disk.
func TestPowerCutsWithoutWaiting(t *testing.T) {
	testrun.WithoutRace(t)
	t.Parallel()
	normal := &faulttest.PowerCuts{Driver: open, Synchronous: string(sqlite.Normal)}
	require.ErrorIs(t, normal.Lost(t), faulttest.ErrLost)
}

// TestPowerCutsAfterFaults has calls of the disk fail under clients that share transactions.
func TestPowerCutsAfterFaults(t *testing.T) {
	testrun.WithoutRace(t)
	t.Parallel()
	(&faulttest.PowerCuts{Driver: open, Faults: true, Less: 2}).KeepsAll(t)
}
