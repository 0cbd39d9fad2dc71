package migrate

import (
	"context"
	"fmt"

	"gorm.io/gorm"
)

// scratch is the prefix of the tables that Verify makes and takes back.
const scratch = "cv__verify_"

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
	if err := q.QueryRowContext(ctx, query).Scan(&version); err != nil {
		return 0, fmt.Errorf("convostore: read the version: %w", err)
	}
	return version, nil
}

// recorded says whether the table of what ran is there. On PostgreSQL without a schema
// it looks only where Up would make it: further down the search_path may be the tables of
// another tenant.
func (m *migrator) recorded(ctx context.Context, q querier) (bool, error) {
	query := fmt.Sprintf("SELECT count(*) > 0 FROM sqlite_master WHERE type = 'table' AND name = '%s%s'",
		m.options.Prefix, record)
	if m.dialect == postgres {
		query = fmt.Sprintf("SELECT to_regclass(%s || '.%s') IS NOT NULL",
			m.options.schemaSQL(), m.options.tables().Name(record))
	}
	var there bool
	if err := q.QueryRowContext(ctx, query).Scan(&there); err != nil {
		return false, fmt.Errorf("convostore: look for the table of migrations: %w", err)
	}
	return there, nil
}

// schemaSQL is an expression for the quoted name of the schema, null when the
// search_path names none that exists.
func (o Options) schemaSQL() string {
	if o.Schema == "" {
		return "quote_ident(current_schema())"
	}
	return fmt.Sprintf("quote_ident('%s')", o.Schema)
}
