package store

import (
	"context"
	"reflect"
	"time"
)

// Maintenance is what jobs and operators do with the rows of a scope and with the tables.
type Maintenance interface {
	Retention
	Eraser
	TableCare
	SearchCare
}

// Retention archives, deletes and purges by age. It skips conversations on hold, see
// ConversationArchiver.Hold.
type Retention interface {
	// ArchiveInactive archives the live conversations whose last message was sent before t,
	// and returns how many it archived, also beside an error. It works in batches, as Retain
	// does.
	ArchiveInactive(ctx context.Context, t time.Time) (int64, error)

	// Purge removes for good what was deleted before t: conversations with everything in
	// them, and single messages and suggestions. With a message it removes what belongs to it,
	// and the suggestions that answer it or were sent as it, because they quote it. It works in batches. After an
	// error the counts say what was removed, and a second run continues.
	Purge(ctx context.Context, t time.Time) (Counts, error)

	// Retain carries out a policy. First it purges what is due, then it deletes, then it
	// archives, so that one run takes each conversation one step further. A conversation that
	// gets a message before its batch is written is not touched. The result says what was
	// done, also beside an error; with DryRun it says what would be done, and nothing is
	// written. A policy without any step, with a negative duration, or with a DeleteAfter
	// below ArchiveAfter is ErrInvalid.
	//
	// Each batch belongs to one user and commits by itself: no lock is held for longer than a
	// batch takes, others append meanwhile, and after a kill or an error a second run
	// continues. Inside a transaction all batches are part of it, and their locks are held
	// until it ends.
	Retain(ctx context.Context, p RetentionPolicy) (RetentionResult, error)
}

// RetentionPolicy says after what time conversations are archived, deleted and purged. 0
// leaves a step out. A step is due if more than its time has passed when the run begins.
type RetentionPolicy struct {
	// ArchiveAfter and DeleteAfter are the time from the last message of a live conversation
	// until it is archived or softly deleted, whatever its status.
	ArchiveAfter time.Duration
	DeleteAfter  time.Duration
	// PurgeAfter is the time from the soft deletion, whoever deleted, until a conversation, or
	// a message or suggestion that was deleted by itself, is erased. See Purge.
	PurgeAfter time.Duration
	// DryRun counts what would be done and does nothing.
	DryRun bool
	// BatchSize is how many conversations a transaction takes at most: 500 if 0; below 0
	// or above 10,000 is ErrInvalid. Erasing takes fewer at once where they are long:
	// 5,000 messages, unless a single conversation has more.
	BatchSize int
	// Progress, if set, is called after each batch with the result so far, outside of the
	// batch's transaction. A dry run has no batches.
	Progress func(RetentionResult)
}

// RetentionResult counts what a run of a policy did, or with DryRun would do.
type RetentionResult struct {
	Archived int64  `json:"archived"`
	Deleted  int64  `json:"deleted"`
	Purged   Counts `json:"purged"`
}

// Eraser removes rows for good (hard delete), also those of conversations on hold.
type Eraser interface {
	// EraseLead removes every conversation with a lead, live or deleted, with everything in
	// it, and counts the rows. If there is no such conversation, that is no error. An empty id
	// is ErrInvalid, and so is one that cannot be a key of the host's leads, such as a word
	// where the key is a bigint. In the scope of all users each user's part is a transaction
	// of its own, and after an error the counts say what was removed.
	EraseLead(ctx context.Context, leadID string) (Counts, error)

	// EraseUser removes everything of the scope's user, in every table, and counts the rows. For a user without
	// rows it returns zero counts. In the scope of all users it returns ErrInvalid.
	EraseUser(ctx context.Context) (Counts, error)

	// Orphans counts the rows whose parent is gone: messages, suggestions, labels and so on
	// without their conversation, vectors, refs, votes and deliveries without their message. There are none unless the database ran
	// without foreign keys, which is SQLite's default for a host's own connections.
	Orphans(ctx context.Context) (Counts, error)

	// RemoveOrphans removes what Orphans counts and what becomes an orphan by that, and returns
	// how many rows it removed.
	RemoveOrphans(ctx context.Context) (Counts, error)
}

