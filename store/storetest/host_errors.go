package storetest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/testrun"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

// runHostErrors calls every method of every role, found by reflection, inside a host's
// transaction so that it fails: with an error of this library, after which the transaction
// must be usable, or with one of the server's, after which a savepoint around the call must
// make it usable.
func (can Capabilities) runHostErrors(t *testing.T, f Factory) {
	t.Run("named", func(t *testing.T) { can.namedErrorsLeaveTransaction(t, f) })
	t.Run("ended context", func(t *testing.T) { endedContextsLeaveTransaction(t, besideLeads(t, f)) })
	t.Run("server's", func(t *testing.T) { can.savepointsOutliveTheServersErrors(t, besideLeads(t, f)) })
}

// hostTx is a transaction of a host's, begun anew when something was written in it.
type hostTx struct {
	st     store.Store
	e      *estate
	before string
	tx     *gorm.DB
}

func beginHost(t *testing.T, st store.Store) *hostTx {
	t.Helper()
	h := &hostTx{st: st, e: newEstate(t, st)}
	h.before = dump(t, st, h.e.user)
	h.begin(t)
	t.Cleanup(func() { require.NoError(t, h.tx.Rollback().Error) })
	return h
}

func (h *hostTx) begin(t *testing.T) {
	t.Helper()
	h.tx = h.st.DB(context.WithoutCancel(t.Context())).Begin()
	require.NoError(t, h.tx.Error)
}

// left checks what a call that returned err has left behind.
func (h *hostTx) left(t *testing.T, what string, err error) {
	t.Helper()
	if err == nil {
		require.NoError(t, h.tx.Rollback().Error, what)
		h.begin(t)
		return
	}
	if !assert.True(t, named(err), "%s: what can be foreseen has a name: %v", what, err) {
		require.NoError(t, h.tx.Rollback().Error, what)
		h.begin(t)
		return
	}
	var one int
	require.NoError(t, h.tx.Raw("SELECT 1").Scan(&one).Error, "%s: the transaction is usable after %v", what, err)
	if strings.HasPrefix(what, "Search.") || strings.HasPrefix(what, "Reports.") {
		return // they write nothing anywhere
	}
	require.Equal(t, h.before, dump(t, h.st.WithTx(h.tx), h.e.user), "%s: nothing is written beside %v", what, err)
}

// named tells whether an error is one that the contracts of the methods speak of.
func named(err error) bool {
	return slices.ContainsFunc([]error{
		store.ErrNotFound, store.ErrConflict, store.ErrInvalid, store.ErrUnsupported, store.ErrNotEmbedded, store.ErrSchema,
		context.Canceled,
	}, func(is error) bool { return errors.Is(err, is) })
}

// namedErrorsLeaveTransaction calls every method as a stranger, as nobody, and as the owner
// with each argument, and each field of one, spoiled in turn. Thousands of calls take
// seconds, and minutes on an SQLite in Go with the race detector. So only a run of the
// whole contract includes it, and a full run.
func (can Capabilities) namedErrorsLeaveTransaction(t *testing.T, f Factory) {
	if !testrun.Full() && (!can.whole || (testrun.Race && can.OneWriter)) {
		t.Skip("only in the whole contract, on SQLite without the race detector, and with `make test-full`")
	}
	h := beginHost(t, besideLeads(t, f))
	for _, name := range allMethods() {
		for i, c := range allCalls()[name] {
			args := func() []any { return slices.Clone(c.args(h.e, h.e.live.ID)) }
			for who, user := range map[string]uuid.UUID{"stranger": uuid.New(), "nobody": uuid.Nil, "owner": h.e.user} {
				_, err := invoke(t.Context(), h.st.WithTx(h.tx).ForUser(user), name, args())
				h.left(t, fmt.Sprint(name, " ", i, " of the ", who), err)
			}
			for j := range args() {
				for k := range spoiled(reflect.ValueOf(args()[j])) {
					bad := args()
					value := spoiled(reflect.ValueOf(bad[j]))[k]
					bad[j] = value.Interface()
					_, err := invoke(t.Context(), h.st.WithTx(h.tx).ForUser(h.e.user), name, bad)
					h.left(t, fmt.Sprintf("%s %d with %.200q", name, i, fmt.Sprintf("%+v", bad)), err)
				}
			}
		}
	}
	for _, name := range healthMethods() {
		h.left(t, "Health."+name, askHealth(t.Context(), h.st.WithTx(h.tx), name))
	}
}

