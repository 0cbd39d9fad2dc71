package storetest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

func erasureTests() subtests {
	return subtests{
		"ErasureOfAConversation":       testErasureOfAConversation,
		"ErasureOfAMessage":            testErasureOfAMessage,
		"ErasureOfAUser":               testErasureOfAUser,
		"ErasureByPlainGORM":           testErasureByPlainGORM,
		"ErasureCountsWhatIsThere":     testErasureCountsWhatIsThere,
		"ErasureLeavesStatesOfApps":    testErasureLeavesStatesOfApps,
		"RowsOfNothingAreRefused":      testRowsOfNothingAreRefused,
		"RowsOfOthersThingsAreRefused": testRowsOfOthersThingsAreRefused,
		"TableCareReachesEveryTable":   testTableCareReachesEveryTable,
	}
}

// twins are two users whose rows have the same ids, in every table: ids are unique for one user
// only, so that whoever forgets the user in a condition takes the other's rows too.
type twins struct {
	one, other uuid.UUID
	gone, kept uuid.UUID // conversations
	message    uuid.UUID // the first of gone
	beside     uuid.UUID // the second of gone
}

func newTwins(t testing.TB, w *world) twins {
	t.Helper()
	tw := twins{one: uuid.New(), other: uuid.New(), gone: uuid.New(), kept: uuid.New(), message: uuid.New(), beside: uuid.New()}
	keptMessage := uuid.New()
	db := w.st.DB(t.Context())
	for _, user := range []uuid.UUID{tw.one, tw.other} {
		s := w.st.ForUser(user)
		for id, ms := range map[uuid.UUID][]uuid.UUID{tw.gone: {tw.message, tw.beside}, tw.kept: {keptMessage}} {
			c := &conversation.Conversation{ID: id, LeadID: id.String()}
			for _, m := range ms {
				c.Messages = append(c.Messages, &message.Message{ID: m, Role: message.RoleUser, Content: m.String()})
			}
			require.NoError(t, s.Conversations().Create(t.Context(), c))
			for _, m := range c.Messages {
				w.surround(t, s, m)
			}
		}
		remember(t, db, user)
		everyTableHasRows(t, w.st, user)
	}
	return tw
}

// surround gives a message a row in every table whose rows belong to it or its conversation.
func (w *world) surround(t testing.TB, s store.Scope, m *message.Message) {
	t.Helper()
	db := w.st.DB(t.Context())
	trained(t, db, "model")
	w.embed(t, m, "model")
	furnish(t, db, m)
	claim(t, db, m)
	setAside(t, db, m)
	require.NoError(t, s.Suggestions().Create(t.Context(), &suggestion.Suggestion{
		ConversationID: m.ConversationID, InReplyToMessageID: &m.ID, SuggestedContent: "draft",
	}))
}

// erasing is a way to erase a conversation for good.
var erasing = map[string]func(t testing.TB, w *world, s store.Scope, id uuid.UUID) store.Counts{
	"Erase": func(t testing.TB, _ *world, s store.Scope, id uuid.UUID) store.Counts {
		n, err := s.Conversations().Erase(t.Context(), id)
		require.NoError(t, err)
		return n
	},
	"EraseLead": func(t testing.TB, _ *world, s store.Scope, id uuid.UUID) store.Counts {
		n, err := s.Maintenance().EraseLead(t.Context(), id.String())
		require.NoError(t, err)
		return n
	},
	"Purge": func(t testing.TB, w *world, s store.Scope, id uuid.UUID) store.Counts {
		must[*conversation.Conversation](t)(s.Conversations().Delete(t.Context(), id))
		return w.purge(t, s, w.tick().Add(time.Hour))
	},
	"Retain": func(t testing.TB, w *world, s store.Scope, id uuid.UUID) store.Counts {
		must[*conversation.Conversation](t)(s.Conversations().Delete(t.Context(), id))
		w.clock.add(time.Hour)
		return w.retains(t, s, store.RetentionPolicy{PurgeAfter: time.Minute}).Purged
	},
}

