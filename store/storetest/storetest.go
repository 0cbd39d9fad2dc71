// Package storetest tests that a way to open a database keeps the contract of package
// store. It is for ways to open PostgreSQL and SQLite: another driver, another pool, a
// host's own *gorm.DB with its settings, a host's transaction. It cannot test another kind
// of database, because the library refuses those, and some parts make further stores on the
// same *gorm.DB.
//
// To use it, write one test with a function that makes empty databases, and say what they
// are capable of:
//
//	func TestStore(t *testing.T) {
//		t.Parallel()
//		storetest.Run(t, func(tb testing.TB, opts ...convostore.Option) store.Store {
//			db := openMyDatabase(tb)
//			require.NoError(tb, migrate.Up(tb.Context(), db, migrate.Options{}))
//			st, err := convostore.New(tb.Context(), db, opts...)
//			require.NoError(tb, err)
//			return st
//		}, storetest.Capabilities{Name: storetest.SQLite, OneWriter: true, NotDistributed: true})
//	}
//
// Each sentence of the interfaces' comments has a subtest. Most run in parallel, each on a
// database of its own, so the suite is slow where making a database is slow. Inside the
// host's own transaction, see [InTransaction], run the part [CRUD] alone.
package storetest

import (
	"context"
	"maps"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/store"
)

// Factory returns a store on a new, empty, migrated database, with opts in addition to its
// own options. It cleans up with tb.Cleanup and fails with tb.Fatal.
type Factory func(tb testing.TB, opts ...convostore.Option) store.Store

// Names of the databases.
const (
	SQLite   = "sqlite"
	Postgres = "postgres"
)

// Capabilities say in what the contract lets databases differ. Run fails if they are not
// those of the store.
type Capabilities struct {
	// Name is SQLite or Postgres.
	Name string
	// OneWriter says that a second write transaction waits until the first has ended.
	OneWriter bool
	// NotDistributed says that all rows are on one node, so that IndexUsage works.
	NotDistributed bool

	// whole says that Run was given no parts: this is not one of several ways to open the database.
	whole bool
}

// Part is a part of the suite that can run alone.
type Part string

// The parts of the contract. The function of each, runCRUD and so on, describes it.
const (
	CRUD         Part = "CRUD"
	Transactions Part = "Transactions"
	Concurrency  Part = "Concurrency"
	Tenancy      Part = "Tenancy"
	Pagination   Part = "Pagination"
	Search       Part = "Search"
	Embedding    Part = "Embedding"
	Streams      Part = "Streams"
	Tail         Part = "Tail"
	Refusals     Part = "Refusals"
	// Reports compares a large data set, which takes a while to write. CRUD compares a small
	// one. Run without parts leaves Reports out.
	Reports Part = "Reports"
)

func suites() map[Part]func(*testing.T, Factory, Capabilities) {
	return map[Part]func(*testing.T, Factory, Capabilities){
		CRUD:         runCRUD,
		Transactions: runTransactions,
		Concurrency:  runConcurrency,
		Tenancy:      func(t *testing.T, f Factory, _ Capabilities) { t.Helper(); runTenancy(t, f) },
		Pagination:   runPagination,
		Search:       runSearchInFull,
		Embedding:    runEmbedding,
		Streams:      runStreams,
		Tail:         runTail,
		Refusals:     func(t *testing.T, f Factory, _ Capabilities) { t.Helper(); runRefusals(t, f) },
		Reports:      func(t *testing.T, f Factory, _ Capabilities) { t.Helper(); runReports(t, f, fullWorld) },
	}
}

// Run runs the given parts, or all but Reports if none is given. An unknown part fails the
// test.
func Run(t *testing.T, f Factory, c Capabilities, parts ...Part) {
	t.Helper()
	all := suites()
	if len(parts) == 0 {
		c.whole = true
		for part := range all {
			if part != Reports {
				parts = append(parts, part)
			}
		}
	}
	t.Run("Capabilities", func(t *testing.T) { c.check(t, f) })
	for _, part := range parts {
		suite := all[part]
		require.NotNil(t, suite, "there is no part %q", part)
		t.Run(string(part), func(t *testing.T) {
			t.Parallel()
			suite(t, f, c)
		})
	}
}

// check compares the capabilities with the database: a wrong one would silently skip tests.
func (c Capabilities) check(t *testing.T, f Factory) {
	t.Helper()
	w := newWorld(t, f)
	require.Equal(t, w.st.DB(t.Context()).Name(), c.Name, "the name of the database")
	require.Equal(t, c.Name == SQLite, c.OneWriter, "SQLite has one writer, PostgreSQL many")
	require.Equal(t, !w.distributed(t), c.NotDistributed, "whether the tables are distributed")
}

// runCRUD states what each method does with absent, duplicate, bad, deleted and foreign
// rows, and in which order lists come. It needs one connection at a time, so it also
// runs inside a transaction.
func runCRUD(t *testing.T, f Factory, c Capabilities) {
	t.Helper()
	all := subtests{}
	for _, part := range []subtests{
		conversationTests(), messageTests(), branchTests(), suggestionTests(), draftTests(), sendTests(), maintenanceTests(), erasureTests(), holdTests(), retentionTests(), tableCareTests(),
		stateTests(), listTests(), operatorTests(), voteTests(), refTests(), filingTests(), deliveryTests(), usageTests(), kindTests(),
		inputTests(), boundTests(), searchTests(), searchPartTests(), languageTests(), embeddingTests(), reportTests(), healthTests(),
		windowTests(), heirTests(), moveTests(),
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
	all.run(t, f, c)
}

// InTransaction makes stores that work inside a transaction of the host's, which is
// rolled back at the end: nothing of CRUD may notice, and no error of a method may
// leave the transaction aborted.
func InTransaction(f Factory) Factory {
	return func(tb testing.TB, opts ...convostore.Option) store.Store {
		tb.Helper()
		st := f(tb, opts...)
		// The test's own context ends before its cleanup, and would roll back by itself.
		tx := st.DB(context.WithoutCancel(tb.Context())).Begin()
		require.NoError(tb, tx.Error)
		tb.Cleanup(func() { require.NoError(tb, tx.Rollback().Error, "the transaction is still open") })
		return st.WithTx(tx)
	}
}
