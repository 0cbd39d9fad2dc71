package bench

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
)

// reportBudget is how long a line of the table is measured.
const reportBudget = 3 * time.Second

// TestReportFigures writes the table of docs/reports.md. It asserts nothing about time: a
// busy machine must not break a build.
func TestReportFigures(t *testing.T) {
	if os.Getenv("CONVOSTORE_BENCH_REPORTS") != "1" {
		t.Skip("set CONVOSTORE_BENCH_REPORTS=1 to measure reports")
	}
	if os.Getenv("CONVOSTORE_BENCH_TENTH") == "1" {
		million = size{
			users: million.users / 10, conversations: million.conversations / 10, messages: million.messages,
			extra: million.extra, suggestions: million.suggestions / 10,
		}
	}
	for _, d := range databases {
		t.Run(d.name, func(t *testing.T) {
			db, address := d.openFilledAt(t, million)
			fillLeads(t, db)
			st, err := d.openWithLeads(t, address)
			require.NoError(t, err)
			table := []string{
				"| report | scope | hand-written | convostore | ratio (min–max) | ns a row |",
				"|---|---|--:|--:|--:|--:|",
			}
			for _, c := range reportCases {
				for _, one := range []bool{true, false} {
					table = append(table, c.line(t, d, db, st, one))
					t.Log(table[len(table)-1])
				}
			}
			report(t, "reports.md", "reports "+d.name, table)
		})
	}
}

// fillLeads makes the host's table of leads.
func fillLeads(t *testing.T, db *sql.DB) {
	for _, statement := range []string{
		`CREATE TABLE leads (id text, owner uuid, title text, category text, PRIMARY KEY (id, owner))`,
		`INSERT INTO leads SELECT DISTINCT lead_id, user_id, 'Lead ' || lead_id, 'category ' || (length(lead_id)) FROM conversations`,
		`ANALYZE`,
	} {
		_, err := db.ExecContext(t.Context(), statement)
		require.NoError(t, err)
	}
}

func (d database) openWithLeads(t *testing.T, address string) (store.Store, error) {
	leads := convostore.WithLeads(store.HostTable{Name: "leads", Owner: "owner", Title: "title", Columns: []string{"category"}})
	st, err := d.open(t.Context(), address, migrate.Options{Dimensions: dimensions}, leads)
	if err == nil {
		t.Cleanup(func() { require.NoError(t, st.Close()) })
	}
	return st, err
}

// line measures both sides in turns; each question is another user's.
func (c reportCase) line(t *testing.T, d database, db *sql.DB, st store.Store, one bool) string {
	ctx := t.Context()
	scope, args := "all users", func(int) []any { return nil }
	reports := func(int) store.Reports { return st.AllUsers().Reports() }
	if one {
		scope, args = "one user", func(i int) []any { return []any{million.userOf(i % million.users).String()} }
		reports = func(i int) store.Reports { return st.ForUser(million.userOf(i % million.users)).Reports() }
	}
	statements := c.prepare(t, d, db, one)
	all := inTurnsFor(t, reportBudget, func(i int) error {
		for _, s := range statements {
			if err := readAll(ctx, s, args(i)); err != nil {
				return err
			}
		}
		return nil
	}, func(i int) error { return c.run(ctx, reports(i)) })
	return fmt.Sprintf("| %s | %s | %s | %s | %s | %s |", c.name, scope, short(all[0].median()), short(all[1].median()),
		all[1].ratio(all[0]), c.perRow(all[1].median(), one))
}

// prepare keeps the statements by hand prepared until the test ends.
func (c reportCase) prepare(t *testing.T, d database, db *sql.DB, one bool) (statements []*sql.Stmt) {
	for _, text := range c.hand(d.postgres) {
		text = fillBraces(text, d.postgres, one)
		s, err := db.PrepareContext(t.Context(), text)
		require.NoError(t, err, "%s\n%s", c.name, text)
		t.Cleanup(func() { _ = s.Close() })
		statements = append(statements, s)
	}
	return statements
}

// perRow divides by the rows that the scope has of what the report reads.
func (c reportCase) perRow(took time.Duration, one bool) string {
	n := map[string]int{
		"conversations": million.conversations, "suggestions": million.suggestions,
		"messages": million.conversations*million.messages + million.users*million.extra,
	}[c.reads]
	if one {
		n /= million.users
	}
	return fmt.Sprintf("%d", took.Nanoseconds()/int64(n))
}

func readAll(ctx context.Context, s *sql.Stmt, args []any) error {
	rows, err := s.QueryContext(ctx, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	dest := make([]any, len(columns))
	for i := range dest {
		dest[i] = new(any)
	}
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return err
		}
	}
	return rows.Err()
}
