package storetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// mergeTest is a document, a patch, and what is left of the document then.
type mergeTest struct{ name, target, patch, want string }

// mergeTests are what a merge of metadata does. Those with an object as the patch are from the
// appendix of RFC 7396.
func mergeTests() []mergeTest {
	long := `{"keep":123456789012345678901234567890,"f":1.10}`
	return []mergeTest{
		{"replace", `{"a":"b"}`, `{"a":"c"}`, `{"a":"c"}`},
		{"add", `{"a":"b"}`, `{"b":"c"}`, `{"a":"b","b":"c"}`},
		{"remove", `{"a":"b"}`, `{"a":null}`, `{}`},
		{"remove one", `{"a":"b","b":"c"}`, `{"a":null}`, `{"b":"c"}`},
		{"list to text", `{"a":["b"]}`, `{"a":"c"}`, `{"a":"c"}`},
		{"text to list", `{"a":"c"}`, `{"a":["b"]}`, `{"a":["b"]}`},
		{"deep", `{"a":{"b":"c"}}`, `{"a":{"b":"d","c":null}}`, `{"a":{"b":"d"}}`},
		{"lists are whole", `{"a":[{"b":"c"}]}`, `{"a":[1]}`, `{"a":[1]}`},
		{"null stays", `{"e":null}`, `{"a":1}`, `{"e":null,"a":1}`},
		{"list as target", `[1,2]`, `{"a":"b","c":null}`, `{"a":"b"}`},
		{"null in what is new", `{}`, `{"a":{"bb":{"ccc":null}}}`, `{"a":{"bb":{}}}`},
		{"null in a list stays", `{}`, `{"a":[null,{"b":null}]}`, `{"a":[null,{"b":null}]}`},
		{"scalar to object", `{"a":1}`, `{"a":{"b":null,"c":2}}`, `{"a":{"c":2}}`},
		{"nothing", `{"a":1}`, `{}`, `{"a":1}`},
		{"none as target", `null`, `{"a":1,"b":null}`, `{"a":1}`},
		{
			"digits", long, `{"new":0.1234567890123456789012345678901}`,
			`{"keep":123456789012345678901234567890,"f":1.10,"new":0.1234567890123456789012345678901}`,
		},
		{
			"odd keys", digits, `{"a.b":null,"$x":{"[0]":3},"q\"uote":{"'":1},"":"empty","emoji":null}`,
			`{"n":123456789012345678901234567890,"f":0.1234567890123456789012345678901,` +
				`"deep":{"a":{"b":{"c":[1,{"d":null},"é",true]}}},"$x":{"[0]":3},"q\"uote":{"'":1},"":"empty"}`,
		},
	}
}

// badPatches are no patches for metadata.
var badPatches = []string{``, `null`, `[]`, `1`, `"a"`, `{`, `{"a":1}{}`, `{"a":"\u0000"}`, `{"a":"\ud800"}`, `{"a":1e99999}`}

func testConversationMergeMetadata(t *testing.T, w *world) {
	c := w.conversation(t)
	for _, tt := range mergeTests() {
		must[*conversation.Conversation](t)(w.mine.Conversations().SetMetadata(t.Context(), c.ID, message.JSON(tt.target)))
		now := w.tick()
		got, err := w.mine.Conversations().MergeMetadata(t.Context(), c.ID, message.JSON(tt.patch))
		require.NoError(t, err, tt.name)
		require.Equal(t, plain(t, message.JSON(tt.want)), plain(t, got.Metadata), tt.name)
		require.True(t, got.UpdatedAt.Equal(now), tt.name)
		same(t, got, w.get(t, c.ID))
	}
}

func testConversationMergeMetadataRefuses(t *testing.T, w *world) {
	c := w.create(t, &conversation.Conversation{Metadata: message.JSON(`{"a":1}`)})
	for _, patch := range badPatches {
		_, err := w.mine.Conversations().MergeMetadata(t.Context(), c.ID, message.JSON(patch))
		invalid(t, err, "patch", "metadata")
	}
	same(t, c, w.get(t, c.ID))
}

