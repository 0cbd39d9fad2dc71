package storetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

// lostTests are about transactions that the database rolls back by itself, in all four ways in
// which a transaction can continue then.
func (can Capabilities) lostTests() map[string]func(*testing.T, store.Store) {
	tests := map[string]func(*testing.T, store.Store){}
	for name, lose := range map[string]loser{"deadline": losesAtDeadline, "trigger": losesToTrigger} {
		for _, hosts := range []bool{false, true} {
			for _, swallows := range []bool{false, true} {
				full := "lost, " + name + ", store's transaction"
				if hosts {
					full = "lost, " + name + ", host's transaction"
				}
				if swallows {
					full += ", error swallowed"
				}
				tests[full] = func(t *testing.T, st store.Store) { can.lostTransaction(t, st, lose, hosts, swallows) }
			}
		}
	}
	for name, hosts := range map[string]bool{"full disk, store's transaction": false, "full disk, host's transaction": true} {
		tests[name] = func(t *testing.T, st store.Store) { can.fullDisk(t, st, hosts) }
	}
	return tests
}

// loser runs something in a transaction over which the engine may roll it back, and returns
// its error. It is given more room from try to try.
type loser func(t *testing.T, tx store.Store, c *conversation.Conversation, try int) error

// losesAtDeadline has a write end at the deadline of its own context. The deadline may
// come before the write began; then there is nothing to roll back. It may also come as it begins,
// and be missed: to interrupt a connection ends nothing that has not started in SQLite.
func losesAtDeadline(t *testing.T, tx store.Store, c *conversation.Conversation, try int) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond<<try)
	defer cancel()
	_, err := tx.ForUser(c.UserID).Messages().Append(ctx, c.ID, inbound(endless))
	if err == nil {
		require.ErrorIs(t, ctx.Err(), context.DeadlineExceeded)
		return nil
	}
	require.ErrorIs(t, err, context.DeadlineExceeded)
	return err
}

// losesToTrigger has a trigger of the host's that rolls back.
func losesToTrigger(t *testing.T, tx store.Store, c *conversation.Conversation, _ int) error {
	t.Helper()
	_, err := tx.ForUser(c.UserID).Messages().Append(t.Context(), c.ID, inbound(unwanted))
	require.ErrorContains(t, err, "the host wants none")
	return err
}

// fullDisk has a database that may not grow. Over some statements SQLite rolls back the
// whole transaction, over most the statement alone; either way there is all or nothing.
func (can Capabilities) fullDisk(t *testing.T, st store.Store, hosts bool) {
	t.Helper()
	if can.Name != SQLite {
		t.Skip("a full disk takes a server of its own")
	}
	mine := st.ForUser(uuid.New())
	c := newThread(t, mine, 1)
	for name, call := range map[string]func(store.Scope) error{
		"a long suggestion": func(s store.Scope) error {
			return s.Suggestions().Create(t.Context(), &suggestion.Suggestion{ConversationID: c.ID, SuggestedContent: long})
		},
		"a long message": func(s store.Scope) error {
			_, err := s.Messages().Append(t.Context(), c.ID, inbound(long))
			return err
		},
		"long messages": func(s store.Scope) error {
			_, err := s.Messages().AppendMany(t.Context(), c.ID, []*message.Message{inbound(long), inbound(long)}, store.AppendOptions{})
			return err
		},
		"a long document": func(s store.Scope) error {
			_, err := s.Conversations().SetMetadata(t.Context(), c.ID, message.JSON(`{"long": "`+long+`"}`))
			return err
		},
	} {
		before, lost := owns(t, mine), false
		err := inTransaction(t, st, hosts, func(tx store.Store, again func() store.Store) error {
			appended(t, tx.ForUser(c.UserID), c.ID, inbound("before"))
			first := withoutRoom(t, tx, func() error { return call(tx.ForUser(c.UserID)) })
			require.ErrorContains(t, first, "full", name)
			_, err := again().ForUser(c.UserID).Messages().Append(t.Context(), c.ID, inbound("after"))
			if lost = errors.Is(first, store.ErrRolledBack); lost {
				require.ErrorIs(t, err, store.ErrRolledBack, name)
			}
			return err
		})
		if lost {
			require.ErrorIs(t, err, store.ErrRolledBack, name)
		} else {
			require.NoError(t, err, name)
			before.Messages += 2
		}
		assert.Equal(t, before, owns(t, mine), name)
	}
	CheckConversation(t, mine, c.ID)
}

// long does not fit into what is free in a small file.
var long = strings.Repeat("x", 1<<20)

// withoutRoom runs fn while the database may not grow.
func withoutRoom(t *testing.T, tx store.Store, fn func() error) error {
	t.Helper()
	db := tx.DB(t.Context())
	var was, pages int64
	require.NoError(t, db.Raw("PRAGMA max_page_count").Row().Scan(&was))
	require.NoError(t, db.Raw("PRAGMA max_page_count = 1").Row().Scan(&pages), "as many as there are")
	defer func() { // the connection goes back to the pool
		require.NoError(t, db.Raw(fmt.Sprint("PRAGMA max_page_count = ", was)).Row().Scan(&pages))
	}()
	return fn()
}

// The contents of messages that hostTriggers has a trigger for.
const (
	endless  = "endless"
	unwanted = "unwanted"
)

