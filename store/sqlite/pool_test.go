package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/engine/config"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
)

// counting is the driver with a count of the open statements, and of how often each text was
// prepared.
type counting struct {
	driver.Driver
	dsn  string
	mu   sync.Mutex
	open int
	most int
	made map[string]int
}

func (c *counting) Connect(context.Context) (driver.Conn, error) {
	conn, err := c.Open(c.dsn)
	return countingConn{conn, c}, err
}

// countingConnector returns a type that can have the method Driver: counting has a field of
// that name.
func (c *counting) countingConnector() driver.Connector { return countingConnector{c} }

type countingConnector struct{ *counting }

func (c countingConnector) Driver() driver.Driver { return c.counting.Driver }

type countingConn struct {
	driver.Conn
	c *counting
}

func (k countingConn) Prepare(query string) (driver.Stmt, error) {
	stmt, err := k.Conn.Prepare(query)
	if err != nil {
		return nil, err
	}
	k.c.mu.Lock()
	defer k.c.mu.Unlock()
	k.c.open++
	k.c.most = max(k.c.most, k.c.open)
	k.c.made[query]++
	return &countingStmt{Stmt: stmt, c: k.c}, nil
}

type countingStmt struct {
	driver.Stmt
	c *counting
}

func (s *countingStmt) Close() error {
	s.c.mu.Lock()
	s.c.open--
	s.c.mu.Unlock()
	return s.Stmt.Close()
}

// openCounted opens a file with the table numbers, which has one row.
func openCounted(t *testing.T, conns int) (*pool, *counting) {
	t.Helper()
	plain, err := sql.Open("sqlite", "")
	require.NoError(t, err)
	require.NoError(t, plain.Close())
	dsn := fileDSN(filepath.Join(t.TempDir(), "numbers.db"))
	c := &counting{Driver: plain.Driver(), dsn: dsn + "?" + settings, made: map[string]int{}}
	db := sql.OpenDB(c.countingConnector())
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	p := newPool(db, conns)
	for _, q := range []string{"CREATE TABLE numbers (n integer)", "INSERT INTO numbers VALUES (1)"} {
		_, err := p.ExecContext(t.Context(), q)
		require.NoError(t, err)
	}
	return p, c
}

func (p *pool) number(ctx context.Context, query string, arg int) (n int, err error) {
	rows, err := p.QueryContext(ctx, query, arg)
	if err != nil {
		return 0, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := rows.Scan(&n); err != nil {
			return 0, err
		}
	}
	return n, rows.Err()
}

// TestOpenStatementsAreBounded runs 4,000 different texts, and one more text between them,
// which must stay prepared.
func TestOpenStatementsAreBounded(t *testing.T) {
	t.Parallel()
	const hot = "SELECT n + ? FROM numbers"
	t.Run("reader", func(t *testing.T) {
		t.Parallel()
		p, c := openCounted(t, 2)
		for i := range 4_000 {
			if i%100 == 0 {
				n, err := p.number(t.Context(), hot, i)
				require.NoError(t, err)
				require.Equal(t, i+1, n)
			}
			n, err := p.number(t.Context(), fmt.Sprintf("SELECT n + ? + %d FROM numbers", i), 1)
			require.NoError(t, err)
			require.Equal(t, i+2, n)
		}
		require.LessOrEqual(t, c.most, 2*(maxStatements+1), "one for each connection")
		require.LessOrEqual(t, c.made[hot], 2, "once for each connection")
		require.NoError(t, p.Close())
		require.Zero(t, c.open)
	})
	t.Run("writer", func(t *testing.T) {
		t.Parallel()
		p, c := openCounted(t, 1)
		const hot = "UPDATE numbers SET n = ?"
		for i := range 2_000 {
			if i%100 == 0 {
				_, err := p.ExecContext(t.Context(), hot, i)
				require.NoError(t, err)
			}
			_, err := p.ExecContext(t.Context(), fmt.Sprintf("UPDATE numbers SET n = ? + %d", i), 1)
			require.NoError(t, err)
		}
		require.LessOrEqual(t, c.most, maxStatements+2)
		require.Equal(t, 1, c.made[hot])
		require.NoError(t, p.Close())
		require.Zero(t, c.open)
	})
}

