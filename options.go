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

// Option sets up a store, of New or of the Open of a backend. Options of a backend, such
// as a pool size, are in the backend's package. An option may serve for any number of
// stores, also at once.
type Option = config.Option

// WithLeads names the host's table of leads, which need not be there before the first
// report. Reports read it, nothing writes it. If its key has another type than lead_id
// (see migrate.Options.Leads), PostgreSQL compares both as text, for which it reads the
// whole table. Names that are none are ErrInvalid.
func WithLeads(t store.HostTable) Option {
	return func(c *config.Config) error {
		t := t // the option may be applied for several stores at once
		if t.Key == "" {
			t.Key = "id"
		}
		columns := append([]string{t.Key}, t.Columns...)
		if t.Title != "" {
			columns = append(columns, t.Title)
		}
		if err := naming.CheckHost("leads", t.Name, columns...); err != nil {
			return err
		}
		t.Columns = slices.Clone(t.Columns)
		c.Leads = &t
		return nil
	}
}

// WithLogger logs the statements of the store, also inside a host's transaction and
// through Store.DB, in the place of the logger that the host's handle has:
//
//   - "query" at level Debug for each;
//   - "slow query" at Warn for one that took slow or longer; with slow 0 there are none;
//   - "query failed" at Error for one that failed; at Warn for a duplicate key, a deadlock
//     and a busy database, which the store answers by itself or with ErrConflict, for a
//     read on a replica, and for a context whose deadline passed; at Debug for one that was
//     cancelled.
//
// The attributes are sql, duration, rows if it is known, and code for one that failed.
// Nothing that is stored or looked for gets into a log: sql has placeholders, and code is
// the SQLSTATE, SQLite's code or the type of the error, never its text, which can quote a
// value. Of what a host runs through Store.DB with GORM's Scan the sql is the first word
// alone, since GORM has the values in it; what a host writes out in its SQL is logged.
//
// The duration of a query of the store's goes until its last row was read; that of a
// host's own through Store.DB is what GORM measures. Migrations, and the beginning and the
// end of a transaction, are not logged.
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

// WithTablePrefix puts a prefix before the name of every table and index. The
// migrations need the same one; WithMigrate gets it from here.
func WithTablePrefix(prefix string) Option {
	return func(c *config.Config) error {
		c.Tables.Prefix = prefix
		return c.Tables.Validate()
	}
}

// WithSchema puts the tables into a schema of PostgreSQL; SQLite has none and refuses
// it. The migrations need the same one; WithMigrate gets it from here.
func WithSchema(schema string) Option {
	return func(c *config.Config) error {
		c.Tables.Schema = schema
		return c.Tables.Validate()
	}
}

// WithIDs sets the maker of ids; UUID version 7 by default, whose order in time keeps
// indexes compact. It must be safe for concurrent use.
func WithIDs(newID func() (uuid.UUID, error)) Option {
	return func(c *config.Config) error {
		if newID == nil {
			return rule.Invalid("WithIDs", "is nil")
		}
		c.NewID = newID
		return nil
	}
}

// WithClock sets the clock; time.Now by default. Times are kept in UTC and cut to
// microseconds.
func WithClock(now func() time.Time) Option {
	return func(c *config.Config) error {
		if now == nil {
			return rule.Invalid("WithClock", "is nil")
		}
		c.Now = now
		return nil
	}
}

// WithNULStripped removes U+0000 from texts and documents instead of refusing them, for
// hosts that store what others send. PostgreSQL can keep it in neither.
func WithNULStripped() Option {
	return func(c *config.Config) error {
		c.StripNUL = true
		return nil
	}
}

// WithEmbedder sets what turns the texts of Search into vectors, and the model that Search
// compares. EmbedMissing is given its own, so that a new model can be filled while this
// one serves.
func WithEmbedder(e store.Embedder) Option {
	return func(c *config.Config) error {
		if e == nil {
			return rule.Invalid("WithEmbedder", "is nil")
		}
		c.Embedder = e
		return nil
	}
}

// WithCodesInMemory keeps the codes of all vectors that a similarity search on SQLite
// scans in memory, one bit a dimension: about ten times faster at 200,000 vectors, for
// 200 bytes a vector of 1,536 dimensions. The first search loads them and every later one
// adds what is new, whoever wrote it. PostgreSQL refuses the option.
func WithCodesInMemory() Option {
	return func(c *config.Config) error {
		c.CodesInMemory = true
		return nil
	}
}

// WithMigrate lets the constructor bring the schema up before it returns. Without it
// nothing migrates by itself. Prefix and schema of o are taken from the other options
// where o has none.
func WithMigrate(o migrate.Options) Option {
	return func(c *config.Config) error {
		c.Migrate = &o
		return nil
	}
}

// WithReader sends reads outside of transactions to another handle of the same
// database: for SQLite a pool of read-only connections beside the one that writes.
func WithReader(db *gorm.DB) Option {
	return func(c *config.Config) error {
		c.Reader = db
		return nil
	}
}