// endedContextsLeaveTransaction calls every method with a context that has ended.
func endedContextsLeaveTransaction(t *testing.T, st store.Store) {
	h := beginHost(t, st)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, name := range allMethods() {
		for i, c := range allCalls()[name] {
			_, err := invoke(ctx, h.st.WithTx(h.tx).ForUser(h.e.user), name, c.args(h.e, h.e.live.ID))
			h.left(t, fmt.Sprint(name, " ", i), err)
		}
	}
}

// savepointsOutliveTheServersErrors has another session lock the tables, all of them and
// then one after the other, so that methods fail at their beginning and on their way.
func (can Capabilities) savepointsOutliveTheServersErrors(t *testing.T, st store.Store) {
	can.needsManyWriters(t)
	hostTable(t, st)
	e := newEstate(t, st)
	before := dump(t, st, e.user)
	models := []any{&conversation.Conversation{}, &message.Message{}, &message.Embedding{}, &suggestion.Suggestion{}}
	failed := map[string]bool{}
	underLock(t, st, "ACCESS EXCLUSIVE", models, func() { timeOutInside(t, st, e, failed) })
	for _, name := range allMethods() {
		// What was set aside is in a table without a model.
		assert.True(t, failed[name] || refusedInside(name) || name == "Embeddings.RetrySetAside", "%s ran into the lock", name)
	}
	for _, model := range models {
		underLock(t, st, "EXCLUSIVE", []any{model}, func() { timeOutInside(t, st, e, failed) })
	}
	assert.Equal(t, before, dump(t, st, e.user), "the hosts' transactions were committed, and nothing of the methods was")
}

// refusedInside tells of methods that a transaction or one user's scope refuses.
func refusedInside(name string) bool {
	return slices.Contains([]string{
		"Messages.Stream", "Messages.ResumeStream", "Messages.FollowStream",
		"Embeddings.EmbedMissing", "Embeddings.Train", "Embeddings.Trainings",
		"Maintenance.Analyze", "Maintenance.Vacuum", "Maintenance.VacuumFull", "Maintenance.Reindex",
		"Maintenance.PackSearch", "Maintenance.ReindexSearch", "Maintenance.SearchState",
	}, name)
}

// underLock runs fn while another session holds locks on tables.
func underLock(t *testing.T, st store.Store, mode string, models []any, fn func()) {
	t.Helper()
	lock := st.DB(t.Context()).Begin()
	require.NoError(t, lock.Error)
	defer func() { require.NoError(t, lock.Rollback().Error) }()
	for _, model := range models {
		of := &gorm.Statement{DB: lock}
		require.NoError(t, of.Parse(model))
		require.NoError(t, lock.Exec("LOCK TABLE "+of.Quote(of.Schema.Table)+" IN "+mode+" MODE").Error)
	}
	fn()
}

// timeOutInside calls every method in a transaction of the host's, which goes on and commits.
func timeOutInside(t *testing.T, st store.Store, e *estate, failed map[string]bool) {
	t.Helper()
	for _, name := range allMethods() {
		for _, c := range allCalls()[name] {
			rows := hostRows(t, st)
			_ = st.DB(t.Context()).Transaction(func(tx *gorm.DB) error {
				require.NoError(t, tx.Exec("SET LOCAL lock_timeout = '1ms'").Error)
				err := st.WithTx(tx).Transaction(t.Context(), func(in store.Store) error {
					_, err := invoke(t.Context(), in.ForUser(e.user), name, c.args(e, e.live.ID))
					return err
				})
				if err == nil {
					rows--
					return errUndo // or else it is there
				}
				failed[name] = failed[name] || !named(err)
				require.NoError(t, tx.Exec("INSERT INTO host_rows VALUES (1)").Error, "%s: the transaction is usable after %v", name, err)
				return nil
			})
			require.Equal(t, rows+1, hostRows(t, st), "%s: the host's own row", name)
		}
	}
}

// healthMethods are those of store.Health.
func healthMethods() []string {
	var names []string
	health := reflect.TypeFor[store.Health]()
	for i := range health.NumMethod() {
		names = append(names, health.Method(i).Name)
	}
	return names
}

// askHealth calls one with its zero values after the context.
func askHealth(ctx context.Context, st store.Store, name string) (err error) {
	method := reflect.ValueOf(st.Health()).MethodByName(name)
	in := make([]reflect.Value, method.Type().NumIn())
	for i := range in {
		in[i] = reflect.Zero(method.Type().In(i))
		if i == 0 {
			in[i] = reflect.ValueOf(ctx)
		}
	}
	for _, out := range method.Call(in) {
		if e, ok := out.Interface().(error); ok {
			err = e
		}
	}
	return err
}
