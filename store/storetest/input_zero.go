package storetest

import (
	"context"
	"errors"
	"iter"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// typed tells whether an error is one that a caller can tell from that of a database.
func typed(err error) bool {
	return slices.ContainsFunc([]error{
		store.ErrInvalid, store.ErrNotFound, store.ErrConflict, store.ErrUnsupported, store.ErrNotEmbedded,
	}, func(known error) bool { return errors.Is(err, known) })
}

// zeroArguments make the arguments of a method from zero values, from lists of one zero value,
// and from pointers to zero values. An id is that of an existing row.
func zeroArguments(ctx context.Context, f reflect.Type, id uuid.UUID) map[string][]reflect.Value {
	args := map[string][]reflect.Value{}
	for i := range f.NumIn() {
		in := f.In(i)
		zero, one, pointer := reflect.Zero(in), reflect.Zero(in), reflect.Zero(in)
		switch {
		case in == reflect.TypeFor[context.Context]():
			zero = reflect.ValueOf(ctx)
			one, pointer = zero, zero
		case in == reflect.TypeFor[uuid.UUID]():
			one = reflect.ValueOf(id)
			pointer = one
		case in.Kind() == reflect.Slice:
			one = reflect.MakeSlice(in, 1, 1)
			pointer = reflect.MakeSlice(in, 2, 2)
			if in.Elem().Kind() == reflect.Pointer {
				pointer.Index(0).Set(reflect.New(in.Elem().Elem()))
			}
		case in.Kind() == reflect.Pointer:
			pointer = reflect.New(in.Elem())
		}
		args["zero"] = append(args["zero"], zero)
		args["a zero element"] = append(args["a zero element"], one)
		args["a zero pointer"] = append(args["a zero pointer"], pointer)
	}
	return args
}

// finish walks what a method returned, if it can be walked, and returns the error.
func finish(results []reflect.Value) (err error) {
	for _, r := range results {
		switch v := r.Interface().(type) {
		case error:
			err = v
		case iter.Seq2[*conversation.Conversation, error]:
			_, err = collect(v)
		case iter.Seq2[*message.Message, error]:
			_, err = collect(v)
		}
	}
	return err
}

// testInputZero calls every method with zero values: no panic, and no error of the database.
func testInputZero(t *testing.T, w *world) {
	ctx := t.Context()
	for _, name := range allMethods() {
		for of, s := range map[string]store.Scope{"one": w.mine, "all": w.st.AllUsers(), "nobody": w.st.ForUser(uuid.Nil)} {
			w.callWithNothing(t, name, of, s)
		}
	}
	require.ErrorIs(t, w.st.Transaction(ctx, nil), store.ErrInvalid)
	require.NoError(t, w.st.Transaction(ctx, func(tx store.Store) error {
		require.ErrorIs(t, tx.Transaction(ctx, nil), store.ErrInvalid)
		return nil
	}))
	_, err := w.mine.Messages().Import(ctx, nil, store.ImportOptions{})
	invalid(t, err, "rows")
}

func (w *world) callWithNothing(t *testing.T, name, of string, s store.Scope) {
	t.Helper()
	ctx := t.Context()
	role, method, _ := strings.Cut(name, ".")
	f := reflect.ValueOf(s).MethodByName(role).Call(nil)[0].MethodByName(method)
	call := f.Call
	if f.Type().IsVariadic() {
		call = f.CallSlice
	}
	for what := range zeroArguments(ctx, f.Type(), uuid.Nil) {
		ids := []uuid.UUID{uuid.Nil}
		if what != "zero" && takesID(f.Type()) {
			c := w.thread(t, 1)
			ids = []uuid.UUID{c.ID, c.Messages[0].ID, w.decided(t, c, "").ID}
		}
		for _, id := range ids {
			args := zeroArguments(ctx, f.Type(), id)[what]
			assert.NotPanics(t, func() {
				if err := finish(call(args)); err != nil {
					assert.True(t, typed(err), "%s of %s with %s: %v", name, of, what, err)
				}
			}, "%s of %s with %s", name, of, what)
		}
	}
}

func takesID(f reflect.Type) bool {
	for i := range f.NumIn() {
		if f.In(i) == reflect.TypeFor[uuid.UUID]() {
			return true
		}
	}
	return false
}
