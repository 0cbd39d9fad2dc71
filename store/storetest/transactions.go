package storetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

// errUndo is what a test returns from a transaction that it wants rolled back.
var errUndo = errors.New("roll back")

// runTransactions checks that rows written together are stored together or not at all, in the
// store's own transactions and in the host's.
func runTransactions(t *testing.T, f Factory, can Capabilities) {
	tests := map[string]func(*testing.T, store.Store){
		"commit":                       commits,
		"rollback on error":            rollsBackOnError,
		"rollback on panic":            rollsBackOnPanic,
		"nested error":                 nestedErrorKeepsOuter,
		"nested panic":                 nestedPanicKeepsOuter,
		"nested in rolled back":        outerTakesInnerAlong,
		"host commits":                 hostCommits,
		"host rolls back":              hostRollsBack,
		"failures, own transaction":    failuresInOwnTransaction,
		"failures, host's transaction": failuresInHostTransaction,
		"duplicate inside":             duplicatesInside,
		"duplicate of another":         duplicateOfAnother,
		"duplicate committed since":    can.duplicateCommittedSince,
		"deadlock":                     can.deadlockIsRetried,
		"serialization failure":        can.serializationFailureIsRetried,
		"approve, send and deliver":    sendsInTransactions,
		"close":                        closeSemantics,
		"cancelled before":             cancelledBefore,
		"cancelled during":             cancelledDuring,
		"cancelled while waiting":      cancelledWhileWaiting,
	}
	maps.Copy(tests, can.lostTests())
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { test(t, f(t)) })
	}
	t.Run("host's errors", func(t *testing.T) { can.runHostErrors(t, f) })
}

// isThere tells whether the user has the live conversation.
func isThere(tb testing.TB, s store.Scope, id uuid.UUID) bool {
	tb.Helper()
	_, err := s.Conversations().Get(tb.Context(), id)
	if !errors.Is(err, store.ErrNotFound) {
		require.NoError(tb, err)
	}
	return err == nil
}

// owns counts all rows of a scope.
func owns(tb testing.TB, s store.Scope) store.Counts {
	tb.Helper()
	counts, err := s.Maintenance().Counts(tb.Context())
	require.NoError(tb, err)
	return counts
}

// needsManyWriters skips a test that needs two concurrent write transactions.
func (can Capabilities) needsManyWriters(t *testing.T) {
	t.Helper()
	if can.OneWriter {
		t.Skip("SQLite has one writer: a second transaction waits for the first one's end")
	}
}

func commits(t *testing.T, st store.Store) {
	user := uuid.New()
	var ids []uuid.UUID
	err := st.Transaction(t.Context(), func(tx store.Store) error {
		ids = nil
		for range 2 {
			c := newThread(t, tx.ForUser(user), 2)
			assert.True(t, isThere(t, tx.ForUser(user), c.ID), "a transaction sees what it wrote")
			ids = append(ids, c.ID)
		}
		return nil
	})
	require.NoError(t, err)
	for _, id := range ids {
		assert.Len(t, CheckConversation(t, st.ForUser(user), id), 2)
	}
}

func rollsBackOnError(t *testing.T, st store.Store) {
	mine := st.ForUser(uuid.New())
	c := newThread(t, mine, 1)
	tries := 0
	err := st.Transaction(t.Context(), func(tx store.Store) error {
		tries++
		s := tx.ForUser(c.UserID)
		newThread(t, s, 3)
		appended(t, s, c.ID, inbound("undone"))
		return errUndo
	})
	require.ErrorIs(t, err, errUndo)
	assert.Equal(t, 1, tries, "an error of the caller's own is not retried")
	assert.Equal(t, store.Counts{Conversations: 1, Messages: 1}, owns(t, mine))
	CheckConversation(t, mine, c.ID)
}

