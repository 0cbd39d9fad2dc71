package ncrucestest

import (
	"cmp"
	"context"
	"fmt"
	"testing"

	"github.com/ncruces/go-sqlite3/gormlite"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/internal/faulttest"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
)

// faulty opens a store on a host's handle, in a journal mode.
func faulty(journal string, opts ...convostore.Option) faulttest.Driver {
	return func(ctx context.Context, path string, s faulttest.Settings) (store.Store, func() error, error) {
		dsn := fmt.Sprintf("file:%s?vfs=faulty&_txlock=immediate&_pragma=busy_timeout(5000)&_pragma=foreign_keys(on)"+
			"&_pragma=journal_mode(%s)&_pragma=synchronous(%s)&_pragma=wal_autocheckpoint(%d)",
			path, journal, cmp.Or(s.Synchronous, "FULL"), cmp.Or(s.Checkpoint, 1000))
		db, err := gorm.Open(gormlite.Open(dsn), &gorm.Config{Logger: logger.Discard})
		if err != nil {
			return nil, nil, err
		}
		pool, err := db.DB()
		if err != nil {
			return nil, nil, err
		}
		pool.SetMaxOpenConns(4)
		pool.SetMaxIdleConns(4)
		if s.Migrate {
			if err := migrate.Up(ctx, db, migrate.Options{}); err != nil {
				return nil, nil, err
			}
		}
		st, err := convostore.New(ctx, db, opts...)
		return st, pool.Close, err
	}
}

func TestPowerCuts(t *testing.T) {
	t.Parallel()
	(&faulttest.PowerCuts{Driver: faulty("wal")}).KeepsAll(t)
}

// TestPowerCutsWithoutWaiting has databases that do not wait for the disk. Without a
// write-ahead log, FULL does not wait for the directory, in which the deletion of the journal is
// what commits.
func TestPowerCutsWithoutWaiting(t *testing.T) {
	t.Parallel()
	for _, p := range []*faulttest.PowerCuts{
		{Driver: faulty("wal"), Synchronous: "NORMAL"},
		{Driver: faulty("delete"), Synchronous: "FULL"},
	} {
		require.ErrorIs(t, p.Lost(t), faulttest.ErrLost)
	}
	off := &faulttest.PowerCuts{Driver: faulty("wal"), Synchronous: "OFF"}
	require.Error(t, off.Lost(t), "lost or damaged")
}

// TestPowerCutsWithJournal has databases of hosts that have no write-ahead log.
func TestPowerCutsWithJournal(t *testing.T) {
	t.Parallel()
	for journal, synchronous := range map[string]string{"delete": "EXTRA", "truncate": "FULL"} {
		t.Run(journal, func(t *testing.T) {
			(&faulttest.PowerCuts{Driver: faulty(journal), Synchronous: synchronous, Less: 5}).KeepsAll(t)
		})
	}
}
