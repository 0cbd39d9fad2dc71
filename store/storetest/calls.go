package storetest

import (
	"slices"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/store"
)

// Call is one use of a method of one user's scope.
type Call struct {
	// Method is the role and the method, "Messages.Append".
	Method string
	// Run calls the method on rows of the user. An expected refusal, because the rows suit
	// another method, is not returned as an error.
	Run func() error
}

// RunCalls calls look with every method of every role, one after the other, for a user who
// has some of everything. It is for tests of how a backend executes the methods. Statements
// returns the statements that the last Run sent.
func RunCalls(t *testing.T, f Factory, look func(t *testing.T, st store.Store, c Call, statements func() []Statement)) {
	t.Helper()
	st, rec := besideLeads(t, f), &Recorder{}
	recorded, err := convostore.New(t.Context(), rec.Wrap(st.DB(t.Context())), withLeads())
	require.NoError(t, err)
	newThread(t, recorded.ForUser(uuid.New()), 0) // the schema has been checked
	must[store.Page[*store.MessageHit]](t)(recorded.ForUser(uuid.New()).Search().Messages(t.Context(), "a", store.TextOptions{}, page))
	methods := allMethods()
	slices.Sort(methods)
	for _, name := range methods {
		e := newEstate(t, st)
		for _, c := range allCalls()[name] {
			look(t, st, Call{name, func() error {
				rec.Reset()
				_, err := invoke(t.Context(), recorded.ForUser(e.user), name, c.args(e, e.live.ID))
				if expected(err) {
					return nil
				}
				return err
			}}, rec.Statements)
		}
	}
}
