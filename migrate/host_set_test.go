package migrate

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore/rule"
)

// applied returns the numbers of the steps that the database has.
func appliedOf(t *testing.T, steps []Step, err error) (versions []int64) {
	t.Helper()
	require.NoError(t, err)
	for _, s := range steps {
		if s.AppliedAt != nil {
			versions = append(versions, s.Version)
		}
	}
	return versions
}

// sameNumbers is a host whose files have the names of the library's.
func sameNumbers(name string) Host {
	return hostOf(name, map[string][2]string{
		"0001_core":   {"CREATE TABLE " + name + "_notes (id integer, message_id text);", "DROP TABLE " + name + "_notes;"},
		"0004_search": {"CREATE TABLE " + name + "_more (id integer)", "DROP TABLE " + name + "_more"},
		"20261127093000_view": {
			"-- The messages of the library.\nCREATE VIEW {{name \"" + name + "_seen\"}} AS SELECT id, content FROM {{table \"messages\"}};",
			"DROP VIEW {{name \"" + name + "_seen\"}};",
		},
	})
}

// Two sets of a host's stand beside the library's: nothing of one is counted or taken back with
// another, whatever their numbers are.
func TestSetsOfAHost(t *testing.T) {
	t.Parallel()
	eachDialect(t, func(t *testing.T, db *gorm.DB) {
		ctx, o := t.Context(), Options{Prefix: "chat_", WithoutPgvector: true}
		crm, shop := sameNumbers("crm"), sameNumbers("shop")
		status := func(h Host) []int64 {
			steps, err := h.Status(ctx, db, o)
			return appliedOf(t, steps, err)
		}
		require.Empty(t, status(crm))
		require.NoError(t, crm.Up(ctx, db, o))
		all := []int64{1, 4, 20261127093000}
		require.Equal(t, all, status(crm))
		require.Empty(t, status(shop))
		require.NoError(t, shop.Up(ctx, db, o))
		require.NoError(t, shop.Up(ctx, db, o), "again")
		requireVersion(t, db, o, Latest())
		requireNoDrift(t, db, o)
		fill(t, db, o)
		require.EqualValues(t, 1, count(t, db, "chat_crm_seen"))

		require.NoError(t, crm.Down(ctx, db, o))
		require.Equal(t, all[:2], status(crm))
		require.NoError(t, crm.DownTo(ctx, db, o, 1))
		require.Equal(t, all[:1], status(crm))
		require.Equal(t, all, status(shop))
		requireVersion(t, db, o, Latest())
		require.NoError(t, crm.Up(ctx, db, o))
		require.NoError(t, shop.DownTo(ctx, db, o, 0))
		require.Equal(t, all, status(crm))
		require.EqualValues(t, 1, count(t, db, "chat_messages"), "the library's tables stay")

		require.NoError(t, crm.DownTo(ctx, db, o, 0))
		require.NoError(t, crm.Down(ctx, db, o), "nothing is left to take back")
		steps, err := Status(ctx, db, o)
		require.Equal(t, []int64{1, 2, 3, 4}, appliedOf(t, steps, err))
	})
}

// Migrations come from several branches: an older number may arrive later.
func TestAnOlderMigrationOfAHostComesLater(t *testing.T) {
	t.Parallel()
	eachDialect(t, func(t *testing.T, db *gorm.DB) {
		ctx := t.Context()
		first := map[string][2]string{"0002_b": {"CREATE TABLE crm_b (id integer);", "DROP TABLE crm_b;"}}
		require.NoError(t, hostOf("crm", first).Up(ctx, db, noVectors))
		first["0001_a"] = [2]string{"CREATE TABLE crm_a (id integer);", "DROP TABLE crm_a;"}
		h := hostOf("crm", first)
		require.NoError(t, h.Up(ctx, db, noVectors))
		steps, err := h.Status(ctx, db, noVectors)
		require.Equal(t, []int64{1, 2}, appliedOf(t, steps, err))
		require.Zero(t, count(t, db, "crm_a"))

		delete(first, "0002_b")
		require.ErrorIs(t, hostOf("crm", first).DownTo(ctx, db, noVectors, 0), ErrNewer, "its files are not here")
		require.NoError(t, h.DownTo(ctx, db, noVectors, 0))
	})
}

func TestAFailingMigrationOfAHostLeavesNothing(t *testing.T) {
	t.Parallel()
	eachDialect(t, func(t *testing.T, db *gorm.DB) {
		require.NoError(t, sameNumbers("crm").Up(t.Context(), db, noVectors))
		before := names(t, db)
		h := hostOf("bad", map[string][2]string{
			"0001_a": {"CREATE TABLE bad_a (id integer);", "DROP TABLE bad_a;"},
			"0002_b": {"CREATE TABLE bad_b (id integer); INSERT INTO nowhere VALUES (1);", "SELECT 1;"},
		})
		require.ErrorContains(t, h.Up(t.Context(), db, noVectors), "nowhere")
		require.Equal(t, before, names(t, db))
		steps, err := h.Status(t.Context(), db, noVectors)
		require.Empty(t, appliedOf(t, steps, err))
	})
}

