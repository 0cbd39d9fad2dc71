package migrate

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore/internal/pgtest"
)

// backfillRows is many enough for a process to be killed in the midst of them, a few at a time.
const backfillRows = 3000

// backfillHost counts how often each row is filled, which a real backfill must not depend on.
func backfillHost() Host {
	return hostOf("crm", map[string][2]string{
		"0001_rows": {"CREATE TABLE crm_rows (id integer PRIMARY KEY, n integer NOT NULL DEFAULT 0);", "DROP TABLE crm_rows;"},
		"0002_fill": {"-- convostore:batch crm_rows (id) 3\nUPDATE crm_rows SET n = n + 1 WHERE /* batch */ true;", "UPDATE crm_rows SET n = 0;"},
	})
}

// upTo applies only the host's migrations up to a version.
func (h Host) upTo(t *testing.T, db *gorm.DB, o Options, version int64) {
	t.Helper()
	require.NoError(t, Up(t.Context(), db, o))
	m, err := h.open(db, o)
	require.NoError(t, err)
	require.NoError(t, m.up(t.Context(), version))
}

func TestABackfillThatIsKilledDoesEachRowOnce(t *testing.T) {
	t.Parallel()
	for dialect, dsn := range map[string]func(*testing.T) string{
		sqlite:   func(t *testing.T) string { t.Helper(); return sqliteFile(t) + sqliteOptions },
		postgres: func(t *testing.T) string { t.Helper(); return pgtest.Database(t) },
	} {
		t.Run(dialect, func(t *testing.T) {
			t.Parallel()
			dsn := dsn(t)
			db := openTest(t, dialect, dsn)
			backfillHost().upTo(t, db, noVectors, 1)
			run(t, db, fmt.Sprintf("INSERT INTO crm_rows (id) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) SELECT i FROM n", backfillRows))
			filled := func() (n int64) {
				require.NoError(t, db.Raw("SELECT coalesce(sum(n), 0) FROM crm_rows").Scan(&n).Error)
				return n
			}
			for range 3 {
				before := filled()
				p := launch(t, "backfill", dialect, dsn)
				require.NoError(t, p.start.Close())
				for filled() == before { //nolint:revive // until the process has filled some
				}
				require.NoError(t, p.command.Process.Kill())
				require.Error(t, p.command.Wait())
			}
			require.Less(t, filled(), int64(backfillRows), "it was killed in the midst")
			require.ErrorContains(t, backfillHost().Down(t.Context(), db, noVectors), "half done")

			require.NoError(t, backfillHost().Up(t.Context(), db, noVectors))
			var least, most int64
			require.NoError(t, db.Raw("SELECT min(n), max(n) FROM crm_rows").Row().Scan(&least, &most))
			require.EqualValues(t, 1, least)
			require.EqualValues(t, 1, most)
			require.EqualValues(t, backfillRows, filled())
			require.NoError(t, backfillHost().DownTo(t.Context(), db, noVectors, 0))
		})
	}
}

// Keys may have several columns, and texts in them.
func TestBatchesByAKeyOfTexts(t *testing.T) {
	t.Parallel()
	eachDialect(t, func(t *testing.T, db *gorm.DB) {
		h := hostOf("crm", map[string][2]string{
			"0001_rows": {"CREATE TABLE crm_rows (a text NOT NULL, b integer NOT NULL, n integer NOT NULL DEFAULT 0, PRIMARY KEY (a, b));", "DROP TABLE crm_rows;"},
			"0002_fill": {"-- convostore:batch crm_rows (a, b) 2\nUPDATE crm_rows SET n = n + 1 WHERE b > 0 AND /* batch */ true;", "SELECT 1;"},
		})
		h.upTo(t, db, noVectors, 1)
		for i, a := range []string{"", "it''s", "it''s, 2", "x\"y", "é", "1, 2"} {
			for b := range 3 {
				run(t, db, fmt.Sprintf("INSERT INTO crm_rows (a, b) VALUES ('%s', %d)", a, b*(i+1)))
			}
		}
		told := Event{}
		o := noVectors
		o.OnEvent = func(e Event) {
			if e.Kind == EventPart {
				told = e
			}
		}
		require.NoError(t, h.Up(t.Context(), db, o))
		require.EqualValues(t, 12, told.Rows)
		require.EqualValues(t, 12, count(t, db.Where("n = 1 AND b > 0"), "crm_rows"))
		require.EqualValues(t, 6, count(t, db.Where("n = 0 AND b = 0"), "crm_rows"))
	})
}

// A migration that was begun goes on with the text that it was begun with.
func TestABegunMigrationKeepsItsText(t *testing.T) {
	t.Parallel()
	eachDialect(t, func(t *testing.T, db *gorm.DB) {
		with := func(second string) Host {
			return hostOf("crm", map[string][2]string{"0001_fill": {
				"-- convostore:batch messages (id)\nUPDATE messages SET content = 'new' WHERE /* batch */ true;\n" + second, "SELECT 1;",
			}})
		}
		require.NoError(t, Up(t.Context(), db, noVectors))
		fill(t, db, noVectors)
		require.ErrorContains(t, with("DROP TABLE nowhere;").Up(t.Context(), db, noVectors), "nowhere")
		require.ErrorContains(t, with("SELECT 2;").Up(t.Context(), db, noVectors), "begun")
		run(t, db, "CREATE TABLE nowhere (id integer)", "UPDATE messages SET content = 'mine'")
		require.NoError(t, with("DROP TABLE nowhere;").Up(t.Context(), db, noVectors))
		require.EqualValues(t, 1, count(t, db.Where("content = 'mine'"), "messages"), "the first part ran once")
	})
}
