package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/internal/pgtest"
	"github.com/convostore/convostore/migrate"
)

func TestMigrate(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db string) {
		run := func(args ...string) (string, string, int) {
			return try(t, append([]string{"migrate", "--database", db, "--prefix", "chat_", "--dimensions", "8"}, args...)...)
		}
		out, steps, code := run("up")
		require.Zero(t, code, steps)
		require.Regexp(t, `(?m)^1 core: applied in \d+`, steps)
		require.Regexp(t, `(?m)^4 search: applied in \d+`, steps)
		require.Equal(t, "version 4 of 4\n", out)
		out, steps, _ = run("up")
		require.Equal(t, "version 4 of 4\n", out)
		require.Empty(t, steps, "nothing to do")
		out, _, _ = run("verify")
		require.Equal(t, "ok\n", out)
		out, steps, _ = run("to", "1", "--yes")
		require.Regexp(t, `(?m)^2 threads: reverted in `, steps)
		require.Equal(t, "version 1 of 4\n", out)
		out, _, _ = run("status")
		require.Regexp(t, `(?m)^VERSION  NAME +APPLIED\n1        core +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\n2        threads     -$`, out)
		_, _, code = run("up")
		require.Zero(t, code)
		out, errs, code := run("--dimensions", "9", "verify")
		require.Equal(t, exitFailed, code)
		require.Contains(t, out, "altered")
		require.Empty(t, errs, "the list says it")
		out, _, _ = run("down", "--yes")
		require.Equal(t, "version 3 of 4\n", out)
		out, _, _ = run("to", "0", "--yes")
		require.Equal(t, "version 0 of 4\n", out)
		out, _, code = run("verify")
		require.Equal(t, exitFailed, code)
		require.Contains(t, out, "missing table chat_convostore_migrations")
	})
}

// TestMigrationsDownAsk: nothing is dropped before somebody has said yes.
func TestMigrationsDownAsk(t *testing.T) {
	t.Parallel()
	db := filepath.Join(t.TempDir(), "x.db")
	must(t, "migrate", "up", "-d", db)
	for _, args := range [][]string{{"to", "0"}, {"to", "3"}, {"down"}} {
		args = append([]string{"migrate", "-d", db}, args...)
		_, errs, code := try(t, args...)
		assert.Equal(t, exitUsage, code)
		assert.Contains(t, errs, "--yes")
		for answer, want := range map[string]int{"no\n": exitFailed, "": exitFailed, "y\n": exitFailed} {
			_, errs, code = with(t, func(a *app) { a.asks, a.in = true, strings.NewReader(answer) }, args...)
			assert.Equal(t, want, code)
			assert.Contains(t, errs, "Type yes to go on: ")
			assert.Contains(t, errs, "nothing was changed")
		}
	}
	assert.NotContains(t, must(t, "migrate", "status", "-d", db), " -\n")
	out, errs, code := with(t, func(a *app) { a.asks, a.in = true, strings.NewReader("yes\n") }, "migrate", "to", "0", "-d", db)
	assert.Zero(t, code)
	assert.Contains(t, errs, "This removes all tables of convostore with everything in them.")
	assert.Equal(t, "version 0 of 4\n", out)
	must(t, "migrate", "to", "2", "-d", db) // a way up destroys nothing
}

func TestMigrateJSON(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db string) {
		var v version
		mustJSON(t, &v, "migrate", "up", "-d", db)
		require.Equal(t, version{4, 4}, v)
		var steps []step
		mustJSON(t, &steps, "migrate", "status", "-d", db)
		require.Len(t, steps, 4)
		require.NotNil(t, steps[3].AppliedAt)
		var found []drift
		mustJSON(t, &found, "migrate", "verify", "-d", db)
		require.Empty(t, found)
		require.NoError(t, handle(t, db).Exec("DROP INDEX messages_gmail_key").Error)
		var r repaired
		mustJSON(t, &r, "migrate", "repair", "-d", db)
		require.Len(t, r.Mended, 1)
		require.Equal(t, "index", r.Mended[0].Object)
		require.Empty(t, r.Left)
		var texts map[string]string
		mustJSON(t, &texts, "migrate", "sql", "-d", db)
		require.Len(t, texts, 4)
	})
}

func TestPreflight(t *testing.T) {
	t.Parallel()
	db := pgtest.Database(t)
	run := func(args ...string) (string, string, int) {
		return try(t, append([]string{"migrate", "--database", db, "--prefix", "chat_"}, args...)...)
	}
	_, _, code := run("up")
	require.Zero(t, code)
	out, _, _ := run("preflight")
	require.Equal(t, "ok\n", out)
	out, _, code = run("preflight", "chat_convostore_migrations", "crm.notes")
	require.Equal(t, exitFailed, code)
	require.Contains(t, out, "crm.notes: table: ")
	require.Contains(t, out, "public.chat_convostore_migrations: key: ")
	for _, command := range []string{"distribute", "undistribute"} {
		_, errs, code := run(command)
		require.Equal(t, exitUsage, code)
		require.Contains(t, errs, "citus")
	}
}

