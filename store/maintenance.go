package store

import (
	"context"
	"time"
)

// Maintenance is what jobs and operators do with the rows of a scope.
type Maintenance interface {
	Retention
	Eraser
	TableCare
}

// Retention is what happens to conversations by their age. A conversation on hold
// (Conversations().Hold) is left alone by all of it.
type Retention interface {
	// ArchiveInactive archives the live conversations whose last message was sent before
	// t and returns how many, also beside an error. It works in batches, as Retain does.
	ArchiveInactive(ctx context.Context, t time.Time) (int64, error)

	// Purge removes for good what was deleted before t: conversations with all that is
	// in them, and messages and suggestions deleted by themselves. A message takes the
	// suggestions that answered it or became it along, since they quote it. It works in
	// batches; after an error the counts are what is gone, and a second run goes on.
	Purge(ctx context.Context, t time.Time) (Counts, error)

	// Retain carries out a policy, in batches of one user each, which commit by
	// themselves: no lock is held for longer than one takes, appends go on meanwhile, and
	// after a kill or an error a second run goes on where it was. First what is due is
	// purged, then deleted, then archived, so that a run takes each conversation one step
	// further. A conversation that gets a message in time is not touched. The result is
	// what was done, also beside an error; with DryRun what would be, and nothing is
	// written. A policy without any step, with a negative duration or with DeleteAfter
	// below ArchiveAfter is ErrInvalid.
	//
	// Inside a transaction all batches are part of it, and their locks are held to its
	// end.
	Retain(ctx context.Context, p RetentionPolicy) (RetentionResult, error)
}

// RetentionPolicy says when conversations go. Zero leaves a step out; a step is due when
// more than its time has passed at the beginning of the run.
type RetentionPolicy struct {
	// ArchiveAfter and DeleteAfter are how long after its last message a live conversation
	// is archived, or deleted softly, whatever its status.
	ArchiveAfter time.Duration
	DeleteAfter  time.Duration
	// PurgeAfter is how long after it was deleted softly, by whomever, a conversation is
	// erased, and a message or suggestion that was deleted by itself; see Purge.
	PurgeAfter time.Duration
	// DryRun counts what would be done and does nothing.
	DryRun bool
	// BatchSize is how many conversations a transaction takes at most: 500 if 0; below 0
	// or above 10,000 is ErrInvalid. Erasing takes fewer at once where they are long:
	// 5,000 messages, unless one conversation alone has more.
	BatchSize int
	// Progress, if set, is called after each batch with the result so far, outside of its
	// transaction. A dry run has no batches.
	Progress func(RetentionResult)
}

// RetentionResult counts what a run of a policy did.
type RetentionResult struct {
	Archived int64  `json:"archived"`
	Deleted  int64  `json:"deleted"`
	Purged   Counts `json:"purged"`
}

// Eraser removes for good, on hold or not.
type Eraser interface {
	// EraseLead removes for good every conversation with a lead, deleted or not, with
	// all that is in it. No such conversation is no error; an id that cannot be the key of
	// one of the host's leads, such as no number for a bigint, is ErrInvalid. In a scope of
	// all users each user's part is a transaction of its own.
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
}

// TableCare counts rows and looks after the tables. But for Counts its methods are about
// whole tables: a scope of one user gets ErrInvalid, and so does a store inside a
// transaction, where no database can do it. Each says what it locks.
type TableCare interface {
	// Counts counts the rows of each table, deleted ones included.
	Counts(ctx context.Context) (Counts, error)

	// Analyze refreshes the statistics that the planner goes by. It hinders nobody on
	// PostgreSQL, and writers on SQLite for as long as it takes.
	Analyze(ctx context.Context) error

	// Vacuum makes the room of removed rows free for new ones and refreshes the
	// statistics. On PostgreSQL, which does so by itself in time, it hinders nobody. SQLite
	// frees room at once: there it merges the indexes of words, in which erased words
	// stay until a merge, moves the write-ahead log into the file, and keeps writers
	// waiting meanwhile. A reader that goes on for longer than the busy timeout keeps a part
	// of the log, which is no error: the next Vacuum moves it.
	Vacuum(ctx context.Context) error

	// VacuumFull writes the tables anew without the room of removed rows and gives it back
	// to the operating system, after which no byte of an erased row is left in them. It
	// needs as much free disk again as the tables take, and locks them against reading
	// and writing until it is done, on PostgreSQL a table at a time, on SQLite the whole
	// file, the host's tables with it, against writing. It is for a maintenance window: while
	// a transaction is open that still sees the erased rows they stay, on PostgreSQL in the
	// tables, and on SQLite in the write-ahead log, which is an error there.
	VacuumFull(ctx context.Context) error

	// Reindex builds the indexes anew, beside the old ones on PostgreSQL (CONCURRENTLY),
	// which takes twice the time and the room and hinders nobody, but leaves an invalid
	// index with the ending _ccnew behind if it is interrupted. SQLite keeps writers
	// waiting.
	Reindex(ctx context.Context) error
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
