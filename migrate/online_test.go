package migrate

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore/internal/pgtest"
)

// hostOf makes a set of migrations from the SQL of their two halves, by their file's name.
func hostOf(name string, files map[string][2]string) Host {
	all := fstest.MapFS{}
	for base, halves := range files {
		all[base+".up.sql"] = &fstest.MapFile{Data: []byte(halves[0])}
		all[base+".down.sql"] = &fstest.MapFile{Data: []byte(halves[1])}
	}
	return Host{Name: name, Files: all}
}

func indexHost() Host {
	return hostOf("crm", map[string][2]string{"0001_index": {
		"-- convostore:concurrently\nCREATE UNIQUE INDEX {{name \"crm_idx\"}} ON {{table \"messages\"}} (content, id);",
		"DROP INDEX {{name \"crm_idx\"}};",
	}})
}

// noVectors keeps a test from making the extension.
var noVectors = Options{WithoutPgvector: true}

// halfBuilt returns the session that is making an index, once there is an invalid one.
func halfBuilt(t *testing.T, db *gorm.DB) (pid int) {
	t.Helper()
	require.Eventually(t, func() bool {
		var n int
		require.NoError(t, db.Raw("SELECT coalesce(max(p.pid), 0) FROM pg_stat_progress_create_index p JOIN pg_index i ON i.indexrelid = p.index_relid WHERE NOT i.indisvalid").
			Scan(&pid).Error)
		require.NoError(t, db.Raw("SELECT count(*) FROM pg_locks WHERE pid = ? AND NOT granted", pid).Scan(&n).Error)
		return pid > 0 && n > 0
	}, time.Minute, 20*time.Millisecond)
	return pid
}

// writing is a transaction that an index made concurrently has to wait for.
func writing(t *testing.T, db *gorm.DB) *gorm.DB {
	t.Helper()
	tx := db.Begin()
	require.NoError(t, tx.Error)
	t.Cleanup(func() { tx.Rollback() })
	run(t, tx, "UPDATE messages SET content = content")
	return tx
}

func requireIndexBuilt(t *testing.T, db *gorm.DB) {
	t.Helper()
	require.Zero(t, invalidIndexes(t, db))
	var n int
	require.NoError(t, db.Raw("SELECT count(*) FROM pg_indexes WHERE indexname LIKE '%crm_idx%'").Scan(&n).Error)
	require.Equal(t, 1, n)
	require.NotContains(t, names(t, db), "r public.convostore_unfinished")
	steps, err := indexHost().Status(t.Context(), db, noVectors)
	require.NoError(t, err)
	require.NotNil(t, steps[0].AppliedAt)
}

// The session that makes an index is ended by an operator.
func TestAnIndexWhoseSessionEndsIsMadeAgain(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Database(t)
	db := openTest(t, postgres, dsn)
	require.NoError(t, Up(t.Context(), db, noVectors))
	fill(t, db, noVectors)
	tx, done := writing(t, openTest(t, postgres, dsn)), make(chan error, 1)
	go func() { done <- indexHost().Up(context.WithoutCancel(t.Context()), db, noVectors) }()
	run(t, db, fmt.Sprintf("SELECT pg_terminate_backend(%d)", halfBuilt(t, db)))
	err := <-done
	require.Equal(t, "57P01", sqlState(err), "%v", err)
	require.Positive(t, invalidIndexes(t, db), "what was begun waits for the writer as well")
	steps, err := indexHost().Status(t.Context(), db, noVectors)
	require.NoError(t, err)
	require.Nil(t, steps[0].AppliedAt)

	require.NoError(t, tx.Commit().Error)
	require.NoError(t, indexHost().Up(t.Context(), db, noVectors))
	requireIndexBuilt(t, db)
	require.NoError(t, indexHost().Down(t.Context(), db, noVectors))
	requireNoDrift(t, db, noVectors)
}

// The process that makes an index is killed, and its session with it or later.
func TestAnIndexWhoseProcessIsKilledIsMadeAgain(t *testing.T) {
	t.Parallel()
	for _, ended := range []bool{true, false} {
		t.Run(fmt.Sprintf("session ended %v", ended), func(t *testing.T) {
			t.Parallel()
			dsn := pgtest.Database(t)
			db := openTest(t, postgres, dsn)
			require.NoError(t, Up(t.Context(), db, noVectors))
			fill(t, db, noVectors)
			tx, p := writing(t, openTest(t, postgres, dsn)), launch(t, "index", postgres, dsn)
			require.NoError(t, p.start.Close())
			pid := halfBuilt(t, db)
			require.NoError(t, p.command.Process.Kill())
			require.Error(t, p.command.Wait())
			if ended {
				run(t, db, fmt.Sprintf("SELECT pg_terminate_backend(%d, 60000)", pid))
			}
			require.Positive(t, invalidIndexes(t, db))
			done := make(chan error, 1)
			go func() { done <- indexHost().Up(context.WithoutCancel(t.Context()), db, noVectors) }()
			require.NoError(t, tx.Commit().Error)
			require.NoError(t, <-done)
			requireIndexBuilt(t, db)
		})
	}
}

// An index that rows break leaves nothing that would refuse further rows.
func TestAnIndexThatRowsBreakLeavesNothing(t *testing.T) {
	t.Parallel()
	db := openTest(t, postgres, pgtest.Database(t))
	require.NoError(t, Up(t.Context(), db, noVectors))
	fill(t, db, noVectors)
	insertMessage(t, db, other, 2, "Hi")
	h := hostOf("crm", map[string][2]string{"0001_index": {"-- convostore:concurrently\nCREATE UNIQUE INDEX crm_idx ON messages (content);", "DROP INDEX crm_idx;"}})
	err := h.Up(t.Context(), db, noVectors)
	require.Equal(t, "23505", sqlState(err), "%v", err)
	require.NotContains(t, names(t, db), "i public.crm_idx")
	require.Zero(t, invalidIndexes(t, db))
	insertMessage(t, db, gone, 3, "Hi")
	run(t, db, "UPDATE messages SET content = id::text")
	require.NoError(t, h.Up(t.Context(), db, noVectors))
}

