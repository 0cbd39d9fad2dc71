package convostore

import (
	"log/slog"
	"slices"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/convostore/convostore/internal/engine/config"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/naming"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

// Option configures a store. New and the functions that open a database (sqlite.Open,
// postgres.Open) take options and apply each once, in their order; of two that set the same
// thing the later one counts. The packages of the databases have further options, such as
// the size of the pool. One option may be given to any number of stores, also concurrently.
type Option = config.Option

// WithLeads names the host's table of leads. Reports read it; nothing writes to it. The
// table need not exist before the first report. A name that cannot be an identifier is
// ErrInvalid. Name its Owner wherever users must not see each other's leads. If the table's
// key has another type than lead_id (see migrate.Options.Leads), PostgreSQL compares both as
// text and reads the whole table. An Owner of a type that no user id has is ErrInvalid in the
// first report that needs it.
func WithLeads(t store.HostTable) Option {
	return func(c *config.Config) error {
		t := t // the option may be applied for several stores at once
		if t.Key == "" {
			t.Key = "id"
		}
		columns := append([]string{t.Key}, t.Columns...)
		for _, optional := range []string{t.Owner, t.Title} {
			if optional != "" {
				columns = append(columns, optional)
			}
		}
		if err := naming.CheckHost("leads", t.Name, columns...); err != nil {
			return err
		}
		t.Columns = slices.Clone(t.Columns)
		c.Leads = &t
		return nil
	}
}

// WithLogger logs the store's statements to l instead of the logger of the host's handle,
// also inside a host's transaction and through Store.DB. Without it a store of sqlite.Open
// and postgres.Open logs nothing.
//
//   - "query" at level Debug for every statement;
//   - "slow query" at Warn for one that took slow or longer; a slow of 0 turns this off;
//   - "query failed" for a statement that failed: at Debug if its context was cancelled; at
//     Warn if its deadline passed, for a read on a replica, and for a duplicate key, a
//     deadlock and a busy database, which the store handles or returns as ErrConflict; at
//     Error for the rest.
//
// The attributes are sql, duration, rows where the number is known, and code for a
// statement that failed. No value that is stored or searched for gets into the log: sql has
// placeholders, and code is the SQLSTATE, SQLite's code or the type of the error, never its
// text, which may quote a value. There are two exceptions for what a host runs through
// Store.DB: with GORM's Scan only the first word of the SQL is logged, because GORM puts
// the values into it, and literals that the host writes into its SQL are logged.
//
// The duration of a query ends when its last row was read; for a host's own through
// Store.DB it is what GORM measures. Migrations, and the statements that begin and end a
// transaction, are not logged. A nil l and a negative slow are ErrInvalid.
func WithLogger(l *slog.Logger, slow time.Duration) Option {
	return func(c *config.Config) error {
		if l == nil {
			return rule.Invalid("WithLogger", "is nil")
		}
		if slow < 0 {
			return rule.Invalid("WithLogger", "has a threshold below 0")
		}
		c.Log = &query.StatementLog{To: l, Slow: slow}
		return nil
	}
}

// WithTablePrefix puts a prefix before the name of every table and index. The migrations
// need the same prefix; WithMigrate takes it from here.
func WithTablePrefix(prefix string) Option {
	return func(c *config.Config) error {
		c.Tables.Prefix = prefix
		return c.Tables.Validate()
	}
}

// WithSchema names the PostgreSQL schema of the tables. The migrations need the same one;
// WithMigrate takes it from here. SQLite has no schemas: ErrInvalid.
func WithSchema(schema string) Option {
	return func(c *config.Config) error {
		c.Tables.Schema = schema
		return c.Tables.Validate()
	}
}

// WithIDs sets the function that makes ids. The default makes UUIDs of version 7, which
// ascend in time and so keep indexes compact. The function must be safe for concurrent use;
// nil is ErrInvalid.
func WithIDs(newID func() (uuid.UUID, error)) Option {
	return func(c *config.Config) error {
		if newID == nil {
			return rule.Invalid("WithIDs", "is nil")
		}
		c.NewID = newID
		return nil
	}
}

// WithClock sets the clock; the default is time.Now. Times are stored in UTC, truncated to
// microseconds. A nil clock is ErrInvalid.
func WithClock(now func() time.Time) Option {
	return func(c *config.Config) error {
		if now == nil {
			return rule.Invalid("WithClock", "is nil")
		}
		c.Now = now
		return nil
	}
}

// WithNULStripped removes U+0000 from texts and JSON documents before they are stored or
// looked up: in keys, filters and searches as well, so that what was stored with U+0000 is found
// with it. Without the option they are ErrInvalid, because PostgreSQL can store U+0000 in
// neither. It is for hosts that store what others send.
//
// Names of headers that become one keep all their values, first those of the name that had no
// U+0000. Keys that differ in U+0000 alone are one key.
func WithNULStripped() Option {
	return func(c *config.Config) error {
		c.Clean.NUL = true
		return nil
	}
}

// WithInvalidTextReplaced replaces what is not Unicode with U+FFFD, the replacement character,
// before it is stored or looked up: in texts and keys each run of bytes that are not UTF-8, and
// in JSON documents also each half of a surrogate pair, such as \ud800. Without the option they
// are ErrInvalid, with the field and the place. Everything else is as for WithNULStripped, with
// which it may be combined.
func WithInvalidTextReplaced() Option {
	return func(c *config.Config) error {
		c.Clean.Invalid = true
		return nil
	}
}

// maxMaxBytes keeps a row below what a jsonb document and a packet of PostgreSQL hold.
const maxMaxBytes = 128 << 20

// WithMaxMessageBytes sets how many bytes the texts and documents of a message may have
// together, see message.Message.Size; the default is message.MaxBytes, 16 MiB. What has more is
// ErrInvalid, and nothing is written. It holds for a conversation and for a suggestion as well.
// A message of 100 MB keeps SQLite's only writer for many seconds, and each reader holds a copy
// in memory. An n outside of 1 to 128 MiB is ErrInvalid. A host's own GORM writes keep the
// default.
func WithMaxMessageBytes(n int) Option {
	return func(c *config.Config) error {
		if n < 1 || n > maxMaxBytes {
			return rule.Invalid("WithMaxMessageBytes", "is not between 1 and %d", maxMaxBytes)
		}
		c.MaxBytes = n
		return nil
	}
}

// WithEmbedder sets the embedder of searches: it turns their texts into vectors, and its
// model is the one whose vectors are compared. A nil embedder is ErrInvalid. EmbedMissing
// takes an embedder of its own, so that it can fill a new model while searches still use
// the old one.
func WithEmbedder(e store.Embedder) Option {
	return func(c *config.Config) error {
		if e == nil {
			return rule.Invalid("WithEmbedder", "is nil")
		}
		c.Embedder = e
		return nil
	}
}

// WithCodesInMemory keeps in memory the codes that a similarity search on SQLite scans: one
// bit for each dimension of a vector. At 200,000 vectors a search is about ten times faster,
// for 200 bytes for each vector of 1,536 dimensions. The first search loads the codes. Each
// later one adds the new ones, whichever process wrote them. On PostgreSQL the option is
// ErrInvalid.
func WithCodesInMemory() Option {
	return func(c *config.Config) error {
		c.CodesInMemory = true
		return nil
	}
}

// WithMigrate makes the constructor bring the schema up to date before it returns. Without
// it nothing migrates by itself.
//
// The prefix and the schema may be given here, with WithTablePrefix, WithSchema and NewNaming, or
// in several of these places: what one leaves out it takes from the other. Two that differ are
// ErrInvalid.
func WithMigrate(o migrate.Options) Option {
	return func(c *config.Config) error {
		c.Migrate = &o
		return nil
	}
}

// WithReader sends reads outside of transactions to a second handle on the same database.
// It is for SQLite: a pool of read-only connections beside the one that writes.
func WithReader(db *gorm.DB) Option {
	return func(c *config.Config) error {
		c.Reader = db
		return nil
	}
}