func rollsBackOnPanic(t *testing.T, st store.Store) {
	mine := st.ForUser(uuid.New())
	c := newThread(t, mine, 1)
	assert.PanicsWithValue(t, "on purpose", func() {
		_ = st.Transaction(t.Context(), func(tx store.Store) error {
			appended(t, tx.ForUser(c.UserID), c.ID, inbound("undone"))
			panic("on purpose")
		})
	})
	assert.Len(t, CheckConversation(t, mine, c.ID), 1)
	appended(t, mine, c.ID, inbound("the store goes on"))
	assert.Len(t, CheckConversation(t, mine, c.ID), 2)
}

func nestedErrorKeepsOuter(t *testing.T, st store.Store) {
	user := uuid.New()
	var outer, inner, second *conversation.Conversation
	err := st.Transaction(t.Context(), func(tx store.Store) error {
		outer = newThread(t, tx.ForUser(user), 1)
		err := tx.Transaction(t.Context(), func(tx store.Store) error {
			inner = newThread(t, tx.ForUser(user), 1)
			appended(t, tx.ForUser(user), outer.ID, inbound("undone"))
			return errUndo
		})
		require.ErrorIs(t, err, errUndo)
		return tx.Transaction(t.Context(), func(tx store.Store) error {
			second = newThread(t, tx.ForUser(user), 1)
			appended(t, tx.ForUser(user), outer.ID, inbound("kept"))
			return nil
		})
	})
	require.NoError(t, err)
	mine := st.ForUser(user)
	assert.False(t, isThere(t, mine, inner.ID))
	assert.True(t, isThere(t, mine, second.ID))
	assert.Equal(t, []string{"message 1", "kept"}, contents(CheckConversation(t, mine, outer.ID)))
}

func nestedPanicKeepsOuter(t *testing.T, st store.Store) {
	user := uuid.New()
	var outer *conversation.Conversation
	err := st.Transaction(t.Context(), func(tx store.Store) error {
		outer = newThread(t, tx.ForUser(user), 1)
		assert.Panics(t, func() {
			_ = tx.Transaction(t.Context(), func(tx store.Store) error {
				appended(t, tx.ForUser(user), outer.ID, inbound("undone"))
				panic("on purpose")
			})
		})
		appended(t, tx.ForUser(user), outer.ID, inbound("kept"))
		return nil
	})
	require.NoError(t, err)
	assert.Equal(t, []string{"message 1", "kept"}, contents(CheckConversation(t, st.ForUser(user), outer.ID)))
}

func outerTakesInnerAlong(t *testing.T, st store.Store) {
	user := uuid.New()
	err := st.Transaction(t.Context(), func(tx store.Store) error {
		require.NoError(t, tx.Transaction(t.Context(), func(tx store.Store) error {
			newThread(t, tx.ForUser(user), 1)
			return nil
		}))
		return errUndo
	})
	require.ErrorIs(t, err, errUndo)
	assert.Zero(t, owns(t, st.ForUser(user)))
}

// hostTable makes a table of the host's own.
func hostTable(t *testing.T, st store.Store) {
	t.Helper()
	require.NoError(t, st.DB(t.Context()).Exec("CREATE TABLE host_rows (n integer)").Error)
}

func hostRows(t *testing.T, st store.Store) (n int64) {
	t.Helper()
	require.NoError(t, st.DB(t.Context()).Table("host_rows").Count(&n).Error)
	return n
}

func hostCommits(t *testing.T, st store.Store) {
	hostTable(t, st)
	mine := st.ForUser(uuid.New())
	c := newThread(t, mine, 1)
	err := st.DB(t.Context()).Transaction(func(tx *gorm.DB) error {
		require.NoError(t, tx.Exec("INSERT INTO host_rows VALUES (1)").Error)
		appended(t, st.WithTx(tx).ForUser(c.UserID), c.ID, inbound("together"))
		return tx.Exec("INSERT INTO host_rows VALUES (2)").Error
	})
	require.NoError(t, err)
	assert.EqualValues(t, 2, hostRows(t, st))
	assert.Len(t, CheckConversation(t, mine, c.ID), 2)
}

