package textindex

import (
	"encoding/json"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/internal/segment"
)

// sqliteBackend finds the row of a note by its row_id, or a conversation by minus its row_id.
// The transaction that changes segments has the whole database to itself.
type sqliteBackend struct{}

// notedMessages calls the notes few: by statistics of a time when all was noted, SQLite would read
// a whole table for a filter in front of its lookups.
func (sqliteBackend) notedMessages(t tables) string {
	return t.notes + " n CROSS JOIN " + t.messages + " m ON m.row_id = n.ref WHERE likelihood(n.ref > 0, 0.0001)"
}

func (sqliteBackend) notedTitles(t tables) string {
	return t.notes + " n CROSS JOIN " + t.conversations + " c ON c.row_id = -n.ref WHERE likelihood(n.ref < 0, 0.0001)"
}

func (sqliteBackend) takeNotes(db query.Conn, t tables, n int) ([]note, error) {
	q := query.New("DELETE FROM "+t.notes+" WHERE ref IN (SELECT ref FROM "+t.notes+" LIMIT ?) RETURNING ref", n)
	notes, err := query.All(db, q, func(n *note) []any { return []any{&n.ref} })
	return query.Values(notes), err
}

func (sqliteBackend) note(t tables, key segment.Key) *query.Query {
	insert := "INSERT INTO " + t.notes + " (ref) SELECT "
	if key.Kind == segment.Title {
		return query.New(insert+"-row_id FROM "+t.conversations+" WHERE id = ? AND user_id = ? ON CONFLICT (ref) DO NOTHING", key.ID, key.User)
	}
	return query.New(insert+"row_id FROM "+t.messages+" WHERE id = ? AND user_id = ? ON CONFLICT (ref) DO NOTHING", key.ID, key.User)
}

func (sqliteBackend) noteAll(t tables) []string {
	insert := "INSERT INTO " + t.notes + " (ref) SELECT "
	return []string{
		insert + "m.row_id FROM " + t.messages + " m WHERE " + Indexable + " ON CONFLICT (ref) DO NOTHING",
		insert + "-c.row_id FROM " + t.conversations + " c WHERE " + titled + " ON CONFLICT (ref) DO NOTHING",
	}
}

// noteThread is no trigger's: one on conversations that names messages would be in the way of a
// host's AutoMigrate, since SQLite renames no table while a trigger names one that is not there.
func (sqliteBackend) noteThread(t tables, user, thread uuid.UUID) []*query.Query {
	messages := " FROM " + t.messages + " m WHERE m.conversation_id = ? AND m.user_id = ? AND " + Indexable
	titles := " FROM " + t.conversations + " c WHERE c.id = ? AND c.user_id = ? AND " + titled
	note := "INSERT INTO " + t.notes + " (ref) SELECT "
	gone := "INSERT INTO " + t.gone + " (user_id, thread_id, kind, id, erased) SELECT "
	return []*query.Query{
		query.New(note+"m.row_id"+messages+" ON CONFLICT (ref) DO NOTHING", thread, user),
		query.New(note+"-c.row_id"+titles+" ON CONFLICT (ref) DO NOTHING", thread, user),
		query.New(gone+"m.user_id, m.conversation_id, 1, m.id, false"+messages+" ON CONFLICT (user_id, thread_id, kind, id) DO NOTHING", thread, user),
		query.New(gone+"c.user_id, c.id, 0, c.id, false"+titles+" ON CONFLICT (user_id, thread_id, kind, id) DO NOTHING", thread, user),
	}
}

func (sqliteBackend) texts(t tables, notes []note) *query.Query {
	list := refsOf(notes)
	return query.New("SELECT "+t.messageTexts()+" FROM json_each(?) n CROSS JOIN "+t.messages+" m ON m.row_id = n.value WHERE n.value > 0 AND "+Indexable, list).
		Add(" UNION ALL SELECT "+titleTexts+" FROM json_each(?) n CROSS JOIN "+t.conversations+" c ON c.row_id = -n.value WHERE n.value < 0", list)
}

// refsOf is a JSON array.
func refsOf(notes []note) string {
	refs := make([]int64, len(notes))
	for i, n := range notes {
		refs[i] = n.ref
	}
	list, _ := json.Marshal(refs) // numbers never fail
	return string(list)
}

func (sqliteBackend) noteAgain(t tables, notes []note) *query.Query {
	return query.New("INSERT INTO "+t.notes+" (ref) SELECT value FROM json_each(?) WHERE true ON CONFLICT (ref) DO NOTHING", refsOf(notes))
}

// blocks needs no LATERAL: SQLite runs the subquery for each row of a join.
func (sqliteBackend) blocks(t tables) string {
	return t.blocks + " b ON b.segment_id = s.id AND b.part = r.part AND b.key < r.high AND b.key >= coalesce(" +
		"(SELECT f.key FROM " + t.blocks + " f WHERE f.segment_id = s.id AND f.part = r.part AND f.key <= r.low ORDER BY f.key DESC LIMIT 1), r.low)"
}

func (sqliteBackend) tryLock(query.Conn, tables) (bool, error) { return true, nil }

func (sqliteBackend) lock(query.Conn, tables) error { return nil }

func (sqliteBackend) skipLocked() string { return "" }

func (sqliteBackend) ownNotes(scope.Scope, *query.Query) {}

func (sqliteBackend) bytes() string { return "blob" }
