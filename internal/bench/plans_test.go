package bench

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
)

func itoa(n int) string { return strconv.Itoa(n) }

func needPlans(t *testing.T) {
	if os.Getenv("CONVOSTORE_TEST_PLANS") != "1" {
		t.Skip("set CONVOSTORE_TEST_PLANS=1, or run `make bench-plans`, to load a million messages")
	}
}

// TestPlansAtOneMillion runs every query that was asked for on a million messages and
// asserts that none of its statements reads a big table from end to end. The statements
// are those that the store ran, taken on their way to the driver.
func TestPlansAtOneMillion(t *testing.T) {
	needPlans(t)
	for _, d := range databases {
		t.Run(d.name, func(t *testing.T) {
			db := d.openFilled(t, million)
			st, seen := recording(t, db, d.postgres)
			explain := explainSQLite
			if d.postgres {
				explain = explainPostgres
			}
			used := map[string]bool{}
			table := []string{"| query | served by | rows | median ms |", "|---|---|--:|--:|"}
			for _, q := range seedQueries {
				table = append(table, q.check(t, db, st, seen, explain, used))
			}
			report(t, "indexes.md", "plans "+d.name, table)
			report(t, "indexes.md", "baseline "+d.name, baseline(t, st))
			reportUnused(t, db, d.postgres, used)
		})
	}
}

// openFilled migrates and fills a fresh database.
func (d database) openFilled(t *testing.T, z size) *sql.DB {
	db, _ := d.openFilledAt(t, z)
	return db
}

func (d database) openFilledAt(t *testing.T, z size) (db *sql.DB, address string) {
	address = d.fresh(t)
	st, err := d.open(t.Context(), address, migrate.Options{Dimensions: dimensions})
	require.NoError(t, err)
	require.NoError(t, st.Close())
	start := time.Now()
	// A cache that holds the indexes: the rows of a thread lie far apart in time.
	filler := d.openSQL(t, address, "&_pragma=cache_size(-500000)&_pragma=synchronous(OFF)")
	fill(t, filler, d.postgres, z)
	fillVectors(t, filler, d.postgres, z)
	require.NoError(t, filler.Close())
	t.Logf("%s: filled in %s", d.name, short(time.Since(start)))
	db = d.openSQL(t, address, "")
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db, address
}

func (d database) openSQL(t testing.TB, address, settings string) *sql.DB {
	driver, dsn := "sqlite", sqliteDSN(address)+settings
	if d.postgres {
		driver, dsn = "pgx", address
	}
	db, err := sql.Open(driver, dsn)
	require.NoError(t, err)
	return db
}

// errUndo ends a transaction whose writes were only looked at.
var errUndo = errors.New("undo")

// do runs the query, and takes back what it wrote.
func (q seedQuery) do(ctx context.Context, st store.Store, k int) error {
	if !q.write {
		return q.run(ctx, million.at(st, k))
	}
	err := st.Transaction(ctx, func(tx store.Store) error {
		return errors.Join(q.run(ctx, million.at(tx, k)), errUndo)
	})
	if err != nil && err.Error() == errUndo.Error() {
		return nil
	}
	return err
}

// check explains the query's statements and returns its line of the table.
func (q seedQuery) check(t *testing.T, db *sql.DB, st store.Store, seen *[]statement,
	explain func(*testing.T, *sql.DB, statement) plan, used map[string]bool,
) string {
	*seen = nil
	if !t.Run(q.name, func(t *testing.T) { require.NoError(t, q.do(t.Context(), st, 1)) }) {
		return ""
	}
	statements := *seen
	var (
		indexes  []string
		rows     = -1.0
		explored = map[string]bool{}
	)
	for _, s := range statements {
		// A batch repeats its statement; one plan tells about all.
		if s.control() || explored[s.sql] {
			continue
		}
		explored[s.sql] = true
		p := explain(t, db, s)
		p.onlyBig(s.sql)
		for _, i := range p.indexes {
			used[i] = true
			if !slices.Contains(indexes, i) {
				indexes = append(indexes, i)
			}
		}
		for _, table := range p.scanned {
			if all := table + " from end to end"; !slices.Contains(indexes, all) {
				indexes = append(indexes, all)
			}
		}
		rows = max(rows, p.rows)
		if len(p.scanned) > 0 && !q.whole {
			t.Errorf("%s: reads %v from end to end\n%s\n%s", q.name, p.scanned, s.sql, p.text)
		}
		if p.wasted > 5000 && !q.whole {
			t.Logf("%s: throws away %.0f rows\n%s\n%s", q.name, p.wasted, s.sql, p.text)
		}
	}
	found := "–"
	if rows >= 0 {
		found = fmt.Sprintf("%.0f", rows)
	}
	return fmt.Sprintf("| %s | %s | %s | %s |", q.name, strings.Join(indexes, ", "), found, milliseconds(q.median(t, st)))
}