// TableCare counts rows and maintains the tables. Counts works in every scope. The other
// methods work on whole tables: in the scope of one user they return ErrInvalid, and also
// inside a transaction, where no database can do them. Each says what it locks.
type TableCare interface {
	// Counts counts the rows of the scope in each table, deleted ones included.
	Counts(ctx context.Context) (Counts, error)

	// Analyze refreshes the statistics that the query planner uses. On PostgreSQL it blocks
	// nobody. On SQLite it blocks writers for as long as it takes.
	Analyze(ctx context.Context) error

	// Vacuum makes the space of removed rows available for new ones and refreshes the
	// statistics. On PostgreSQL, whose autovacuum does so by itself in time, it blocks nobody.
	// SQLite frees space at once; there Vacuum merges the full text indexes, in which erased
	// words stay until a merge, moves the write-ahead log into the file, and blocks writers
	// meanwhile. If a reader takes longer than the busy timeout, a part of the log stays; that
	// is no error, and the next Vacuum moves it.
	Vacuum(ctx context.Context) error

	// VacuumFull rewrites the tables without the space of removed rows and gives that space
	// back to the operating system. Afterwards no byte of an erased row is left in them. It
	// needs as much free disk as the tables take. On PostgreSQL it locks one table at a time
	// against reading and writing; on SQLite it locks the whole file, with the host's tables,
	// against writing. It is for a maintenance window: while a transaction is open that still
	// sees the erased rows, they stay, on PostgreSQL in the tables, and on SQLite in the
	// write-ahead log, which is an error there.
	VacuumFull(ctx context.Context) error

	// Reindex rebuilds the indexes. PostgreSQL builds the new ones beside the old ones
	// (CONCURRENTLY), which takes twice the time and space and blocks nobody; if interrupted,
	// it leaves an invalid index whose name ends in _ccnew. SQLite blocks writers meanwhile.
	Reindex(ctx context.Context) error
}

// SearchCare looks after the index of words. A search finds everything without it: texts that are
// new are noted by triggers and read by each search until they are packed into the index, which
// the store's own appends do once there are some hundreds. Beside Vacuum it is for hosts that
// write much past the store, and for a new version of the library that takes texts apart in
// another way, or other stemmers. In the scope of one user its methods return ErrInvalid, and where there is no
// index, ErrUnsupported.
type SearchCare interface {
	// PackSearch packs the texts that are noted, in one transaction after the other, and removes
	// what is void. If somebody else is packing it returns at once. Inside a transaction it is
	// ErrInvalid, as is ReindexSearch.
	PackSearch(ctx context.Context) error

	// ReindexSearch makes the index anew from the rows, segment by segment, each in a transaction
	// of its own, while everybody reads, writes and searches. If some of it is outdated, it makes
	// that anew and is then done: what an interrupted rebuild has left, what has the stems of other
	// stemmers. If the index is damaged, it notes all
	// texts and removes the index, in one transaction, which edits and on SQLite all writers wait
	// for, and packs the texts again; searches find everything meanwhile and are slow. progress, if not nil, is called
	// after each segment, outside of its transaction.
	ReindexSearch(ctx context.Context, progress func(SearchProgress)) error

	// SearchState says how the index is.
	SearchState(ctx context.Context) (SearchState, error)
}

// SearchProgress is how far a rebuild of the index of words is, in messages and titles. Total may
// grow meanwhile.
type SearchProgress struct {
	Done  int64 `json:"done"`
	Total int64 `json:"total"`
}

// SearchState is the state of the index of words.
type SearchState struct {
	// Noted counts the texts that each search reads because they are not packed yet, and Void
	// the packed ones that each search leaves out because they are not marked yet.
	Noted int64 `json:"noted"`
	Void  int64 `json:"void"`
	// Segments, Documents and Bytes are those of the packed texts. A document is a message, or
	// the title and subject of a conversation.
	Segments  int64 `json:"segments"`
	Documents int64 `json:"documents"`
	Bytes     int64 `json:"bytes"`
	// Outdated counts the documents that another version of the library has taken apart, or that
	// other stemmers than the store's have found the stems of (convostore.WithStemming): these are
	// found by their exact words alone, until ReindexSearch makes them anew.
	Outdated int64 `json:"outdated"`
}

// Counts are numbers of rows, one for each table.
type Counts struct {
	Conversations int64 `json:"conversations"`
	Messages      int64 `json:"messages"`
	Embeddings    int64 `json:"embeddings"`
	Suggestions   int64 `json:"suggestions"`
	// Refs, Votes and Deliveries belong to messages; Deliveries are those of the outbox.
	Refs       int64 `json:"refs"`
	Votes      int64 `json:"votes"`
	Deliveries int64 `json:"deliveries"`
	// Labels, Reads, States and Summaries belong to conversations, and UserStates to the user
	// alone.
	Labels     int64 `json:"labels"`
	Reads      int64 `json:"reads"`
	States     int64 `json:"states"`
	UserStates int64 `json:"user_states"`
	Summaries  int64 `json:"summaries"`
}

// numbers returns every number of c. They are found by reflection, so that none can be
// forgotten.
func (c *Counts) numbers() []*int64 {
	v := reflect.ValueOf(c).Elem()
	all := make([]*int64, v.NumField())
	for i := range all {
		all[i] = v.Field(i).Addr().Interface().(*int64) //nolint:forcetypeassert // a test asks for it
	}
	return all
}

// Total returns the sum over the tables.
func (c Counts) Total() (sum int64) {
	for _, n := range c.numbers() {
		sum += *n
	}
	return sum
}

// Add returns the sum of two counts, table by table.
func (c Counts) Add(o Counts) Counts {
	others := o.numbers()
	for i, n := range c.numbers() {
		*n += *others[i]
	}
	return c
}