func TestBadSetsOfAHost(t *testing.T) {
	t.Parallel()
	db := openTest(t, sqlite, sqliteFile(t)+sqliteOptions)
	file := func(names ...string) fs.FS {
		all := fstest.MapFS{}
		for _, name := range names {
			all[name] = &fstest.MapFile{Data: []byte("SELECT 1;")}
		}
		return all
	}
	for name, c := range map[string]struct {
		h    Host
		says string
	}{
		"no name":       {Host{Files: file()}, "name"},
		"a bad name":    {Host{Name: "it's", Files: file()}, "name"},
		"no files":      {Host{Name: "crm"}, "no files"},
		"half":          {Host{Name: "crm", Files: file("0001_a.up.sql")}, "0001_a.down.sql"},
		"other half":    {Host{Name: "crm", Files: file("0001_a.down.sql")}, "0001_a.up.sql"},
		"no number":     {Host{Name: "crm", Files: file("a.up.sql", "a.down.sql")}, "a.down.sql"},
		"no up or down": {Host{Name: "crm", Files: file("0001_a.sql")}, "0001_a.sql"},
		"a quote":       {Host{Name: "crm", Files: file("0001_a'b.up.sql", "0001_a'b.down.sql")}, "a'b"},
		"two of one":    {Host{Name: "crm", Files: file("0001_a.up.sql", "0001_a.down.sql", "1_b.up.sql", "1_b.down.sql")}, "number 1"},
		"zero":          {Host{Name: "crm", Files: file("0000_a.up.sql", "0000_a.down.sql")}, "0000_a"},
		"too great":     {Host{Name: "crm", Files: file("99999999999999999999_a.up.sql", "99999999999999999999_a.down.sql")}, "99999999999999999999_a"},
	} {
		t.Run(name, func(t *testing.T) {
			for call, err := range map[string]error{
				"up":      c.h.Up(t.Context(), db, Options{}),
				"down":    c.h.Down(t.Context(), db, Options{}),
				"down to": c.h.DownTo(t.Context(), db, Options{}, 0),
				"status":  func() error { _, err := c.h.Status(t.Context(), db, Options{}); return err }(),
			} {
				require.ErrorIs(t, err, rule.ErrInvalid, call)
				require.ErrorContains(t, err, c.says, call)
			}
		})
	}
	require.Empty(t, names(t, db), "not even the library's tables")
	require.ErrorIs(t, sameNumbers("crm").DownTo(t.Context(), db, Options{}, -1), rule.ErrInvalid)
}

// What NewPair writes runs as it is, and with what its comment says may stand in it.
func TestNewPairRuns(t *testing.T) {
	t.Parallel()
	eachDialect(t, func(t *testing.T, db *gorm.DB) {
		dir := filepath.Join(t.TempDir(), "migrations")
		h := Host{Name: "crm", Files: os.DirFS(dir)}
		add := func(name, sql string) {
			text, err := os.ReadFile(name)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(name, append(text, sql...), 0o600))
		}
		for i, name := range []string{"first", "second"} {
			up, down, err := NewPair(dir, name)
			require.NoError(t, err)
			base := filepath.Join(dir, []string{"1000_", "1001_"}[i]+name)
			require.Equal(t, []string{base + ".up.sql", base + ".down.sql"}, []string{up, down})
			var empty *rule.InvalidError
			require.ErrorAs(t, h.Up(t.Context(), db, noVectors), &empty, "recorded now, it would not run once it is filled in")
			require.Contains(t, empty.Rule, name)
			add(up, "SELECT 1;\n")
		}
		require.NoError(t, h.Up(t.Context(), db, noVectors))
		require.NoError(t, h.DownTo(t.Context(), db, noVectors, 0))

		up, down, err := NewPair(dir, "third")
		require.NoError(t, err)
		add(up, `-- convostore:concurrently
CREATE INDEX crm_idx ON {{table "messages"}} (content);
-- convostore:batch messages (id) 1000
UPDATE {{table "messages"}} SET content = 'new' WHERE content = 'Hi' AND /* batch */ true;
`)
		add(down, "DROP INDEX crm_idx;\n")
		fill(t, db, noVectors)
		require.NoError(t, h.Up(t.Context(), db, noVectors))
		require.EqualValues(t, 1, count(t, db.Where("content = 'new'"), "messages"))
		require.True(t, slices.ContainsFunc(names(t, db), func(n string) bool { return n == "index crm_idx" || n == "i public.crm_idx" }))
		require.NoError(t, h.DownTo(t.Context(), db, noVectors, 0))
		requireNoDrift(t, db, noVectors)
	})
}

func TestNewPairRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"", "A", "a-b", "a b", "../a", "a.up", "é"} {
		_, _, err := NewPair(dir, name)
		require.ErrorIs(t, err, rule.ErrInvalid, name)
	}
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, entries)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "20261127093000_a.up.sql"), nil, 0o600))
	up, _, err := NewPair(dir, "b")
	require.NoError(t, err)
	require.Equal(t, filepath.Join(dir, "20261127093001_b.up.sql"), up)
}
