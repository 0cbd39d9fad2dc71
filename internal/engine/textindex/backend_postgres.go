package textindex

import (
	"hash/fnv"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/internal/segment"
)

// postgresBackend finds the row of a note by its key. Those who change segments exclude each
// other by an advisory lock; nobody else waits for it.
type postgresBackend struct{}

// notedMessages looks each row up by its key, in a LATERAL subquery that the planner cannot merge
// into the join. There are few notes at most times, and the statistics say so only after the next
// ANALYZE: by those of a table that was just migrated or loaded it would read all messages.
func (postgresBackend) notedMessages(t tables) string {
	return t.notes + " n JOIN LATERAL (SELECT * FROM " + t.messages + " x WHERE x.id = n.id AND x.user_id = n.user_id OFFSET 0) m ON TRUE WHERE n.kind = 1"
}

func (postgresBackend) notedTitles(t tables) string {
	return t.notes + " n JOIN LATERAL (SELECT * FROM " + t.conversations + " x WHERE x.id = n.id AND x.user_id = n.user_id OFFSET 0) c ON TRUE WHERE n.kind = 0"
}

// takeNotes leaves notes that somebody else has locked: an edit that is not committed yet would
// make it wait, and may itself wait for a note that is already taken.
func (postgresBackend) takeNotes(db query.Conn, t tables, n int) ([]note, error) {
	q := query.New("DELETE FROM "+t.notes+" WHERE (user_id, id, kind) IN (SELECT user_id, id, kind FROM "+t.notes+
		" LIMIT ? FOR UPDATE SKIP LOCKED) RETURNING user_id, thread_id, id, kind", n)
	notes, err := query.All(db, q, func(n *note) []any { return n.dest() })
	return query.Values(notes), err
}

func (postgresBackend) note(t tables, key segment.Key) *query.Query {
	return query.New("INSERT INTO "+t.notes+" (user_id, thread_id, id, kind) VALUES (?, ?, ?, ?) ON CONFLICT (user_id, id, kind) DO UPDATE SET thread_id = excluded.thread_id",
		key.User, key.Thread, key.ID, int64(key.Kind))
}

func (postgresBackend) noteAgain(t tables, notes []note) *query.Query {
	rows := dialect.NewArrays(4)
	for _, n := range notes {
		_ = rows.Add([]any{n.user.String(), n.thread.String(), n.id.String(), int64(n.kind)}) // texts and numbers never fail
	}
	return query.New("INSERT INTO "+t.notes+" (user_id, thread_id, id, kind) SELECT user_id, thread_id, id, kind FROM "+
		"unnest(CAST(? AS uuid[]), CAST(? AS uuid[]), CAST(? AS uuid[]), CAST(? AS smallint[])) n (user_id, thread_id, id, kind)"+
		" ON CONFLICT (user_id, id, kind) DO UPDATE SET thread_id = excluded.thread_id", rows.Args()...)
}

func (postgresBackend) noteAll(t tables) []string {
	insert := "INSERT INTO " + t.notes + " (user_id, thread_id, id, kind) SELECT "
	return []string{
		insert + "m.user_id, m.conversation_id, m.id, 1 FROM " + t.messages + " m WHERE " + Indexable + " ON CONFLICT (user_id, id, kind) DO NOTHING",
		insert + "c.user_id, c.id, c.id, 0 FROM " + t.conversations + " c WHERE " + titled + " ON CONFLICT (user_id, id, kind) DO NOTHING",
	}
}

// noteThread is a trigger's.
func (postgresBackend) noteThread(tables, uuid.UUID, uuid.UUID) []*query.Query { return nil }

func (postgresBackend) texts(t tables, notes []note) *query.Query {
	keys := dialect.NewArrays(3)
	for _, n := range notes {
		_ = keys.Add([]any{n.user.String(), n.id.String(), int64(n.kind)}) // texts and numbers never fail
	}
	const rows = "unnest(CAST(? AS uuid[]), CAST(? AS uuid[]), CAST(? AS smallint[])) n (user_id, id, kind)"
	return query.New("SELECT "+t.messageTexts()+" FROM "+rows+" JOIN "+t.messages+" m ON m.id = n.id AND m.user_id = n.user_id WHERE n.kind = 1 AND "+Indexable, keys.Args()...).
		Add(" UNION ALL SELECT "+titleTexts+" FROM "+rows+" JOIN "+t.conversations+" c ON c.id = n.id AND c.user_id = n.user_id WHERE n.kind = 0", keys.Args()...)
}

// blocks is a LATERAL subquery that the planner cannot merge into the join: for each row it
// reads a range of the primary key.
func (postgresBackend) blocks(t tables) string {
	return "LATERAL (SELECT x.key, x.data FROM " + t.blocks + " x WHERE x.segment_id = s.id AND x.part = r.part AND x.key < r.high AND x.key >= coalesce(" +
		"(SELECT f.key FROM " + t.blocks + " f WHERE f.segment_id = s.id AND f.part = r.part AND f.key <= r.low ORDER BY f.key DESC LIMIT 1), r.low)" +
		" ORDER BY x.key OFFSET 0) b ON TRUE"
}

func (b postgresBackend) tryLock(db query.Conn, t tables) (got bool, err error) {
	_, err = query.New("SELECT pg_try_advisory_xact_lock(?)", lockKey(t)).Row(db, &got)
	return got, err
}

func (postgresBackend) lock(db query.Conn, t tables) error {
	_, err := query.New("SELECT pg_advisory_xact_lock(?)", lockKey(t)).Exec(db)
	return err
}

// lockKey is the number of the lock. Two schemas of one name in different databases do not
// meet, since advisory locks are a database's own.
func lockKey(t tables) int64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte("convostore index of words " + t.segments))
	return int64(h.Sum64())
}

func (postgresBackend) skipLocked() string { return " FOR UPDATE SKIP LOCKED" }

// ownNotes lets PostgreSQL read the notes by their primary key.
func (postgresBackend) ownNotes(sc scope.Scope, q *query.Query) { sc.Owned(q, "n.") }

func (postgresBackend) bytes() string { return "bytea" }