func testErasureOfAConversation(t *testing.T, w *world) {
	for name, erase := range erasing {
		tw := newTwins(t, w)
		others := dump(t, w.st, tw.other)
		n := erase(t, w, w.st.ForUser(tw.one), tw.gone)
		require.Equal(t, store.Counts{Conversations: 1, Messages: 2, Embeddings: 2, Suggestions: 2}.Add(furnished).Add(furnished), n, name)
		nothingNames(t, w.st, tw.one, tw.gone, tw.message, tw.beside)
		everyTableHasRows(t, w.st, tw.one) // of the conversation that stays
		require.Equal(t, others, dump(t, w.st, tw.other), name)
	}
}

func testErasureOfAMessage(t *testing.T, w *world) {
	tw := newTwins(t, w)
	others, s := dump(t, w.st, tw.other), w.st.ForUser(tw.one)
	counts := func() store.Counts {
		n, err := s.Maintenance().Counts(t.Context())
		require.NoError(t, err)
		return n
	}
	before := counts()
	must[*message.Message](t)(s.Messages().Delete(t.Context(), tw.message))
	require.Equal(t, before, counts(), "the message may be restored, with all that belongs to it")
	n := w.purge(t, s, w.tick().Add(time.Hour))
	require.Equal(t, store.Counts{Messages: 1, Embeddings: 1, Suggestions: 1}.Add(furnishedMessage), n)
	require.Equal(t, before, counts().Add(n))
	nothingNames(t, w.st, tw.one, tw.message)
	everyTableHasRows(t, w.st, tw.one)
	require.Equal(t, others, dump(t, w.st, tw.other))
}

func testErasureOfAUser(t *testing.T, w *world) {
	tw := newTwins(t, w)
	others, s := dump(t, w.st, tw.other), w.st.ForUser(tw.one)
	want, err := s.Maintenance().Counts(t.Context())
	require.NoError(t, err)
	n, err := s.Maintenance().EraseUser(t.Context())
	require.NoError(t, err)
	require.Equal(t, want, n)
	require.EqualValues(t, 1, n.UserStates)
	nothingOf(t, w.st, tw.one)
	require.Equal(t, others, dump(t, w.st, tw.other))
	n, err = s.Maintenance().EraseUser(t.Context())
	require.NoError(t, err)
	require.Zero(t, n)
	// A user with nothing but a state is erased as well.
	remember(t, w.st.DB(t.Context()), tw.one)
	n, err = s.Maintenance().EraseUser(t.Context())
	require.NoError(t, err)
	require.Equal(t, store.Counts{UserStates: 1}, n)
	nothingOf(t, w.st, tw.one)
	require.Equal(t, others, dump(t, w.st, tw.other))
}

// testErasureByPlainGORM deletes the rows behind the store's back, as hosts may.
func testErasureByPlainGORM(t *testing.T, w *world) {
	tw := newTwins(t, w)
	others, db := dump(t, w.st, tw.other), w.st.DB(t.Context())
	require.NoError(t, db.Unscoped().Delete(&message.Message{ID: tw.message, UserID: tw.one}).Error)
	nothingNames(t, w.st, tw.one, tw.message)
	require.NoError(t, db.Unscoped().Delete(&conversation.Conversation{ID: tw.gone, UserID: tw.one}).Error)
	nothingNames(t, w.st, tw.one, tw.gone, tw.beside)
	everyTableHasRows(t, w.st, tw.one)
	require.Equal(t, others, dump(t, w.st, tw.other))
}