func hostRollsBack(t *testing.T, st store.Store) {
	hostTable(t, st)
	mine := st.ForUser(uuid.New())
	c := newThread(t, mine, 1)
	err := st.DB(t.Context()).Transaction(func(tx *gorm.DB) error {
		require.NoError(t, tx.Exec("INSERT INTO host_rows VALUES (1)").Error)
		s := st.WithTx(tx)
		appended(t, s.ForUser(c.UserID), c.ID, inbound("undone"))
		return s.Transaction(t.Context(), func(s store.Store) error {
			newThread(t, s.ForUser(c.UserID), 1)
			return errUndo
		})
	})
	require.ErrorIs(t, err, errUndo)
	assert.Zero(t, hostRows(t, st))
	assert.Len(t, CheckConversation(t, mine, c.ID), 1)
	assert.EqualValues(t, 1, owns(t, mine).Conversations)
}

func failuresInOwnTransaction(t *testing.T, st store.Store) {
	failuresLeaveNothing(t, st, func(fn func(store.Store) error) error {
		return st.Transaction(t.Context(), fn)
	})
}

func failuresInHostTransaction(t *testing.T, st store.Store) {
	failuresLeaveNothing(t, st, func(fn func(store.Store) error) error {
		return st.DB(t.Context()).Transaction(func(tx *gorm.DB) error { return fn(st.WithTx(tx)) })
	})
}

// failure is a call that must fail and change nothing.
type failure struct {
	name string
	want error
	call func(ctx context.Context, s store.Scope) error
}

func failuresLeaveNothing(t *testing.T, st store.Store, transaction func(func(store.Store) error) error) {
	mine := st.ForUser(uuid.New())
	c := newThread(t, mine, 1)
	m := &message.Message{Direction: message.DirectionInbound, Content: "taken", GmailMessageID: "taken"}
	appended(t, mine, c.ID, m)
	s := &suggestion.Suggestion{ConversationID: c.ID, SuggestedContent: "draft"}
	require.NoError(t, mine.Suggestions().Create(t.Context(), s))
	_, err := mine.Suggestions().Reject(t.Context(), s.ID, suggestion.Review{})
	require.NoError(t, err)
	for _, f := range failures(c, s) {
		t.Run(f.name, func(t *testing.T) {
			before := owns(t, mine)
			err := transaction(func(tx store.Store) error {
				scope := tx.ForUser(c.UserID)
				appended(t, scope, c.ID, inbound("before"))
				require.ErrorIs(t, f.call(t.Context(), scope), f.want)
				appended(t, scope, c.ID, inbound("after"))
				return nil
			})
			require.NoError(t, err)
			before.Messages += 2
			assert.Equal(t, before, owns(t, mine), "only the two messages around the failure")
			ms := CheckConversation(t, mine, c.ID)
			assert.Equal(t, []string{"before", "after"}, contents(ms[len(ms)-2:]))
		})
	}
}

