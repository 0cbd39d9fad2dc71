package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/rule"
)

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
	return func(c *Config) error {
		if l == nil {
			return rule.Invalid("WithLogger", "is nil")
		}
		if slow < 0 {
			return rule.Invalid("WithLogger", "has a threshold below 0")
		}
		c.log = &statementLog{to: l, slow: slow}
		return nil
	}
}

// statementLog is a GORM logger.
type statementLog struct {
	to   *slog.Logger
	slow time.Duration
	// replica says that another server is asked if this one fails.
	replica bool
}

// ofReplica is the log of a read that may be run again. Without a log there is none.
func (l *statementLog) ofReplica() *statementLog {
	if l == nil {
		return nil
	}
	return &statementLog{to: l.to, slow: l.slow, replica: true}
}

var (
	_ logger.Interface  = (*statementLog)(nil)
	_ gorm.ParamsFilter = (*statementLog)(nil)
)

// LogMode implements logger.Interface. The level is the handler's matter, except that a
// host can have silence.
func (l *statementLog) LogMode(level logger.LogLevel) logger.Interface {
	if level == logger.Silent {
		return logger.Discard
	}
	return l
}

// Info implements logger.Interface. What GORM has to say besides statements is logged
// without its arguments: among them are values.
func (l *statementLog) Info(ctx context.Context, msg string, _ ...any) {
	l.to.LogAttrs(ctx, slog.LevelInfo, "gorm", slog.String("format", msg))
}

// Warn implements logger.Interface.
func (l *statementLog) Warn(ctx context.Context, msg string, _ ...any) {
	l.to.LogAttrs(ctx, slog.LevelWarn, "gorm", slog.String("format", msg))
}

// Error implements logger.Interface.
func (l *statementLog) Error(ctx context.Context, msg string, _ ...any) {
	l.to.LogAttrs(ctx, slog.LevelError, "gorm", slog.String("format", msg))
}

// filtered marks a text that has gone through ParamsFilter. GORM's Scan does without it
// and hands over a text with the values.
const filtered = "\x00"

// ParamsFilter implements gorm.ParamsFilter.
func (l *statementLog) ParamsFilter(_ context.Context, sql string, _ ...any) (string, []any) {
	return filtered + sql, nil
}

// explained is what GORM makes of PostgreSQL's $1 when it has no value to put there.
var explained = regexp.MustCompile(`\$(\d+)\$`)

// Trace implements logger.Interface.
func (l *statementLog) Trace(ctx context.Context, begin time.Time, fc func() (string, int64), err error) {
	l.trace(ctx, time.Since(begin), func() (string, int64) {
		sql, rows := fc()
		text, ok := strings.CutPrefix(sql, filtered)
		if !ok {
			words := append(strings.Fields(text), "")
			return words[0] + " …", rows
		}
		return explained.ReplaceAllString(text, "$$$1"), rows
	}, err)
}

func (l *statementLog) trace(ctx context.Context, took time.Duration, fc func() (string, int64), err error) {
	if errors.Is(err, gorm.ErrRecordNotFound) {
		err = nil
	}
	level, msg := l.weigh(ctx, took, err)
	if !l.to.Enabled(ctx, level) {
		return
	}
	sql, rows := fc()
	attrs := append(make([]slog.Attr, 0, 4), slog.String("sql", sql), slog.Duration("duration", took))
	if rows >= 0 {
		attrs = append(attrs, slog.Int64("rows", rows))
	}
	if err != nil {
		attrs = append(attrs, slog.String("code", errorCode(err)))
	}
	l.to.LogAttrs(ctx, level, msg, attrs...)
}

// weigh goes by the context where that has ended: drivers have errors of their own for it.
func (l *statementLog) weigh(ctx context.Context, took time.Duration, err error) (slog.Level, string) {
	slow := l.slow > 0 && took >= l.slow
	ended := ctx.Err()
	switch {
	case err != nil && (errors.Is(err, context.DeadlineExceeded) || errors.Is(ended, context.DeadlineExceeded)):
		return slog.LevelWarn, "query failed"
	case slow && (err == nil || ended != nil):
		return slog.LevelWarn, "slow query"
	case err == nil:
		return slog.LevelDebug, "query"
	case errors.Is(err, context.Canceled) || ended != nil:
		return slog.LevelDebug, "query failed"
	}
	switch dialect.KindOf(err) {
	case dialect.Unique, dialect.Retry:
		return slog.LevelWarn, "query failed"
	}
	if l.replica {
		return slog.LevelWarn, "query failed" // the primary will say whether it is an error
	}
	return slog.LevelError, "query failed"
}

// harmless are errors whose text is always the same.
var harmless = []error{
	context.Canceled, context.DeadlineExceeded, driver.ErrBadConn, sql.ErrConnDone, sql.ErrTxDone,
	gorm.ErrDuplicatedKey, gorm.ErrForeignKeyViolated, gorm.ErrCheckConstraintViolated, gorm.ErrInvalidTransaction,
}

// errorCode names an error without what it says.
func errorCode(err error) string {
	if code := dialect.CodeOf(err); code != "" {
		return code
	}
	for _, known := range harmless {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	for next := errors.Unwrap(err); next != nil; next = errors.Unwrap(next) {
		err = next
	}
	return fmt.Sprintf("%T", err)
}
