package scope

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/internal/engine/config"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/replica"
	"github.com/convostore/convostore/internal/naming"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
)

// Store is a store.Store without its roles, outside or inside of a transaction.
type Store struct {
	*shared
	// Writer and Reader are handles on the primary, of which Reader may have a pool of its own.
	// Inside a transaction both are the transaction.
	Writer, Reader *query.Handle
	// InTx says that the store is in a transaction, its own or the host's.
	InTx bool
	// txWrites is set inside a transaction that the store began itself, if there are replicas.
	txWrites *replica.TxWrites
	// txUsers is set in a transaction that the store began itself and does not share.
	txUsers *users
}

// shared is what a store and its transactions share.
type shared struct {
	*config.Config
	Dialect dialect.Dialect
	Tables  Tables
	ready   atomic.Bool
	// written is nil without replicas.
	written       *replica.WriteTimes
	featureReader featureReader
	// features is nil until it is first read.
	features atomic.Pointer[Features]
	// leadTypes is nil until somebody asks how the host's leads compare with conversations.
	leadTypes atomic.Pointer[leadTypes]
	// copyRefused says that the server does not take COPY into the library's tables.
	copyRefused atomic.Bool
	// Erasures counts the erasures, after which the codes in memory may be of vectors that are
	// gone. It is a counter and not a lock: an erasure must wait for nobody, since it may hold
	// the connection that a search waits for.
	Erasures atomic.Int64
	// Lists are the centroids that SQLite's vectors are divided by.
	Lists VectorLists
	// Branched are conversations that have branches.
	Branched Branched
	// group is nil where the database has many writers.
	group *group
	// onNoted is called by Noted, and by Tend with all set.
	onNoted func(ctx context.Context, st *Store, rows, bytes int, all bool)
	// onWritten is called when rows of a user were written and committed, and with uuid.Nil when
	// it may be anybody's.
	onWritten func(user uuid.UUID)
	// watch is the file of a host's handle, once it was looked for.
	watch atomic.Pointer[query.File]
}

// Tables are the quoted names of the tables in SQL.
type Tables struct {
	Conversations, Messages, Embeddings, Claims, Failures, Suggestions, Summaries string
	// States, UserStates and AppStates have what agents keep.
	States, UserStates, AppStates string
	// Labels, Reads and Votes are what people note.
	Labels, Reads, Votes string
	// Deliveries is the outbox, and Refs has the names that messages have elsewhere.
	Deliveries, Refs string
	// SearchNotes and the other three are the index of words. They are there with full text alone.
	SearchNotes, SearchGone, SearchSegments, SearchBlocks string
	// Partitions, Centroids and Lists are the index of vectors that SQLite has after a training.
	Partitions, Centroids, Lists string

	names naming.Tables
}

func tablesOf(names naming.Tables) Tables {
	return Tables{
		Conversations: names.Quoted(naming.Conversations),
		Messages:      names.Quoted(naming.Messages),
		Embeddings:    names.Quoted(naming.Embeddings),
		Claims:        names.Quoted(naming.Claims),
		Failures:      names.Quoted(naming.Failures),
		Suggestions:   names.Quoted(naming.Suggestions),
		Summaries:     names.Quoted(naming.Summaries),

		States:     names.Quoted(naming.States),
		UserStates: names.Quoted(naming.UserStates),
		AppStates:  names.Quoted(naming.AppStates),

		Labels: names.Quoted(naming.Labels),
		Reads:  names.Quoted(naming.Reads),
		Votes:  names.Quoted(naming.Votes),

		Deliveries: names.Quoted(naming.Deliveries),
		Refs:       names.Quoted(naming.Refs),

		SearchNotes:    names.Quoted(naming.SearchNotes),
		SearchGone:     names.Quoted(naming.SearchGone),
		SearchSegments: names.Quoted(naming.SearchSegments),
		SearchBlocks:   names.Quoted(naming.SearchBlocks),

		Partitions: names.Quoted(naming.Partitions),
		Centroids:  names.Quoted(naming.Centroids),
		Lists:      names.Quoted(naming.Lists),

		names: names,
	}
}

// Of returns the quoted name of a table.
func (t Tables) Of(table *record.Table) string { return t.names.Quoted(table.Name) }

func (s *Store) withHandle(tx *query.Handle) *Store {
	return &Store{shared: s.shared, Writer: tx, Reader: tx, InTx: tx.InTx()}
}

