package storetest

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/store"
)

// uncleanKeysFind puts U+0000 into each text of each argument of every method, of a store that
// takes it out: it must do what it does with the clean text. Then the same key with bytes that
// are not UTF-8 finds what was stored with it.
func uncleanKeysFind(t *testing.T, st store.Store) {
	e := newEstate(t, st)
	// run tells whether a call succeeds and finds something, without a trace.
	run := func(name string, args []any) (found bool, err error) {
		undone := st.Transaction(t.Context(), func(tx store.Store) error {
			var results []any
			results, err = invoke(t.Context(), tx.ForUser(e.user), name, args)
			found = !nothing(results)
			return errUndo
		})
		require.ErrorIs(t, undone, errUndo)
		return found, err
	}
	unclean := func(s string) string {
		if s == "" {
			return s
		}
		return s[:1] + "\x00" + s[1:] + "\x00"
	}
	tried := 0
	for name, calls := range allCalls() {
		if name == "Reports.ResponseRate" {
			continue // its column is not data but the host's own name for it
		}
		for _, c := range calls {
			visitor := e.live.ID
			for where := range vary(c.args(e, visitor), unclean) {
				args := vary(c.args(e, visitor), unclean)[where] // an earlier call has filled in what they share
				found, err := run(name, args)
				want, wantErr := run(name, freshArgs(c, e, visitor))
				assert.Equal(t, want, found, "%s with %s: %v", name, where, err)
				assert.Equal(t, wantErr == nil, err == nil, "%s with %s: %v, not %v", name, where, err, wantErr)
				tried++
			}
		}
	}
	require.Greater(t, tried, 50, "there are texts to be unclean")
}

// freshArgs are the arguments of a call, with models that no earlier call has filled in.
func freshArgs(c call, e *estate, visitor uuid.UUID) []any {
	args := c.args(e, visitor)
	for _, fresh := range vary(args, func(s string) string { return s }) {
		args = fresh
	}
	return args
}
