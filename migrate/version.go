package migrate

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"

	"gorm.io/gorm"
)

// Version returns the newest version that the database has, 0 when the library's tables
// are not there. Unlike the rest it may run inside the host's transaction: it reads, and
// no statement of it fails because something is missing. Bad options are a
// *rule.InvalidError.
func Version(ctx context.Context, db *gorm.DB, o Options) (int64, error) {
	m, q, err := reader(db, o)
	if err != nil {
		return 0, err
	}
	return m.version(ctx, q)
}

// known is version, refusing one that this code has no migration for.
func (m *migrator) known(ctx context.Context, q querier) (int64, error) {
	at, err := m.version(ctx, q)
	if err != nil {
		return 0, err
	}
	if newest := m.steps[len(m.steps)-1].version; at > newest {
		return 0, fmt.Errorf("%w: the database has version %d, this code knows %d", ErrNewer, at, newest)
	}
	return at, nil
}

func (m *migrator) version(ctx context.Context, q querier) (int64, error) {
	there, err := m.recorded(ctx, q)
	if err != nil || !there {
		return 0, err
	}
	var version int64
	query := "SELECT coalesce(max(version), 0) FROM " + m.options.tables().Quoted(record)
	if err := scanRow(ctx, q, query, &version); err != nil {
		return 0, fmt.Errorf("convostore: read the version: %w", err)
	}
	return version, nil
}

// recorded says whether the table of what ran is there. On PostgreSQL without a schema
// it looks only where Up would make it: further down the search_path may be the tables of
// another tenant.
//
// It reads the catalogue's rows and not to_regclass, whose cache may still say no after a
// wait for the lock, when another process has just made the table.
func (m *migrator) recorded(ctx context.Context, q querier) (bool, error) {
	from := "sqlite_master WHERE type = 'table' AND name = '%s'"
	if m.dialect == postgres {
		from = "pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace" +
			" WHERE n.nspname = " + m.options.schemaSQL() + " AND c.relname = '%s'"
	}
	var there bool
	query := fmt.Sprintf("SELECT count(*) > 0 FROM "+from, m.options.Prefix+record)
	if err := scanRow(ctx, q, query, &there); err != nil {
		return false, fmt.Errorf("convostore: look for the table of migrations: %w", err)
	}
	return there, nil
}

// scanRow reads a row through the host's handle. Of a statement that cannot be prepared,
// because the server is gone or ctx has ended, GORM's QueryRowContext returns a row whose
// Scan panics.
func scanRow(ctx context.Context, q querier, query string, dest any) error {
	rows, err := q.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	if !rows.Next() {
		return cmp.Or(rows.Err(), sql.ErrNoRows)
	}
	if err := rows.Scan(dest); err != nil {
		return err
	}
	return rows.Close()
}

// schemaSQL is an expression for the schema's name, null when the search_path names none
// that exists.
func (o Options) schemaSQL() string {
	if o.Schema == "" {
		return "current_schema()"
	}
	return "'" + o.Schema + "'"
}
