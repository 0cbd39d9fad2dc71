package migrate

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/convostore/convostore/internal/naming"
)

var createWords = regexp.MustCompile(`(?i)\bCREATE\s+(UNIQUE\s+)?INDEX\s+(?:IF\s+NOT\s+EXISTS\s+)?`)

// buildIndex makes an index CONCURRENTLY. An invalid one of its name, left by a try that failed or
// was killed, is dropped first; a valid one counts as made. It waits for transactions that are
// older than its own for as long as ctx allows: it locks nobody out meanwhile.
func (m *migrator) buildIndex(ctx context.Context, st statement) error {
	sql, err := m.qualified(ctx, createWords.ReplaceAllString(withoutComments(st.sql), "CREATE ${1}INDEX CONCURRENTLY "))
	if err != nil {
		return err
	}
	return m.retried(ctx, func() error {
		name, valid, err := m.findIndex(ctx, st)
		if err != nil || valid {
			return err
		}
		if name != "" {
			if err := m.execute(ctx, m.pool, "DROP INDEX CONCURRENTLY "+name); err != nil {
				return err
			}
		}
		if err := m.execute(ctx, m.pool, sql); err != nil {
			return errors.Join(m.whoseFault(ctx, err), m.dropInvalid(ctx, st))
		}
		return nil
	})
}

// whoseFault returns an error of an index that was not made because ctx has ended as a
// *BlockedError, if there are sessions that it may have waited for.
func (m *migrator) whoseFault(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), dropLimit)
	defer cancel()
	blocked := &BlockedError{}
	if m.note(ctx, blocked, err, 0); len(blocked.Blockers) == 0 {
		return err
	}
	return blocked
}

// findIndex returns the index that a statement makes, quoted with its schema, or an empty name.
func (m *migrator) findIndex(ctx context.Context, st statement) (name string, valid bool, err error) {
	const query = `SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname), i.indisvalid
		FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
		JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
		WHERE i.indrelid = to_regclass($1) AND c.relname = $2`
	err = readRows(ctx, m.pool, query, []any{st.table, st.object}, func(rows *sql.Rows) error { return rows.Scan(&name, &valid) })
	if err != nil {
		return "", false, fmt.Errorf("convostore: look for the index %s: %w", st.object, err)
	}
	return name, valid, nil
}

// dropLimit is how long a failed index gets to be dropped, also after ctx has ended.
const dropLimit = 5 * time.Second

// dropInvalid drops what a failed CREATE INDEX CONCURRENTLY leaves, which every write would have
// to maintain, and which would go on to refuse rows if it is unique. Where that does not work in
// time, the next call of Up does it.
func (m *migrator) dropInvalid(ctx context.Context, st statement) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), dropLimit)
	defer cancel()
	name, valid, err := m.findIndex(ctx, st)
	if err != nil || valid || name == "" {
		return err
	}
	if err := m.execute(ctx, m.pool, "DROP INDEX CONCURRENTLY "+name); err != nil {
		return fmt.Errorf("convostore: the invalid index %s is still there: %w", name, err)
	}
	return nil
}

// addValidated adds a constraint for new rows, and then checks the old ones, while everybody
// reads and writes.
func (m *migrator) addValidated(ctx context.Context, st statement) error {
	err := m.work(ctx, func(q querier) error {
		var there bool
		query := fmt.Sprintf("SELECT EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE conrelid = to_regclass('%s') AND conname = '%s')", escaped(st.table), escaped(st.object))
		if err := scanRow(ctx, q, query, &there); err != nil || there {
			return err
		}
		sql := strings.TrimSuffix(strings.TrimSpace(withoutComments(st.sql)), ";") + " NOT VALID"
		if err := m.lockTables(ctx, q, []string{sql}); err != nil {
			return err
		}
		return m.execute(ctx, q, sql)
	})
	if err != nil {
		return err
	}
	return m.work(ctx, func(q querier) error {
		return m.execute(ctx, q, "ALTER TABLE "+st.table+" VALIDATE CONSTRAINT "+naming.Quote(st.object))
	})
}

// operatorClass matches the operator classes of the extensions that an index may name.
var operatorClass = regexp.MustCompile(`[\w".]*\b(?:(vector|halfvec)_(?:cosine|l2|ip|l1)_ops|gin_trgm_ops|gist_trgm_ops)\b`)

// qualified puts the schema of its extension before each operator class. Outside a transaction
// the search_path cannot be changed, not for one statement and behind a pooler.
func (m *migrator) qualified(ctx context.Context, statement string) (string, error) {
	schemas := map[string]string{}
	const query = `SELECT e.extname, quote_ident(n.nspname) FROM pg_catalog.pg_extension e
		JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace WHERE e.extname IN ('vector', 'pg_trgm')`
	err := readRows(ctx, m.pool, query, nil, func(rows *sql.Rows) error {
		var name, schema string
		err := rows.Scan(&name, &schema)
		schemas[name] = schema
		return err
	})
	if err != nil {
		return "", fmt.Errorf("convostore: look for the extensions: %w", err)
	}
	return operatorClass.ReplaceAllStringFunc(statement, func(class string) string {
		extension := "vector"
		if strings.Contains(class, "trgm") {
			extension = "pg_trgm"
		}
		if schema := schemas[extension]; schema != "" && !strings.Contains(class, ".") {
			return schema + "." + class
		}
		return class
	}), nil
}