func failures(c *conversation.Conversation, s *suggestion.Suggestion) []failure {
	taken := func() *message.Message {
		return &message.Message{Direction: message.DirectionInbound, GmailMessageID: "taken"}
	}
	bad := func() *message.Message { return &message.Message{Role: "nobody"} }
	many := func(ctx context.Context, s store.Scope, o store.AppendOptions, ms ...*message.Message) error {
		_, err := s.Messages().AppendMany(ctx, c.ID, ms, o)
		return err
	}
	return []failure{
		{"create with a taken id", store.ErrConflict, func(ctx context.Context, s store.Scope) error {
			return s.Conversations().Create(ctx, &conversation.Conversation{ID: c.ID})
		}},
		{"create with a taken message", store.ErrConflict, func(ctx context.Context, s store.Scope) error {
			ms := []*message.Message{inbound("first"), taken()}
			return s.Conversations().Create(ctx, &conversation.Conversation{Messages: ms})
		}},
		{"create with a bad message", store.ErrInvalid, func(ctx context.Context, s store.Scope) error {
			ms := []*message.Message{inbound("first"), bad()}
			return s.Conversations().Create(ctx, &conversation.Conversation{Messages: ms})
		}},
		{"append to nothing", store.ErrNotFound, func(ctx context.Context, s store.Scope) error {
			_, err := s.Messages().Append(ctx, uuid.New(), inbound("lost"))
			return err
		}},
		{"append of a bad one", store.ErrInvalid, func(ctx context.Context, s store.Scope) error {
			_, err := s.Messages().Append(ctx, c.ID, bad())
			return err
		}},
		{"bad batch", store.ErrInvalid, func(ctx context.Context, s store.Scope) error {
			return many(ctx, s, store.AppendOptions{}, inbound("first"), bad())
		}},
		{"batch too late", store.ErrConflict, func(ctx context.Context, s store.Scope) error {
			return many(ctx, s, store.AppendOptions{ExpectedSeq: new(int64(1))}, inbound("first"))
		}},
		{"import of a stranger", store.ErrNotFound, func(ctx context.Context, s store.Scope) error {
			first, lost := inbound("first"), inbound("lost")
			first.ConversationID, lost.ConversationID = c.ID, uuid.New()
			_, err := s.Messages().Import(ctx, rowsOf(first, lost), store.ImportOptions{})
			return err
		}},
		{"second decision", store.ErrConflict, func(ctx context.Context, scope store.Scope) error {
			_, err := scope.Suggestions().Approve(ctx, s.ID, suggestion.Review{})
			return err
		}},
		{"send of a rejected one", store.ErrConflict, func(ctx context.Context, scope store.Scope) error {
			_, err := scope.Suggestions().Send(ctx, s.ID, &message.Message{}, store.SendOptions{})
			return err
		}},
		{"suggestion for nothing", store.ErrNotFound, func(ctx context.Context, s store.Scope) error {
			d := &suggestion.Suggestion{ConversationID: uuid.New(), SuggestedContent: "draft"}
			return s.Suggestions().Create(ctx, d)
		}},
		{"suggestion with a taken id", store.ErrConflict, func(ctx context.Context, scope store.Scope) error {
			d := &suggestion.Suggestion{ID: s.ID, ConversationID: c.ID, SuggestedContent: "draft"}
			return scope.Suggestions().Create(ctx, d)
		}},
	}
}

// duplicatesInside repeats every kind of key inside a transaction, of rows from before
// and from inside of it.
func duplicatesInside(t *testing.T, st store.Store) {
	mine := st.ForUser(uuid.New())
	c := newThread(t, mine, 0)
	keyed := func(i int) *message.Message {
		m := inbound("keyed")
		switch i {
		case 0:
			m.ID = uuid.NewSHA1(c.ID, []byte("id"))
		case 1:
			m.GmailMessageID = "gmail"
		case 2:
			m.PostmarkMessageID = "postmark"
		case 3:
			m.IdempotencyKey = "key"
		}
		return m
	}
	appended(t, mine, c.ID, keyed(0))
	appended(t, mine, c.ID, keyed(1))
	err := st.Transaction(t.Context(), func(tx store.Store) error {
		s := tx.ForUser(c.UserID)
		appended(t, s, c.ID, keyed(2))
		appended(t, s, c.ID, keyed(3))
		for i := range 4 {
			m := keyed(i)
			created, err := s.Messages().Append(t.Context(), c.ID, m)
			require.NoError(t, err)
			assert.False(t, created)
			assert.EqualValues(t, i+1, m.Seq, "the row that was there")
		}
		appended(t, s, c.ID, inbound("last"))
		return nil
	})
	require.NoError(t, err)
	assert.Len(t, CheckConversation(t, mine, c.ID), 5)
}

// duplicateOfAnother delivers one provider id in two transactions to two conversations;
// on a database with several writers the second one waits for the first.
func duplicateOfAnother(t *testing.T, st store.Store) {
	user := uuid.New()
	mine := st.ForUser(user)
	ids := []uuid.UUID{newThread(t, mine, 1).ID, newThread(t, mine, 1).ID}
	var created atomic.Int64
	errs := together(2, func(i int) error {
		var was bool
		err := st.Transaction(t.Context(), func(tx store.Store) error {
			m := inbound("twice")
			m.GmailMessageID = "twice"
			var err error
			if was, err = tx.ForUser(user).Messages().Append(t.Context(), ids[i], m); err != nil {
				return err
			}
			_, err = tx.ForUser(user).Messages().Append(t.Context(), ids[i], inbound("own"))
			return err
		})
		if was {
			created.Add(1)
		}
		return err
	})
	require.NoError(t, errors.Join(errs...))
	assert.EqualValues(t, 1, created.Load())
	total := len(CheckConversation(t, mine, ids[0])) + len(CheckConversation(t, mine, ids[1]))
	assert.Equal(t, 2+2+1, total)
}

