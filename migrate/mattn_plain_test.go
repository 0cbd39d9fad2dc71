//go:build !sqlite_fts5 && !fts5

package migrate

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/rule"
)

// mattnFTS5 says whether mattn's driver was built with full text.
const mattnFTS5 = false

// What a host meets who forgets the build tag.
func TestWithoutFTS5(t *testing.T) {
	t.Parallel()
	if !slices.Contains(sqliteDrivers(), "sqlite3") {
		t.Skip("mattn's driver needs cgo")
	}
	file := sqliteFile(t) + sqliteOptions
	db, ctx := openDriver(t, "sqlite3", file), t.Context()
	err := Up(ctx, db, Options{})
	require.ErrorIs(t, err, rule.ErrInvalid)
	require.ErrorContains(t, err, "-tags sqlite_fts5")
	require.ErrorContains(t, err, "WithoutFullText")
	require.Empty(t, names(t, db), "and nothing was made")

	require.NoError(t, UpTo(ctx, db, Options{}, 2), "which has no full text")
	o := Options{WithoutFullText: true}
	require.NoError(t, Up(ctx, db, o))
	requireNoDrift(t, db, o)
	fill(t, db, o)
	before := names(t, db)
	require.ErrorContains(t, RebuildSearch(ctx, db, Options{}), "-tags sqlite_fts5")
	_, err = Verify(ctx, db, Options{})
	require.ErrorContains(t, err, "-tags sqlite_fts5")
	require.Equal(t, before, names(t, db))

	require.NoError(t, RebuildSearch(ctx, openDriver(t, "sqlite", file), Options{}), "with a driver that has it")
	require.ErrorContains(t, RebuildSearch(ctx, db, o), "fts5", "SQLite needs it to drop it, too")
}
