package migrate

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"

	"gorm.io/gorm"
)

// Version returns the newest version that the database has, 0 if the library's tables are
// missing. It may run inside the host's transaction: it only reads, and none of its statements
// fails because something is missing. Bad options are a *rule.InvalidError.
func Version(ctx context.Context, db *gorm.DB, o Options) (int64, error) {
	m, q, err := reader(db, o)
	if err != nil {
		return 0, err
	}
	return m.version(ctx, q)
}

// Schema is the state of a database's schema.
type Schema struct {
	// Version is the newest version that the database has, 0 if the library's tables are
	// missing.
	Version int64
	// OldestCode is the oldest version of the code, see Latest, that works with this schema. It
	// is less than Version after migrations that only add what older code does not need to
	// know: while a service is deployed its old processes go on beside the new schema. 0 means
	// that the library's tables are missing.
	OldestCode int64
	// search is the parts of search that were made, empty if that is not recorded.
	search string
}

// ReadSchema returns the state of the schema. Like Version it may run inside the host's
// transaction. Bad options are a *rule.InvalidError.
func ReadSchema(ctx context.Context, db *gorm.DB, o Options) (Schema, error) {
	m, q, err := reader(db, o)
	if err != nil {
		return Schema{}, err
	}
	return m.schema(ctx, q)
}

// usable returns ErrNewer for a schema that no longer works with code of a version.
func (s Schema) usable(code int64) error {
	if s.Version > code && s.OldestCode > code {
		return fmt.Errorf("%w: the database has version %d, which works with code that knows %d, and this code knows %d: update the library",
			ErrNewer, s.Version, s.OldestCode, code)
	}
	return nil
}

func (m *migrator) newest() int64 { return m.steps[len(m.steps)-1].version }

// known is version, but returns ErrNewer for a version that this code does not know.
func (m *migrator) known(ctx context.Context, q querier) (int64, error) {
	at, err := m.version(ctx, q)
	if err != nil {
		return 0, err
	}
	if newest := m.newest(); at > newest {
		return 0, fmt.Errorf("%w: the database has version %d, this code knows %d", ErrNewer, at, newest)
	}
	return at, nil
}

func (m *migrator) version(ctx context.Context, q querier) (int64, error) {
	have, err := m.schema(ctx, q)
	return have.Version, err
}

func (m *migrator) schema(ctx context.Context, q querier) (have Schema, err error) {
	there, err := m.recorded(ctx, q)
	if err != nil || !there {
		return have, err
	}
	query := fmt.Sprintf("SELECT coalesce(max(version), 0), coalesce(max(coalesce(oldest_code, version)), 0),"+
		" coalesce(max(CASE version WHEN %d THEN options END), '') FROM %s", searchVersion, m.quoted(record))
	if err := scanRow(ctx, q, query, &have.Version, &have.OldestCode, &have.search); err != nil {
		return have, fmt.Errorf("convostore: read the version: %w", err)
	}
	return have, nil
}

// recorded tells whether the table record exists. On PostgreSQL without Options.Schema it only
// looks in the schema in which Up would create it: a later schema of the search_path may hold the
// tables of another tenant.
//
// It reads pg_class and does not call to_regclass. After a wait for the lock the cache of
// to_regclass may not yet know a table that another process has just created.
func (m *migrator) recorded(ctx context.Context, q querier) (bool, error) {
	return m.exists(ctx, q, record)
}

// exists is recorded for another of the library's tables.
func (m *migrator) exists(ctx context.Context, q querier, table string) (bool, error) {
	from := "sqlite_master WHERE type = 'table' AND name = '%s'"
	if m.dialect == postgres {
		from = "pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace" +
			" WHERE n.nspname = " + m.options.schemaSQL() + " AND c.relname = '%s'"
	}
	var there bool
	query := fmt.Sprintf("SELECT count(*) > 0 FROM "+from, m.options.Prefix+table)
	if err := scanRow(ctx, q, query, &there); err != nil {
		return false, fmt.Errorf("convostore: look for the table %s: %w", table, err)
	}
	return there, nil
}

// scanRow reads one row through the host's handle. It does not use QueryRowContext: if a
// statement cannot be prepared, because the server is gone or ctx has ended, GORM's
// QueryRowContext returns a row whose Scan panics.
func scanRow(ctx context.Context, q querier, query string, dest ...any) error {
	rows, err := q.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	if !rows.Next() {
		return cmp.Or(rows.Err(), sql.ErrNoRows)
	}
	if err := rows.Scan(dest...); err != nil {
		return err
	}
	return rows.Close()
}

// schemaSQL returns an SQL expression for the name of the schema. It is NULL if no schema of the
// search_path exists.
func (o Options) schemaSQL() string {
	if o.Schema == "" {
		return "current_schema()"
	}
	return "'" + o.Schema + "'"
}