// duplicateCommittedSince has another writer commit after the transaction has read.
func (can Capabilities) duplicateCommittedSince(t *testing.T, st store.Store) {
	can.needsManyWriters(t)
	mine := st.ForUser(uuid.New())
	here, there := newThread(t, mine, 1), newThread(t, mine, 1)
	for _, target := range []uuid.UUID{here.ID, there.ID} {
		key := target.String()
		err := st.Transaction(t.Context(), func(tx store.Store) error {
			s := tx.ForUser(here.UserID)
			require.True(t, isThere(t, s, here.ID))
			first, second := inbound("first"), inbound("second")
			first.PostmarkMessageID, second.PostmarkMessageID = key, key
			appended(t, mine, target, first)
			created, err := s.Messages().Append(t.Context(), here.ID, second)
			require.NoError(t, err)
			assert.False(t, created)
			assert.Equal(t, first.ID, second.ID)
			appended(t, s, here.ID, inbound("goes on"))
			return nil
		})
		require.NoError(t, err)
	}
	assert.Len(t, CheckConversation(t, mine, here.ID), 1+1+2)
	assert.Len(t, CheckConversation(t, mine, there.ID), 2)
}

// deadlockIsRetried has two transactions append to two conversations in opposite order.
// Where two can write at once, both have made their first append before either goes on.
func (can Capabilities) deadlockIsRetried(t *testing.T, st store.Store) {
	mine := st.ForUser(uuid.New())
	first, second := newThread(t, mine, 0), newThread(t, mine, 0)
	ids := []uuid.UUID{first.ID, second.ID}
	oneWriter := can.OneWriter
	var both sync.WaitGroup
	both.Add(2)
	var tries [2]int
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	errs := together(2, func(i int) error {
		order := slices.Clone(ids)
		if i == 1 {
			slices.Reverse(order)
		}
		return st.Transaction(ctx, func(tx store.Store) error {
			s := tx.ForUser(first.UserID)
			tries[i]++
			_, err := s.Messages().Append(ctx, order[0], inbound("first"))
			if tries[i] == 1 && !oneWriter {
				both.Done()
				both.Wait()
			}
			if err == nil {
				_, err = s.Messages().Append(ctx, order[1], inbound("second"))
			}
			return err
		})
	})
	require.NoError(t, errors.Join(errs...))
	for _, id := range ids {
		assert.Len(t, CheckConversation(t, mine, id), 2)
	}
	if oneWriter {
		assert.Equal(t, [2]int{1, 1}, tries)
	} else {
		assert.Greater(t, tries[0]+tries[1], 2, "one of the two was a deadlock's victim")
	}
}

// serializationFailureIsRetried reads in a snapshot that another transaction then outdates.
func (can Capabilities) serializationFailureIsRetried(t *testing.T, st store.Store) {
	can.needsManyWriters(t)
	mine := st.ForUser(uuid.New())
	c := newThread(t, mine, 1)
	tries := 0
	err := st.Transaction(t.Context(), func(tx store.Store) error {
		tries++
		require.NoError(t, tx.DB(t.Context()).Exec("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ").Error)
		s := tx.ForUser(c.UserID)
		require.True(t, isThere(t, s, c.ID))
		if tries < 3 {
			appended(t, mine, c.ID, inbound("outside"))
		}
		_, err := s.Messages().Append(t.Context(), c.ID, inbound("inside"))
		return err
	})
	require.NoError(t, err)
	assert.Equal(t, 3, tries)
	assert.Len(t, CheckConversation(t, mine, c.ID), 1+2+1)
}

