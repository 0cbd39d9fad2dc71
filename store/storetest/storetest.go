// Package storetest proves that a backend keeps the contract of package store.
//
// The author of a backend writes one test, which hands over a way to make empty
// databases and says what the database can do:
//
//	func TestStore(t *testing.T) {
//		t.Parallel()
//		storetest.Run(t, func(tb testing.TB, opts ...store.Option) store.Store {
//			db := openMyDatabase(tb)
//			require.NoError(tb, migrate.Up(tb.Context(), db, migrate.Options{}))
//			st, err := store.New(tb.Context(), db, opts...)
//			require.NoError(tb, err)
//			return st
//		}, storetest.Capabilities{})
//	}
//
// The sentences of the interfaces' comments are the subtests. They run in parallel, each
// on a database of its own, so a backend that is slow to make databases is slow here. A
// host can run the suite as well, on its own *gorm.DB with its own settings, and with
// [InTransaction] inside its own transaction.
package storetest

import (
	"context"
	"maps"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/store"
)

// Factory returns a store on a fresh, empty, migrated database, with the options besides
// its own. It cleans up with tb.Cleanup and fails with tb.Fatal.
type Factory func(tb testing.TB, opts ...store.Option) store.Store

// Capabilities are where backends may differ. The zero value promises the least.
type Capabilities struct {
	// UnicodeCaseFolding says that ConversationFilter.Text finds letters of any script
	// in either case, not those of ASCII alone.
	UnicodeCaseFolding bool
}

// Run runs every suite of this package but RunReports, whose world takes a while to write:
// RunCRUD compares a small one, and the large one is worth a test of its own for one way
// of opening a database.
func Run(t *testing.T, f Factory, c Capabilities) {
	t.Helper()
	suites := map[string]func(*testing.T, Factory){
		"CRUD":         RunCRUD,
		"Transactions": RunTransactions,
		"Concurrency":  RunConcurrency,
		"Tenancy":      RunTenancy,
		"Pagination":   RunPagination,
		"Text":         c.runText,
		"Search":       RunSearch,
		"Embedding":    RunEmbedding,
	}
	for name, suite := range suites {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			suite(t, f)
		})
	}
}

// RunCRUD states what each method does with absent, duplicate, bad, deleted and foreign
// rows, and in which order lists come. It needs one connection at a time, so it also
// runs inside a transaction.
func RunCRUD(t *testing.T, f Factory) {
	t.Helper()
	all := subtests{}
	for _, part := range []subtests{
		conversationTests(), messageTests(), suggestionTests(), maintenanceTests(), holdTests(), retentionTests(), caretakerTests(),
		inputTests(), searchTests(), embeddingTests(), reportTests(), healthTests(),
	} {
		maps.Copy(all, part)
	}
	t.Run("Search", func(t *testing.T) {
		t.Parallel()
		runSearch(t, f, small)
	})
	t.Run("Reports", func(t *testing.T) {
		t.Parallel()
		runReports(t, f, smallWorld)
	})
	all.run(t, f)
}

// InTransaction makes stores that work inside a transaction of the host's, which is
// rolled back at the end: nothing of RunCRUD may notice, and no error of a method may
// leave the transaction aborted.
func InTransaction(f Factory) Factory {
	return func(tb testing.TB, opts ...store.Option) store.Store {
		tb.Helper()
		st := f(tb, opts...)
		// The test's own context ends before its cleanup, and would roll back by itself.
		tx := st.DB(context.WithoutCancel(tb.Context())).Begin()
		require.NoError(tb, tx.Error)
		tb.Cleanup(func() { require.NoError(tb, tx.Rollback().Error, "the transaction is still open") })
		return st.WithTx(tx)
	}
}
