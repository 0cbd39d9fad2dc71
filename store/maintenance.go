package store

import (
	"context"
	"time"
)

// Maintenance is what jobs and operators do with the rows of a scope.
type Maintenance interface {
	// ArchiveInactive archives the live conversations whose last message was sent before
	// t and returns how many.
	ArchiveInactive(ctx context.Context, t time.Time) (int64, error)

	// Purge removes for good what was deleted before t: conversations with all that is
	// in them, and messages and suggestions deleted by themselves. A message takes the
	// suggestions that answered it or became it along, since they quote it. It works in
	// batches; after an error the counts are what is gone, and a second run goes on.
	Purge(ctx context.Context, t time.Time) (Counts, error)

	// EraseLead removes for good every conversation with a lead, deleted or not, with
	// all that is in it. No such conversation is no error. In a scope of all users each
	// user's part is a transaction of its own.
	EraseLead(ctx context.Context, leadID string) (Counts, error)

	// EraseUser removes for good everything of the scope's user. A scope of all users
	// returns ErrInvalid.
	EraseUser(ctx context.Context) (Counts, error)

	// Orphans counts the rows whose parent is gone: messages and suggestions without
	// their conversation, vectors without their message. There are none unless the
	// database ran without foreign keys, as SQLite does by default.
	Orphans(ctx context.Context) (Counts, error)

	// RemoveOrphans removes what Orphans counts, and returns how many rows went.
	RemoveOrphans(ctx context.Context) (Counts, error)

	// Counts counts the rows of each table, deleted ones included.
	Counts(ctx context.Context) (Counts, error)
}

// Counts are numbers of rows, a table each.
type Counts struct {
	Conversations int64 `json:"conversations"`
	Messages      int64 `json:"messages"`
	Embeddings    int64 `json:"embeddings"`
	Suggestions   int64 `json:"suggestions"`
}

// Total adds the tables up.
func (c Counts) Total() int64 {
	return c.Conversations + c.Messages + c.Embeddings + c.Suggestions
}

// Add returns the sum of two counts, table by table.
func (c Counts) Add(o Counts) Counts {
	return Counts{
		Conversations: c.Conversations + o.Conversations,
		Messages:      c.Messages + o.Messages,
		Embeddings:    c.Embeddings + o.Embeddings,
		Suggestions:   c.Suggestions + o.Suggestions,
	}
}