// gate is a check that waits at one row, so that a test can look at the database meanwhile.
const gate = `CREATE FUNCTION gate(content text) RETURNS boolean LANGUAGE plpgsql AS $$
	BEGIN IF content = 'wait' THEN PERFORM pg_advisory_xact_lock_shared(4711); END IF; RETURN content <> 'bad'; END $$`

func TestAConstraintIsValidatedBesideWriters(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Database(t)
	db, o := openTest(t, postgres, dsn), noVectors
	o.LockTimeout = time.Minute // what the gate waits for is a lock too
	require.NoError(t, Up(t.Context(), db, o))
	fill(t, db, o)
	insertMessage(t, db, other, 2, "bad")
	insertMessage(t, db, gone, 3, "wait")
	run(t, db, gate)
	h := hostOf("crm", map[string][2]string{"0001_check": {
		"-- convostore:validate\nALTER TABLE {{table \"messages\"}} ADD CONSTRAINT crm_check CHECK (gate(content));",
		"ALTER TABLE {{table \"messages\"}} DROP CONSTRAINT crm_check;",
	}})
	require.Equal(t, "23514", sqlState(h.Up(t.Context(), db, o)), "an old row breaks it")
	require.Equal(t, "23514", sqlState(db.Exec("UPDATE messages SET content = 'bad' WHERE id = ?", inbound).Error), "and it holds for new rows")
	run(t, db, "UPDATE messages SET content = 'good' WHERE id = '"+other+"'")

	closed, done := connOf(t, openTest(t, postgres, dsn)), make(chan error, 1)
	_, err := closed.ExecContext(t.Context(), "SELECT pg_advisory_lock(4711)")
	require.NoError(t, err)
	go func() { done <- h.Up(context.WithoutCancel(t.Context()), db, o) }()
	require.Eventually(t, func() bool {
		var n int
		require.NoError(t, db.Raw("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'ALTER TABLE%VALIDATE%' AND wait_event = 'advisory'").Scan(&n).Error)
		return n == 1
	}, time.Minute, 20*time.Millisecond)
	writer := openTest(t, postgres, dsn+"&lock_timeout=5000")
	run(t, writer, "UPDATE messages SET content = 'new' WHERE id = '"+inbound+"'", "DELETE FROM messages WHERE id = '"+other+"'")
	_, err = closed.ExecContext(t.Context(), "SELECT pg_advisory_unlock(4711)")
	require.NoError(t, err)
	require.NoError(t, <-done)
	var valid bool
	require.NoError(t, db.Raw("SELECT convalidated FROM pg_constraint WHERE conname = 'crm_check'").Scan(&valid).Error)
	require.True(t, valid)
	require.NoError(t, h.Down(t.Context(), db, o))
}

// What happens is told in the order in which it happens.
func TestEventsInOrder(t *testing.T) {
	t.Parallel()
	eachDialect(t, func(t *testing.T, db *gorm.DB) {
		ctx, told := t.Context(), []string{}
		o := noVectors
		o.OnEvent = func(e Event) {
			require.NotContains(t, e.String(), "\n")
			require.Equal(t, e.String(), e.LogValue().String())
			word := strings.TrimSpace(fmt.Sprintf("%s %s %d %.12s", e.Host, e.Kind, e.Version, e.What))
			if e.Rows >= 0 {
				word += fmt.Sprintf(" %d", e.Rows)
			}
			told = append(told, word)
		}
		tell := func() (all []string) { all, told = told, nil; return all }
		require.NoError(t, Up(ctx, db, o))
		require.Equal(t, []string{"applied 1", "applied 2", "applied 3", "applied 4"}, tell())
		require.NoError(t, Up(ctx, db, o))
		require.Empty(t, tell())
		fill(t, db, o)

		h := hostOf("crm", map[string][2]string{
			"0007_plain": {"CREATE TABLE crm_a (id integer);", "DROP TABLE crm_a;"},
			"0008_parts": {
				"CREATE TABLE crm_b (id integer);\n" +
					"-- convostore:concurrently\nCREATE INDEX crm_idx ON messages (content);\n" +
					"-- convostore:batch messages (id) 10\nUPDATE messages SET content = 'new' WHERE /* batch */ true;\n" +
					"CREATE TABLE crm_c (id integer);",
				"DROP INDEX crm_idx; DROP TABLE crm_b; DROP TABLE crm_c;",
			},
		})
		require.NoError(t, h.Up(ctx, db, o))
		parts := []string{"crm part 8 CREATE TABLE", "crm part 8 CREATE INDEX", "crm part 8 UPDATE messa 1", "crm part 8 CREATE TABLE"}
		if db.Name() == sqlite { // which has no reason to make an index apart
			parts = append(parts[:1], parts[2:]...)
		}
		want := append(append([]string{"crm applied 7"}, parts...), "crm applied 8")
		require.Equal(t, want, tell())
		require.NoError(t, h.DownTo(ctx, db, o, 0))
		require.Equal(t, []string{"crm reverted 8", "crm reverted 7"}, tell())
		require.NoError(t, RebuildSearch(ctx, db, o))
		require.Equal(t, []string{"rebuilt 4"}, tell())
		require.NoError(t, DownTo(ctx, db, o, 2))
		require.Equal(t, []string{"reverted 4", "reverted 3"}, tell())
	})
}