// NewStore returns a store outside of a transaction, which writes through writer and reads
// through reader. The two may be the same handle. It returns ErrInvalid for a dialect that
// lacks an implementation here.
func NewStore(c *config.Config, d dialect.Dialect, writer, reader *gorm.DB) (*Store, error) {
	features, err := dialect.Pick[featureReader](d, postgresFeatures{}, sqliteFeatures{})
	if err != nil {
		return nil, err
	}
	s := &Store{shared: &shared{Config: c, Dialect: d, Tables: tablesOf(c.Tables), featureReader: features}, Writer: query.NewHandle(writer, d, c.Log)}
	s.InTx = s.Writer.InTx()
	s.Reader = s.Writer
	if reader != writer {
		s.Reader = query.NewHandle(reader, d, c.Log).ClosedWith(s.Writer)
	}
	if d.OneWriter() {
		s.group = &group{}
	}
	if c.Replicas != nil {
		s.written = replica.NewWriteTimes(c.ReplicaRules)
	}
	return s, nil
}

// OnNoted sets what Noted and Tend call. It is for the assembly of a store.
func (s *Store) OnNoted(fn func(ctx context.Context, st *Store, rows, bytes int, all bool)) {
	s.onNoted = fn
}

// OnWritten sets what is called after each commit of rows. It is for the assembly of a store.
func (s *Store) OnWritten(fn func(user uuid.UUID)) { s.onWritten = fn }

// Noted says that rows were written whose words are to be found. It is called after their commit,
// or in a transaction that is not the method's own, and may pack what was noted. rows may be more
// than there are, and bytes is about how much text they have: it matters where that is much.
func (s *Store) Noted(ctx context.Context, rows, bytes int) {
	if s.onNoted != nil && rows > 0 {
		s.onNoted(ctx, s, rows, bytes, false)
	}
}

// Tend says that a search had to read so much that is noted, or very many parts of the index of
// words, and may bring it in order.
func (s *Store) Tend(ctx context.Context, rows, bytes int) {
	if s.onNoted != nil {
		s.onNoted(ctx, s, rows, bytes, true)
	}
}

// CopyRefused tells whether RefuseCopy was called.
func (s *Store) CopyRefused() bool { return s.copyRefused.Load() }

// RefuseCopy notes that the server does not take COPY into the library's tables.
func (s *Store) RefuseCopy() { s.copyRefused.Store(true) }

// ForUser returns the scope of one user. The nil UUID is refused when the scope is used.
func (s *Store) ForUser(user uuid.UUID) Scope { return Scope{Store: s, User: user} }

// AllUsers returns the scope of all users.
func (s *Store) AllUsers() Scope { return Scope{Store: s, All: true} }

// WithTx returns the store inside a transaction of the host.
func (s *Store) WithTx(tx *gorm.DB) *Store {
	return s.withHandle(query.NewHandle(tx, s.Dialect, s.Log).ClosedWith(s.Writer))
}

// CheckSchema returns ErrClosed after Close, and ErrSchema if this code does not work with the schema. Once it has found one
// that it works with it does not look again.
func (s *Store) CheckSchema(db query.Conn) error {
	if err := db.Closed(); err != nil {
		return err
	}
	if s.ready.Load() {
		return nil
	}
	have, err := migrate.ReadSchema(db.Ctx, db.Host(), s.MigrateOptions())
	if err != nil {
		return query.Stopped(db.Ctx, err)
	}
	if err := CompareSchema(have); err != nil {
		return err
	}
	if err := s.watchFile(db); err != nil {
		return err
	}
	s.NoteWrite(db.Ctx, replica.Whose{All: true}) // a replica may not have the schema yet
	s.ready.Store(true)
	return nil
}

// CompareSchema returns ErrSchema unless a schema works with this code: it has the version that
// this code needs, or a newer one that only adds to it.
func CompareSchema(have migrate.Schema) error {
	switch want := migrate.Latest(); {
	case have.Version < want:
		return fmt.Errorf("%w: the database is at version %d, this code needs %d: call migrate.Up, or open with convostore.WithMigrate", store.ErrSchema, have.Version, want)
	case have.OldestCode > want:
		return fmt.Errorf("%w: the database is at version %d, which works with code that knows %d or more, and this code knows %d: update the library",
			store.ErrSchema, have.Version, have.OldestCode, want)
	}
	return nil
}
