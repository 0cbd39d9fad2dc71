package storetest

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/store"
)

// Faults are a disk's.
type Faults interface {
	// FailAt has the n-th call of the operating system from now on fail, once.
	FailAt(n int)
	// Heal has no call fail from now on, and returns the one that has failed, or "".
	Heal() string
}

// RunFaults has every call of the operating system fail once, under every method of every role:
// the first, the second and so on, until there are no more. A method must return an error and
// leave everything as it was, or do its work and answer as ever. The store must go on as if
// nothing had been. Only SQLite has a disk of its own to fail.
//
// It takes each of the calls if every is 1, and otherwise one of so many.
func RunFaults(t *testing.T, f Factory, disk Faults, every int) {
	t.Helper()
	st := besideLeads(t, f)
	x := &faulty{st: st, disk: disk, every: every, tables: tablesOfUsers(t, st), witness: newThread(t, st.ForUser(uuid.New()), 0).UserID}
	x.thread = newThread(t, st.ForUser(x.witness), 0).ID
	for _, name := range slices.Sorted(maps.Keys(allCalls())) {
		for i, c := range allCalls()[name] {
			t.Run(fmt.Sprint(name, " ", i), func(t *testing.T) {
				x.method(t, func(e *estate) ([]any, error) {
					return invoke(t.Context(), st.ForUser(e.user), name, c.args(e, e.live.ID))
				}, inSteps[name])
			})
		}
	}
	for name, call := range x.others() {
		t.Run(name, func(t *testing.T) { x.method(t, call, true) })
	}
	t.Logf("%d calls failed", x.failed)
}

// inSteps are the methods that work in several transactions, as their comments say. What one of
// them did before an error stays, and a second call does the rest.
var inSteps = map[string]bool{
	"Messages.Import": true, "Maintenance.SweepStreams": true, "Embeddings.EmbedMissing": true,
	"Embeddings.RetrySetAside": true,
	"Embeddings.DropModel":     true, "Maintenance.ArchiveInactive": true, "Maintenance.Purge": true, "Maintenance.Retain": true,
}

// faulty is a store on a disk that fails.
type faulty struct {
	st    store.Store
	disk  Faults
	every int
	// tables are those whose rows belong to users.
	tables []string
	// witness is a user with a thread, for whom everything must go on.
	witness, thread uuid.UUID
	failed          int
}

type faultyCall func(e *estate) ([]any, error)

// others are methods that are not about one user.
func (x *faulty) others() map[string]faultyCall {
	care, health := x.st.AllUsers().Maintenance(), x.st.Health()
	of := func(fn func(context.Context) error) faultyCall {
		return func(*estate) ([]any, error) { return nil, fn(context.Background()) }
	}
	return map[string]faultyCall{
		"Maintenance.Analyze of all":       of(care.Analyze),
		"Maintenance.Reindex of all":       of(care.Reindex),
		"Maintenance.PackSearch of all":    of(care.PackSearch),
		"Maintenance.ReindexSearch of all": of(func(ctx context.Context) error { return care.ReindexSearch(ctx, nil) }),
		"Health.Ready": of(func(ctx context.Context) error {
			_, err := health.Ready(ctx)
			return err
		}),
		"Health.Check": of(func(ctx context.Context) error {
			found, err := health.Check(ctx)
			if err == nil && len(found) > 0 {
				err = fmt.Errorf("%q", found)
			}
			return err
		}),
	}
}

// method has a method meet each fault.
func (x *faulty) method(t *testing.T, call faultyCall, steps bool) {
	t.Helper()
	sample := newEstate(t, x.st)
	wanted, refusal := call(sample)
	require.True(t, refusal == nil || expected(refusal), "%v", refusal)
	done := masked(x.dump(t, sample.user))
	e, before := sample, ""
	for n := 1; ; n++ {
		if before == "" {
			e = newEstate(t, x.st)
			before = x.dump(t, e.user)
		}
		if x.every > 1 {
			n += rand.IntN(2*x.every - 1)
		}
		n += max(0, n-64) / 4 // a VACUUM writes thousands of pages
		x.disk.FailAt(n)
		results, err := call(e)
		failed := x.disk.Heal()
		x.goesOn(t)
		after := x.dump(t, e.user)
		what := fmt.Sprintf("%s, the %d. call, failed; the method returned %v", failed, n, err)
		switch {
		case err == nil:
			sameLines(t, done, masked(after), what)
			sameLines(t, answer(t, wanted), answer(t, results), what)
			require.NoError(t, refusal, what)
		case expected(err):
			require.True(t, expected(refusal), what)
		case steps:
			_, err := call(e)
			require.NoError(t, err, "%s; the second call goes on", what)
			sameLines(t, done, masked(x.dump(t, e.user)), what)
			after = ""
		default:
			sameLines(t, before, after, what)
		}
		if failed == "" {
			require.True(t, err == nil || expected(err), what)
			break
		}
		x.failed++
		if after != before {
			before = ""
		}
	}
	found, err := x.st.Health().Check(t.Context())
	require.NoError(t, err)
	require.Empty(t, found)
}

