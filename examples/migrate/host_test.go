package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore/rule"
)

// TestOwnMigrations makes a pair of files, fills it and runs it beside the library's, both ways.
func TestOwnMigrations(t *testing.T) {
	t.Parallel()
	for name, db := range databases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "own")
			dsn := db(t)
			flags := []string{"-db", dsn, "-prefix", "chat_", "-host", dir, "-host-name", "crm"}
			with := func(more ...string) []string { return append(flags[:len(flags):len(flags)], more...) }
			made := strings.Fields(must(t, "-host", dir, "new", "add_notes"))
			require.Equal(t, []string{filepath.Join(dir, "1000_add_notes.up.sql"), filepath.Join(dir, "1000_add_notes.down.sql")}, made)
			appendTo(t, made[0], `CREATE TABLE notes (id integer PRIMARY KEY, message_id text);
-- convostore:concurrently
CREATE INDEX {{name "messages_note_idx"}} ON {{table "messages"}} (user_id, author);
`)
			appendTo(t, made[1], `DROP INDEX chat_messages_note_idx; DROP TABLE notes;`)
			must(t, "-db", dsn, "-prefix", "chat_", "to", "1")
			require.Contains(t, must(t, with("status")...), "\n1000     add_notes   -\n")

			steps := must(t, with("up")...)
			require.Regexp(t, `(?m)^4 search: applied in `, steps)
			require.Regexp(t, `(?m)^crm 1000 add_notes: applied in `, steps)
			require.Regexp(t, `(?m)^OF CRM +\n1000 +add_notes +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\n$`, must(t, with("status")...))
			require.NotContains(t, must(t, with("up")...), "applied", "nothing to do")
			require.True(t, handle(t, dsn).Migrator().HasTable("notes"))

			require.Regexp(t, `(?m)^crm 1000 add_notes: reverted in `, must(t, with("down")...))
			require.False(t, handle(t, dsn).Migrator().HasTable("notes"))
			require.Equal(t, "ok\n", must(t, with("verify")...), "the library's stay")
		})
	}
}

func appendTo(t *testing.T, file, text string) {
	t.Helper()
	f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = f.WriteString(text)
	require.NoError(t, err)
	require.NoError(t, f.Close())
}

// handle opens the database that a command works on, until the test ends.
func handle(t *testing.T, db string) *gorm.DB {
	t.Helper()
	opened, err := open(t.Context(), db, false)
	require.NoError(t, err)
	t.Cleanup(opened.close)
	return opened.DB
}

func TestOwnMigrationsThatAreWrong(t *testing.T) {
	t.Parallel()
	file, dir := filepath.Join(t.TempDir(), "x.db"), t.TempDir()
	_, err := try(t, "-host", dir, "new", "Not a name")
	require.ErrorIs(t, err, rule.ErrInvalid)
	_, err = try(t, "-db", file, "-host", filepath.Join(dir, "absent"), "up")
	require.ErrorIs(t, err, os.ErrNotExist)
	require.NoFileExists(t, file)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "1_half.up.sql"), []byte("SELECT 1"), 0o600))
	_, err = try(t, "-db", file, "-host", dir, "up")
	require.ErrorIs(t, err, rule.ErrInvalid)
	require.ErrorContains(t, err, "1_half.down.sql")
	_, err = try(t, "-db", file, "-host", dir, "-host-name", "no name", "up")
	require.ErrorIs(t, err, rule.ErrInvalid)
}

func TestRepair(t *testing.T) {
	t.Parallel()
	for name, db := range databases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dsn := db(t)
			must(t, "-db", dsn, "up")
			require.Equal(t, "ok\n", must(t, "-db", dsn, "repair"))
			plain := handle(t, dsn)
			require.NoError(t, plain.Exec("DROP INDEX messages_gmail_key").Error)
			require.Contains(t, must(t, "-db", dsn, "repair"), "mended: missing index messages.messages_gmail_key")
			require.Equal(t, "ok\n", must(t, "-db", dsn, "verify"))

			const id = "0190f3a0-0000-7000-8000-00000000000"
			for _, s := range []string{
				"DROP INDEX messages_gmail_key",
				"INSERT INTO conversations (id, user_id) VALUES ('" + id + "1', '" + id + "1')",
				"INSERT INTO messages (id, user_id, conversation_id, seq, role, content, gmail_message_id) VALUES" +
					" ('" + id + "1', '" + id + "1', '" + id + "1', 1, 'user', '', 'g'), ('" + id + "2', '" + id + "1', '" + id + "1', 2, 'user', '', 'g')",
			} {
				require.NoError(t, plain.Exec(s).Error)
			}
			out, err := try(t, "-db", dsn, "repair")
			require.ErrorIs(t, err, errUnmended)
			require.Contains(t, out, "left: missing index messages.messages_gmail_key")
			require.Contains(t, out, "  row "+id+"2")
		})
	}
}

// TestDatabaseOfTheEnvironment: the flag wins over DATABASE_URL, and an SQLite database has a few
// addresses.
func TestDatabaseOfTheEnvironment(t *testing.T) {
	t.Parallel()
	for name, db := range databases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dsn := db(t)
			environment := func(key string) string {
				require.Equal(t, databaseURL, key)
				return dsn
			}
			call := func(args ...string) string {
				var out strings.Builder
				require.NoError(t, run(t.Context(), args, environment, &out, io.Discard))
				return out.String()
			}
			require.Contains(t, call("up"), "version 4 of 4\n")
			require.NotContains(t, call("status"), " -\n")
			require.Equal(t, "ok\n", call("verify"))
			other := filepath.Join(t.TempDir(), "other.db")
			require.Contains(t, call("-db", other, "to", "1"), "version 1 of 4\n")
			require.Contains(t, call("-db", other, "status"), " -\n")
			require.NotContains(t, call("status"), " -\n")
		})
	}
	t.Run("addresses of a file", func(t *testing.T) {
		t.Parallel()
		path := filepath.ToSlash(filepath.Join(t.TempDir(), "chat.db"))
		must(t, "-db", path, "up")
		for _, address := range []string{"sqlite:" + path, "sqlite://" + path, "sqlite3:" + path, "file:" + path, "file://" + path} {
			require.NotContains(t, must(t, "-db", address, "status"), " -\n", address)
		}
		require.Equal(t, "chat.db", file("sqlite://chat.db"))
	})
	t.Run("help keeps the password", func(t *testing.T) {
		t.Parallel()
		var errs strings.Builder
		secret := func(string) string { return "postgres://app:secret@localhost/crm" }
		require.Error(t, run(t.Context(), []string{"-help"}, secret, io.Discard, &errs))
		require.Contains(t, errs.String(), "DATABASE_URL")
		require.NotContains(t, errs.String(), "secret")
	})
}
