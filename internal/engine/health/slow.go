package health

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

// defaultSlow is how many statements SlowQueries returns if it is not said.
const defaultSlow = 20

const (
	slowOnSQLite = "SQLite keeps no statistics of statements: WithLogger logs the slow ones"
	slowInstall  = "statistics of statements take the extension pg_stat_statements: put it into shared_preload_libraries, " +
		"restart the server, and run CREATE EXTENSION pg_stat_statements in this database"
	slowUpdate = "the extension pg_stat_statements is older than 1.8: run ALTER EXTENSION pg_stat_statements UPDATE"
)

func (s health) SlowQueries(ctx context.Context, limit int) ([]store.SlowQuery, error) {
	if limit < 0 || limit > store.MaxLimit {
		return nil, rule.Invalid("limit", "is not between 0 and %d", store.MaxLimit)
	}
	if limit == 0 {
		limit = defaultSlow
	}
	var found []store.SlowQuery
	err := s.statements(ctx, func(db query.Conn, schema string) (err error) {
		found, err = s.slowest(db, schema, limit)
		return err
	})
	return found, err
}

func (s health) ResetSlowQueries(ctx context.Context) error {
	return s.statements(ctx, func(db query.Conn, schema string) error {
		_, err := query.New("SELECT " + schema + ".pg_stat_statements_reset(0, oid, 0) FROM pg_database WHERE datname = current_database()").
			Exec(db)
		return err
	})
}

// statements calls fn with the schema that the extension is in, quoted, and turns what the
// extension says when it is not ready into ErrUnsupported. That is an error of the
// statement, which must not abort a transaction of the host's.
func (s health) statements(ctx context.Context, fn func(db query.Conn, schema string) error) error {
	if err := s.only(dialect.Postgres, slowOnSQLite); err != nil {
		return err
	}
	var schema string
	db := s.asked(ctx)
	q := query.New("SELECT quote_ident(n.nspname) FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace " +
		"WHERE e.extname = 'pg_stat_statements'")
	found, err := q.Row(db, &schema)
	if err == nil && found {
		err = s.st.Guarded(ctx, func() error { return fn(db, schema) })
	} else if err == nil {
		return fmt.Errorf("%w: %s", store.ErrUnsupported, slowInstall)
	}
	const notPreloaded, noSuchColumn, noSuchFunction = "55000", "42703", "42883"
	switch dialect.CodeOf(err) {
	case notPreloaded:
		return fmt.Errorf("%w: %s (%w)", store.ErrUnsupported, slowInstall, err)
	case noSuchColumn, noSuchFunction:
		return fmt.Errorf("%w: %s (%w)", store.ErrUnsupported, slowUpdate, err)
	}
	return query.Wrap("read the statistics of statements", err)
}

// ofRows matches what reads or writes rows, behind a comment if there is one.
const ofRows = `^[\s(]*(/\*.*?\*/\s*)*(select|with|insert|update|delete|merge)\y`

// slowest leaves out what is no reading or writing of rows, such as a CREATE INDEX: of
// those the extension keeps the text as it was sent. For the same reason it takes strings
// out of the texts, which the extension can leave in when it has to make room.
func (s health) slowest(db query.Conn, schema string, limit int) ([]store.SlowQuery, error) {
	q := query.New(`SELECT regexp_replace(query, '''([^'']|'''')*''', '''…''', 'g'), calls,
		total_exec_time, mean_exec_time, max_exec_time, stddev_exec_time
		FROM `+schema+`.pg_stat_statements
		WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND calls > 0
		AND query ~* ? AND query ~* ?
		ORDER BY mean_exec_time DESC, total_exec_time DESC, queryid LIMIT ?`, ofRows, s.namesPattern(), limit)
	found := make([]store.SlowQuery, 0, limit)
	err := q.Rows(db, func(rows *sql.Rows) error {
		var q store.SlowQuery
		var total, mean, longest, deviation float64
		err := rows.Scan(&q.Query, &q.Calls, &total, &mean, &longest, &deviation)
		q.Total, q.Mean, q.Max, q.StdDev = milliseconds(total), milliseconds(mean), milliseconds(longest), milliseconds(deviation)
		found = append(found, q)
		return err
	})
	return found, err
}

// namesPattern matches a text that has the name of one of the tables as a word, in quotes
// or not. Names have nothing in them that means something in a pattern.
func (s health) namesPattern() string {
	names := tableNames()
	for i, name := range names {
		names[i] = s.st.Config.Tables.Prefix + name
	}
	return `\y(` + strings.Join(names, "|") + `)\y`
}

func milliseconds(n float64) time.Duration { return time.Duration(n * float64(time.Millisecond)) }
