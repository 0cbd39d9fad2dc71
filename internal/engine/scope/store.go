package scope

import (
	"fmt"
	"sync/atomic"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/internal/engine/config"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/replica"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
)

// Store is a Store outside or inside of a transaction.
type Store struct {
	*shared
	Writer, Reader *query.Handle
	InTx           bool
	// txWrites is set inside a transaction of the store's own, if there are replicas.
	txWrites *replica.TxWrites
}

// shared is what a store and its transactions have in common.
type shared struct {
	*config.Config
	Dialect dialect.Dialect
	Tables  Tables
	ready   atomic.Bool
	// written are nil without replicas.
	written *replica.WriteTimes
	// features is what the schema can do, nil until somebody asks.
	features atomic.Pointer[Features]
	// Erasures counts what may have removed vectors of which codes.lists has the codes. A
	// count, since who erases waits for nobody: it may hold the connection that a search
	// waits for.
	Erasures atomic.Int64
}

// Tables are the quoted names for SQL.
type Tables struct {
	Conversations, Messages, Embeddings, Claims, Suggestions string
	// MessagesText and conversationsText are SQLite's indexes of words.
	MessagesText, ConversationsText string
}

func tablesOf(c *config.Config) Tables {
	return Tables{
		Conversations: c.Tables.Quoted("conversations"),
		Messages:      c.Tables.Quoted("messages"),
		Embeddings:    c.Tables.Quoted("message_embeddings"),
		Claims:        c.Tables.Quoted("message_embedding_claims"),
		Suggestions:   c.Tables.Quoted("ai_suggestions"),

		MessagesText:      c.Tables.Quoted("messages_fts"),
		ConversationsText: c.Tables.Quoted("conversations_fts"),
	}
}

func (s *Store) withHandle(tx *query.Handle) *Store {
	return &Store{shared: s.shared, Writer: tx, Reader: tx, InTx: tx.InTx()}
}

// NewStore returns a store outside of a transaction, which writes through writer and
// reads through reader.
func NewStore(c *config.Config, d dialect.Dialect, writer, reader *gorm.DB) *Store {
	s := &Store{shared: &shared{Config: c, Dialect: d, Tables: tablesOf(c)}, Writer: query.NewHandle(writer, d, c.Log)}
	s.InTx = s.Writer.InTx()
	s.Reader = s.Writer
	if reader != writer {
		s.Reader = query.NewHandle(reader, d, c.Log)
	}
	if c.Replicas != nil {
		s.written = replica.NewWriteTimes(c.ReplicaRules)
	}
	return s
}

// ForUser is the scope of one user.
func (s *Store) ForUser(user uuid.UUID) Scope { return Scope{Store: s, User: user} }

// AllUsers is the scope of everybody.
func (s *Store) AllUsers() Scope { return Scope{Store: s, All: true} }

// WithTx returns the store inside a transaction of the host's.
func (s *Store) WithTx(tx *gorm.DB) *Store { return s.withHandle(query.NewHandle(tx, s.Dialect, s.Log)) }

// CheckSchema compares the schema with the one that this code wants, once for a store
// that has it.
func (s *Store) CheckSchema(db query.Conn) error {
	if s.ready.Load() {
		return nil
	}
	have, err := migrate.Version(db.Ctx, db.Host(), s.MigrateOptions())
	if err != nil {
		return query.Stopped(db.Ctx, err)
	}
	if err := CompareSchema(have); err != nil {
		return err
	}
	s.NoteWrite(db.Ctx, replica.Whose{All: true}) // a replica may not have the schema yet
	s.ready.Store(true)
	return nil
}

func CompareSchema(have int64) error {
	switch want := migrate.Latest(); {
	case have < want:
		return fmt.Errorf("%w: the database is at version %d, this code needs %d: call migrate.Up, or open with convostore.WithMigrate", store.ErrSchema, have, want)
	case have > want:
		return fmt.Errorf("%w: the database is at version %d, this code knows %d: update the library", store.ErrSchema, have, want)
	}
	return nil
}
