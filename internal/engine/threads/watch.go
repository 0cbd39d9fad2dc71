package threads

import (
	"context"
	"database/sql"
	"errors"
	"iter"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/internal/engine/watch"
	"github.com/convostore/convostore/store"
)

func (s conversations) Watch(ctx context.Context, o store.WatchOptions) iter.Seq2[store.ConversationChange, error] {
	return func(yield func(store.ConversationChange, error) bool) {
		w := &watching{sc: s.sc, o: o, yield: yield}
		err := w.follow(ctx, s.hub)
		if err != nil && !errors.Is(err, errLeft) {
			yield(store.ConversationChange{}, query.Wrap("watch", err))
		}
	}
}

// watching is one iteration over the conversations of a scope that change, for one goroutine.
type watching struct {
	sc    scope.Scope
	o     store.WatchOptions
	yield func(store.ConversationChange, error) bool
	// known has every conversation as it was yielded, or was at the beginning.
	known map[watch.Key]version
	// passed is when all were compared last, and took how long that took.
	passed time.Time
	took   time.Duration
}

// version is what changes with a conversation. Times are in microseconds, 0 for none.
type version struct{ seq, change, updated, deleted int64 }

// share is how many times as long as a comparison of all takes the next one is put off at least.
const share = 20

func (w *watching) follow(ctx context.Context, hub *watch.Hub) error {
	every, err := checkWait(w.sc, w.o.Every)
	if err != nil {
		return err
	}
	if err := check.Time("since", w.o.Since); err != nil && !w.o.Since.IsZero() {
		return err
	}
	if err := w.begin(ctx); err != nil || w.o.Once {
		return err
	}
	user := w.sc.User
	waiting, err := hub.Watch(user, every)
	if err != nil {
		return err
	}
	defer waiting.Leave()
	for try := 1; ; {
		var gap time.Duration
		err := w.look(ctx)
		switch {
		case err == nil:
			try, gap = 1, 20*time.Millisecond
		case ctx.Err() != nil:
			return query.Because(ctx, err)
		case errors.Is(err, errLeft) || lasting(err):
			return err
		default:
			gap, try = min(time.Second, 20*time.Millisecond<<try), min(try+1, 6)
		}
		if err := waiting.Wait(ctx, gap); err != nil {
			return err
		}
	}
}

// begin learns all conversations, and yields those that were updated at Since or later.
func (w *watching) begin(ctx context.Context) error {
	all, err := w.versions(ctx, query.New(""))
	if err != nil {
		return err
	}
	w.known = all
	var changed []watch.Key
	if !w.o.Since.IsZero() {
		for key, v := range all {
			if v.updated >= w.o.Since.UnixMicro() {
				changed = append(changed, key)
			}
		}
	}
	slices.SortFunc(changed, func(a, b watch.Key) int { return byUpdate(all[a], all[b], a, b) })
	return w.give(ctx, changed)
}

func byUpdate(v, o version, a, b watch.Key) int {
	if v.updated != o.updated {
		return int(max(-1, min(1, v.updated-o.updated)))
	}
	return slices.Compare(a.Conversation[:], b.Conversation[:])
}

// look yields what has changed. It compares all conversations, or where that took too long to be
// due again those with activity of late.
func (w *watching) look(ctx context.Context) error {
	if time.Since(w.passed) < share*w.took {
		recent, err := w.versions(ctx, query.New(" AND deleted_at IS NULL AND activity_bucket >= ?", scope.Bucket(w.sc.Now().Add(-10*time.Minute))))
		if err != nil {
			return err
		}
		return w.compare(ctx, recent)
	}
	all, err := w.versions(ctx, query.New(""))
	if err != nil {
		return err
	}
	if err := w.compare(ctx, all); err != nil {
		return err
	}
	for key := range w.known {
		if _, there := all[key]; !there {
			delete(w.known, key)
			if !w.yield(store.ConversationChange{ID: key.Conversation, UserID: key.User}, nil) {
				return errLeft
			}
		}
	}
	return nil
}

