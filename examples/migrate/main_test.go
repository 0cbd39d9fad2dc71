package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/internal/pgtest"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/rule"
)

func noEnvironment(string) string { return "" }

func try(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out strings.Builder
	err := run(t.Context(), args, noEnvironment, &out, io.Discard)
	return out.String(), err
}

func must(t *testing.T, args ...string) string {
	t.Helper()
	out, err := try(t, args...)
	require.NoError(t, err)
	return out
}

var databases = map[string]func(*testing.T) string{
	"sqlite":   func(t *testing.T) string { t.Helper(); return filepath.Join(t.TempDir(), "a#b?.db") },
	"postgres": func(t *testing.T) string { t.Helper(); return pgtest.Database(t) },
}

func TestCommands(t *testing.T) {
	t.Parallel()
	for name, db := range databases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			flags := []string{"-db", db(t), "-prefix", "chat_", "-dimensions", "8"}
			with := func(more ...string) []string { return append(flags[:len(flags):len(flags)], more...) }
			steps := must(t, with("up")...)
			require.Regexp(t, `(?m)^1 core: applied in \d+`, steps)
			require.Regexp(t, `(?m)^4 search: applied in \d+`, steps)
			require.Contains(t, steps, "\nversion 4 of 4\n")
			require.Equal(t, "version 4 of 4\n", must(t, with("up")...), "nothing to do")
			require.Equal(t, "ok\n", must(t, with("verify")...))
			require.Regexp(t, `(?m)^2 threads: reverted in .*\nversion 1 of 4\n`, must(t, with("to", "1")...))
			table := must(t, with("status")...)
			require.Regexp(t, `(?m)^VERSION  NAME +APPLIED\n1        core +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\n2        threads     -$`, table)
			must(t, with("up")...)
			out, err := try(t, with("-dimensions", "9", "verify")...)
			require.ErrorIs(t, err, errDrift)
			require.Contains(t, out, "altered")
			must(t, with("down")...)
			require.Contains(t, must(t, with("to", "0")...), "version 0 of 4\n")
			out, err = try(t, with("verify")...)
			require.ErrorIs(t, err, errDrift)
			require.Contains(t, out, "missing table chat_convostore_migrations")
		})
	}
}

func TestPreflight(t *testing.T) {
	t.Parallel()
	flags := []string{"-db", pgtest.Database(t), "-prefix", "chat_"}
	with := func(more ...string) []string { return append(flags[:len(flags):len(flags)], more...) }
	must(t, with("up")...)
	require.Equal(t, "ok\n", must(t, with("preflight")...))
	out, err := try(t, with("preflight", "chat_convostore_migrations", "crm.notes")...)
	require.ErrorIs(t, err, errFindings)
	require.Contains(t, out, "crm.notes: table: ")
	require.Contains(t, out, "public.chat_convostore_migrations: key: ")
	for _, command := range []string{"distribute", "undistribute"} {
		_, err = try(t, with(command)...)
		require.ErrorIs(t, err, rule.ErrInvalid)
		require.ErrorContains(t, err, "citus")
	}
}

func TestDistribute(t *testing.T) {
	t.Parallel()
	flags := []string{"-db", pgtest.Citus(t), "-prefix", "chat_", "-shards", "2"}
	with := func(more ...string) []string { return append(flags[:len(flags):len(flags)], more...) }
	for _, command := range []string{"up", "distribute", "distribute", "undistribute"} {
		require.Contains(t, must(t, with(command)...), "version")
		require.Equal(t, "ok\n", must(t, with("verify")...))
	}
}

func TestSQL(t *testing.T) {
	t.Parallel()
	out := must(t, "-db", "x.db", "-leads", "leads.key:bigint:owner", "-users", "users", "sql")
	require.Contains(t, out, `REFERENCES "leads" ("key", "owner") ON DELETE CASCADE`)
	require.Contains(t, out, `REFERENCES "users" ("id") ON DELETE CASCADE`)
	require.Contains(t, out, "lead_id         bigint")
	require.NotContains(t, out, "DROP")
	dir := t.TempDir()
	must(t, "-db", "postgres://x", "-goose", "sql", dir)
	text, err := os.ReadFile(filepath.Join(dir, "00001_core.sql"))
	require.NoError(t, err)
	require.Contains(t, string(text), "jsonb")
	_, err = try(t, "-db", "postgres://x", "-goose", "sql", dir)
	require.ErrorIs(t, err, os.ErrExist)
}

func TestBadUsage(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "x.db")
	for _, args := range [][]string{
		{},
		{"up"},
		{"-nope", "up"},
		{"-db", file, "frob"},
		{"-db", file, "up", "-prefix", "x"},
		{"-db", file, "to"},
		{"-db", file, "to", "x"},
		{"-db", file, "sql", "a", "b"},
		{"-db", file, "new", "x"},
		{"-db", file, "-host", t.TempDir(), "to", "1"},
		{"-db", "mysql://root@localhost/crm", "up"},
	} {
		_, err := try(t, args...)
		require.ErrorIs(t, err, errUsage, "%v", args)
	}
	_, err := try(t, "-db", file, "-schema", "s", "up")
	require.ErrorIs(t, err, rule.ErrInvalid)
	_, err = try(t, "-db", file, "to", "999")
	require.ErrorIs(t, err, rule.ErrInvalid)
	require.Less(t, migrate.Latest(), int64(999))
	_, err = try(t, "-db", file+".absent", "status")
	require.ErrorIs(t, err, os.ErrNotExist)
	require.NoFileExists(t, file+".absent")
}
