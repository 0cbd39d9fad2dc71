package migrate

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore/rule"
)

const gone = "00000000-0000-7000-8000-0000000000a3"

// fillWords writes a conversation with one message that is live, one that was edited and
// one that was deleted.
func fillWords(t *testing.T, db *gorm.DB) {
	t.Helper()
	run(t, db, "INSERT INTO conversations (id, user_id, title) VALUES ('"+thread+"', '"+user+"', 'Roof')")
	insertMessage(t, db, inbound, 1, "The invoice")
	insertMessage(t, db, other, 2, "A draft")
	insertMessage(t, db, gone, 3, "The secret invoice")
	run(t, db, "UPDATE messages SET content = 'The estimate' WHERE id = '"+other+"'",
		"UPDATE messages SET deleted_at = '2026-01-02 03:04:05+00:00' WHERE id = '"+gone+"'")
}

// requireWords sees to the index of words of fillWords as it is made: all that is live is noted,
// and nothing is void.
func requireWords(t *testing.T, db *gorm.DB) {
	t.Helper()
	require.Equal(t, []string{"message " + inbound, "message " + other, "title " + thread}, noted(t, db))
	require.Empty(t, void(t, db))
}

func TestOldRowsAreFoundAfterTheUpgrade(t *testing.T) {
	t.Parallel()
	eachDialect(t, func(t *testing.T, db *gorm.DB) {
		require.NoError(t, UpTo(t.Context(), db, Options{}, 2))
		fillWords(t, db)
		require.NoError(t, Up(t.Context(), db, Options{}))
		requireWords(t, db)
		require.NoError(t, Down(t.Context(), db, Options{}))
		require.EqualValues(t, 3, count(t, db, "messages"))
		require.NoError(t, Up(t.Context(), db, Options{}))
		requireWords(t, db)
	})
}

func TestRebuildSearch(t *testing.T) {
	t.Parallel()
	eachDialect(t, func(t *testing.T, db *gorm.DB) {
		ctx := t.Context()
		require.NoError(t, Up(ctx, db, Options{}))
		fillWords(t, db)
		for _, o := range []Options{
			{WithoutFullText: true},
			{},
			{},
			{Trigrams: true},
			{WithoutVectorIndex: true},
			{WithoutFullText: true, WithoutVectorIndex: true, Trigrams: true},
			{},
		} {
			require.NoError(t, RebuildSearch(ctx, db, o))
			requireNoDrift(t, db, o)
			requireIndexes(t, db, o)
			requireVersion(t, db, o, Latest())
			if !o.WithoutFullText {
				requireWords(t, db)
			}
			// Written with and without the index, and to be found with the next one.
			run(t, db, "UPDATE messages SET content = content || ' too'")
		}
		require.EqualValues(t, 3, count(t, db, "messages"))
		require.NoError(t, DownTo(ctx, db, Options{}, 0), "whatever options it was made with")
	})
}

// GORM changes a table of SQLite by making it anew, without its triggers.
func TestRebuildSearchAfterTheTriggersAreGone(t *testing.T) {
	t.Parallel()
	db := openTest(t, sqlite, sqliteFile(t)+sqliteOptions)
	require.NoError(t, Up(t.Context(), db, Options{}))
	fillWords(t, db)
	run(t, db, "DROP TRIGGER messages_search_insert", "DROP TRIGGER messages_search_update", "DROP TRIGGER messages_search_delete", "DELETE FROM search_notes",
		"UPDATE messages SET content = 'The bill' WHERE id = '"+inbound+"'")
	require.NoError(t, RebuildSearch(t.Context(), db, Options{}))
	requireNoDrift(t, db, Options{})
	requireWords(t, db)
}

func TestRebuildSearchNeedsItsMigration(t *testing.T) {
	t.Parallel()
	eachDialect(t, func(t *testing.T, db *gorm.DB) {
		ctx := t.Context()
		for version := range searchVersion {
			require.NoError(t, UpTo(ctx, db, Options{}, version))
			before := names(t, db)
			err := RebuildSearch(ctx, db, Options{})
			require.ErrorIs(t, err, rule.ErrInvalid)
			require.ErrorContains(t, err, "call Up")
			require.Equal(t, before, names(t, db))
		}
		require.NoError(t, Up(ctx, db, Options{}))
		require.ErrorIs(t, RebuildSearch(ctx, nil, Options{}), rule.ErrInvalid)
		require.NoError(t, db.Transaction(func(tx *gorm.DB) error {
			require.ErrorIs(t, RebuildSearch(ctx, tx, Options{}), rule.ErrInvalid)
			return nil
		}))
		run(t, db, "INSERT INTO convostore_migrations (version, name) VALUES (999, 'later')")
		require.ErrorIs(t, RebuildSearch(ctx, db, Options{}), ErrNewer)
	})
}

func TestAFailingRebuildLeavesEverything(t *testing.T) {
	t.Parallel()
	eachDialect(t, func(t *testing.T, db *gorm.DB) {
		require.NoError(t, Up(t.Context(), db, Options{}))
		fillWords(t, db)
		// Found out when the tables are new already.
		run(t, db, "ALTER TABLE conversations RENAME COLUMN subject TO topic")
		notes, gone := noted(t, db), void(t, db)
		before := names(t, db)
		require.ErrorContains(t, RebuildSearch(t.Context(), db, Options{}), "subject")
		require.Equal(t, before, names(t, db))
		requireVersion(t, db, Options{}, Latest())
		require.Equal(t, notes, noted(t, db))
		require.Equal(t, gone, void(t, db))
	})
}
