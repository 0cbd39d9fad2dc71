package migrate

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"

	"github.com/convostore/convostore/rule"
)

// unfinished is the table that says how far a migration in parts is. It exists only while there
// is one.
const unfinished = "convostore_unfinished"

// progress is how far a migration in parts is.
type progress struct {
	// begun tells whether a part has been done, finished whether all have.
	begun, finished bool
	// done is the number of statements that are done, and after the last key that the batches
	// of the next one have done, as a list of literals.
	done  int
	after string
}

// readProgress refuses a migration that was begun with another text: with other options its
// statements are counted differently.
func (m *migrator) readProgress(ctx context.Context, q querier, s step) (p progress, err error) {
	todo, err := m.todo(ctx, q, s.version)
	if err != nil {
		return p, err
	}
	if len(todo) == 0 || todo[0].version > s.version {
		return progress{finished: true}, nil
	}
	there, err := m.exists(ctx, q, unfinished)
	if err != nil || !there {
		return p, err
	}
	var digest string
	query := fmt.Sprintf("SELECT done, after, digest FROM %s WHERE host = '%s' AND version = %d", m.quoted(unfinished), m.host, s.version)
	err = readRows(ctx, q, query, nil, func(rows *sql.Rows) error {
		p.begun = true
		return rows.Scan(&p.done, &p.after, &digest)
	})
	if err != nil {
		return p, fmt.Errorf("convostore: read how far migration %s is: %w", s, err)
	}
	if p.begun && digest != s.digest() {
		return p, rule.Invalid("options", "are not those that migration %s was begun with: call Up with those", s)
	}
	return p, nil
}

func (m *migrator) writeProgress(ctx context.Context, q querier, s step, p progress) error {
	table := m.quoted(unfinished)
	for _, statement := range []string{
		"CREATE TABLE IF NOT EXISTS " + table + " (host text NOT NULL, version bigint NOT NULL, done bigint NOT NULL," +
			" after text NOT NULL, digest text NOT NULL, PRIMARY KEY (host, version))",
		fmt.Sprintf("DELETE FROM %s WHERE host = '%s' AND version = %d", table, m.host, s.version),
		fmt.Sprintf("INSERT INTO %s (host, version, done, after, digest) VALUES ('%s', %d, %d, '%s', '%s')",
			table, m.host, s.version, p.done, escaped(p.after), s.digest()),
	} {
		if _, err := q.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("convostore: note how far migration %s is: %w", s, err)
		}
	}
	return nil
}

// dropProgress removes the note of a migration that is finished. One that never had a note, since
// all its parts were in one transaction, has none to remove.
func (m *migrator) dropProgress(ctx context.Context, q querier, s step) error {
	there, err := m.exists(ctx, q, unfinished)
	if err != nil || !there {
		return err
	}
	table := m.quoted(unfinished)
	removal := fmt.Sprintf("DELETE FROM %s WHERE host = '%s' AND version = %d", table, m.host, s.version)
	if _, err := q.ExecContext(ctx, removal); err != nil {
		return err
	}
	var left bool
	if err := scanRow(ctx, q, "SELECT EXISTS (SELECT 1 FROM "+table+")", &left); err != nil || left {
		return err
	}
	_, err = q.ExecContext(ctx, "DROP TABLE "+table)
	return err
}

// checkUnfinished refuses to take migrations back while a later one is half done.
func (m *migrator) checkUnfinished(ctx context.Context, q querier) error {
	there, err := m.exists(ctx, q, unfinished)
	if err != nil || !there {
		return err
	}
	var half int64
	query := fmt.Sprintf("SELECT coalesce(max(version), 0) FROM %s WHERE host = '%s'", m.quoted(unfinished), m.host)
	if err := scanRow(ctx, q, query, &half); err != nil {
		return fmt.Errorf("convostore: look for a migration that is half done: %w", err)
	}
	if half > 0 {
		return rule.Invalid("db", "has migration %d half done: call Up, which finishes it", half)
	}
	return nil
}

// digest stands for the text of the migration.
func (s step) digest() string {
	sum := sha256.Sum256([]byte(s.up))
	return hex.EncodeToString(sum[:8])
}
