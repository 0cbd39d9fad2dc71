package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// everywhere changes one key in each place.
func everywhere(key string, v conversation.Value) store.AppendStates {
	return store.AppendStates{Conversation: store.StateMap{key: v}, User: store.StateMap{key: v}, App: store.StateMap{key: v}}
}

// placesOf are the places that an append to a conversation writes.
func placesOf(c *conversation.Conversation) []store.StatePlace {
	return []store.StatePlace{store.ConversationState(c.ID), store.UserState(c.App), store.AppState(c.App)}
}

// appendedWith appends messages with states, all of them new.
func appendedWith(t testing.TB, s store.Scope, c *conversation.Conversation, states store.AppendStates, ms ...*message.Message) {
	t.Helper()
	created, err := s.Messages().AppendMany(t.Context(), c.ID, ms, store.AppendOptions{States: states})
	require.NoError(t, err)
	require.Equal(t, slices.Repeat([]bool{true}, len(ms)), created)
}

// waysToAppend are messages that take different ways to the tables.
func waysToAppend() map[string]func() []*message.Message {
	return map[string]func() []*message.Message{
		"plain": func() []*message.Message { return []*message.Message{text("a")} },
		"keyed": func() []*message.Message {
			return []*message.Message{{ID: uuid.New(), Role: message.RoleUser, Content: "b"}}
		},
		"several": func() []*message.Message { return []*message.Message{text("c"), text("d"), text("e")} },
		"several keyed": func() []*message.Message {
			return []*message.Message{{ID: uuid.New(), Role: message.RoleUser}, {IdempotencyKey: uuid.NewString(), Role: message.RoleAssistant, Content: "f"}}
		},
		"embedded": func() []*message.Message {
			m := text("g")
			if err := m.SetEmbedding("model", axis(0)); err != nil {
				panic(err)
			}
			return []*message.Message{m}
		},
		"branch": func() []*message.Message {
			return []*message.Message{{Role: message.RoleUser, Content: "h", ParentSeq: new(int64)}}
		},
	}
}

func testStateAppend(t *testing.T, w *world) {
	for name, ms := range waysToAppend() {
		for _, app := range []string{"", "app of " + name} {
			c := w.create(t, &conversation.Conversation{App: app})
			places := placesOf(c)
			before := stateOf(t, w.mine, places[1])
			messages := ms()
			appendedWith(t, w.mine, c, everywhere(name, value("1")), messages...)
			w.tick()
			for i, m := range messages {
				require.EqualValues(t, i+1, m.Seq, name)
			}
			appendedWith(t, w.mine, c, store.AppendStates{User: store.StateMap{name: {}}}, ms()...)
			require.Equal(t, []string{name + "=1@1"}, stateOf(t, w.mine, places[0]), name)
			require.ElementsMatch(t, append(before, name+"=@2"), stateOf(t, w.mine, places[1]), name)
			require.Contains(t, stateOf(t, w.mine, places[2]), name+"=1@1")
			CheckConversation(t, w.mine, c.ID)
			stored := w.message(t, messages[0].ID)
			require.Equal(t, messages[0].Content, stored.Content)
		}
	}
}

// testStateAppendRedelivery: what is there already changes no state, on any way.
func testStateAppendRedelivery(t *testing.T, w *world) {
	c := w.create(t, &conversation.Conversation{App: "app"})
	first := &message.Message{Role: message.RoleUser, Content: "a", IdempotencyKey: "first"}
	appendedWith(t, w.mine, c, everywhere("key", value("1")), first)
	again := func() *message.Message {
		return &message.Message{Role: message.RoleUser, Content: "b", IdempotencyKey: "first"}
	}
	for _, changes := range []store.AppendStates{everywhere("key", value("2")), everywhere("key", nil)} {
		for _, ms := range [][]*message.Message{{again()}, {again(), again()}, {{ID: first.ID, Role: message.RoleUser}}} {
			created, err := w.mine.Messages().AppendMany(t.Context(), c.ID, ms, store.AppendOptions{States: changes})
			require.NoError(t, err)
			require.NotContains(t, created, true)
			require.Equal(t, first.ID, ms[0].ID)
		}
	}
	for _, in := range placesOf(c) {
		require.Equal(t, []string{"key=1@1"}, stateOf(t, w.mine, in))
	}
	created, err := w.mine.Messages().AppendMany(t.Context(), c.ID, []*message.Message{again(), text("new")}, store.AppendOptions{States: everywhere("key", value("3"))})
	require.NoError(t, err)
	require.Equal(t, []bool{false, true}, created)
	for _, in := range placesOf(c) {
		require.Equal(t, []string{"key=3@2"}, stateOf(t, w.mine, in), "a message is new")
	}
}