// goesOn requires that others can write, and that no connection was kept.
func (x *faulty) goesOn(t *testing.T) {
	t.Helper()
	for _, p := range x.st.Health().PoolStats() {
		require.Zero(t, p.InUse, p.Name)
	}
	appended(t, x.st.ForUser(x.witness), x.thread, inbound("next"))
	var open int
	row := x.st.DB(t.Context()).Raw("SELECT count(*) FROM sqlite_master").Row()
	require.NoError(t, row.Scan(&open))
}

// tablesOfUsers are the tables with a column user_id, without those of indexes, which have no rowid.
func tablesOfUsers(t *testing.T, st store.Store) (tables []string) {
	t.Helper()
	err := st.DB(t.Context()).Raw("SELECT m.name FROM sqlite_master m JOIN pragma_table_info(m.name) c ON c.name = 'user_id'" +
		" WHERE m.type = 'table' AND m.sql NOT LIKE '%WITHOUT ROWID%' ORDER BY m.name").Scan(&tables).Error
	require.NoError(t, err)
	require.Greater(t, len(tables), 10)
	return tables
}

// dump is everything that is stored of a user, in the order in which it came to be.
func (x *faulty) dump(t *testing.T, user uuid.UUID) string {
	t.Helper()
	var all strings.Builder
	for _, table := range x.tables {
		rows, err := x.st.DB(t.Context()).Raw("SELECT * FROM "+table+" WHERE user_id = ? ORDER BY rowid", user).Rows()
		require.NoError(t, err)
		writeRows(t, &all, table, rows)
	}
	return all.String()
}

func writeRows(t *testing.T, to *strings.Builder, table string, rows *sql.Rows) {
	t.Helper()
	defer func() { require.NoError(t, rows.Close()) }()
	names, err := rows.Columns()
	require.NoError(t, err)
	for rows.Next() {
		values := make([]any, len(names))
		for i := range values {
			values[i] = new(sql.RawBytes)
		}
		require.NoError(t, rows.Scan(values...))
		fmt.Fprintf(to, "%s", table)
		for i, v := range values {
			if names[i] != "row_id" { // it is of the table, not of the user
				fmt.Fprintf(to, " %s=%q", names[i], string(*v.(*sql.RawBytes)))
			}
		}
		to.WriteByte('\n')
	}
	require.NoError(t, rows.Err())
}

// sameLines shows the first line that is another one; all of them would be too many to read.
func sameLines(t *testing.T, want, got, what string) {
	t.Helper()
	is, should := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(is), len(should)) {
		require.Equal(t, should[i], is[i], what)
	}
	require.Len(t, is, len(should), what)
}

var (
	anyID   = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	anyTime = regexp.MustCompile(`\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.\d]*(Z|[+-]\d\d:\d\d)?`)
	// varies are cursors and how long something took.
	varies  = regexp.MustCompile(`"(next|Next|took|Took)":[^,}]*|\d+\.\d{4,}|\d{4,}`)
	anyHour = regexp.MustCompile(`"\d{6,}"`)
	// anyCover is the hash of what a summary covers, whose last number is a time.
	anyCover = regexp.MustCompile(`(covered_hash="convostore:[-\d]*)-\d+"`)
)

// masked is a dump without what differs from one estate to the next.
func masked(dump string) string {
	ids := map[string]string{}
	dump = anyID.ReplaceAllStringFunc(dump, func(id string) string {
		if ids[id] == "" {
			ids[id] = fmt.Sprint("id ", len(ids))
		}
		return ids[id]
	})
	dump = anyHour.ReplaceAllString(anyTime.ReplaceAllString(dump, "time"), `"hour"`)
	return anyCover.ReplaceAllString(dump, `$1-time"`)
}

// answer is what a method returned, without what differs from one estate to the next.
func answer(t *testing.T, results []any) string {
	t.Helper()
	doc, err := json.Marshal(results)
	require.NoError(t, err)
	return varies.ReplaceAllString(masked(string(doc)), "")
}
