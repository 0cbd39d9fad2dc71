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
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// counting are the methods that change messages that are there, each with a call that does.
func counting(ctx context.Context, c *conversation.Conversation, id uuid.UUID) map[string]func(ms store.Messages) error {
	of := func(_ *message.Message, err error) error { return err }
	return map[string]func(ms store.Messages) error{
		"Update": func(ms store.Messages) error {
			return of(ms.Update(ctx, id, store.MessageUpdate{Content: new(uuid.NewString())}))
		},
		"MergeMetadata": func(ms store.Messages) error { return of(ms.MergeMetadata(ctx, id, message.JSON(`{"a":1}`))) },
		"Delete":        func(ms store.Messages) error { return of(ms.Delete(ctx, id)) },
		"Restore": func(ms store.Messages) error {
			return errors.Join(of(ms.Delete(ctx, id)), of(ms.Restore(ctx, id)))
		},
		"RestoreAll": func(ms store.Messages) error {
			err := of(ms.Delete(ctx, id))
			_, again := ms.RestoreAll(ctx, c.ID)
			return errors.Join(err, again)
		},
	}
}

// testEveryChangeCounts: whatever method changes a message counts the change, in the message and
// in the conversation, as many times as it changes one.
func testEveryChangeCounts(t *testing.T, w *world) {
	ctx := t.Context()
	c := w.thread(t, 3)
	methods := counting(ctx, c, w.caughtUp(t, c.ID, store.Position{})[1].Message.ID)
	for m := range reflect.TypeFor[store.MessageEditor]().Methods() {
		require.Contains(t, methods, m.Name)
	}
	for name, change := range methods {
		for _, s := range []store.Scope{w.mine, w.st.AllUsers()} {
			must[int64](t)(w.mine.Messages().RestoreAll(ctx, c.ID))
			before, conv := w.rows(t, c.ID), w.get(t, c.ID)
			require.NoError(t, change(s.Messages()), name)
			after := w.rows(t, c.ID)
			changed := int64(0)
			for seq, m := range after {
				was := before[seq]
				changed += m.Revision - was.Revision
				if m.Revision == was.Revision {
					require.Equal(t, was, m, name)
				} else {
					require.Equal(t, conv.LastChangeSeq+m.Revision-was.Revision, m.ChangeSeq, name)
				}
			}
			require.Positive(t, changed, name)
			require.Equal(t, conv.LastChangeSeq+changed, w.get(t, c.ID).LastChangeSeq, name)
		}
	}
}

// testChangesAtOnce: changes and appends at the same time all get a place of their own, and a tail
// that runs meanwhile ends with what is stored.
func testChangesAtOnce(t *testing.T, w *world) {
	const callers, each = 8, 15
	ctx := t.Context()
	ms := w.mine.Messages()
	c := w.thread(t, 4)
	ids := []uuid.UUID{}
	for _, change := range w.caughtUp(t, c.ID, store.Position{}) {
		ids = append(ids, change.Message.ID)
	}
	tail := w.tail(t, c.ID, store.Position{}, everyLook)
	done := make(chan error, 1)
	go func() {
		err := errors.Join(together(callers, func(i int) error {
			for n := range each {
				if err := changeOne(ctx, ms, c.ID, ids[(i+n)%len(ids)], i, n); err != nil {
					return err
				}
			}
			return nil
		})...)
		_, last := ms.Append(ctx, c.ID, text("last"))
		done <- errors.Join(err, last)
	}()
	view := map[int64]message.Message{}
	var at store.Position
	// The last message may come before changes that were made before it: a look at the conversation
	// does not see both at one moment.
	for view[at.Seq].Content != "last" || at.Change < callers*each*2/3 {
		change := tail.next()
		at, view[change.Message.Seq] = change.Position, *change.Message
	}
	require.NoError(t, <-done)
	stored := w.rows(t, c.ID)
	require.Len(t, view, len(stored))
	places := []int64{}
	for seq, m := range stored {
		same(t, m, view[seq])
		if m.ChangeSeq > 0 {
			places = append(places, m.ChangeSeq)
		}
	}
	slices.Sort(places)
	require.Len(t, slices.Compact(places), len(ids))
	require.Len(t, stored, 4+callers*each/3+1)
	require.EqualValues(t, callers*each*2/3, at.Change)
}

func changeOne(ctx context.Context, ms store.Messages, conversationID, id uuid.UUID, i, n int) (err error) {
	switch (i + n) % 3 {
	case 0:
		_, err = ms.Append(ctx, conversationID, text("more"))
	case 1:
		_, err = ms.Update(ctx, id, store.MessageUpdate{Content: new(fmt.Sprint(i, n))})
	default:
		_, err = ms.MergeMetadata(ctx, id, message.MustJSON(map[string]int{fmt.Sprint(i): n}))
	}
	return err
}

// testChangeOfNone: what changes no row counts nothing.
func testChangeOfNone(t *testing.T, w *world) {
	ctx := t.Context()
	ms := w.mine.Messages()
	c := w.thread(t, 1)
	m := w.caughtUp(t, c.ID, store.Position{})[0].Message
	before := w.get(t, c.ID)
	must[*message.Message](t)(ms.Restore(ctx, m.ID))
	require.Zero(t, valueOf[int64](t)(ms.RestoreAll(ctx, c.ID)))
	missing[*message.Message](t)(w.other().Messages().Update(ctx, m.ID, store.MessageUpdate{Content: new("x")}))
	_, err := ms.MergeMetadata(ctx, m.ID, message.JSON(`[]`))
	invalid(t, err, "metadata")
	same(t, before, w.get(t, c.ID))
	bounded := newWorld(t, w.factory, convostore.WithMaxMessageBytes(100))
	c = bounded.conversation(t)
	m = bounded.append(t, c, text(strings.Repeat("a", 90)))
	_, err = bounded.mine.Messages().MergeMetadata(ctx, m.ID, message.MustJSON(map[string]string{"a": "twenty bytes and more"}))
	invalid(t, err, "message")
	require.Zero(t, bounded.get(t, c.ID).LastChangeSeq)
}

// valueOf returns what a call returned, which must not be an error.
func valueOf[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		require.NoError(t, err)
		return v
	}
}
