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

func words(t *testing.T, db *gorm.DB, table, word string) []string {
	t.Helper()
	if db.Name() == sqlite {
		return found(t, db, table, word)
	}
	var ids []string
	require.NoError(t, db.Raw("SELECT id FROM "+table+" WHERE search @@ to_tsquery('simple', ?) AND deleted_at IS NULL ORDER BY id",
		word).Scan(&ids).Error)
	return ids
}

func requireWords(t *testing.T, db *gorm.DB) {
	t.Helper()
	require.Equal(t, []string{inbound}, words(t, db, "messages", "invoice"))
	require.Equal(t, []string{other}, words(t, db, "messages", "estimate"))
	require.Empty(t, words(t, db, "messages", "draft"))
	require.Empty(t, words(t, db, "messages", "secret"))
	require.Equal(t, []string{thread}, words(t, db, "conversations", "roof"))
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
			{TextConfig: "english", WithoutVectorIndex: true},
			{WithoutFullText: true, WithoutVectorIndex: true, Trigrams: true},
			{TextConfig: "simple"},
		} {
			require.NoError(t, RebuildSearch(ctx, db, o))
			requireNoDrift(t, db, o)
			requireIndexes(t, db, o)
			requireVersion(t, db, o, Latest())
			// Written without the index, and to be found with the next one.
			run(t, db, "UPDATE messages SET content = content || ' too'")
			switch {
			case o.WithoutFullText:
			case o.TextConfig == "english" && db.Name() == postgres:
				require.Empty(t, words(t, db, "messages", "the"), "which English leaves out")
			default:
				requireWords(t, db)
				require.Equal(t, []string{inbound, other}, words(t, db, "messages", "too"))
			}
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
	run(t, db, "DROP TRIGGER messages_fts_insert", "DROP TRIGGER messages_fts_update", "DROP TRIGGER messages_fts_delete",
		"UPDATE messages SET content = 'The bill' WHERE id = '"+inbound+"'", "DELETE FROM messages WHERE id = '"+other+"'")
	require.Equal(t, []string{"orphan"}, words(t, db, "messages", "estimate"))
	require.NoError(t, RebuildSearch(t.Context(), db, Options{}))
	requireNoDrift(t, db, Options{})
	require.Empty(t, words(t, db, "messages", "estimate OR invoice"))
	require.Equal(t, []string{inbound}, words(t, db, "messages", "bill"))
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
		bad, says := Options{TextConfig: "klingon"}, "klingon"
		if db.Name() == sqlite {
			// Found out when the index of messages is new already.
			bad, says = Options{}, "subject"
			run(t, db, "ALTER TABLE conversations RENAME COLUMN subject TO topic")
		}
		before := names(t, db)
		require.ErrorContains(t, RebuildSearch(t.Context(), db, bad), says)
		require.Equal(t, before, names(t, db))
		requireVersion(t, db, Options{}, Latest())
		requireWords(t, db)
		if db.Name() == postgres {
			requireNoDrift(t, db, Options{})
		}
	})
}
