package migrate

import (
	"context"
	"database/sql"
	"regexp"
	"slices"
	"strings"
	"time"
)

// lockMode is a lock on a table that a statement needs, from the weakest.
type lockMode int

const (
	lockShare lockMode = iota + 1
	lockShareRow
	lockAll
	// lockDrop is lockAll, also on the tables that the table's foreign keys refer to: their
	// triggers go with it.
	lockDrop
)

func (l lockMode) sql() string {
	return [...]string{"", "SHARE", "SHARE ROW EXCLUSIVE", "ACCESS EXCLUSIVE", "ACCESS EXCLUSIVE"}[l]
}

var (
	// mentions matches what follows the words before which SQL names a table or an index.
	mentions = regexp.MustCompile(`(?i)\b(?:(?:LOCK|TRUNCATE)\s+TABLE|LOCK|TRUNCATE|TABLE|INDEX|ON|REFERENCES|UPDATE|INTO|FROM|JOIN)\s+(?:CONCURRENTLY\s+)?(?:IF\s+(?:NOT\s+)?EXISTS\s+)?(?:ONLY\s+)?` + nameSQL)
	// needs are the statements that lock a table, with the lock.
	needs = []struct {
		match *regexp.Regexp
		mode  lockMode
	}{
		{regexp.MustCompile(`(?i)^\s*CREATE\s+(?:UNIQUE\s+)?INDEX\s.*?\sON\s+(?:ONLY\s+)?` + nameSQL), lockShare},
		{regexp.MustCompile(`(?i)^\s*CREATE\s+(?:OR\s+REPLACE\s+)?(?:CONSTRAINT\s+)?TRIGGER\s.*?\sON\s+` + nameSQL), lockShareRow},
		{regexp.MustCompile(`(?i)\bREFERENCES\s+` + nameSQL), lockShareRow},
		{regexp.MustCompile(`(?i)^\s*ALTER\s+TABLE\s+(?:IF\s+EXISTS\s+)?(?:ONLY\s+)?` + nameSQL), lockAll},
		{regexp.MustCompile(`(?i)^\s*(?:DROP|ALTER)\s+INDEX\s+(?:IF\s+EXISTS\s+)?` + nameSQL), lockAll},
		{regexp.MustCompile(`(?i)^\s*DROP\s+TRIGGER\s.*?\sON\s+` + nameSQL), lockAll},
		{regexp.MustCompile(`(?i)^\s*(?:TRUNCATE|DROP)\s+TABLE\s+(?:IF\s+EXISTS\s+)?` + nameSQL), lockDrop},
	}
)

// namesIn returns the names of tables and indexes that a statement may mean, some of which may
// not exist.
func namesIn(sql string) []string {
	var names []string
	for _, match := range mentions.FindAllStringSubmatch(withoutComments(sql), -1) {
		names = append(names, match[1])
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// neededLocks returns the locks that statements take on tables, by name.
func neededLocks(list []string) map[string]lockMode {
	locks := map[string]lockMode{}
	for _, sql := range list {
		code := strings.Join(strings.Fields(withoutComments(sql)), " ")
		for _, n := range needs {
			for _, match := range n.match.FindAllStringSubmatch(code, -1) {
				locks[match[1]] = max(locks[match[1]], n.mode)
			}
		}
	}
	return locks
}

// lockableSQL returns the tables behind the names $1 with their modes $2, those of indexes and
// of foreign keys as well, with the strongest mode each. Their order is that in which they were
// made: parents come first, as in what services do, and so there is less to deadlock on. It leaves
// out tables that the role may not lock.
const lockableSQL = `
WITH wanted AS (
    SELECT to_regclass(u.name) AS oid, u.mode::int AS mode
    FROM unnest(string_to_array($1, E'\n'), string_to_array($2, E'\n')) AS u (name, mode)
), tables AS (
    SELECT coalesce(i.indrelid, w.oid::oid) AS oid, w.mode
    FROM wanted w LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = w.oid WHERE w.oid IS NOT NULL
    UNION ALL
    SELECT k.confrelid, w.mode FROM wanted w
    JOIN pg_catalog.pg_constraint k ON k.conrelid = w.oid AND k.contype = 'f' WHERE w.mode = 4
)
SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname), max(t.mode)
FROM tables t JOIN pg_catalog.pg_class c ON c.oid = t.oid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND has_table_privilege(c.oid, 'UPDATE, DELETE, TRUNCATE')
GROUP BY c.oid, n.nspname, c.relname ORDER BY c.oid`

// lockTables takes all locks that statements need before the first of them runs. Otherwise a
// transaction would hold the lock of its first statement while it waits for that of a later one,
// and deadlock with a service that takes them in another order. Together the locks have as long
// as one statement has: everybody who uses a table waits behind them.
func (m *migrator) lockTables(ctx context.Context, q querier, list []string) error {
	if m.dialect != postgres {
		return nil
	}
	var names, modes []string
	for name, mode := range neededLocks(list) {
		names, modes = append(names, name), append(modes, string('0'+rune(mode)))
	}
	if len(names) == 0 {
		return nil
	}
	var locks []string
	args := []any{strings.Join(names, "\n"), strings.Join(modes, "\n")}
	err := readRows(ctx, q, lockableSQL, args, func(rows *sql.Rows) error {
		var table string
		var mode lockMode
		err := rows.Scan(&table, &mode)
		locks = append(locks, "LOCK TABLE "+table+" IN "+mode.sql()+" MODE")
		return err
	})
	if err != nil {
		return err
	}
	limit := time.Now().Add(m.options.lockTimeout())
	for _, lock := range locks {
		if err := m.execute(ctx, q, setLockTimeout(max(time.Until(limit), minLockTimeout))); err != nil {
			return err
		}
		if err := m.execute(ctx, q, lock); err != nil {
			return err
		}
	}
	return m.execute(ctx, q, setLockTimeout(m.options.lockTimeout()))
}

// minLockTimeout is what a lock gets of the time that those before it have used up.
const minLockTimeout = 10 * time.Millisecond