func closeSemantics(t *testing.T, st store.Store) {
	user := uuid.New()
	err := st.Transaction(t.Context(), func(tx store.Store) error {
		require.NoError(t, tx.Close())
		newThread(t, tx.ForUser(user), 1)
		return nil
	})
	require.NoError(t, err)
	host, err := convostore.New(t.Context(), st.DB(t.Context()))
	require.NoError(t, err)
	require.NoError(t, host.Close())
	require.NoError(t, host.Close())
	newThread(t, host.ForUser(user), 1)
	assert.Equal(t, store.Counts{Conversations: 2, Messages: 2}, owns(t, st.ForUser(user)))
	require.NoError(t, st.Close())
	require.NoError(t, st.Close(), "calling it again does nothing")
}

func cancelledBefore(t *testing.T, st store.Store) {
	mine := st.ForUser(uuid.New())
	c := newThread(t, mine, 1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := mine.Messages().Append(ctx, c.ID, inbound("never"))
	require.ErrorIs(t, err, context.Canceled)
	err = mine.Conversations().Create(ctx, &conversation.Conversation{Messages: []*message.Message{inbound("never")}})
	require.ErrorIs(t, err, context.Canceled)
	_, err = mine.Conversations().Get(ctx, c.ID)
	require.ErrorIs(t, err, context.Canceled)
	walked := 0
	for _, err := range mine.Messages().All(ctx, c.ID, store.MessageFilter{}) {
		walked++
		require.ErrorIs(t, err, context.Canceled)
	}
	assert.Equal(t, 1, walked)
	err = st.Transaction(ctx, func(tx store.Store) error {
		_, err := tx.ForUser(c.UserID).Messages().Append(ctx, c.ID, inbound("never"))
		return err
	})
	require.ErrorIs(t, err, context.Canceled)
	assert.Equal(t, store.Counts{Conversations: 1, Messages: 1}, owns(t, mine))
	assert.Len(t, CheckConversation(t, mine, c.ID), 1)
}

func cancelledDuring(t *testing.T, st store.Store) {
	mine := st.ForUser(uuid.New())
	c := newThread(t, mine, 1)
	for range 10 {
		ctx, cancel := context.WithCancel(t.Context())
		err := st.Transaction(ctx, func(tx store.Store) error {
			s := tx.ForUser(c.UserID)
			if _, err := s.Messages().Append(ctx, c.ID, inbound("undone")); err != nil {
				return err
			}
			cancel()
			_, err := s.Messages().Append(ctx, c.ID, inbound("undone"))
			return err
		})
		cancel()
		require.ErrorIs(t, err, context.Canceled)
	}
	appended(t, mine, c.ID, inbound("the store goes on"))
	assert.Len(t, CheckConversation(t, mine, c.ID), 2)
}

// cancelledWhileWaiting gives up on appends that another transaction's lock holds back.
// A server may still carry out what it was told before the client gave up: whole, then.
func cancelledWhileWaiting(t *testing.T, st store.Store) {
	mine := st.ForUser(uuid.New())
	c := newThread(t, mine, 1)
	err := st.Transaction(t.Context(), func(tx store.Store) error {
		appended(t, tx.ForUser(c.UserID), c.ID, inbound("holds the lock"))
		for i, err := range together(4, func(i int) error {
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(20*(i+1))*time.Millisecond)
			defer cancel()
			_, err := mine.Messages().Append(ctx, c.ID, inbound(fmt.Sprint("gave up ", i)))
			return err
		}) {
			assert.ErrorIs(t, err, context.DeadlineExceeded, "waiter %d", i)
		}
		return nil
	})
	require.NoError(t, err)
	// Under the lock of an append none of those that gave up can still come between.
	var got []string
	require.NoError(t, st.Transaction(t.Context(), func(tx store.Store) error {
		s := tx.ForUser(c.UserID)
		appended(t, s, c.ID, inbound("next"))
		got = contents(CheckConversation(t, s, c.ID))
		return nil
	}))
	assert.Equal(t, []string{"message 1", "holds the lock"}, got[:2])
	assert.Equal(t, "next", got[len(got)-1])
}
