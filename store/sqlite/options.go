package sqlite

import (
	"time"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/internal/engine/config"
	"github.com/convostore/convostore/rule"
)

// Synchronous is what a write waits for before it is acknowledged.
type Synchronous string

// The values of Synchronous. SQLite's OFF is not among them, since a power cut then damages
// the file, and neither is EXTRA, which is FULL for a file in WAL mode.
const (
	// Full waits until the disk has the write. It is the default.
	Full Synchronous = "FULL"
	// Normal does not wait. A power cut or a crash of the operating system may lose what was
	// written since the last checkpoint, but does not damage the file, and leaves no message
	// half written. A killed process loses nothing.
	Normal Synchronous = "NORMAL"
)

// WithSynchronous sets what a write waits for. Anything but Full and Normal is ErrInvalid, and
// so is the option for a store that sqlite.Open does not open.
func WithSynchronous(s Synchronous) convostore.Option {
	return func(c *config.Config) error {
		if s != Full && s != Normal {
			return rule.Invalid("WithSynchronous", "is %q, neither %q nor %q", s, Full, Normal)
		}
		c.Synchronous = string(s)
		return nil
	}
}

// WithMaxConns sets the most connections that read. The default is four, or one for each
// processor if that is more. One more connection writes. A number below 1 is ErrInvalid.
func WithMaxConns(n int) convostore.Option { return config.MaxConns(n) }

// WithConnMaxIdleTime closes connections that read and were idle for d. Each keeps the pages
// that it read, 2 MB at most. Without it they stay open. A d of 0 or less is ErrInvalid.
func WithConnMaxIdleTime(d time.Duration) convostore.Option { return config.ConnMaxIdleTime(d) }

// WithConnMaxLifetime closes connections that read and are older than d as soon as they are
// idle. Without it they stay open. A d of 0 or less is ErrInvalid.
func WithConnMaxLifetime(d time.Duration) convostore.Option { return config.ConnMaxLifetime(d) }
