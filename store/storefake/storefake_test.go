package storefake_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/sqlite"
	"github.com/convostore/convostore/store/storefake"
)

var errFake = errors.New("the disk is full")

// fakes are a pointer to one fake of each role, by its name.
func fakes(t *testing.T) map[string]reflect.Value {
	t.Helper()
	all := map[string]reflect.Value{"MessageStream": reflect.ValueOf(&storefake.MessageStream{})}
	roles := reflect.TypeFor[storefake.Roles]()
	for i := range roles.NumField() {
		all[roles.Field(i).Name] = reflect.New(roles.Field(i).Type)
	}
	return all
}

// TestEachScopeRoleHasAFake: a role that is added to the contract is added here.
func TestEachScopeRoleHasAFake(t *testing.T) {
	t.Parallel()
	all := fakes(t)
	scope := reflect.TypeFor[store.Scope]()
	for i := range scope.NumMethod() {
		assert.Contains(t, all, scope.Method(i).Name)
	}
	assert.Len(t, all, scope.NumMethod()+2, "those, Health and MessageStream")
}

// zeros are arguments for a call: a context and zero values.
func zeros(fn reflect.Type) []reflect.Value {
	var in []reflect.Value
	for i := range fn.NumIn() {
		switch kind := fn.In(i); {
		case kind == reflect.TypeFor[context.Context]():
			in = append(in, reflect.ValueOf(context.Background()))
		case fn.IsVariadic() && i == fn.NumIn()-1:
		default:
			in = append(in, reflect.Zero(kind))
		}
	}
	return in
}

// noting is a function of a type that notes a name and returns zero values.
func noting(fn reflect.Type, into *[]string, name string) reflect.Value {
	return reflect.MakeFunc(fn, func([]reflect.Value) []reflect.Value {
		*into = append(*into, name)
		var out []reflect.Value
		for i := range fn.NumOut() {
			out = append(out, reflect.Zero(fn.Out(i)))
		}
		return out
	})
}

// TestEachMethodCanBeReplaced takes every method of every role: it goes to its function, without
// one to the role below, and not at all if Before has an error.
func TestEachMethodCanBeReplaced(t *testing.T) {
	t.Parallel()
	for name, fake := range fakes(t) {
		below := reflect.New(fake.Elem().Type())
		var called []string
		role := fake.Elem().FieldByName(name)
		role.Set(below)
		for i := range role.Type().NumMethod() {
			m := role.Type().Method(i)
			own, its := fake.Elem().FieldByName(m.Name+"Func"), below.Elem().FieldByName(m.Name+"Func")
			require.True(t, own.IsValid(), "%s has no %sFunc", name, m.Name)
			require.Equal(t, m.Type, own.Type(), "%s.%sFunc", name, m.Name)
			call := fake.MethodByName(m.Name)
			its.Set(noting(m.Type, &called, "below "+m.Name))
			call.Call(zeros(m.Type))
			own.Set(noting(m.Type, &called, "own "+m.Name))
			call.Call(zeros(m.Type))
			require.Equal(t, []string{"below " + m.Name, "own " + m.Name}, called, name)
			called = nil
			if m.Type.NumIn() == 0 || m.Type.In(0) != reflect.TypeFor[context.Context]() {
				continue
			}
			var asked string
			fake.Elem().FieldByName("Before").Set(reflect.ValueOf(func(_ context.Context, call string) error {
				asked = call
				return errFake
			}))
			out := call.Call(zeros(m.Type))
			require.Equal(t, errFake, errorOf(t, out[len(out)-1]), "%s.%s", name, m.Name)
			require.Equal(t, name+"."+m.Name, asked)
			require.Empty(t, called)
			fake.Elem().FieldByName("Before").SetZero()
		}
	}
}

// errorOf is an error, or the one that an iteration yields.
func errorOf(t *testing.T, result reflect.Value) error {
	t.Helper()
	if err, ok := result.Interface().(error); ok {
		return err
	}
	require.True(t, strings.HasPrefix(result.Type().String(), "iter.Seq2["), "%s is neither", result.Type())
	var err error
	rounds := 0
	for _, second := range result.Seq2() {
		err = second.Interface().(error)
		rounds++
	}
	require.Equal(t, 1, rounds)
	return err
}

