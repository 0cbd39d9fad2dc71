package health

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/internal/engine/query"
)

// maxFindings is how many findings Check returns: a page that is broken makes one for
// every row behind it.
const maxFindings = 100

// Check does not ask for the schema first: the page that tells it may be the broken one.
func (s health) Check(ctx context.Context) ([]string, error) {
	if err := s.only(dialect.SQLite, "PostgreSQL has the extension amcheck and the program pg_amcheck"); err != nil {
		return nil, err
	}
	db := s.asked(ctx)
	findings, err := damage(db)
	if err == nil && len(findings) < maxFindings {
		var lost []string
		lost, err = lostParents(db, maxFindings-len(findings))
		findings = append(findings, lost...)
	}
	if dialect.KindOf(err) == dialect.Damaged {
		// What stops SQLite itself is the worst that it can find.
		return append(findings, err.Error()), nil
	}
	return findings, query.Wrap("check the file", err)
}

// damage reads "ok" alone as nothing.
func damage(db query.Conn) ([]string, error) {
	var findings []string
	q := query.New(fmt.Sprintf("PRAGMA integrity_check(%d)", maxFindings))
	err := q.Rows(db, func(rows *sql.Rows) error {
		var finding string
		err := rows.Scan(&finding)
		if finding != "ok" && finding != "" {
			findings = append(findings, finding)
		}
		return err
	})
	return findings, err
}

func lostParents(db query.Conn, most int) ([]string, error) {
	var findings []string
	q := query.New(`SELECT "table", rowid, parent FROM pragma_foreign_key_check LIMIT ?`, most)
	err := q.Rows(db, func(rows *sql.Rows) error {
		var table, parent string
		var rowid sql.NullInt64 // a table without rowids has none
		err := rows.Scan(&table, &rowid, &parent)
		where := "a row"
		if rowid.Valid {
			where = fmt.Sprintf("row %d", rowid.Int64)
		}
		findings = append(findings, fmt.Sprintf("%s of table %s has no parent in table %s", where, table, parent))
		return err
	})
	return findings, err
}