// testErasureCountsWhatIsThere erases a user who has rows in one table alone, for each table.
func testErasureCountsWhatIsThere(t *testing.T, w *world) {
	user := uuid.New()
	s, db := w.st.ForUser(user), w.st.DB(t.Context())
	for _, table := range ownTables(t, w.st) {
		if !table.owned() {
			continue
		}
		c := &conversation.Conversation{Messages: []*message.Message{text("1")}}
		require.NoError(t, s.Conversations().Create(t.Context(), c))
		w.surround(t, s, c.Messages[0])
		remember(t, db, user)
		for _, another := range ownTables(t, w.st) {
			if another.owned() && another.bare != table.bare && another.bare != "conversations" && another.bare != "messages" {
				require.NoError(t, db.Exec(fmt.Sprintf("DELETE FROM %s WHERE user_id = ?", quoted(another.name)), user).Error)
			}
		}
		want, err := s.Maintenance().Counts(t.Context())
		require.NoError(t, err)
		n, err := s.Maintenance().EraseUser(t.Context())
		require.NoError(t, err)
		require.Equal(t, want, n, table.bare)
		nothingOf(t, w.st, user)
	}
}

func quoted(name string) string { return `"` + strings.ReplaceAll(name, ".", `"."`) + `"` }

// testErasureLeavesStatesOfApps: they are nobody's.
func testErasureLeavesStatesOfApps(t *testing.T, w *world) {
	tw := newTwins(t, w)
	db := w.st.DB(t.Context())
	require.NoError(t, db.Create(&conversation.AppState{App: "app", Key: "key", Value: conversation.Value("kept")}).Error)
	must[store.Counts](t)(w.st.ForUser(tw.one).Maintenance().EraseUser(t.Context()))
	must[store.Counts](t)(w.st.AllUsers().Maintenance().RemoveOrphans(t.Context()))
	var kept conversation.AppState
	require.NoError(t, db.Take(&kept, "app = ?", "app").Error)
	require.Equal(t, conversation.Value("kept"), kept.Value)
}

// testRowsOfNothingAreRefused: each row needs what it belongs to, and testRowsOfOthersThingsAreRefused
// that it is the same user's.
func testRowsOfNothingAreRefused(t *testing.T, w *world) {
	c := w.thread(t, 1)
	m := *c.Messages[0]
	m.ID, m.ConversationID = uuid.New(), uuid.New()
	w.refusesRows(t, &m)
}

func testRowsOfOthersThingsAreRefused(t *testing.T, w *world) {
	m := *w.thread(t, 1).Messages[0]
	m.UserID = uuid.New()
	w.refusesRows(t, &m)
}

// refusesRows writes each row that could belong to a message or its conversation.
func (w *world) refusesRows(t *testing.T, m *message.Message) {
	t.Helper()
	s := &suggestion.Suggestion{UserID: m.UserID, ConversationID: m.ConversationID, SuggestedContent: "draft"}
	e := &message.Embedding{MessageID: m.ID, UserID: m.UserID, ConversationID: m.ConversationID, Model: "model", Vector: axis(0)}
	w.unchanged(t, func() {
		for _, row := range append(rowsFor(m), s, e) {
			err := w.st.Transaction(t.Context(), func(tx store.Store) error { return tx.DB(t.Context()).Create(row).Error })
			require.Error(t, err, "%T", row)
			if kind := dialect.KindOf(err); kind != dialect.ForeignKey {
				t.Errorf("%T: %v is not an error of a foreign key", row, err)
			}
		}
	})
}

// testTableCareReachesEveryTable reads the statements of each method.
func testTableCareReachesEveryTable(t *testing.T, w *world) {
	if w.inTx(t) {
		t.Skip("no transaction can do it")
	}
	rec := &Recorder{}
	recorded, err := convostore.New(t.Context(), rec.Wrap(w.st.DB(t.Context())))
	require.NoError(t, err)
	for name, call := range care(recorded.AllUsers()) {
		rec.Reset()
		require.NoError(t, call(t.Context()), name)
		var said strings.Builder
		for _, s := range rec.Statements() {
			said.WriteString(s.SQL + "\n")
		}
		for _, table := range ownTables(t, w.st) {
			require.Contains(t, said.String(), quoted(table.name), name)
		}
	}
}