func testStateAppendRemoves(t *testing.T, w *world) {
	for name, ms := range waysToAppend() {
		c := w.create(t, &conversation.Conversation{App: name})
		appendedWith(t, w.mine, c, everywhere("gone", value("1")), ms()...)
		appendedWith(t, w.mine, c, store.AppendStates{
			Conversation: store.StateMap{"gone": nil, "a": value("1")}, User: store.StateMap{"gone": nil, "never": nil}, App: store.StateMap{"gone": nil},
		}, ms()...)
		require.Equal(t, []string{"a=1@1"}, stateOf(t, w.mine, placesOf(c)[0]), name)
		require.Empty(t, stateOf(t, w.mine, placesOf(c)[1]), name)
		require.Empty(t, stateOf(t, w.mine, placesOf(c)[2]), name)
	}
}

// testStateAppendRefused: where no message is stored, no state is.
func testStateAppendRefused(t *testing.T, w *world) {
	ctx := t.Context()
	c := w.create(t, &conversation.Conversation{App: "app"})
	elsewhere := w.append(t, w.conversation(t), &message.Message{Role: message.RoleUser, Content: "x"})
	appendAll := func(id uuid.UUID, o store.AppendOptions, ms ...*message.Message) error {
		for _, changes := range []store.AppendStates{everywhere("key", value("1")), everywhere("key", nil)} {
			o.States = changes
			if _, err := w.mine.Messages().AppendMany(ctx, id, ms, o); err != nil {
				return err
			}
		}
		return nil
	}
	require.ErrorIs(t, appendAll(uuid.New(), store.AppendOptions{}, text("a")), store.ErrNotFound)
	require.ErrorIs(t, appendAll(uuid.New(), store.AppendOptions{}, &message.Message{ID: uuid.New(), Role: message.RoleUser}), store.ErrNotFound)
	var conflict *store.SeqConflictError
	require.ErrorAs(t, appendAll(c.ID, store.AppendOptions{ExpectedSeq: new(int64(3))}, text("a")), &conflict)
	require.ErrorAs(t, appendAll(c.ID, store.AppendOptions{ExpectedSeq: new(int64(3))}, &message.Message{ID: uuid.New(), Role: message.RoleUser}), &conflict)
	require.ErrorIs(t, appendAll(c.ID, store.AppendOptions{}, &message.Message{ID: elsewhere.ID, Role: message.RoleUser}), store.ErrConflict, "an id of another conversation")
	invalid(t, appendAll(c.ID, store.AppendOptions{}, &message.Message{}), "role")
	w.delete(t, c)
	require.ErrorIs(t, appendAll(c.ID, store.AppendOptions{}, text("a")), store.ErrNotFound)
	must[*conversation.Conversation](t)(w.mine.Conversations().Restore(ctx, c.ID))
	for _, in := range placesOf(c) {
		require.Empty(t, stateOf(t, w.mine, in))
	}
	appendedWith(t, w.mine, c, everywhere("key", value("1")), text("a"))
	created, err := w.mine.Messages().AppendMany(ctx, c.ID, []*message.Message{{ID: uuid.New(), Role: message.RoleUser}},
		store.AppendOptions{ExpectedSeq: new(int64(1)), States: everywhere("key", value("2"))})
	require.NoError(t, err)
	require.Equal(t, []bool{true}, created)
	require.Equal(t, []string{"key=2@2"}, stateOf(t, w.mine, placesOf(c)[2]))
}