func openFake(t *testing.T) (*storefake.Store, store.Store) {
	t.Helper()
	below, err := sqlite.OpenMemory(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, below.Close()) })
	return storefake.New(below), below
}

// TestStoreFallsThrough: a service sees no difference until something is replaced.
func TestPanicOfACallNamesIt(t *testing.T) {
	t.Parallel()
	const reason = " was called, which has no function and no store below it"
	assert.PanicsWithValue(t, "storefake: Messages.Last"+reason, func() {
		_, _ = (&storefake.Messages{}).Last(t.Context(), uuid.New(), 1)
	})
	assert.PanicsWithValue(t, "storefake: MessageStream.Text"+reason, func() { (&storefake.MessageStream{}).Text() })
}

func TestStoreFallsThrough(t *testing.T) {
	t.Parallel()
	fake, below := openFake(t)
	ctx, user := t.Context(), uuid.New()
	c := &conversation.Conversation{Title: "Holiday"}
	require.NoError(t, fake.ForUser(user).Conversations().Create(ctx, c))
	got, err := below.ForUser(user).Conversations().Get(ctx, c.ID)
	require.NoError(t, err)
	require.Equal(t, "Holiday", got.Title)
	ready, err := fake.Health().Ready(ctx)
	require.NoError(t, err)
	require.NotZero(t, ready)
	require.ErrorIs(t, fake.Transaction(ctx, nil), store.ErrInvalid)
}

// TestFunctionsHoldInTransactions: of the library and of the host.
func TestFunctionsHoldInTransactions(t *testing.T) {
	t.Parallel()
	fake, below := openFake(t)
	ctx, user := t.Context(), uuid.New()
	c := &conversation.Conversation{Title: "Holiday"}
	fake.Roles.Messages.AppendFunc = func(context.Context, uuid.UUID, *message.Message) (bool, error) { return false, errFake }
	work := func(tx store.Store) error {
		mine := tx.ForUser(user)
		if err := mine.Conversations().Create(ctx, c); err != nil {
			return err
		}
		_, err := mine.Messages().Append(ctx, c.ID, &message.Message{Role: message.RoleUser, Content: "hello"})
		return err
	}
	require.ErrorIs(t, fake.Transaction(ctx, work), errFake)
	err := below.DB(ctx).Transaction(func(tx *gorm.DB) error { return work(fake.WithTx(tx)) })
	require.ErrorIs(t, err, errFake)
	_, err = below.ForUser(user).Conversations().Get(ctx, c.ID)
	require.ErrorIs(t, err, store.ErrNotFound, "it was rolled back")
}

// TestBeforeNumbersCalls: one after the other fails, whichever it is.
func TestBeforeNumbersCalls(t *testing.T) {
	t.Parallel()
	fake, _ := openFake(t)
	ctx := t.Context()
	var calls []string
	failAt := 0
	fake.Before = func(_ context.Context, call string) error {
		if calls = append(calls, call); len(calls) == failAt {
			return errFake
		}
		return nil
	}
	work := func() error {
		calls = nil
		return fake.Transaction(ctx, func(tx store.Store) error {
			all := tx.AllUsers()
			if _, err := all.Maintenance().Counts(ctx); err != nil {
				return err
			}
			_, err := tx.Health().Ready(ctx)
			return err
		})
	}
	for failAt = 1; failAt <= 3; failAt++ {
		require.ErrorIs(t, work(), errFake)
		require.Len(t, calls, failAt)
	}
	require.NoError(t, work())
	require.Equal(t, []string{"Store.Transaction", "Maintenance.Counts", "Health.Ready"}, calls)
	fake.Roles.Health.Before = func(context.Context, string) error { return errFake }
	require.ErrorIs(t, work(), errFake, "a role's own is asked in the place of the store's")
}
