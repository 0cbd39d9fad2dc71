package migrate

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
)

// Code goes on beside a newer schema that names it, and refuses one that does not.
func TestOldestCode(t *testing.T) {
	t.Parallel()
	eachDialect(t, func(t *testing.T, db *gorm.DB) {
		ctx := t.Context()
		newer := func(note string) *migrator {
			text := note + "CREATE TABLE newer (id integer);"
			m, err := openFiles(db, noVectors, withStep(text, text))
			require.NoError(t, err)
			return m
		}
		kind := newer(fmt.Sprintf("-- convostore:oldest-code %d\n", Latest()))
		require.NoError(t, kind.up(ctx, Latest()+1))
		have, err := ReadSchema(ctx, db, noVectors)
		require.NoError(t, err)
		require.Equal(t, Latest()+1, have.Version)
		require.Equal(t, Latest(), have.OldestCode)
		before := names(t, db)
		require.NoError(t, Up(ctx, db, noVectors), "it is new enough")
		require.NoError(t, Host{Name: "crm", Files: sameNumbers("crm").Files}.Up(ctx, db, noVectors))
		require.NoError(t, sameNumbers("crm").DownTo(ctx, db, noVectors, 0))
		run(t, db, "DROP TABLE convostore_host_migrations")
		require.ErrorIs(t, Down(ctx, db, noVectors), ErrNewer, "it does not know what to take back")
		require.ErrorIs(t, RebuildSearch(ctx, db, noVectors), ErrNewer)
		require.Equal(t, before, names(t, db))

		run(t, db, "DROP TABLE newer", fmt.Sprintf("DELETE FROM convostore_migrations WHERE version = %d", Latest()+1))
		require.NoError(t, newer("").up(ctx, Latest()+1))
		err = Up(ctx, db, noVectors)
		require.ErrorIs(t, err, ErrNewer)
		require.ErrorContains(t, err, fmt.Sprintf("has version %d, which works with code that knows %d, and this code knows %d", Latest()+1, Latest()+1, Latest()))
		// A later one that works with older code again does not make up for it.
		run(t, db, fmt.Sprintf("INSERT INTO convostore_migrations (version, name, oldest_code) VALUES (%d, 'later', 1)", Latest()+2))
		require.ErrorIs(t, Up(ctx, db, noVectors), ErrNewer)
	})
}

func TestABadOldestCodeIsRefused(t *testing.T) {
	t.Parallel()
	db := openTest(t, sqlite, sqliteFile(t)+sqliteOptions)
	for _, note := range []string{"", " 0", " -1", " four"} {
		_, err := openFiles(db, noVectors, withStep("", "-- convostore:oldest-code"+note+"\nSELECT 1;"))
		require.ErrorContains(t, err, "oldest-code", note)
	}
}