func TestDistribute(t *testing.T) {
	t.Parallel()
	db := pgtest.Citus(t)
	for _, command := range [][]string{{"up"}, {"distribute", "--shards", "2"}, {"distribute", "--shards", "2"}, {"undistribute"}} {
		require.Contains(t, must(t, append([]string{"migrate", "-d", db, "--prefix", "chat_"}, command...)...), "version")
		require.Equal(t, "ok\n", must(t, "migrate", "verify", "-d", db, "--prefix", "chat_"))
	}
}

func TestSQL(t *testing.T) {
	t.Parallel()
	out := must(t, "migrate", "sql", "-d", "x.db", "--leads", "leads.key:bigint:owner", "--users", "users")
	require.Contains(t, out, `REFERENCES "leads" ("key", "owner") ON DELETE CASCADE`)
	require.Contains(t, out, `REFERENCES "users" ("id") ON DELETE CASCADE`)
	require.Contains(t, out, "lead_id         bigint")
	require.NotContains(t, out, "DROP")
	require.NoFileExists(t, "x.db")
	dir := t.TempDir()
	must(t, "migrate", "sql", dir, "-d", "postgres://x", "--goose")
	text, err := os.ReadFile(filepath.Join(dir, "00001_core.sql"))
	require.NoError(t, err)
	require.Contains(t, string(text), "jsonb")
	_, errs, code := try(t, "migrate", "sql", dir, "-d", "postgres://x", "--goose")
	require.Equal(t, exitFailed, code)
	require.Contains(t, errs, "exists")
}

// TestOwnMigrations makes a pair of files, fills it and runs it beside the library's, both ways.
func TestOwnMigrations(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db string) {
		dir := filepath.Join(t.TempDir(), "own")
		run := func(args ...string) (string, string) {
			t.Helper()
			out, errs, code := try(t, append([]string{"migrate", "-d", db, "--prefix", "chat_", "--host", dir, "--host-name", "crm"}, args...)...)
			require.Zero(t, code, errs)
			return out, errs
		}
		made := strings.Fields(must(t, "migrate", "new", "add_notes", "--host", dir))
		require.Equal(t, []string{filepath.Join(dir, "1000_add_notes.up.sql"), filepath.Join(dir, "1000_add_notes.down.sql")}, made)
		appendTo(t, made[0], `CREATE TABLE notes (id integer PRIMARY KEY, message_id text);
-- convostore:concurrently
CREATE INDEX {{name "messages_note_idx"}} ON {{table "messages"}} (user_id, author);
`)
		appendTo(t, made[1], `DROP INDEX chat_messages_note_idx; DROP TABLE notes;`)
		must(t, "migrate", "to", "1", "-d", db, "--prefix", "chat_")
		out, _ := run("status")
		require.Contains(t, out, "\n1000     add_notes   -\n")

		_, steps := run("up")
		require.Regexp(t, `(?m)^4 search: applied in `, steps)
		require.Regexp(t, `(?m)^crm 1000 add_notes: applied in `, steps)
		out, _ = run("status")
		require.Regexp(t, `(?m)^OF CRM +\n1000 +add_notes +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\n$`, out)
		_, steps = run("up")
		require.Empty(t, steps, "nothing to do")
		require.True(t, handle(t, db).Migrator().HasTable("notes"))

		_, steps = run("down", "--yes")
		require.Regexp(t, `(?m)^crm 1000 add_notes: reverted in `, steps)
		require.False(t, handle(t, db).Migrator().HasTable("notes"))
		out, _ = run("verify")
		require.Equal(t, "ok\n", out, "the library's stay")
	})
}

func appendTo(t *testing.T, file, text string) {
	t.Helper()
	f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = f.WriteString(text)
	require.NoError(t, err)
	require.NoError(t, f.Close())
}

