package sqlite

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore/internal/engine/config"
)

// openNumbers opens a writer with a table of numbers.
func openNumbers(t *testing.T) (*gorm.DB, *statements) {
	t.Helper()
	c, err := config.New()
	require.NoError(t, err)
	db, err := open(t.Context(), c, pooled{dsn: "file:/" + t.Name() + "?vfs=memdb&_txlock=immediate", conns: 1})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, closeAll(db)) })
	require.NoError(t, db.Exec("CREATE TABLE numbers (n integer); CREATE INDEX numbers_n ON numbers (n)").Error)
	return db, statementsOf(t, db)
}

func statementsOf(t *testing.T, db *gorm.DB) *statements {
	t.Helper()
	p, ok := db.ConnPool.(*pool)
	require.True(t, ok)
	return p.stmts
}

func count(t *testing.T, db *gorm.DB) (n int64) {
	t.Helper()
	require.NoError(t, db.Table("numbers").Count(&n).Error)
	return n
}

const insertNumber = "INSERT INTO numbers VALUES (?)"

func TestStatementOfTransactionIsPreparedAfterIt(t *testing.T) {
	t.Parallel()
	db, stmts := openNumbers(t)
	for i := range 3 {
		require.NoError(t, db.Transaction(func(tx *gorm.DB) error {
			require.Equal(t, i > 0, stmts.cache.Contains(insertNumber))
			return tx.Exec(insertNumber, i).Error
		}))
		require.True(t, stmts.cache.Contains(insertNumber))
	}
	require.ErrorContains(t, db.Transaction(func(tx *gorm.DB) error {
		require.NoError(t, tx.Exec(insertNumber, 9).Error)
		return fmt.Errorf("changed my mind")
	}), "changed my mind")
	require.EqualValues(t, 3, count(t, db))
}

func TestStatementSurvivesAChangeOfTheTable(t *testing.T) {
	t.Parallel()
	db, _ := openNumbers(t)
	require.NoError(t, db.Exec(insertNumber, 1).Error)
	require.NoError(t, db.Exec("ALTER TABLE numbers RENAME COLUMN n TO m").Error)
	require.NoError(t, db.Exec(insertNumber, 2).Error)
	require.EqualValues(t, 2, count(t, db))
}

func TestStatementsAreBounded(t *testing.T) {
	t.Parallel()
	db, stmts := openNumbers(t)
	for i := range maxStatements + 50 {
		require.NoError(t, db.Exec(fmt.Sprintf("INSERT INTO numbers VALUES (? + %d)", i), 1).Error)
	}
	require.Equal(t, maxStatements, stmts.cache.Len())
	require.EqualValues(t, maxStatements+50, count(t, db))
}

func TestStatementsUnderConcurrentUse(t *testing.T) {
	t.Parallel()
	db, _ := openNumbers(t)
	var wg sync.WaitGroup
	errs := make(chan error, 400)
	for range 8 {
		wg.Go(func() {
			for i := range 25 {
				errs <- db.Exec(insertNumber, i).Error
				errs <- db.Transaction(func(tx *gorm.DB) error { return tx.Exec(insertNumber, i).Error })
			}
		})
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		require.NoError(t, err)
	}
	require.EqualValues(t, 400, count(t, db))
}

func TestBadStatementSaysWhy(t *testing.T) {
	t.Parallel()
	db, stmts := openNumbers(t)
	require.ErrorContains(t, db.Exec("INSERT INTO nowhere VALUES (?)", 1).Error, "nowhere")
	require.Zero(t, stmts.cache.Len())
}
