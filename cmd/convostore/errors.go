package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/convostore/convostore/cmd/convostore/internal/database"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
)

var (
	// errUsage is a command line that asks for nothing that can be done.
	errUsage = errors.New("bad usage")
	// errDeclined is the answer of somebody who was asked.
	errDeclined = errors.New("nothing was changed")
	// errFindings makes a command exit with 1 that has printed what it found.
	errFindings = errors.New("there are findings")
)

// usageError says in one line what is wrong with the command line.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

func (e *usageError) Is(target error) bool { return target == errUsage }

func usagef(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

// Codes that the process ends with.
const (
	exitFailed      = 1
	exitUsage       = 2
	exitInterrupted = 130
)

// exitCode tells a command line that is wrong, also by the rules of the library, from what failed.
func exitCode(err error) int {
	switch {
	case err == nil:
		return 0
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	case errors.Is(err, errUsage), errors.Is(err, store.ErrInvalid):
		return exitUsage
	}
	return exitFailed
}

// isQuiet is an error whose reason was printed as a result.
func isQuiet(err error) bool { return errors.Is(err, errFindings) }

// explain says what to do about an error, where that is known.
func explain(err error) string {
	advice := ""
	switch {
	case errors.Is(err, context.Canceled):
		return "interrupted"
	case errors.Is(err, database.ErrMissing):
		advice = `"convostore migrate up" makes one, and so does "convostore import"`
	case errors.Is(err, migrate.ErrNewer):
		advice = "use a convostore of a newer version"
	case errors.Is(err, store.ErrSchema):
		advice = `"convostore migrate status" lists the migrations, and "convostore migrate up" runs those that an older database lacks`
	case errors.Is(err, store.ErrSearchIndex):
		advice = `"convostore vacuum --search" makes it anew`
	}
	if advice == "" {
		return err.Error()
	}
	return err.Error() + "\n" + advice
}