func milliseconds(d time.Duration) string {
	if d >= time.Second {
		return fmt.Sprint(d.Milliseconds())
	}
	return fmt.Sprintf("%.3g", float64(d)/float64(time.Millisecond))
}

// median is the time of the whole call, as the host sees it.
func (q seedQuery) median(t *testing.T, st store.Store) time.Duration {
	runs := 21
	if q.write || q.whole {
		runs = 3
	}
	return medianOf(t, runs, func(k int) error { return q.do(t.Context(), st, k) })
}

func medianOf(t *testing.T, runs int, work func(k int) error) time.Duration {
	times := make([]time.Duration, runs)
	for k := range times {
		start := time.Now()
		require.NoError(t, work(k+2))
		times[k] = time.Since(start)
	}
	slices.Sort(times)
	return times[len(times)/2]
}

// baseline measures what was expected of a million messages, each call on other rows.
func baseline(t *testing.T, st store.Store) []string {
	ctx := t.Context()
	list := func(f store.MessageFilter) func(k int) error {
		return func(k int) error { return million.at(st, k).inThread(ctx, f) }
	}
	table := []string{"| query | expected | median |", "|---|--:|--:|"}
	add := func(name, expected string, work func(k int) error) {
		table = append(table, fmt.Sprintf("| %s | %s | %s |", name, expected, short(medianOf(t, 201, work))))
	}
	add("get single message by id", "< 10 ms", func(k int) error {
		g := million.at(st, k)
		return only(g.mine.Messages().Get(ctx, g.messageID(g.j, seqNotDeleted(g.j))))
	})
	add("last 50 messages of a conversation", "< 50 ms", func(k int) error {
		g := million.at(st, k)
		return only(g.mine.Messages().Last(ctx, g.conversation, 50))
	})
	add("list 20 conversations of a user", "< 100 ms", func(k int) error {
		return only(million.at(st, k).mine.Conversations().List(ctx, store.ConversationFilter{}, store.PageRequest{Limit: 20}))
	})
	add("messages by role in a conversation", "< 30 ms", list(store.MessageFilter{Roles: []message.Role{message.RoleUser}}))
	return append(table, softDelete(t, list)...)
}

// softDelete measures with and without the filter in turns, on the same conversations.
func softDelete(t *testing.T, list func(store.MessageFilter) func(k int) error) []string {
	const pairs = 201
	var live, all, extra []time.Duration
	for k := range pairs {
		both := [2]time.Duration{}
		for i := range both {
			// The one that goes first may have to fetch the pages.
			which := (i + k) % 2
			f := store.MessageFilter{Deleted: []store.Deleted{store.ExcludeDeleted, store.IncludeDeleted}[which]}
			both[which] = medianOf(t, 1, func(int) error { return list(f)(k) })
		}
		live, all, extra = append(live, both[0]), append(all, both[1]), append(extra, both[0]-both[1])
	}
	middle := func(d []time.Duration) string { return short(slices.Sorted(slices.Values(d))[pairs/2]) }
	return []string{
		fmt.Sprintf("| 50 messages without the deleted | | %s |", middle(live)),
		fmt.Sprintf("| 50 messages with the deleted | | %s |", middle(all)),
		fmt.Sprintf("| soft delete filter, the difference of the two | < 5 ms | %s |", middle(extra)),
	}
}

// reportUnused tells which indexes no query needed, by the plans and, on PostgreSQL, by
// the server's own count, which also knows of foreign keys.
func reportUnused(t *testing.T, db *sql.DB, postgres bool, used map[string]bool) {
	query := `SELECT name, 0 FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL ORDER BY name`
	if postgres {
		// The sessions hand their counts in when they end.
		db.SetMaxIdleConns(0)
		time.Sleep(2 * time.Second)
		query = `SELECT indexrelname, idx_scan FROM pg_stat_user_indexes ORDER BY 1`
	}
	rs, err := db.QueryContext(t.Context(), query)
	require.NoError(t, err)
	defer rs.Close()
	for rs.Next() {
		var (
			name  string
			scans int64
		)
		require.NoError(t, rs.Scan(&name, &scans))
		if !used[name] {
			t.Logf("no plan of a query has %s (%d scans by the server, foreign keys included)", name, scans)
		}
	}
	require.NoError(t, rs.Err())
}
