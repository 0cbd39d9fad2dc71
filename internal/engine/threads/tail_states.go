package threads

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/internal/engine/watch"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// NewHub returns what the tails and watches of a store wait for. doorbell is nil if nobody tells of
// the writes of other processes.
func NewHub(st *scope.Store, doorbell watch.Doorbell) *watch.Hub {
	return watch.NewHub(func(ctx context.Context, keys []watch.Key) (map[watch.Key]watch.State, error) {
		return readStates(ctx, st.AllUsers(), keys)
	}, func(ctx context.Context, places []watch.Since, bytes int) (map[watch.Key][]*message.Message, bool, error) {
		return readNews(ctx, st.AllUsers(), places, bytes)
	}, lasting, doorbell)
}

// readStates reads the states of live conversations in one statement, on the primary.
func readStates(ctx context.Context, sc scope.Scope, keys []watch.Key) (map[watch.Key]watch.State, error) {
	db, err := sc.ReadingPrimary(ctx)
	if err != nil {
		return nil, err
	}
	ids, users := make([]uuid.UUID, len(keys)), make([]uuid.UUID, len(keys))
	for i, k := range keys {
		ids[i], users[i] = k.Conversation, k.User
	}
	pairs, args := sc.Dialect.Pairs(ids, users)
	q := query.New("SELECT c.id, c.user_id, c.last_seq, c.last_change_seq, c.head_seq FROM "+pairs+" AS v", args...).
		Add(sc.Dialect.OrderedJoin() + sc.Tables.Conversations + " c ON c.id = v.a AND c.user_id = v.b AND c.deleted_at IS NULL")
	states := make(map[watch.Key]watch.State, len(keys))
	err = q.Rows(db, func(rows *sql.Rows) error {
		var k watch.Key
		var s watch.State
		err := rows.Scan(&k.Conversation, &k.User, &s.Seq, &s.Change, &s.Head)
		states[k] = s
		return err
	})
	return states, query.Wrap("look for changes", err)
}

// lasting tells whether an error will not go away by waiting. A server that restarts, a connection
// that is lost and a database that is busy are waited for.
func lasting(err error) bool {
	for _, known := range []error{
		store.ErrNotFound, store.ErrInvalid, store.ErrConflict, store.ErrSchema, store.ErrSetting, store.ErrUnsupported,
		store.ErrFileGone, store.ErrClosed, sql.ErrTxDone,
	} {
		if errors.Is(err, known) {
			return true
		}
	}
	code := dialect.CodeOf(err)
	return dialect.KindOf(err) == dialect.Damaged || strings.HasPrefix(code, "42") && len(code) == 5 || code == "1" ||
		// database/sql has no name for this one.
		code == "" && strings.Contains(err.Error(), "sql: database is closed")
}