// testMessageMergeMetadata: a merge is one revision of the message and leaves the rest of
// the conversation, the content and its vectors alone.
func testMessageMergeMetadata(t *testing.T, w *world) {
	ctx := t.Context()
	c := w.conversation(t)
	m := w.append(t, c, everything(epoch))
	w.embed(t, m, "model")
	before := w.get(t, c.ID)
	for _, s := range []store.Scope{w.mine, w.st.AllUsers()} {
		for _, tt := range mergeTests() {
			set, err := w.mine.Messages().Update(ctx, m.ID, store.MessageUpdate{Metadata: new(message.JSON(tt.target))})
			require.NoError(t, err)
			want := *set
			now := w.tick()
			got, err := s.Messages().MergeMetadata(ctx, m.ID, message.JSON(tt.patch))
			require.NoError(t, err, tt.name)
			require.Equal(t, plain(t, message.JSON(tt.want)), plain(t, got.Metadata), tt.name)
			want.Metadata, want.EditedAt, want.UpdatedAt = got.Metadata, &now, now
			want.Revision++
			want.ChangeSeq++
			same(t, want, got)
			same(t, want, w.message(t, m.ID))
		}
	}
	before.LastChangeSeq = int64(4 * len(mergeTests()))
	same(t, before, w.get(t, c.ID))
	require.EqualValues(t, 1, w.counts(t).Embeddings)
}

func testMessageMergeMetadataRefuses(t *testing.T, w *world) {
	ctx := t.Context()
	c := w.conversation(t)
	m := w.append(t, c, &message.Message{Role: message.RoleUser, Metadata: message.JSON(`{"a":1}`)})
	merge := func(s store.Scope, id uuid.UUID, patch string) (*message.Message, error) {
		return s.Messages().MergeMetadata(ctx, id, message.JSON(patch))
	}
	for _, patch := range badPatches {
		_, err := merge(w.mine, m.ID, patch)
		invalid(t, err, "metadata")
	}
	missing[*message.Message](t)(merge(w.mine, uuid.New(), `{"b":1}`))
	missing[*message.Message](t)(merge(w.other(), m.ID, `{"b":1}`))
	same(t, m, w.message(t, m.ID))
	w.deleteMessage(t, m)
	missing[*message.Message](t)(merge(w.mine, m.ID, `{"b":1}`))
	kept := w.inbound(t, c)
	w.delete(t, c)
	missing[*message.Message](t)(merge(w.mine, kept.ID, `{"b":1}`))
}

// testMessageMergeMetadataBound: what the row would have after a merge is bounded, however small
// the patches are.
func testMessageMergeMetadataBound(t *testing.T, outer *world) {
	w := newWorld(t, outer.factory, convostore.WithMaxMessageBytes(2000))
	m := w.append(t, w.conversation(t), text(strings.Repeat("a", 1000)))
	merge := func(key string) error {
		_, err := w.mine.Messages().MergeMetadata(t.Context(), m.ID, message.MustJSON(map[string]string{key: strings.Repeat("b", 400)}))
		return err
	}
	require.NoError(t, merge("first"))
	require.NoError(t, merge("second"))
	before := w.message(t, m.ID)
	invalid(t, merge("third"), "message")
	same(t, before, w.message(t, m.ID))
	require.NoError(t, merge("second"), "a key that is there is replaced")
}

// mergeAtOnce: of merges at the same time all take effect, and each is one revision.
func mergeAtOnce(t *testing.T, st store.Store) {
	const callers = 50
	ctx := t.Context()
	mine := st.ForUser(uuid.New())
	c := newThread(t, mine, 1)
	listed, err := mine.Messages().Last(ctx, c.ID, 1)
	require.NoError(t, err)
	mergeAll := func(merge func(ctx context.Context, patch message.JSON) error) {
		require.NoError(t, errors.Join(together(callers, func(i int) error {
			return merge(ctx, message.MustJSON(map[string]int{fmt.Sprintf("key%d", i): i}))
		})...))
	}
	mergeAll(func(ctx context.Context, patch message.JSON) error {
		_, err := mine.Conversations().MergeMetadata(ctx, c.ID, patch)
		return err
	})
	mergeAll(func(ctx context.Context, patch message.JSON) error {
		_, err := mine.Messages().MergeMetadata(ctx, listed[0].ID, patch)
		return err
	})
	got, err := mine.Conversations().Get(ctx, c.ID)
	require.NoError(t, err)
	m, err := mine.Messages().Get(ctx, listed[0].ID)
	require.NoError(t, err)
	assert.Equal(t, listed[0].Revision+callers, m.Revision)
	for _, metadata := range []message.JSON{got.Metadata, m.Metadata} {
		var doc map[string]int
		require.NoError(t, metadata.Decode(&doc))
		assert.Len(t, doc, callers)
		for i := range callers {
			assert.Equal(t, i, doc[fmt.Sprintf("key%d", i)])
		}
	}
}
