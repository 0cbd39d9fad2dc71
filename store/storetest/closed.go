package storetest

import (
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// RunClosed calls every method of every role, found by reflection, after Close: its error matches
// store.ErrClosed. It is for stores that own their pool. A store on a host's handle closes nothing,
// and has the database's error once the host has closed that.
func RunClosed(t *testing.T, f Factory) {
	t.Helper()
	st := besideLeads(t, f)
	e := newEstate(t, st)
	host, err := convostore.New(t.Context(), st.DB(t.Context()), withLeads())
	require.NoError(t, err)
	s, err := st.ForUser(e.user).Messages().Stream(t.Context(), e.live.ID, &message.Message{Role: message.RoleAssistant}, store.StreamOptions{})
	require.NoError(t, err)
	var calls []func(in store.Store)
	for _, name := range allMethods() {
		for i, c := range allCalls()[name] {
			args := c.args(e, e.live.ID)
			calls = append(calls, func(in store.Store) {
				closed := 0
				for _, scope := range []store.Scope{in.ForUser(e.user), in.AllUsers()} {
					_, err := invoke(t.Context(), scope, name, args)
					if bad, ok := errors.AsType[*store.InvalidError](err); ok && slices.Contains([]string{"scope", "cursor", "user_id"}, bad.Field) {
						continue // which is for the other scope
					}
					require.ErrorIs(t, err, store.ErrClosed, "%s %d", name, i)
					closed++
				}
				assert.Positive(t, closed, "%s %d", name, i)
			})
		}
	}
	require.NoError(t, host.Close())
	newThread(t, host.ForUser(e.user), 1) // the handle is not its own
	require.NoError(t, st.Close())
	for _, call := range calls {
		call(st)
	}
	for _, name := range healthMethods() {
		err := askHealth(t.Context(), st, name)
		if name == "PoolStats" || name == "Replicas" || errors.Is(err, store.ErrUnsupported) {
			continue // they ask no database
		}
		require.ErrorIs(t, err, store.ErrClosed, "Health.%s", name)
	}
	require.ErrorIs(t, s.Finish(t.Context(), store.Usage{}), store.ErrClosed)
	closedTransactions(t, st, host, e)
}

// closedTransactions begins some after Close, also of another store on the same handle.
func closedTransactions(t *testing.T, st, host store.Store, e *estate) {
	t.Helper()
	never := func(store.Store) error { return errors.New("a transaction of a closed store") }
	require.ErrorIs(t, st.Transaction(t.Context(), never), store.ErrClosed)
	get := func(in store.Store) error {
		_, err := in.ForUser(e.user).Conversations().Get(t.Context(), e.live.ID)
		return err
	}
	for _, err := range []error{get(host), host.Transaction(t.Context(), never)} {
		require.Error(t, err)
		assert.NotErrorIs(t, err, store.ErrClosed, "the host's own error")
	}
}
