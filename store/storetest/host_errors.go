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
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

// runHostErrors calls every method of every role, found by reflection, inside a host's
// transaction so that it fails: with an error of this library, after which the transaction
// must be usable, or with one of the server's, after which a savepoint around the call must
// make it usable. The part Refusals has the thousands of ways to fail by an argument.
func (can Capabilities) runHostErrors(t *testing.T, f Factory) {
	t.Run("ended context", func(t *testing.T) { endedContextsLeaveTransaction(t, besideLeads(t, f)) })
	t.Run("server's", func(t *testing.T) { can.savepointsOutliveTheServersErrors(t, besideLeads(t, f)) })
}

// hostTx is a transaction of a host's, in which nothing stays written.
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

// call lets a call fail with a named error, after which the transaction is usable. What one that
// succeeds has written is taken back.
func (h *hostTx) call(t *testing.T, what string, call func(inside store.Store) error) {
	t.Helper()
	require.NoError(t, h.tx.Exec("SAVEPOINT before_the_call").Error, what)
	err := call(h.st.WithTx(h.tx))
	if err == nil {
		require.NoError(t, h.tx.Exec("ROLLBACK TO SAVEPOINT before_the_call").Error, what)
	} else if !assert.True(t, named(err), "%s: what can be foreseen has a name: %v", what, err) {
		require.NoError(t, h.tx.Rollback().Error, what)
		h.begin(t)
		return
	}
	require.NoError(t, h.tx.Exec("RELEASE SAVEPOINT before_the_call").Error, "%s: the transaction is usable after %v", what, err)
}

// unchanged requires that the failed calls of a method have written nothing. It reads every
// table, which takes longer than the calls.
func (h *hostTx) unchanged(t *testing.T, method string) {
	t.Helper()
	if strings.HasPrefix(method, "Search.") || strings.HasPrefix(method, "Reports.") {
		return // they write nothing anywhere
	}
	require.Equal(t, h.before, dump(t, h.st.WithTx(h.tx), h.e.user), "%s: nothing is written beside an error", method)
}

// named tells whether an error is one that the contracts of the methods speak of.
func named(err error) bool {
	return slices.ContainsFunc([]error{
		store.ErrNotFound, store.ErrConflict, store.ErrInvalid, store.ErrUnsupported, store.ErrNotEmbedded, store.ErrSchema,
		context.Canceled,
	}, func(is error) bool { return errors.Is(err, is) })
}

// runRefusals calls every method inside a host's transaction as a stranger, as nobody, and as
// the owner with each argument, and each field of one, spoiled in turn: thousands of calls. What
// they return has a name, and they leave the transaction usable and write nothing.
func runRefusals(t *testing.T, f Factory) {
	h := beginHost(t, besideLeads(t, f))
	for _, name := range allMethods() {
		for i, c := range allCalls()[name] {
			h.refuse(t, fmt.Sprint(name, " ", i), name, func() []any { return slices.Clone(c.args(h.e, h.e.live.ID)) })
		}
		h.unchanged(t, name)
	}
	for _, name := range healthMethods() {
		h.call(t, "Health."+name, func(inside store.Store) error { return askHealth(t.Context(), inside, name) })
	}
	h.unchanged(t, "Health")
}

// refuse makes a call as somebody else and with spoiled arguments.
func (h *hostTx) refuse(t *testing.T, what, method string, args func() []any) {
	t.Helper()
	ask := func(what string, user uuid.UUID, args []any) {
		h.call(t, what, func(inside store.Store) error {
			_, err := invoke(t.Context(), inside.ForUser(user), method, args)
			return err
		})
	}
	for who, user := range map[string]uuid.UUID{"stranger": uuid.New(), "nobody": uuid.Nil, "owner": h.e.user} {
		ask(what+" of the "+who, user, args())
	}
	for j := range args() {
		for k := range spoiled(reflect.ValueOf(args()[j])) {
			bad := args()
			value := spoiled(reflect.ValueOf(bad[j]))[k]
			bad[j] = value.Interface()
			ask(fmt.Sprintf("%s with %.200q", what, fmt.Sprintf("%+v", bad)), h.e.user, bad)
		}
	}
}

// endedContextsLeaveTransaction calls every method with a context that has ended.
func endedContextsLeaveTransaction(t *testing.T, st store.Store) {
	h := beginHost(t, st)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, name := range allMethods() {
		for i, c := range allCalls()[name] {
			h.call(t, fmt.Sprint(name, " ", i), func(inside store.Store) error {
				_, err := invoke(ctx, inside.ForUser(h.e.user), name, c.args(h.e, h.e.live.ID))
				return err
			})
		}
		h.unchanged(t, name)
	}
}

// savepointsOutliveTheServersErrors has another session lock the tables, all of them and
// then one after the other, so that methods fail at their beginning and on their way.
func (can Capabilities) savepointsOutliveTheServersErrors(t *testing.T, st store.Store) {
	can.needsManyWriters(t)
	hostTable(t, st)
	e := newEstate(t, st)
	before := dump(t, st, e.user)
	models := []any{&conversation.Conversation{}, &message.Message{}, &message.Embedding{}, &suggestion.Suggestion{}, &message.OutboxEntry{}}
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
		"Conversations.Watch", "Messages.Tail", "Deliveries.Run",
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
