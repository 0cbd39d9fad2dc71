// Package store is the contract of the library: the interfaces that a host calls, with
// their filters, results and errors. It holds no SQL and no state. The implementation is
// internal; convostore.New, sqlite.Open and postgres.Open return it, and package storetest
// tests that a way to open a database keeps every sentence of these comments.
//
// # Roles
//
// A [Store] hands out scopes, a [Scope] hands out roles, and a role such as [Messages] is
// made of smaller ones such as [MessageAppender]. A host's code should ask for the smallest
// role that it calls:
//
//	type Inbox struct{ messages store.MessageAppender }
//
// In a test a host can then fake the role. It embeds the interface and writes the methods
// that the code under test calls; any other method panics:
//
//	type fakeAppender struct{ store.MessageAppender }
//
//	func (fakeAppender) Append(context.Context, uuid.UUID, *message.Message) (bool, error) {
//		return false, store.ErrNotFound
//	}
//
// Interfaces may gain methods in a minor version, and a fake that embeds them still
// compiles. Often a real store is as easy as a fake: sqlite.OpenMemory gives each test a
// database of its own.
//
// # What holds for every method
//
//   - Absent: a row that does not exist, is deleted, is in a deleted conversation, or is
//     another user's is ErrNotFound. Where a method sees deleted rows, its comment says so.
//   - Bad input is an *InvalidError, which matches ErrInvalid and names the field. Nothing is
//     written then. Bad are, among others: a nil model, a text that is not valid UTF-8 or
//     has U+0000 (see convostore.WithNULStripped and WithInvalidTextReplaced), an unknown enum,
//     a time outside of the years 1 to 9999, and a row of more bytes than
//     convostore.WithMaxMessageBytes allows. docs/limits.md lists the bounds.
//   - Ids are unique for one user, not for all. In the scope of all users an id or a key that
//     more than one user has is ErrConflict.
//   - Lists have a total order: ties of time go by id (in a thread by seq) and, in the scope
//     of all users, then by user id. Where ties are the other way, the comment says so.
//   - A method that returns a model returns the row as it is stored now. A method that takes
//     a pointer to a model fills in what was unset.
//   - If ctx ends, a method returns an error that matches ctx.Err(). A write may have been
//     stored all the same.
package store

import (
	"context"

	"github.com/google/uuid"
	"gorm.io/gorm"
)

// Store opens scopes and transactions on one database. It is safe for concurrent use, but a
// Store inside a transaction belongs to the goroutine that runs the transaction.
type Store interface {
	// ForUser returns the scope of one user, which sees and changes that user's rows alone;
	// every statement it runs carries the user's id. Rows of other users do not exist for
	// it: it returns ErrNotFound and gives no hint that there is such a row. With uuid.Nil
	// every method of the scope returns ErrInvalid.
	//
	// The user is the owner of rows, in other words the tenant. A host whose rows belong to
	// a workspace, a team or a customer calls ForUser with that one's id. People who share a
	// workspace then share its conversations. A person who must not see what a colleague
	// sees needs an id of their own.
	ForUser(userID uuid.UUID) Scope

	// AllUsers returns the scope of all users (all workspaces, all tenants), for operators
	// and jobs. It checks no permission: never serve a user's request from it. A method that
	// creates a conversation needs the owner in the model's UserID. A method that changes a
	// row by its id first reads who owns the row and then works as ForUser of the owner.
	AllUsers() Scope

	// Transaction runs fn in a transaction, commits if fn returns nil, and otherwise rolls
	// back and returns fn's error. fn must work through tx alone: on SQLite, which has one
	// connection for writes, a write through the outer store waits until its ctx ends. A nil
	// fn is ErrInvalid.
	//
	// After a deadlock, a serialization failure or a busy database the transaction is rolled
	// back and fn runs again, up to ten times, so fn must be safe to run twice.
	//
	// Inside a transaction Transaction makes a savepoint and never retries. If fn fails,
	// what it did is undone and the outer transaction can go on. A savepoint costs two round
	// trips.
	//
	// After some errors SQLite rolls the whole transaction back by itself, for example when
	// the context of a write ends while the write runs. Every later call through tx then
	// returns ErrRolledBack, and so does Transaction, whatever fn returns. Nothing of the
	// transaction is stored.
	Transaction(ctx context.Context, fn func(tx Store) error) error

	// WithTx returns the same store inside a transaction that the host has begun, so that
	// the host's rows and the library's are written together or not at all:
	//
	//	db.Transaction(func(tx *gorm.DB) error { … st.WithTx(tx).ForUser(u) … })
	//
	// If a method fails with an error of this package (ErrNotFound, ErrConflict, ErrInvalid
	// and so on), or if its context had ended before the call, nothing of that method is
	// written and the host can go on in its transaction. Any other error is the database's
	// own: a lock_timeout, a statement_timeout, a context that ended while a statement ran,
	// a deadlock, a full disk. After such an error PostgreSQL accepts nothing but a
	// rollback. A host that wants to go on even then wraps the call in a savepoint; the
	// library does not do so for every call because it costs two round trips:
	//
	//	st.WithTx(tx).Transaction(ctx, func(in store.Store) error { … in.ForUser(u) … })
	//
	// On SQLite an error that matches ErrRolledBack means that the host's transaction is
	// over. Every later call through any store of that transaction returns the same error.
	// What the host itself still writes in the transaction is undone, and its commit fails
	// with an error of a foreign key. On connections without foreign keys, which New
	// asks for, the commit fails as well, but what the host wrote after the rollback stays.
	// If a statement of the host's own ends the transaction in this way, the library does
	// not notice. The host must return that error: everything written after it, also by this
	// store, is committed statement by statement, and only the final commit fails.
	//
	// The library does not see the host's commit. With replicas this matters, see
	// postgres.ReplicaPolicy.HostTransaction.
	WithTx(tx *gorm.DB) Store

	// Health reports on the database as a whole, not on anybody's rows.
	Health() Health

	// DB returns a GORM session on the same database, inside the same transaction, for
	// queries with the models and their GORM scopes. It bypasses the rules of this package
	// and sees the rows of all users. Use it to read.
	DB(ctx context.Context) *gorm.DB

	// Close closes what sqlite.Open or postgres.Open opened; what asks the database after it returns
	// ErrClosed, but in a transaction that has begun. A second call does nothing. On
	// a store of convostore.New, and on one inside a transaction, Close does nothing.
	Close() error
}

// Scope is access to the rows of one user (ForUser) or of all users (AllUsers). It is cheap
// to make and holds no connection.
type Scope interface {
	Conversations() Conversations
	Messages() Messages
	Suggestions() Suggestions
	Summaries() Summaries
	States() States
	Deliveries() Deliveries
	Search() Search
	Embeddings() Embeddings
	Reports() Reports
	Maintenance() Maintenance
}
