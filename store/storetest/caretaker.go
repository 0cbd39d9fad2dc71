package storetest

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/store"
)

func tableCareTests() subtests {
	return subtests{
		"TableCareRefusesOneUser":      testTableCareRefusesOneUser,
		"TableCareRefusesATransaction": testTableCareRefusesATransaction,
		"TableCareKeepsEverything":     testTableCareKeepsEverything,
	}
}

// care are the methods about whole tables.
func care(s store.Scope) map[string]func(context.Context) error {
	m := s.Maintenance()
	return map[string]func(context.Context) error{
		"Analyze": m.Analyze, "Vacuum": m.Vacuum, "VacuumFull": m.VacuumFull, "Reindex": m.Reindex,
	}
}

func testTableCareRefusesOneUser(t *testing.T, w *world) {
	for name, call := range care(w.mine) {
		t.Log(name)
		invalid(t, call(t.Context()), "scope")
	}
	w.conversation(t) // a transaction around it is still good
}

func testTableCareRefusesATransaction(t *testing.T, w *world) {
	require.NoError(t, w.st.Transaction(t.Context(), func(tx store.Store) error {
		for name, call := range care(tx.AllUsers()) {
			t.Log(name)
			invalid(t, call(t.Context()), "transaction")
		}
		return tx.ForUser(w.user).Conversations().Create(t.Context(), &conversation.Conversation{})
	}))
	require.EqualValues(t, 1, w.counts(t).Conversations)
}

// testTableCareKeepsEverything runs each method twice, before and after rows were removed.
func testTableCareKeepsEverything(t *testing.T, w *world) {
	if w.inTx(t) {
		t.Skip("no transaction can do it")
	}
	kept, gone := w.household(t, w.user, ""), w.household(t, w.user, "")
	for range 2 {
		for name, call := range care(w.st.AllUsers()) {
			before := dump(t, w.st, w.user)
			require.NoError(t, call(t.Context()), name)
			require.Equal(t, before, dump(t, w.st, w.user), name)
			w.append(t, kept, text("written after "+name))
			page, err := w.mine.Search().Messages(t.Context(), "after "+name, store.TextOptions{}, store.PageRequest{})
			require.NoError(t, err)
			require.NotEmpty(t, page.Items, name)
		}
		_, err := w.mine.Conversations().Erase(t.Context(), gone.ID)
		if err != nil {
			require.ErrorIs(t, err, store.ErrNotFound, "the second time")
		}
	}
	for name, call := range care(w.st.AllUsers()) {
		require.ErrorIs(t, call(canceled(t)), context.Canceled, name)
	}
}

// inTx tells whether the store is one of an open transaction.
func (w *world) inTx(t testing.TB) bool {
	_, inTx := w.st.DB(t.Context()).Statement.ConnPool.(gorm.TxCommitter)
	return inTx
}
