package storetest

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// edits are the ways to edit a message, by the method of MessageEditor.
var edits = map[string][]func(ctx context.Context, ms store.Messages, id uuid.UUID) (*message.Message, error){
	"Update": {
		update(store.MessageUpdate{Content: new("b")}),
		update(store.MessageUpdate{Content: new("b"), Metadata: new(message.JSON(`{}`))}),
		update(store.MessageUpdate{Metadata: new(message.JSON(`{}`))}),
		update(store.MessageUpdate{Metadata: new(message.MustJSON(strings.Repeat("long ", 4<<10)))}),
	},
	"MergeMetadata": {func(ctx context.Context, ms store.Messages, id uuid.UUID) (*message.Message, error) {
		return ms.MergeMetadata(ctx, id, message.JSON(`{"a":1}`))
	}},
}

func update(u store.MessageUpdate) func(context.Context, store.Messages, uuid.UUID) (*message.Message, error) {
	return func(ctx context.Context, ms store.Messages, id uuid.UUID) (*message.Message, error) {
		return ms.Update(ctx, id, u)
	}
}

// hiding are the methods of MessageEditor that change nothing that a writer writes.
var hiding = []string{"Delete", "Restore", "RestoreAll"}

func streamIsNotEdited(t *testing.T, w *world) {
	ctx, ms := t.Context(), w.mine.Messages()
	s := w.stream(t, w.thread(t, 1))
	w.wrote(t, s, "a")
	before := w.message(t, s.ID())
	editor := reflect.TypeFor[store.MessageEditor]()
	for i := range editor.NumMethod() {
		name := editor.Method(i).Name
		require.NotEqual(t, slices.Contains(hiding, name), edits[name] != nil, "%s edits a message or it does not", name)
		for _, edit := range edits[name] {
			refused := func(ms store.Messages) {
				t.Helper()
				_, err := edit(ctx, ms, s.ID())
				lost(t, err, store.StreamActive)
			}
			refused(ms)
			refused(w.st.AllUsers().Messages())
			require.NoError(t, w.st.Transaction(ctx, func(tx store.Store) error {
				refused(tx.ForUser(w.user).Messages())
				return nil
			}))
			missing[*message.Message](t)(edit(ctx, ms, uuid.New()))
		}
	}
	require.ErrorIs(t, w.mine.Embeddings().Set(ctx, s.ID(), "m", axis(0)), store.ErrNotFound)
	same(t, before, w.message(t, s.ID()))
	require.NoError(t, s.Finish(ctx, store.Usage{}))
	for _, ways := range edits {
		for _, edit := range ways {
			must[*message.Message](t)(edit(ctx, ms, s.ID()))
		}
	}
	require.NoError(t, w.mine.Embeddings().Set(ctx, s.ID(), "m", axis(0)))
}
