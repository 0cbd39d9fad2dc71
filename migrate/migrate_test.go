package migrate

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore/internal/pgtest"
	"github.com/convostore/convostore/rule"
)

func TestUpAndDown(t *testing.T) {
	t.Parallel()
	eachDialect(t, func(t *testing.T, db *gorm.DB) {
		ctx, o := t.Context(), Options{}
		before := names(t, db)
		requireVersion(t, db, o, 0)
		require.NoError(t, Up(ctx, db, o))
		requireVersion(t, db, o, Latest())
		fill(t, db, o)
		after := names(t, db)

		require.NoError(t, Up(ctx, db, o), "once more, with rows")
		require.Equal(t, after, names(t, db))
		require.EqualValues(t, 1, count(t, db, "ai_suggestions"))

		require.NoError(t, DownTo(ctx, db, o, 0))
		requireVersion(t, db, o, 0)
		require.Equal(t, before, names(t, db))
		require.NoError(t, Down(ctx, db, o), "nothing to take back")
		require.NoError(t, Up(ctx, db, o))
		require.Equal(t, after, names(t, db))
	})
}

func TestOneStepAtATime(t *testing.T) {
	t.Parallel()
	eachDialect(t, func(t *testing.T, db *gorm.DB) {
		ctx, o := t.Context(), Options{Prefix: "app_"}
		require.NoError(t, UpTo(ctx, db, o, 0))
		requireVersion(t, db, o, 0)
		for version := int64(1); version <= Latest(); version++ {
			require.NoError(t, UpTo(ctx, db, o, version))
			requireVersion(t, db, o, version)
		}
		fill(t, db, o)
		require.NoError(t, UpTo(ctx, db, o, 1), "further than that already")
		require.NoError(t, DownTo(ctx, db, o, Latest()), "there already")
		requireVersion(t, db, o, Latest())
		for version := Latest() - 1; version >= 1; version-- {
			require.NoError(t, Down(ctx, db, o))
			requireVersion(t, db, o, version)
		}
		require.EqualValues(t, 1, count(t, db, "app_ai_suggestions"), "the first migration's rows stayed")
		require.NoError(t, Up(ctx, db, o))
		require.EqualValues(t, 1, count(t, db, "app_ai_suggestions"))
	})
}

func TestUpRefusesAVersionThatItDoesNotHave(t *testing.T) {
	t.Parallel()
	db := openTest(t, sqlite, sqliteFile(t)+sqliteOptions)
	for _, version := range []int64{-1, Latest() + 1} {
		require.ErrorIs(t, UpTo(t.Context(), db, Options{}, version), rule.ErrInvalid)
		require.ErrorIs(t, DownTo(t.Context(), db, Options{}, version), rule.ErrInvalid)
	}
	require.ErrorIs(t, Up(t.Context(), nil, Options{}), rule.ErrInvalid)
	require.Empty(t, names(t, db))
}

func TestADatabaseFromTheFuture(t *testing.T) {
	t.Parallel()
	eachDialect(t, func(t *testing.T, db *gorm.DB) {
		ctx, o := t.Context(), Options{}
		require.NoError(t, Up(ctx, db, o))
		run(t, db, "INSERT INTO convostore_migrations (version, name) VALUES (999, 'later')")
		before := names(t, db)
		require.ErrorIs(t, Up(ctx, db, o), ErrNewer)
		require.ErrorIs(t, UpTo(ctx, db, o, 1), ErrNewer)
		require.ErrorIs(t, Down(ctx, db, o), ErrNewer)
		require.ErrorIs(t, DownTo(ctx, db, o, 0), ErrNewer)
		require.Equal(t, before, names(t, db))
		requireVersion(t, db, o, 999)
	})
}

func TestInsideATransaction(t *testing.T) {
	t.Parallel()
	for _, prepare := range []bool{false, true} {
		t.Run(fmt.Sprintf("prepare=%t", prepare), func(t *testing.T) {
			t.Parallel()
			eachDialect(t, func(t *testing.T, db *gorm.DB) {
				ctx, o := t.Context(), Options{}
				db = db.Session(&gorm.Session{PrepareStmt: prepare})
				require.NoError(t, db.Transaction(func(tx *gorm.DB) error {
					requireVersion(t, tx, o, 0)
					require.ErrorIs(t, Up(ctx, tx, o), rule.ErrInvalid)
					require.ErrorIs(t, Down(ctx, tx, o), rule.ErrInvalid)
					return tx.Exec("CREATE TABLE hosts (id integer)").Error
				}))
				require.EqualValues(t, 0, count(t, db, "hosts"), "the host's transaction went on")
				require.NoError(t, Up(ctx, db, o))
				require.NoError(t, db.Transaction(func(tx *gorm.DB) error {
					requireVersion(t, tx, o, Latest())
					return nil
				}))
			})
		})
	}
}

func TestHostsThatPrepareTheirStatements(t *testing.T) {
	t.Parallel()
	prepare := func(c *gorm.Config) { c.PrepareStmt = true }
	for dialect, dsn := range map[string]func(*testing.T) string{
		sqlite:   func(t *testing.T) string { t.Helper(); return sqliteFile(t) + sqliteOptions },
		postgres: func(t *testing.T) string { t.Helper(); return pgtest.Database(t) },
	} {
		t.Run(dialect, func(t *testing.T) {
			t.Parallel()
			db := openTest(t, dialect, dsn(t), prepare)
			for range 2 {
				require.NoError(t, Up(t.Context(), db, Options{}))
				requireVersion(t, db, Options{}, Latest())
				require.NoError(t, DownTo(t.Context(), db, Options{}, 0))
				requireVersion(t, db, Options{}, 0)
			}
		})
	}
}