// testStateAppendIsOneWrite counts statements beside those that begin and end a transaction: on
// PostgreSQL three scopes of state cost no round trip.
func testStateAppendIsOneWrite(t *testing.T, w *world) {
	if !w.can.NotDistributed {
		t.Skip("a cluster writes in several statements")
	}
	rec, s := w.recorded(t)
	c := w.create(t, &conversation.Conversation{App: "app"})
	for name, ms := range map[string][]*message.Message{
		"plain": {text("a")}, "keyed": {{ID: uuid.New(), Role: message.RoleUser}}, "several": {text("a"), text("b")},
	} {
		rec.Reset()
		appendedWith(t, s, c, everywhere("key", value(name)), ms...)
		want := 1
		if w.can.OneWriter {
			want = map[string]int{"plain": 6, "keyed": 6, "several": 8}[name]
		}
		assert.LessOrEqual(t, len(writesOf(rec)), want, "%s: %v", name, writesOf(rec))
	}
	rec.Reset()
	merged(t, s, store.AppState("app"), store.StateMap{"a": value("1"), "b": value("2")})
	assert.Len(t, writesOf(rec), 1)
	rec.Reset()
	must[store.ConversationStates](t)(s.States().OfConversation(t.Context(), c.ID))
	assert.Len(t, writesOf(rec), 1)
}

// testStateAppendWithoutTrace: who writes no states runs the statements of before.
func testStateAppendWithoutTrace(t *testing.T, w *world) {
	rec, s := w.recorded(t)
	c := w.conversation(t)
	rec.Reset()
	must[[]bool](t)(s.Messages().AppendMany(t.Context(), c.ID, []*message.Message{text("a"), text("b")}, store.AppendOptions{States: store.AppendStates{User: store.StateMap{}}}))
	for _, statement := range rec.Statements() {
		require.NotContains(t, statement.SQL, "states")
	}
}

// statesAtOnce has 16 writers change the same keys of all places, through appends to two
// conversations and beside them: no key is lost, none waits for another forever, and each version
// counts the writes of its key.
func (c Capabilities) statesAtOnce(t *testing.T, st store.Store) {
	const writers, rounds = 16, 6
	s := st.ForUser(uuid.New())
	threads := []*conversation.Conversation{{App: "app"}, {App: "app"}}
	for _, thread := range threads {
		require.NoError(t, s.Conversations().Create(t.Context(), thread))
	}
	for _, err := range together(writers, func(i int) error {
		for round := range rounds {
			own := fmt.Sprintf("%d-%d", i, round)
			changes := store.StateMap{"shared 1": value(own), "shared 2": value(own), own: value(own), "flips": value(own)}
			if (i+round)%2 == 0 {
				changes["flips"] = nil
			}
			m := text(own)
			if i%2 == 0 {
				m.ID = uuid.New()
			}
			o := store.AppendOptions{States: store.AppendStates{Conversation: changes, User: changes, App: changes}}
			if _, err := s.Messages().AppendMany(t.Context(), threads[i%2].ID, []*message.Message{m}, o); err != nil {
				return err
			}
			beside := store.StateMap{"shared 2": value(own), "shared 1": value(own)}
			if _, err := s.States().Merge(t.Context(), store.AppState("app"), beside, store.MergeOptions{}); err != nil {
				return err
			}
		}
		return nil
	}) {
		require.NoError(t, err)
	}
	versions := func(in store.StatePlace) map[string]int64 {
		list, err := s.States().List(t.Context(), in, store.StateFilter{Limit: store.MaxLimit})
		require.NoError(t, err)
		all := map[string]int64{}
		for _, state := range list {
			all[state.Key] = state.Version
		}
		return all
	}
	for _, in := range []store.StatePlace{store.ConversationState(threads[0].ID), store.UserState("app"), store.AppState("app")} {
		all, want := versions(in), int64(writers*rounds)
		switch in.Kind {
		case store.ConversationKind:
			want /= 2
		case store.AppKind:
			want *= 2
		}
		assert.Equal(t, want, all["shared 1"])
		assert.Equal(t, want, all["shared 2"])
		for i := range writers {
			for round := range rounds {
				if in.Kind != store.ConversationKind || i%2 == 0 {
					assert.EqualValues(t, 1, all[fmt.Sprintf("%d-%d", i, round)])
				}
			}
		}
	}
	for _, thread := range threads {
		assert.Len(t, CheckConversation(t, s, thread.ID), writers*rounds/2)
	}
}

