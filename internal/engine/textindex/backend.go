package textindex

import (
	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/internal/segment"
)

// backend is what the databases do differently.
type backend interface {
	// notedMessages names the notes n and their messages m, notedTitles the notes n and their
	// conversations c, both as a FROM clause that ends with a condition.
	notedMessages(t tables) string
	notedTitles(t tables) string
	// ownNotes restricts the notes n to those of a user, where they name one.
	ownNotes(sc scope.Scope, q *query.Query)
	// takeNotes deletes at most n notes, none that somebody is changing, and returns them.
	takeNotes(db query.Conn, t tables, n int) ([]note, error)
	// note notes a document again.
	note(t tables, key segment.Key) *query.Query
	// noteAgain notes again what the same transaction has taken.
	noteAgain(t tables, notes []note) *query.Query
	// noteAll are statements that note every text. No packer runs meanwhile: a note that is there
	// stays, and needs no lock.
	noteAll(t tables) []string
	// noteThread are statements that note a conversation and all its messages, as texts that
	// changed, where no trigger does when its language changes.
	noteThread(t tables, user, thread uuid.UUID) []*query.Query
	// texts is the texts of noted rows.
	texts(t tables, notes []note) *query.Query
	// skipLocked leaves out the rows of a SELECT that somebody is changing.
	skipLocked() string
	// blocks joins, to a range r and its segment s, the blocks b that the range asks for.
	blocks(t tables) string
	// tryLock takes the lock of those who change segments, until the transaction ends, and
	// tells whether nobody else has it. lock waits for it.
	tryLock(db query.Conn, t tables) (bool, error)
	lock(db query.Conn, t tables) error
	// bytes is the type of a column of bytes.
	bytes() string
}

func backendOf(s *scope.Store) (backend, error) {
	return dialect.Pick[backend](s.Dialect, postgresBackend{}, sqliteBackend{})
}

// goneRow is a document that is void in the segments. Erased says that its words must go too.
type goneRow struct {
	key    keyRow
	erased bool
}

func (g *goneRow) dest() []any { return append(g.key.dest(), &g.erased) }

// takeGone deletes at most n void documents that match a condition and that nobody is changing,
// and returns them.
func (c *changer) takeGone(n int, condition *query.Query) ([]goneRow, error) {
	q := query.New("DELETE FROM "+c.t.gone+" WHERE (user_id, thread_id, kind, id) IN (SELECT user_id, thread_id, kind, id FROM "+c.t.gone+" WHERE ").
		Append(condition).Add(" LIMIT ?"+c.backend.skipLocked()+") RETURNING user_id, thread_id, id, kind, erased", n)
	rows, err := query.All(c.db, q, (*goneRow).dest)
	return query.Values(rows), err
}