func TestMigrateRefuses(t *testing.T) {
	t.Parallel()
	file, dir, half := filepath.Join(t.TempDir(), "x.db"), t.TempDir(), t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(half, "1_half.up.sql"), []byte("SELECT 1"), 0o600))
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"up"}, exitUsage, "--database and $DATABASE_URL are missing"},
		{[]string{"up", "--nope"}, exitUsage, "unknown flag: --nope"},
		{[]string{"frob", "-d", file}, exitUsage, `has no command "frob"`},
		{[]string{"up", "x", "-d", file}, exitUsage, `does not take "x"`},
		{[]string{"to", "-d", file}, exitUsage, "wants a version"},
		{[]string{"to", "x", "-d", file}, exitUsage, `"x" is no version`},
		{[]string{"to", "999", "-d", file}, exitUsage, "version: 0 to 4"},
		{[]string{"sql", "a", "b", "-d", file}, exitUsage, `does not take "b"`},
		{[]string{"new", "x"}, exitUsage, "--host"},
		{[]string{"to", "1", "-d", file, "--host", dir}, exitUsage, "--host"},
		{[]string{"up", "-d", "mysql://root:secret@localhost/crm"}, exitUsage, "neither SQLite nor PostgreSQL"},
		{[]string{"up", "-d", file, "--schema", "s"}, exitUsage, "--schema"},
		{[]string{"new", "Not a name", "--host", dir}, exitUsage, "name"},
		{[]string{"up", "-d", file, "--host", filepath.Join(dir, "absent")}, exitFailed, "no such file"},
		{[]string{"up", "-d", file, "--host", half}, exitUsage, "1_half.down.sql"},
		{[]string{"up", "-d", file, "--host", dir, "--host-name", "no name"}, exitUsage, "no name"},
		{[]string{"status", "-d", file + ".absent"}, exitFailed, "there is no database"},
		{[]string{"down", "-d", file + ".absent"}, exitFailed, "there is no database"},
	} {
		out, errs, code := try(t, append([]string{"migrate"}, c.args...)...)
		assert.Equal(t, c.code, code, c.args)
		assert.Contains(t, errs, c.says, c.args)
		assert.NotContains(t, errs, "secret")
		assert.Empty(t, out, c.args)
		assert.Equal(t, 1, strings.Count(errs, "convostore: "), "said once: %s", errs)
	}
	require.Less(t, migrate.Latest(), int64(999))
	require.NoFileExists(t, file+".absent")
}

func TestRepair(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db string) {
		must(t, "migrate", "up", "-d", db)
		require.Equal(t, "ok\n", must(t, "migrate", "repair", "-d", db))
		plain := handle(t, db)
		require.NoError(t, plain.Exec("DROP INDEX messages_gmail_key").Error)
		require.Contains(t, must(t, "migrate", "repair", "-d", db), "mended: missing index messages.messages_gmail_key")
		require.Equal(t, "ok\n", must(t, "migrate", "verify", "-d", db))

		const id = "0190f3a0-0000-7000-8000-00000000000"
		for _, s := range []string{
			"DROP INDEX messages_gmail_key",
			"INSERT INTO conversations (id, user_id) VALUES ('" + id + "1', '" + id + "1')",
			"INSERT INTO messages (id, user_id, conversation_id, seq, role, content, gmail_message_id) VALUES" +
				" ('" + id + "1', '" + id + "1', '" + id + "1', 1, 'user', '', 'g'), ('" + id + "2', '" + id + "1', '" + id + "1', 2, 'user', '', 'g')",
		} {
			require.NoError(t, plain.Exec(s).Error)
		}
		out, _, code := try(t, "migrate", "repair", "-d", db)
		require.Equal(t, exitFailed, code)
		require.Contains(t, out, "left: missing index messages.messages_gmail_key")
		require.Contains(t, out, "  row "+id+"2")
	})
}

// TestDatabaseOfTheEnvironment: the flag wins over DATABASE_URL, and an SQLite database has a few
// addresses.
func TestDatabaseOfTheEnvironment(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db string) {
		call := func(args ...string) string {
			out, errs, code := with(t, func(a *app) {
				a.getenv = func(key string) string {
					require.Equal(t, databaseURL, key)
					return db
				}
			}, args...)
			require.Zero(t, code, errs)
			return out
		}
		require.Contains(t, call("migrate", "up"), "version 4 of 4\n")
		require.NotContains(t, call("migrate", "status"), " -\n")
		other := filepath.Join(t.TempDir(), "other.db")
		require.Contains(t, call("migrate", "to", "1", "-d", other), "version 1 of 4\n")
		require.Contains(t, call("migrate", "status", "-d", other), " -\n")
		require.NotContains(t, call("migrate", "status"), " -\n")
	})
}

func TestAddressesOfAFile(t *testing.T) {
	t.Parallel()
	path := filepath.ToSlash(filepath.Join(t.TempDir(), "chat.db"))
	must(t, "migrate", "up", "-d", path)
	for _, address := range []string{"sqlite:" + path, "sqlite://" + path, "sqlite3:" + path, "file:" + path, "file://" + path} {
		require.NotContains(t, must(t, "migrate", "status", "-d", address), " -\n", address)
	}
}
