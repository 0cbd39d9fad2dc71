package store

import (
	"context"

	"github.com/google/uuid"
	"gorm.io/gorm"
)

// Store opens scopes and transactions on one database. It is safe for concurrent use,
// except that a Store inside a transaction belongs to the goroutine that runs it.
type Store interface {
	// ForUser sees and changes the rows of one user; every statement it runs carries
	// that user's id. Rows of others do not exist for it: ErrNotFound, with no hint that
	// there is such a row. With uuid.Nil every method returns ErrInvalid.
	ForUser(userID uuid.UUID) Scope

	// AllUsers sees everybody's rows. It is for operators and jobs; the name is long so
	// that a reviewer sees it. A method that creates rows needs the owner in the model's
	// UserID. A method that changes a row by its id first reads who owns it and then
	// works as that user does.
	AllUsers() Scope

	// Transaction runs fn in a transaction and commits it if fn returns nil. fn works
	// through tx alone: on SQLite, whose writer is one connection, a write through the
	// outer store waits until ctx ends.
	//
	// After a deadlock, a serialization failure or a busy database the transaction is
	// rolled back and fn runs again, up to ten times: fn must be safe to run twice.
	// Inside a transaction it makes a savepoint and never retries: whatever fn fails with,
	// what it did is undone and the transaction around it goes on. A savepoint takes two
	// round trips. A nil fn is ErrInvalid.
	//
	// After some errors SQLite rolls the whole transaction back by itself, a write that is
	// interrupted at the deadline of its own context among them. Then every later call
	// through tx returns ErrRolledBack, and so does Transaction, whatever fn returns.
	// Nothing of the transaction is stored.
	Transaction(ctx context.Context, fn func(tx Store) error) error

	// WithTx returns the same store inside a transaction that the host has begun:
	//
	//	db.Transaction(func(tx *gorm.DB) error { … st.WithTx(tx).ForUser(u) … })
	//
	// so that the host's rows and these are written together or not at all.
	//
	// A method that fails with an error of this package (ErrNotFound, ErrConflict,
	// ErrInvalid and the others), or whose context had ended before it began, leaves the
	// transaction usable and nothing of the method written. Any other error is the
	// database's own: a lock_timeout, a statement_timeout, a context that ended while a
	// statement ran, a deadlock, a full disk. After one of those PostgreSQL refuses all but
	// a rollback. A host that wants to go on even then wraps the call, which is too dear to
	// be done for every one:
	//
	//	st.WithTx(tx).Transaction(ctx, func(in store.Store) error { … in.ForUser(u) … })
	//
	// On SQLite an error that matches ErrRolledBack says that the host's transaction is over.
	// Every later call returns the same, through any store of that transaction. What the
	// host writes in it is undone too, and its commit fails, with an error of a foreign
	// key. Without foreign keys, which the host's connections must have on, the commit
	// fails as well, but what the host wrote since then stays. A statement of the host's
	// own that ends its transaction so is not seen: the host must return its error, since
	// everything after it, here too, is stored by itself, and only the commit fails.
	//
	// The host's commit is not seen, which matters with replicas: see
	// postgres.ReplicaPolicy.HostTransaction.
	WithTx(tx *gorm.DB) Store

	// Health tells how the database is doing, apart from anybody's rows.
	Health() Health

	// DB returns GORM's session on the same database, inside the same transaction, for
	// queries with the models and their scopes. It is a way around the rules of this
	// package: read with it.
	DB(ctx context.Context) *gorm.DB

	// Close closes what Open opened. A store of New has opened nothing, and neither has
	// one inside a transaction: there Close does nothing. Calling it again does nothing.
	Close() error
}

// Scope is one user's view, or everybody's.
type Scope interface {
	Conversations() Conversations
	Messages() Messages
	Suggestions() Suggestions
	Search() Search
	Embeddings() Embeddings
	Reports() Reports
	Maintenance() Maintenance
}
