package textindex

import (
	"database/sql"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/segment"
)

// keyRow is the columns user_id, thread_id, id, kind. NULL leaves a field as it is.
type keyRow struct {
	user, thread, id uuid.UUID
	kind             record.Number
	// wrong says that the row has something else than an id or a time, which SQLite takes from
	// a host's own SQL. No method can return such a row, and it must not be in the way of others.
	wrong bool
}

func (r *keyRow) dest() []any {
	return []any{r.scan(&r.user), r.scan(&r.thread), r.scan(&r.id), &r.kind}
}

// scan notes a wrong value instead of failing.
func (r *keyRow) scan(to sql.Scanner) sql.Scanner { return lenient{to, &r.wrong} }

type lenient struct {
	to    sql.Scanner
	wrong *bool
}

// Scan implements sql.Scanner.
func (l lenient) Scan(src any) error {
	*l.wrong = l.to.Scan(src) != nil || *l.wrong
	return nil //nolint:nilerr // it is noted
}

func (r *keyRow) key() segment.Key {
	return segment.Key{User: r.user, Thread: r.thread, ID: r.id, Kind: segment.Kind(r.kind)}
}

// note is a row whose text no segment has: by its key on PostgreSQL, by ref on SQLite.
type note struct {
	keyRow
	// ref is the row_id of a message, or minus the row_id of a conversation.
	ref int64
}
