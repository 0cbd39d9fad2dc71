package textindex

import (
	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/segment"
)

// keyRow is the columns user_id, thread_id, id, kind. NULL leaves a field as it is.
type keyRow struct {
	user, thread, id uuid.UUID
	kind             record.Number
}

func (r *keyRow) dest() []any { return []any{&r.user, &r.thread, &r.id, &r.kind} }

func (r *keyRow) key() segment.Key {
	return segment.Key{User: r.user, Thread: r.thread, ID: r.id, Kind: segment.Kind(r.kind)}
}

// note is a row whose text no segment has: by its key on PostgreSQL, by ref on SQLite.
type note struct {
	keyRow
	// ref is the row_id of a message, or minus the row_id of a conversation.
	ref int64
}
