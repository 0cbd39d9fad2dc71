// Package storefake is for a host's tests: a store.Store of which any call can be replaced or can
// fail. Everything else goes to a real store below it, such as one of sqlite.OpenMemory, so that a
// test says what goes wrong and nothing of what goes well:
//
//	st, err := sqlite.OpenMemory(ctx)
//	fake := storefake.New(st)
//	fake.Roles.Messages.AppendFunc = func(context.Context, uuid.UUID, *message.Message) (bool, error) {
//		return false, errors.New("disk full")
//	}
//	service := NewService(fake)
//
// Each role is a struct of its own as well, for a host that depends on one role or a part of it:
//
//	appender := &storefake.Messages{AppendFunc: …} // a call without a function panics: there is nothing below
//
// [Store.Before] lets a test fail one call after the other by number, whichever they are.
package storefake

//go:generate go run ../../internal/cmd/fakes

import (
	"context"
	"iter"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/convostore/convostore/store"
)

// Store is a store over another one, whose roles can be replaced call by call. It is not safe to
// change while others call it: set the functions first, and let them decide by what they count. A
// role has the functions that were set when a scope handed it out.
type Store struct {
	store.Store // what calls go to
	// Before is asked before each call that takes a context, also by a role without a Before of its
	// own, by its name: "Messages.Append", "Store.Transaction". An error of it is returned instead of
	// the call. DB and Close are not asked for, nor are the calls of a MessageStream.
	Before func(ctx context.Context, call string) error
	Roles  Roles
}

var _ store.Store = (*Store)(nil)

// New returns a fake over a store, all of whose calls go to it until a function is set. Closing the
// fake closes that store. There has to be one: a nil one panics when a scope is asked for. Where no
// database is wanted, the fakes of the roles do without.
func New(below store.Store) *Store { return &Store{Store: below} }

// ForUser returns the scope of a user, with the fake's roles.
func (s *Store) ForUser(userID uuid.UUID) store.Scope { return scope{s.Store.ForUser(userID), s} }

// AllUsers returns the scope of all users, with the fake's roles.
func (s *Store) AllUsers() store.Scope { return scope{s.Store.AllUsers(), s} }

// Transaction runs fn in a transaction of the real store, with the fake's functions in it.
func (s *Store) Transaction(ctx context.Context, fn func(tx store.Store) error) error {
	if err := before(ctx, s.Before, "Store.Transaction"); err != nil {
		return err
	}
	if fn == nil {
		return s.Store.Transaction(ctx, nil)
	}
	return s.Store.Transaction(ctx, func(tx store.Store) error { return fn(s.over(tx)) })
}

// WithTx returns the fake inside a transaction of the host's.
func (s *Store) WithTx(tx *gorm.DB) store.Store { return s.over(s.Store.WithTx(tx)) }

func (s *Store) over(below store.Store) *Store {
	return &Store{Store: below, Before: s.Before, Roles: s.Roles}
}

// scope is a real scope that hands out the fake's roles.
type scope struct {
	store.Scope
	of *Store
}

// roleBelow is the role that a call without a function goes to. A test that has neither panics with
// the name of the call.
func roleBelow[T any](role T, call string) T {
	if any(role) == nil {
		panic("storefake: " + call + " was called, which has no function and no store below it")
	}
	return role
}

// before asks a function that may be nil.
func before(ctx context.Context, fn func(context.Context, string) error, call string) error {
	if fn == nil {
		return nil
	}
	return fn(ctx, call)
}

// failing is an iteration that yields an error and nothing else.
func failing[T any](err error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		yield(none, err)
	}
}