// compare yields those whose version is not the known one.
func (w *watching) compare(ctx context.Context, now map[watch.Key]version) error {
	var changed []watch.Key
	for key, v := range now {
		if known, ok := w.known[key]; !ok || known != v {
			changed = append(changed, key)
		}
	}
	slices.SortFunc(changed, func(a, b watch.Key) int { return byUpdate(now[a], now[b], a, b) })
	return w.give(ctx, changed)
}

// versions reads the versions of the scope's conversations that meet a condition, and notes how
// long it took for all.
func (w *watching) versions(ctx context.Context, condition *query.Query) (map[watch.Key]version, error) {
	begun := time.Now()
	db, err := w.sc.ReadingPrimary(ctx)
	if err != nil {
		return nil, err
	}
	q := query.New("SELECT id, user_id, last_seq, last_change_seq, updated_at, deleted_at FROM " + w.sc.Tables.Conversations + " WHERE 1 = 1")
	w.sc.Owned(q, "").Append(condition)
	found := map[watch.Key]version{}
	err = q.Rows(db, func(rows *sql.Rows) error {
		var key watch.Key
		var v version
		var updated time.Time
		var deleted *time.Time
		err := rows.Scan(&key.Conversation, &key.User, &v.seq, &v.change, (*record.Instant)(&updated), record.NullInstant{Dest: &deleted})
		if v.updated = updated.UnixMicro(); deleted != nil {
			v.deleted = deleted.UnixMicro()
		}
		found[key] = v
		return err
	})
	if len(condition.Args) == 0 {
		w.passed, w.took = time.Now(), time.Since(begun)
	}
	return found, err
}

// watchPage is how many conversations are read at once.
const watchPage = 100

// give reads conversations and yields them in the order of keys. One that is gone by now is left
// to the next comparison.
func (w *watching) give(ctx context.Context, keys []watch.Key) error {
	for part := range slices.Chunk(keys, watchPage) {
		rows, err := w.read(ctx, part)
		if err != nil {
			return err
		}
		for _, key := range part {
			c := rows[key]
			if c == nil {
				continue
			}
			w.known[key] = versionOf(c)
			if !w.yield(store.ConversationChange{ID: c.ID, UserID: c.UserID, Conversation: c}, nil) {
				return errLeft
			}
		}
	}
	return nil
}

func (w *watching) read(ctx context.Context, keys []watch.Key) (map[watch.Key]*conversation.Conversation, error) {
	db, err := w.sc.ReadingPrimary(ctx)
	if err != nil {
		return nil, err
	}
	ids, users := make([]uuid.UUID, len(keys)), make([]uuid.UUID, len(keys))
	for i, k := range keys {
		ids[i], users[i] = k.Conversation, k.User
	}
	pairs, args := w.sc.Dialect.Pairs(ids, users)
	q := query.New("SELECT "+query.Qualified("c.", record.ConversationColumns)+" FROM "+pairs+" AS v", args...).
		Add(w.sc.Dialect.OrderedJoin() + w.sc.Tables.Conversations + " c ON c.id = v.a AND c.user_id = v.b WHERE 1 = 1")
	w.sc.Owned(q, "c.")
	found, err := query.All(db, q, record.ConversationDest)
	rows := make(map[watch.Key]*conversation.Conversation, len(found))
	for _, c := range found {
		rows[watch.Key{User: c.UserID, Conversation: c.ID}] = c
	}
	return rows, err
}

func versionOf(c *conversation.Conversation) version {
	v := version{seq: c.LastSeq, change: c.LastChangeSeq, updated: c.UpdatedAt.UnixMicro()}
	if c.DeletedAt.Valid {
		v.deleted = c.DeletedAt.Time.UnixMicro()
	}
	return v
}
