package storetest

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/store"
)

// wrongTimes are outside of what both databases keep. The last is beyond PostgreSQL's own end.
var wrongTimes = []time.Time{
	distant,
	time.Date(9999, 12, 31, 23, 30, 0, 0, time.FixedZone("", -3600)),
	time.Date(0, 12, 31, 23, 59, 59, 0, time.UTC),
	time.Date(1, 1, 1, 0, 30, 0, 0, time.FixedZone("", 3600)),
	time.Date(-5000, 1, 1, 0, 0, 0, 0, time.UTC),
	time.Date(294277, 1, 9, 4, 0, 54, 775807000, time.UTC),
}

// wrongTimesAreRefused puts a wrong time into each time of each argument of every method.
func wrongTimesAreRefused(t *testing.T, st store.Store) {
	e := newEstate(t, st)
	before := dump(t, st, e.user)
	tried := 0
	for name, calls := range allCalls() {
		for _, c := range calls {
			for _, wrong := range wrongTimes {
				for where, args := range vary(c.args(e, e.live.ID), func(time.Time) time.Time { return wrong }) {
					if ignoredTime(name, where) {
						continue
					}
					for of, s := range map[string]store.Scope{"one": st.ForUser(e.user), "all": st.AllUsers()} {
						_, err := invoke(t.Context(), s, name, args)
						require.ErrorIs(t, err, store.ErrInvalid, "%s of %s with %s = %v", name, of, where, wrong)
						tried++
					}
				}
			}
		}
	}
	require.Greater(t, tried, 500, "there are times to be wrong")
	require.Equal(t, before, dump(t, st, e.user), "nothing was written")
}

// ignoredTime tells whether a time is not looked at: those of the e-mail that FindThread asks
// about, those of a row that stands for its id, and the mark of a soft delete, which no new row has.
func ignoredTime(method, where string) bool {
	return method == "Messages.FindThread" || method == "States.OfConversations" || strings.Contains(where, ".DeletedAt")
}
