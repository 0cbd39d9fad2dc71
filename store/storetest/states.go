package storetest

import (
	"fmt"
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

func stateTests() subtests {
	return subtests{
		"StateMerge":              eachPlace(testStateMerge),
		"StateValuesAreBytes":     eachPlace(testStateBytes),
		"StateExpected":           eachPlace(testStateExpected),
		"StateList":               eachPlace(testStateList),
		"StateInput":              eachPlace(testStateInput),
		"StatePlaces":             testStatePlaces,
		"StatePlacesRefused":      testStatePlacesRefused,
		"StateOfConversation":     testStateOfConversation,
		"StateOfConversations":    testStateOfConversations,
		"StateDeleted":            testStateDeleted,
		"StateErased":             testStateErased,
		"StateAllUsers":           testStateAllUsers,
		"StateCleaned":            testStateCleaned,
		"StateBounds":             testStateBounds,
		"StateAppend":             testStateAppend,
		"StateAppendRedelivery":   testStateAppendRedelivery,
		"StateAppendRemoves":      testStateAppendRemoves,
		"StateAppendRefused":      testStateAppendRefused,
		"StateAppendIsOneWrite":   testStateAppendIsOneWrite,
		"StateAppendWithoutTrace": testStateAppendWithoutTrace,
	}
}

// eachPlace runs a test in a conversation, of a user and of an app.
func eachPlace(test func(t *testing.T, w *world, in store.StatePlace)) func(*testing.T, *world) {
	return func(t *testing.T, w *world) {
		c := w.create(t, &conversation.Conversation{App: "app"})
		for name, in := range map[string]store.StatePlace{
			"conversation": store.ConversationState(c.ID), "user": store.UserState("app"), "app": store.AppState("app"), "no app": store.UserState(""),
		} {
			t.Run(name, func(t *testing.T) { test(t, w, in) })
		}
	}
}

func value(s string) conversation.Value { return conversation.Value(s) }

// merged writes changes and returns the versions.
func merged(t testing.TB, s store.Scope, in store.StatePlace, changes store.StateMap) map[string]int64 {
	t.Helper()
	versions, err := s.States().Merge(t.Context(), in, changes, store.MergeOptions{})
	require.NoError(t, err)
	return versions
}

// stateOf returns all that a place has, "key=value@version" in the order of the keys.
func stateOf(t testing.TB, s store.Scope, in store.StatePlace) []string {
	t.Helper()
	list, err := s.States().List(t.Context(), in, store.StateFilter{Limit: store.MaxLimit})
	require.NoError(t, err)
	return shown(list)
}

func shown(list []*store.State) []string {
	all := []string{}
	for _, s := range list {
		all = append(all, fmt.Sprintf("%s=%s@%d", s.Key, s.Value, s.Version))
	}
	return all
}

func testStateMerge(t *testing.T, w *world, in store.StatePlace) {
	ctx := t.Context()
	require.Equal(t, map[string]int64{"a": 1, "b": 1}, merged(t, w.mine, in, store.StateMap{"a": value("1"), "b": value("2")}))
	at := w.tick()
	require.Equal(t, map[string]int64{"b": 2, "c": 1}, merged(t, w.mine, in, store.StateMap{"b": value("3"), "c": value("4")}))
	require.Equal(t, []string{"a=1@1", "b=3@2", "c=4@1"}, stateOf(t, w.mine, in))
	got, err := w.mine.States().Get(ctx, in, "b")
	require.NoError(t, err)
	require.Equal(t, &store.State{Key: "b", Value: value("3"), Version: 2, UpdatedAt: at}, got)
	isUTC(t, got.UpdatedAt)

	require.Equal(t, map[string]int64{"a": 2}, merged(t, w.mine, in, store.StateMap{"a": value("5"), "b": nil, "never there": nil}))
	require.Equal(t, []string{"a=5@2", "c=4@1"}, stateOf(t, w.mine, in))
	missing[*store.State](t)(w.mine.States().Get(ctx, in, "b"))
	missing[*store.State](t)(w.mine.States().Get(ctx, in, "never there"))
	require.Equal(t, map[string]int64{"b": 1}, merged(t, w.mine, in, store.StateMap{"b": value("6")}), "it begins anew")
	require.Empty(t, merged(t, w.mine, in, store.StateMap{"b": nil}))
	require.Empty(t, merged(t, w.mine, in, store.StateMap{}))
	require.Empty(t, merged(t, w.mine, in, nil))
	require.Equal(t, []string{"a=5@2", "c=4@1"}, stateOf(t, w.mine, in))
}

// testStateBytes: the values that a text or a JSON column would change.
func testStateBytes(t *testing.T, w *world, in store.StatePlace) {
	every := make(conversation.Value, 256)
	for i := range every {
		every[i] = byte(i)
	}
	changes := store.StateMap{
		"empty": {}, "every byte": every, "json": value(`{"b":1.10,"a":123456789012345678901234567890, "b":2}`), "\\x00": value(`\x00`), scripts: value(scripts),
		"large": conversation.Value(strings.Repeat("0123456789abcdef", 1<<14)),
	}
	merged(t, w.mine, in, changes)
	for key, want := range changes {
		got, err := w.mine.States().Get(t.Context(), in, key)
		require.NoError(t, err, key)
		require.Equal(t, want, got.Value, key)
		require.NotNil(t, got.Value, key)
	}
	merged(t, w.mine, in, store.StateMap{"json": {}})
	got, err := w.mine.States().Get(t.Context(), in, "json")
	require.NoError(t, err, "an empty value removes nothing")
	require.Empty(t, got.Value)
}

func testStateExpected(t *testing.T, w *world, in store.StatePlace) {
	merge := func(changes store.StateMap, expected map[string]int64) error {
		_, err := w.mine.States().Merge(t.Context(), in, changes, store.MergeOptions{Expected: expected})
		return err
	}
	conflict := func(err error, key string, expected, actual int64) {
		t.Helper()
		var c *store.VersionConflictError
		require.ErrorAs(t, err, &c)
		require.ErrorIs(t, err, store.ErrConflict)
		require.Equal(t, store.VersionConflictError{Key: key, Expected: expected, Actual: actual}, *c)
	}
	require.NoError(t, merge(store.StateMap{"a": value("1"), "b": value("1")}, map[string]int64{"a": 0}))
	conflict(merge(store.StateMap{"a": value("2"), "new": value("2")}, map[string]int64{"a": 0}), "a", 0, 1)
	conflict(merge(store.StateMap{"a": value("2"), "new": value("2")}, map[string]int64{"a": 1, "new": 3}), "new", 3, 0)
	conflict(merge(store.StateMap{"a": nil, "b": nil}, map[string]int64{"b": 2, "a": 2}), "a", 2, 1)
	require.Equal(t, []string{"a=1@1", "b=1@1"}, stateOf(t, w.mine, in), "nothing of them is written")
	require.NoError(t, merge(store.StateMap{"a": value("2"), "b": value("2")}, map[string]int64{"a": 1, "b": 1}))
	require.NoError(t, merge(store.StateMap{"a": nil, "b": value("3")}, map[string]int64{"a": 2}))
	require.Equal(t, []string{"b=3@3"}, stateOf(t, w.mine, in))
	invalid(t, merge(store.StateMap{"a": value("1")}, map[string]int64{"b": 0}), "expected")
	invalid(t, merge(store.StateMap{"a": value("1")}, map[string]int64{"a": -1}), "expected")
	invalid(t, merge(store.StateMap{"a": value("1")}, map[string]int64{"": 0}), "key")
}

func testStateList(t *testing.T, w *world, in store.StatePlace) {
	ctx, s := t.Context(), w.mine.States()
	none, err := s.List(ctx, in, store.StateFilter{})
	require.NoError(t, err)
	require.Equal(t, []*store.State{}, none)
	merged(t, w.mine, in, store.StateMap{"b": value("1"), "B": value("1"), "a_1": value("1"), "a1": value("1"), "a%": value("1"), "é": value("1"), "Z": value("1"), "\\": value("1")})
	keys := func(f store.StateFilter) (keys []string) {
		t.Helper()
		list, err := s.List(ctx, in, f)
		require.NoError(t, err)
		for _, s := range list {
			keys = append(keys, s.Key)
		}
		return keys
	}
	all := []string{"B", "Z", "\\", "a%", "a1", "a_1", "b", "é"}
	require.Equal(t, all, keys(store.StateFilter{}), "by their bytes")
	require.Equal(t, []string{"a%", "a1", "a_1"}, keys(store.StateFilter{Prefix: "a"}))
	require.Equal(t, []string{"a_1"}, keys(store.StateFilter{Prefix: "a_"}), "a prefix is no pattern")
	require.Equal(t, []string{"a%"}, keys(store.StateFilter{Prefix: "a%"}), "a prefix is no pattern")
	require.Equal(t, []string{"\\"}, keys(store.StateFilter{Prefix: "\\"}))
	require.Equal(t, []string{"é"}, keys(store.StateFilter{Prefix: "é"}))
	require.Empty(t, keys(store.StateFilter{Prefix: "none"}))
	require.Equal(t, []string{"Z", "b"}, keys(store.StateFilter{Keys: []string{"b", "Z", "b", "absent"}}))
	require.Equal(t, []string{"a1"}, keys(store.StateFilter{Keys: []string{"b", "a1"}, Prefix: "a"}))
	var walked []string
	for after := ""; ; {
		page := keys(store.StateFilter{After: after, Limit: 3})
		if len(page) == 0 {
			break
		}
		require.LessOrEqual(t, len(page), 3)
		walked, after = append(walked, page...), page[len(page)-1]
	}
	require.Equal(t, all, walked)
	for field, f := range map[string]store.StateFilter{
		"limit": {Limit: -1}, "prefix": {Prefix: "\xff"}, "after": {After: strings.Repeat("a", 1025)}, "key": {Keys: []string{"a", ""}},
		"keys": {Keys: make([]string, store.MaxStateKeys+1)},
	} {
		_, err := s.List(ctx, in, f)
		invalid(t, err, field)
	}
	_, err = s.List(ctx, in, store.StateFilter{Limit: store.MaxLimit + 1})
	invalid(t, err, "limit")
}

func testStateInput(t *testing.T, w *world, in store.StatePlace) {
	for _, key := range []string{"", "a\x00b", "\xff", strings.Repeat("k", 1025)} {
		_, err := w.mine.States().Get(t.Context(), in, key)
		invalid(t, err, "key")
		_, err = w.mine.States().Merge(t.Context(), in, store.StateMap{"good": value("1"), key: value("1")}, store.MergeOptions{})
		invalid(t, err, "key")
		_, err = w.mine.States().Merge(t.Context(), in, store.StateMap{key: nil}, store.MergeOptions{})
		invalid(t, err, "key")
	}
	require.Empty(t, stateOf(t, w.mine, in))
	longest := strings.Repeat("é", 512)
	merged(t, w.mine, in, store.StateMap{longest: value("1")})
	require.Equal(t, []string{longest + "=1@1"}, stateOf(t, w.mine, in))
}

// testStatePlaces: no place sees what is in another one, and only those of an app are shared.
func testStatePlaces(t *testing.T, w *world) {
	c, d := w.create(t, &conversation.Conversation{App: "app"}), w.create(t, &conversation.Conversation{App: "app"})
	places := []store.StatePlace{
		store.ConversationState(c.ID), store.ConversationState(d.ID), store.UserState(""), store.UserState("app"), store.UserState("App"),
		store.AppState(""), store.AppState("app"), store.AppState("App"),
	}
	for i, in := range places {
		merged(t, w.mine, in, store.StateMap{"key": value(fmt.Sprint(i))})
	}
	other := w.other()
	for i, in := range places {
		require.Equal(t, []string{fmt.Sprintf("key=%d@1", i)}, stateOf(t, w.mine, in))
		switch in.Kind {
		case store.ConversationKind:
			missing[[]*store.State](t)(other.States().List(t.Context(), in, store.StateFilter{}))
			missing[map[string]int64](t)(other.States().Merge(t.Context(), in, store.StateMap{"key": value("x")}, store.MergeOptions{}))
			missing[map[string]int64](t)(other.States().Merge(t.Context(), in, store.StateMap{"key": nil}, store.MergeOptions{}))
		case store.UserKind:
			require.Empty(t, stateOf(t, other, in))
		case store.AppKind:
			require.Equal(t, []string{fmt.Sprintf("key=%d@1", i)}, stateOf(t, other, in))
			merged(t, other, in, store.StateMap{"key": value("other's")})
			require.Equal(t, []string{"key=other's@2"}, stateOf(t, w.mine, in))
		}
	}
}

func testStatePlacesRefused(t *testing.T, w *world) {
	ctx, s, id := t.Context(), w.mine.States(), w.conversation(t).ID
	for field, places := range map[string][]store.StatePlace{
		"place": {
			{},
			{Kind: 4},
			{Kind: -1, ConversationID: id},
			{Kind: store.ConversationKind, ConversationID: id, App: "app"},
			{Kind: store.ConversationKind, ConversationID: id, UserID: w.user},
			{Kind: store.UserKind, ConversationID: id},
			{Kind: store.AppKind, ConversationID: id},
			{Kind: store.AppKind, UserID: w.user},
		},
		"app":     {store.UserState("\xff"), store.AppState("a\x00"), store.AppState(strings.Repeat("a", 1025))},
		"user_id": {{Kind: store.UserKind, UserID: uuid.New()}},
	} {
		for _, in := range places {
			_, err := s.Get(ctx, in, "key")
			invalid(t, err, field)
			_, err = s.List(ctx, in, store.StateFilter{})
			invalid(t, err, field)
			_, err = s.Merge(ctx, in, store.StateMap{"key": value("1")}, store.MergeOptions{})
			invalid(t, err, field)
		}
	}
	nobody := w.st.ForUser(uuid.Nil).States()
	for _, in := range []store.StatePlace{store.ConversationState(id), store.UserState(""), store.AppState("")} {
		_, err := nobody.Merge(ctx, in, store.StateMap{"key": value("1")}, store.MergeOptions{})
		invalid(t, err, "user_id")
		_, err = nobody.Get(ctx, in, "key")
		invalid(t, err, "user_id")
	}
	absent := store.ConversationState(uuid.New())
	missing[*store.State](t)(s.Get(ctx, absent, "key"))
	missing[[]*store.State](t)(s.List(ctx, absent, store.StateFilter{}))
	missing[map[string]int64](t)(s.Merge(ctx, absent, store.StateMap{"key": value("1")}, store.MergeOptions{}))
	missing[map[string]int64](t)(s.Merge(ctx, absent, store.StateMap{"key": nil}, store.MergeOptions{}))
	missing[map[string]int64](t)(s.Merge(ctx, absent, store.StateMap{"key": value("1")}, store.MergeOptions{Expected: map[string]int64{"key": 0}}))
	missing[store.ConversationStates](t)(s.OfConversation(ctx, absent.ConversationID))
}

func testStateOfConversation(t *testing.T, w *world) {
	c, plain := w.create(t, &conversation.Conversation{App: "app"}), w.conversation(t)
	for app, id := range map[string]uuid.UUID{"app": c.ID, "": plain.ID} {
		merged(t, w.mine, store.ConversationState(id), store.StateMap{"b": value("c" + app), "B": {}})
		merged(t, w.mine, store.UserState(app), store.StateMap{"key": value("u" + app)})
		merged(t, w.mine, store.AppState(app), store.StateMap{"key": value("a" + app)})
	}
	for app, id := range map[string]uuid.UUID{"app": c.ID, "": plain.ID} {
		all, err := w.mine.States().OfConversation(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, []string{"B=@1", "b=c" + app + "@1"}, shown(all.Conversation))
		require.Equal(t, []string{"key=u" + app + "@1"}, shown(all.User))
		require.Equal(t, []string{"key=a" + app + "@1"}, shown(all.App))
		require.Equal(t, epoch, all.App[0].UpdatedAt)
	}
	empty := w.create(t, &conversation.Conversation{App: "unused"})
	all, err := w.mine.States().OfConversation(t.Context(), empty.ID)
	require.NoError(t, err)
	require.Equal(t, store.ConversationStates{Conversation: []*store.State{}, User: []*store.State{}, App: []*store.State{}}, all)
}

// testStateOfConversations: a page of several gives what each gives alone, in the order of the page.
func testStateOfConversations(t *testing.T, w *world) {
	ctx, s := t.Context(), w.mine.States()
	var page []*conversation.Conversation
	for i, app := range []string{"a", "", "a", "b", "a"} {
		c := w.create(t, &conversation.Conversation{App: app})
		page = append(page, c)
		if i > 0 {
			merged(t, w.mine, store.ConversationState(c.ID), store.StateMap{"z": value(fmt.Sprint(i)), "Z": {}})
		}
		merged(t, w.mine, store.UserState(app), store.StateMap{"user": value("u" + app)})
		merged(t, w.mine, store.AppState(app), store.StateMap{"app": value("a" + app)})
	}
	stranger := w.st.ForUser(uuid.New())
	theirs := &conversation.Conversation{ID: page[1].ID, App: "a"} // of the same id
	require.NoError(t, stranger.Conversations().Create(ctx, theirs))
	merged(t, stranger, store.ConversationState(theirs.ID), store.StateMap{"secret": value("1")})
	merged(t, stranger, store.UserState("a"), store.StateMap{"secret": value("1")})
	w.delete(t, page[3])
	asked := append(slices.Clone(page), page[0], theirs, &conversation.Conversation{ID: uuid.New(), UserID: w.user})
	slices.Reverse(asked)

	got, err := s.OfConversations(ctx, asked)
	require.NoError(t, err)
	require.Len(t, got, len(asked))
	for i, c := range asked {
		want := store.ConversationStates{}
		if c != theirs {
			want, _ = s.OfConversation(ctx, c.ID)
		}
		require.Equal(t, want, got[i], i)
	}
	got, err = w.st.AllUsers().States().OfConversations(ctx, []*conversation.Conversation{theirs, page[1]})
	require.NoError(t, err)
	require.Equal(t, []string{"secret=1@1"}, shown(got[0].Conversation))
	require.Equal(t, []string{"secret=1@1"}, shown(got[0].User))
	require.Equal(t, []string{"Z=@1", "z=1@1"}, shown(got[1].Conversation))

	got, err = s.OfConversations(ctx, nil)
	require.NoError(t, err)
	require.Empty(t, got)
	_, err = s.OfConversations(ctx, []*conversation.Conversation{nil})
	invalid(t, err, "conversations")
	_, err = s.OfConversations(ctx, slices.Repeat(page[:1], store.MaxLimit+1))
	invalid(t, err, "conversations")
	got, err = s.OfConversations(ctx, slices.Repeat(page[:1], store.MaxLimit))
	require.NoError(t, err)
	require.Len(t, got, store.MaxLimit)
}

// testStateDeleted: states of a deleted conversation are hidden, and come back with it.
func testStateDeleted(t *testing.T, w *world) {
	ctx, s, c := t.Context(), w.mine.States(), w.conversation(t)
	in := store.ConversationState(c.ID)
	merged(t, w.mine, in, store.StateMap{"key": value("1")})
	w.delete(t, c)
	missing[*store.State](t)(s.Get(ctx, in, "key"))
	missing[[]*store.State](t)(s.List(ctx, in, store.StateFilter{}))
	missing[store.ConversationStates](t)(s.OfConversation(ctx, c.ID))
	for _, changes := range []store.StateMap{{"key": value("2")}, {"key": nil}} {
		missing[map[string]int64](t)(s.Merge(ctx, in, changes, store.MergeOptions{}))
	}
	missing[map[string]int64](t)(s.Merge(ctx, in, store.StateMap{"key": value("2")}, store.MergeOptions{Expected: map[string]int64{"key": 1}}))
	must[*conversation.Conversation](t)(w.mine.Conversations().Restore(ctx, c.ID))
	require.Equal(t, []string{"key=1@1"}, stateOf(t, w.mine, in))
}

// testStateErased: states go with what they are of. Those of an app are nobody's, and stay.
func testStateErased(t *testing.T, w *world) {
	c, d := w.conversation(t), w.conversation(t)
	for _, in := range []store.StatePlace{store.ConversationState(c.ID), store.ConversationState(d.ID), store.UserState("app"), store.AppState("app")} {
		merged(t, w.mine, in, store.StateMap{"a": value("1"), "b": value("1")})
	}
	n, err := w.mine.Conversations().Erase(t.Context(), c.ID)
	require.NoError(t, err)
	require.EqualValues(t, 2, n.States)
	require.EqualValues(t, 2, w.counts(t).States)
	require.Len(t, stateOf(t, w.mine, store.UserState("app")), 2)
	n, err = w.mine.Maintenance().EraseUser(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 2, n.States)
	require.EqualValues(t, 2, n.UserStates)
	require.Zero(t, w.counts(t).States+w.counts(t).UserStates)
	require.Len(t, stateOf(t, w.other(), store.AppState("app")), 2)
}

func testStateAllUsers(t *testing.T, w *world) {
	ctx, all, c := t.Context(), w.st.AllUsers(), w.create(t, &conversation.Conversation{App: "app"})
	mine := store.UserState("app")
	mine.UserID = w.user
	for _, in := range []store.StatePlace{store.ConversationState(c.ID), mine, store.AppState("app")} {
		merged(t, all, in, store.StateMap{"key": value("1")})
		require.Equal(t, []string{"key=1@1"}, stateOf(t, all, in))
		require.Equal(t, []string{"key=1@1"}, stateOf(t, w.mine, in))
	}
	of, err := all.States().OfConversation(ctx, c.ID)
	require.NoError(t, err)
	require.Len(t, of.User, 1)
	_, err = all.States().Merge(ctx, store.UserState("app"), store.StateMap{"key": value("1")}, store.MergeOptions{})
	invalid(t, err, "user_id")
	_, err = all.States().List(ctx, store.UserState("app"), store.StateFilter{})
	invalid(t, err, "user_id")

	twin := w.st.ForUser(uuid.New())
	require.NoError(t, twin.Conversations().Create(ctx, &conversation.Conversation{ID: c.ID}))
	_, err = all.States().Merge(ctx, store.ConversationState(c.ID), store.StateMap{"key": value("2")}, store.MergeOptions{})
	require.ErrorIs(t, err, store.ErrConflict, "a write does not guess")
	_, err = all.States().OfConversation(ctx, c.ID)
	require.ErrorIs(t, err, store.ErrConflict)
	require.Empty(t, stateOf(t, twin, store.ConversationState(c.ID)))
}

func testStateCleaned(t *testing.T, outer *world) {
	w := newWorld(t, outer.factory, convostore.WithNULStripped(), convostore.WithInvalidTextReplaced())
	in := store.UserState("a\x00pp")
	merged(t, w.mine, in, store.StateMap{"a\x00": value("\x00"), "\xff": value("\xff")})
	require.Equal(t, []string{"a=\x00@1", "\uFFFD=\xff@1"}, stateOf(t, w.mine, store.UserState("app")), "values are bytes")
	_, err := w.mine.States().Get(t.Context(), in, "\x00a")
	require.NoError(t, err)
	_, err = w.mine.States().Merge(t.Context(), in, store.StateMap{"a": value("1"), "a\x00": value("2")}, store.MergeOptions{})
	invalid(t, err, "key")
	_, err = w.mine.States().Merge(t.Context(), in, store.StateMap{"\x00": value("2")}, store.MergeOptions{})
	invalid(t, err, "key")
	_, err = w.mine.States().Merge(t.Context(), in, store.StateMap{"a": value("1")}, store.MergeOptions{Expected: map[string]int64{"\x00a": 1}})
	require.NoError(t, err)
}

func testStateBounds(t *testing.T, outer *world) {
	w := newWorld(t, outer.factory, convostore.WithMaxMessageBytes(1<<16))
	c := w.conversation(t)
	many := store.StateMap{}
	for i := range store.MaxStateKeys {
		many[fmt.Sprint(i)] = value("1")
	}
	merged(t, w.mine, store.ConversationState(c.ID), many)
	large := conversation.Value(strings.Repeat("a", 1<<15))
	for field, s := range map[string]store.AppendStates{
		"states": {Conversation: store.StateMap{"a": large}, User: store.StateMap{"b": large}},
		"key":    {App: store.StateMap{"": value("1")}},
	} {
		_, err := w.mine.Messages().AppendMany(t.Context(), c.ID, []*message.Message{text("x")}, store.AppendOptions{States: s})
		invalid(t, err, field)
	}
	_, err := w.mine.Messages().AppendMany(t.Context(), c.ID, []*message.Message{text("x")},
		store.AppendOptions{States: store.AppendStates{Conversation: many, App: store.StateMap{"one more": value("1")}}})
	invalid(t, err, "states")
	_, err = w.mine.States().Merge(t.Context(), store.UserState(""), store.StateMap{"a": large, "b": large}, store.MergeOptions{})
	invalid(t, err, "states")
	many["one more"] = value("1")
	_, err = w.mine.States().Merge(t.Context(), store.UserState(""), many, store.MergeOptions{})
	invalid(t, err, "states")
	require.Empty(t, w.messages(t, c))
}