// expectedVersionAtOnce has writers count up one key, each from the version that it read.
func expectedVersionAtOnce(t *testing.T, st store.Store) {
	s, in := st.ForUser(uuid.New()), store.UserState("")
	for _, err := range together(8, func(int) error {
		for done := 0; done < 5; {
			var expected int64
			if got, err := s.States().Get(t.Context(), in, "counter"); err == nil {
				expected = got.Version
			} else if !errors.Is(err, store.ErrNotFound) {
				return err
			}
			_, err := s.States().Merge(t.Context(), in, store.StateMap{"counter": value(fmt.Sprint(expected + 1))}, store.MergeOptions{Expected: map[string]int64{"counter": expected}})
			var conflict *store.VersionConflictError
			if errors.As(err, &conflict) {
				continue
			}
			if err != nil {
				return err
			}
			done++
		}
		return nil
	}) {
		require.NoError(t, err)
	}
	got, err := s.States().Get(t.Context(), in, "counter")
	require.NoError(t, err)
	require.Equal(t, "40", string(got.Value))
	require.EqualValues(t, 40, got.Version)
}

// mergesAgainstErase: a merge and the erasure of its conversation never wait for each other
// forever, and leave no state without a conversation.
func mergesAgainstErase(t *testing.T, st store.Store) {
	s := st.ForUser(uuid.New())
	for range 10 {
		c := newThread(t, s, 1)
		merged(t, s, store.ConversationState(c.ID), store.StateMap{"a": value("0"), "b": value("0")})
		errs := together(4, func(i int) error {
			if i == 0 {
				_, err := s.Conversations().Erase(context.WithoutCancel(t.Context()), c.ID)
				return err
			}
			changes := store.StateMap{"a": value("1"), fmt.Sprint("new ", i): value("1")}
			if i == 3 {
				changes["b"] = nil
			}
			_, err := s.States().Merge(t.Context(), store.ConversationState(c.ID), changes, store.MergeOptions{})
			if errors.Is(err, store.ErrNotFound) {
				return nil
			}
			return err
		})
		for _, err := range errs {
			require.NoError(t, err)
		}
	}
	n, err := s.Maintenance().Counts(t.Context())
	require.NoError(t, err)
	require.Zero(t, n.States)
	noOrphans(t, st)
}

// recorded returns the scope of the world's user on a store whose statements are recorded, which
// has looked at the schema already.
func (w *world) recorded(t *testing.T) (*Recorder, store.Scope) {
	t.Helper()
	if w.inTx(t) {
		t.Skip("what is sent does not depend on the transaction, whose handle cannot be wrapped")
	}
	rec := &Recorder{}
	st, err := convostore.New(t.Context(), rec.Wrap(w.st.DB(t.Context())), convostore.WithClock(w.clock.Now))
	require.NoError(t, err)
	s := st.ForUser(w.user)
	newThread(t, s, 1)
	merged(t, s, store.UserState("warm"), store.StateMap{"key": value("1")})
	return rec, s
}

// writesOf returns what was recorded but for what begins and ends transactions.
func writesOf(rec *Recorder) (all []string) {
	for _, s := range rec.Statements() {
		if !noRows.MatchString(s.SQL) {
			all = append(all, s.SQL)
		}
	}
	return all
}
