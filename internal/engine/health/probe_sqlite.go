package health

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/internal/naming"
	"github.com/convostore/convostore/store"
)

// sqliteProbe answers Health from an SQLite file.
type sqliteProbe struct{ st *scope.Store }

// conn uses the reader's pool. Both pools are on the same file, and the writer's connection
// may be inside a long transaction.
func (p sqliteProbe) conn(ctx context.Context) query.Conn { return query.On(ctx, p.st.Reader) }

func (p sqliteProbe) identify(_ query.Conn, version string, r *store.Readiness) error {
	r.Database = version
	return nil
}

// readerNeedsCheck is false because conn already reads through the reader.
func (p sqliteProbe) readerNeedsCheck() bool { return false }

var errNoStatements = fmt.Errorf("%w: SQLite keeps no statistics of statements: WithLogger logs the slow ones", store.ErrUnsupported)

func (p sqliteProbe) slowQueries(context.Context, int) ([]store.SlowQuery, error) {
	return nil, errNoStatements
}

func (p sqliteProbe) resetSlowQueries(context.Context) error { return errNoStatements }

func (p sqliteProbe) pages(ctx context.Context) (store.Pages, error) {
	var pages store.Pages
	_, err := query.New("SELECT page_size, page_count, freelist_count FROM pragma_page_size, pragma_page_count, pragma_freelist_count").
		Row(p.conn(ctx), &pages.Size, &pages.Total, &pages.Free)
	return pages, query.Wrap("read the pages of the file", err)
}

func (p sqliteProbe) tableSizes(ctx context.Context) ([]store.TableSize, error) {
	db := p.conn(ctx)
	if err := needsDBStat(db); err != nil {
		return nil, query.Wrap("look for dbstat", err)
	}
	if err := p.st.CheckSchema(db); err != nil {
		return nil, err
	}
	sizes, err := p.countRows(db)
	if err == nil {
		err = p.addBytes(db, sizes)
	}
	return sizes, query.Wrap("read the sizes of the tables", err)
}

// needsDBStat returns store.ErrUnsupported where the module dbstat is missing. It looks for
// the module and not for the compile option, because a host can load the module at run time.
func needsDBStat(db query.Conn) error {
	found, err := query.New("SELECT 1 FROM pragma_module_list WHERE name = 'dbstat'").Row(db, new(int))
	if err != nil || found {
		return err
	}
	return fmt.Errorf("%w: the sizes of tables take SQLite's table dbstat, which this driver lacks: "+
		"build it with -DSQLITE_ENABLE_DBSTAT_VTAB (in CGO_CFLAGS for github.com/mattn/go-sqlite3); modernc.org/sqlite has it", store.ErrUnsupported)
}

// countRows returns the tables with their rows and without their bytes.
func (p sqliteProbe) countRows(db query.Conn) ([]store.TableSize, error) {
	names := naming.OnSQLite()
	sizes := make([]store.TableSize, len(names))
	count := query.New("")
	for i, name := range names {
		sizes[i].Table = p.st.Config.Tables.Table(name)
		if i > 0 {
			count.Add(" UNION ALL ")
		}
		count.Add("SELECT ?, count(*) FROM "+p.st.Config.Tables.Quoted(name), i)
	}
	err := count.Rows(db, func(rows *sql.Rows) error {
		var i, n int64
		err := rows.Scan(&i, &n)
		sizes[i].Rows = n
		return err
	})
	return sizes, err
}

// addBytes adds the bytes that dbstat reports for each B-tree. A B-tree is a table, an index
// of a table, or one of the shadow tables of a full-text index, which count as indexes of
// their table.
func (p sqliteProbe) addBytes(db query.Conn, sizes []store.TableSize) error {
	trees := map[string]*store.TableSize{}
	for i := range sizes {
		trees[sizes[i].Table] = &sizes[i]
		for _, part := range []string{"data", "idx", "content", "docsize", "config"} {
			trees[sizes[i].Table+"_fts_"+part] = &sizes[i]
		}
	}
	q := query.New("SELECT d.name, m.tbl_name, d.pgsize FROM dbstat d JOIN sqlite_master m ON m.name = d.name WHERE d.aggregate = TRUE")
	return q.Rows(db, func(rows *sql.Rows) error {
		var name, table string
		var bytes int64
		err := rows.Scan(&name, &table, &bytes)
		t := trees[table]
		switch {
		case t == nil:
			return err
		case name == t.Table:
			t.Heap += bytes
		default:
			t.Indexes += bytes
		}
		t.Total += bytes
		return err
	})
}

// maxFindings is the most findings that check returns. Without a limit one broken page would
// give a finding for every row behind it.
const maxFindings = 100

// check does not verify the schema first: the page that holds the schema may be the broken
// one.
func (p sqliteProbe) check(ctx context.Context) ([]string, error) {
	db := p.conn(ctx)
	findings, err := integrityFindings(db)
	if err == nil && len(findings) < maxFindings {
		var missing []string
		missing, err = missingParents(db, maxFindings-len(findings))
		findings = append(findings, missing...)
	}
	if dialect.KindOf(err) == dialect.Damaged {
		// Damage that stops SQLite's own check is a finding, not a failure of the check.
		return append(findings, err.Error()), nil
	}
	return findings, query.Wrap("check the file", err)
}

// integrityFindings returns none for a healthy file, for which SQLite answers "ok".
//
// A connection remembers where the parts of a full-text index are, and integrity_check looks
// there even if another connection has moved them meanwhile: it then finds damage that is none.
// A query has the connection look again, and must be in the same statement, so that nothing
// moves in between.
func integrityFindings(db query.Conn) ([]string, error) {
	var indexes []string
	list := query.New("SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE 'CREATE VIRTUAL TABLE%USING fts5%'")
	err := list.Rows(db, func(rows *sql.Rows) error {
		var name string
		err := rows.Scan(&name)
		indexes = append(indexes, `(SELECT count(*) FROM "`+strings.ReplaceAll(name, `"`, `""`)+`" WHERE rowid = 0)`)
		return err
	})
	if err != nil {
		return nil, err
	}
	q := query.New("SELECT i.integrity_check FROM (SELECT "+strings.Join(append(indexes, "0"), " + ")+
		" AS n) looked CROSS JOIN pragma_integrity_check i WHERE looked.n >= 0 LIMIT ?", maxFindings)
	findings, err := readFindings(db, q)
	if dialect.KindOf(err) == dialect.Damaged { // also the query of an index may meet it
		return readFindings(db, query.New(fmt.Sprintf("PRAGMA integrity_check(%d)", maxFindings)))
	}
	return findings, err
}

func readFindings(db query.Conn, q *query.Query) ([]string, error) {
	var findings []string
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

// missingParents returns at most limit findings, one for each foreign key that points to no
// row.
func missingParents(db query.Conn, limit int) ([]string, error) {
	var findings []string
	q := query.New(`SELECT "table", rowid, parent FROM pragma_foreign_key_check LIMIT ?`, limit)
	err := q.Rows(db, func(rows *sql.Rows) error {
		var table, parent string
		var rowid sql.NullInt64 // NULL for a table WITHOUT ROWID
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
