package inbox

import (
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/store"
)

// Operator is the person who makes a request: who it is, whose rows they see and what they may do.
type Operator struct {
	// ID is the host's name of the person, of 1 to 1,024 bytes. Conversations are assigned to it,
	// and it stands beside decisions, notes and read marks.
	ID string
	// Name is what others see, ID if it is empty.
	Name string
	// UserID is whose rows the operator sees: in a workspace, the id of the workspace.
	UserID uuid.UUID
	// AllUsers shows the rows of everybody instead. UserID is uuid.Nil then.
	AllUsers bool
	// Location is the time zone in which times are shown and typed, nil for UTC.
	Location *time.Location
	// May is what the operator may do. The zero value is nothing, not even to read.
	May Permissions
}

// Permissions are what an operator may do, joined with |.
type Permissions uint8

// The permissions. None of them includes another one.
const (
	// MayRead is to see the queue, threads, searches and reports.
	MayRead Permissions = 1 << iota
	// MayDecide is to save drafts, to reject, and to reopen what was rejected.
	MayDecide
	// MaySend is to approve, which sends, to write replies, and to take back what has not left.
	MaySend
	// MayOrganize is to assign, label, snooze, pin, archive and merge, and to write notes.
	MayOrganize
	// MaySeeHealth is to see how the database and the outbox are doing. They are everybody's.
	MaySeeHealth
)

// MayAll is every permission.
const MayAll = MayRead | MayDecide | MaySend | MayOrganize | MaySeeHealth

// ErrUnauthenticated is for Options.Operator to return where nobody has logged in: the answer is 401. Any
// other error, ErrForbidden among them, is answered with 403.
var (
	ErrUnauthenticated = errors.New("inbox: nobody has logged in")
	ErrForbidden       = errors.New("inbox: not allowed")
)

// Can reports whether the operator may do all of these.
func (o Operator) Can(p Permissions) bool { return o.May&p == p }

// Label is how others see the operator.
func (o Operator) Label() string {
	if o.Name != "" {
		return o.Name
	}
	return o.ID
}

// rows are what the operator sees of a store.
func (o Operator) rows(st store.Store) store.Scope {
	if o.AllUsers {
		return st.AllUsers()
	}
	return st.ForUser(o.UserID)
}

// check refuses an operator that the host filled in wrongly: it would see nothing, or everything.
func (o Operator) check() error {
	const mostID = 1024
	switch {
	case o.ID == "" || len(o.ID) > mostID:
		return &OptionError{Field: "Operator", Rule: "gave an ID that is empty or has more than 1,024 bytes"}
	case o.AllUsers == (o.UserID != uuid.Nil):
		return &OptionError{Field: "Operator", Rule: "must give either a UserID or AllUsers"}
	}
	return nil
}

// operator asks the host who makes a request.
func (in *Inbox) operator(r *http.Request) (Operator, error) {
	op, err := in.options.Operator(r)
	if err != nil {
		return Operator{}, &refusedError{err}
	}
	if err := op.check(); err != nil {
		return Operator{}, err
	}
	if op.Location == nil {
		op.Location = time.UTC
	}
	return op, nil
}

// refusedError is that of the host, which says why there is no operator.
type refusedError struct{ err error }

func (e *refusedError) Error() string { return e.err.Error() }

func (e *refusedError) Unwrap() error { return e.err }