// TestTransactionOfManyStatements leaves what others run prepared.
func TestTransactionOfManyStatements(t *testing.T) {
	t.Parallel()
	p, c := openCounted(t, 1)
	const hot = "UPDATE numbers SET n = ?"
	for range 2 {
		_, err := p.ExecContext(t.Context(), hot, 1)
		require.NoError(t, err)
		tx, err := p.BeginTx(t.Context(), nil)
		require.NoError(t, err)
		for i := range 2 * maxStatements {
			_, err := tx.ExecContext(t.Context(), fmt.Sprintf("UPDATE numbers SET n = ? + %d", i), 1)
			require.NoError(t, err)
		}
		require.NoError(t, tx.(*poolTx).Commit())
	}
	require.Equal(t, 1, c.made[hot])
	require.LessOrEqual(t, c.open, 2*maxMissed+1)
}

// TestStatementInUseIsDropped reads rows, and goes on with a transaction, whose statements
// are dropped by others in the meantime.
func TestStatementInUseIsDropped(t *testing.T) {
	t.Parallel()
	p, c := openCounted(t, 2)
	ctx := t.Context()
	const long = "SELECT value FROM json_each('[1,2,3]') WHERE value > ?"
	const write = "UPDATE numbers SET n = ?"
	rows, err := p.QueryContext(ctx, long, 0)
	require.NoError(t, err)
	require.True(t, rows.Next())
	for i := range 2 * maxStatements {
		_, err := p.number(ctx, fmt.Sprintf("SELECT n + ? + %d FROM numbers", i), 1)
		require.NoError(t, err)
	}
	require.False(t, p.stmts.cache.Contains(long))
	require.True(t, rows.Next())
	require.True(t, rows.Next())
	require.False(t, rows.Next())
	require.NoError(t, rows.Err())
	require.NoError(t, rows.Close())

	_, err = p.ExecContext(ctx, write, 1)
	require.NoError(t, err)
	tx, err := p.BeginTx(ctx, nil)
	require.NoError(t, err)
	_, err = tx.ExecContext(ctx, write, 2)
	require.NoError(t, err)
	for i := range 2 * maxStatements {
		_, err := p.number(ctx, fmt.Sprintf("SELECT n + ? + %d FROM numbers", i), 1)
		require.NoError(t, err)
	}
	require.False(t, p.stmts.cache.Contains(write))
	_, err = tx.ExecContext(ctx, write, 3)
	require.NoError(t, err)
	require.NoError(t, tx.(*poolTx).Commit())
	require.LessOrEqual(t, c.open, 2*(maxStatements+1))
}

// TestStatementsAreDroppedUnderConcurrentUse evicts texts while other goroutines look them up
// and run them.
func TestStatementsAreDroppedUnderConcurrentUse(t *testing.T) {
	t.Parallel()
	p, c := openCounted(t, 4)
	var running sync.WaitGroup
	for g := range 8 {
		running.Go(func() {
			for i := range 3 * maxStatements {
				at := (i*(g+1) + g) % (maxStatements + 40)
				n, err := p.number(t.Context(), fmt.Sprintf("SELECT n + ? + %d FROM numbers", at), 1)
				if err != nil || n != at+2 {
					t.Errorf("the sum is %d, want %d: %v", n, at+2, err)
				}
			}
		})
	}
	running.Wait()
	require.LessOrEqual(t, c.open, 4*maxStatements)
	require.NoError(t, p.Close())
	require.Zero(t, c.open)
}

// filters are of so many different texts, at most 2,048.
func filters(n int) []store.ConversationFilter {
	at := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	all := make([]store.ConversationFilter, n)
	for i := range all {
		f := &all[i]
		set := []func(){
			func() { f.LeadID = "lead" }, func() { f.Text = "text" }, func() { f.Order = store.NewestCreated },
			func() { f.ActiveSince = at }, func() { f.ActiveBefore = at },
			func() { f.CreatedSince = at }, func() { f.CreatedBefore = at },
		}
		for _, status := range conversation.Statuses() {
			set = append(set, func() { f.Statuses = append(f.Statuses, status) })
		}
		for bit := range set {
			if i>>bit&1 == 1 {
				set[bit]()
			}
		}
	}
	return all
}

// TestFiltersOfAllKinds lists by more filters than there are statements.
func TestFiltersOfAllKinds(t *testing.T) {
	t.Parallel()
	c, err := config.New(convostore.WithMigrate(migrate.Options{}))
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "chat.db")
	require.NoError(t, create(path))
	writer, reader, err := openFile(t.Context(), c, path)
	require.NoError(t, err)
	st, err := newStore(t.Context(), c, writer, reader)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, st.Close()) })
	mine := st.ForUser(uuid.New()).Conversations()
	for _, f := range filters(4 * maxStatements) {
		_, err := mine.List(t.Context(), f, store.PageRequest{})
		require.NoError(t, err)
	}
	require.Equal(t, maxStatements, statementsOf(t, reader).cache.Len())
}