// hostTriggers keeps the insert of an endless message from ending for many seconds, and rolls back
// over an unwanted one.
func hostTriggers(t *testing.T, st store.Store) {
	t.Helper()
	hostTable(t, st)
	for content, statement := range map[string]string{
		endless: "INSERT INTO host_rows SELECT count(*) FROM (" +
			"WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 50000000) SELECT i FROM n)",
		unwanted: "SELECT RAISE(ROLLBACK, 'the host wants none')",
	} {
		require.NoError(t, st.DB(t.Context()).Exec("CREATE TRIGGER host_"+content+" AFTER INSERT ON messages"+
			" WHEN NEW.content = '"+content+"' BEGIN "+statement+"; END").Error)
	}
}

// lostTransaction requires that a transaction which the engine has rolled back stores
// nothing, whatever is done in it afterwards, says so to every call, and fails.
func (can Capabilities) lostTransaction(t *testing.T, st store.Store, lose loser, hosts, swallows bool) {
	t.Helper()
	if can.Name != SQLite {
		t.Skip("PostgreSQL does not leave a transaction until it is told to")
	}
	hostTriggers(t, st)
	mine := st.ForUser(uuid.New())
	c := newThread(t, mine, 1)
	for try := 0; ; try++ {
		require.Less(t, try, 12, "the engine did not roll back")
		was := false
		err := inTransaction(t, st, hosts, func(tx store.Store, again func() store.Store) (err error) {
			was, err = goesOn(t, tx, again, c, func() error { return lose(t, tx, c, try) })
			if swallows && was {
				return nil
			}
			return err
		})
		require.Error(t, err)
		if !was {
			continue
		}
		if !hosts || !swallows { // else the host gets its driver's error of the commit
			require.ErrorIs(t, err, store.ErrRolledBack)
		}
		break
	}
	assert.Equal(t, store.Counts{Conversations: 1, Messages: 1}, owns(t, mine))
	assert.Zero(t, hostRows(t, st), "the host's own statements are undone with it")
	appended(t, mine, c.ID, inbound("the store goes on"))
	require.NoError(t, st.Transaction(t.Context(), func(tx store.Store) error {
		appended(t, tx.ForUser(c.UserID), c.ID, inbound("and so do transactions"))
		return nil
	}))
	assert.Len(t, CheckConversation(t, mine, c.ID), 3)
}

// inTransaction runs fn in the store's transaction or in the host's. Again makes a second
// store of the same transaction.
func inTransaction(t *testing.T, st store.Store, hosts bool, fn func(tx store.Store, again func() store.Store) error) error {
	t.Helper()
	if hosts {
		return st.DB(t.Context()).Transaction(func(tx *gorm.DB) error {
			return fn(st.WithTx(tx), func() store.Store { return st.WithTx(tx) })
		})
	}
	return st.Transaction(t.Context(), func(tx store.Store) error {
		return fn(tx, func() store.Store { return tx })
	})
}

// goesOn calls what loses the transaction, and then everything else in it. Whether it is
// lost is asked of the engine: a savepoint from before is gone then.
func goesOn(t *testing.T, tx store.Store, again func() store.Store, c *conversation.Conversation, lose func() error) (bool, error) {
	t.Helper()
	db, second := tx.DB(t.Context()), again()
	require.NoError(t, db.Exec("SAVEPOINT host_before").Error)
	require.NoError(t, db.Exec("INSERT INTO host_rows VALUES (1)").Error)
	appended(t, tx.ForUser(c.UserID), c.ID, inbound("before"))
	first := lose()
	if db.Exec("RELEASE host_before").Error == nil {
		return false, errors.Join(errUndo, first)
	}
	require.ErrorIs(t, first, store.ErrRolledBack)
	for _, tx := range []store.Store{tx, second, again()} {
		for name, call := range callsOf(tx, c) {
			require.ErrorIs(t, call(t.Context()), store.ErrRolledBack, name)
		}
		_ = tx.DB(t.Context()).Exec("INSERT INTO host_rows VALUES (2)").Error
	}
	return true, first
}

// callsOf are calls that would write or read something.
func callsOf(tx store.Store, c *conversation.Conversation) map[string]func(context.Context) error {
	s := tx.ForUser(c.UserID)
	return map[string]func(context.Context) error{
		"Append": func(ctx context.Context) error {
			_, err := s.Messages().Append(ctx, c.ID, inbound("after"))
			return err
		},
		"AppendMany": func(ctx context.Context) error {
			ms := []*message.Message{inbound("after"), inbound("after")}
			_, err := s.Messages().AppendMany(ctx, c.ID, ms, store.AppendOptions{})
			return err
		},
		"Import": func(ctx context.Context) error {
			m := inbound("after")
			m.ConversationID = c.ID
			_, err := s.Messages().Import(ctx, rowsOf(m), store.ImportOptions{})
			return err
		},
		"Create": func(ctx context.Context) error {
			return s.Conversations().Create(ctx, &conversation.Conversation{Messages: []*message.Message{inbound("after")}})
		},
		"Get": func(ctx context.Context) error {
			_, err := s.Conversations().Get(ctx, c.ID)
			return err
		},
		"Delete": func(ctx context.Context) error {
			_, err := s.Conversations().Delete(ctx, c.ID)
			return err
		},
		"Suggestions.Create": func(ctx context.Context) error {
			return s.Suggestions().Create(ctx, &suggestion.Suggestion{ConversationID: c.ID, SuggestedContent: "after"})
		},
		"Retain": func(ctx context.Context) error {
			_, err := tx.AllUsers().Maintenance().Retain(ctx, store.RetentionPolicy{PurgeAfter: time.Hour})
			return err
		},
		"EraseUser": func(ctx context.Context) error {
			_, err := s.Maintenance().EraseUser(ctx)
			return err
		},
		"Transaction": func(ctx context.Context) error {
			return tx.Transaction(ctx, func(store.Store) error { return nil })
		},
	}
}
