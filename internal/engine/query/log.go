package query

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
)

// StatementLog logs statements to a slog.Logger, without the values of their arguments. It is a
// GORM logger as well.
type StatementLog struct {
	To   *slog.Logger
	Slow time.Duration
	// replica says that the primary is asked if this server fails.
	replica bool
}

// OfReplica returns the log for reads on a replica, whose errors are warnings: the read is run
// again on the primary. It is nil for a nil log.
func (l *StatementLog) OfReplica() *StatementLog {
	if l == nil {
		return nil
	}
	return &StatementLog{To: l.To, Slow: l.Slow, replica: true}
}

// LogMode implements logger.Interface. The level is the handler's decision, except that
// a host can turn logging off.
func (l *StatementLog) LogMode(level logger.LogLevel) logger.Interface {
	if level == logger.Silent {
		return logger.Discard
	}
	return l
}

// Info implements logger.Interface. GORM's messages other than statements are logged
// without their arguments, which may be values.
func (l *StatementLog) Info(ctx context.Context, msg string, _ ...any) {
	l.To.LogAttrs(ctx, slog.LevelInfo, "gorm", slog.String("format", msg))
}

// Warn implements logger.Interface.
func (l *StatementLog) Warn(ctx context.Context, msg string, _ ...any) {
	l.To.LogAttrs(ctx, slog.LevelWarn, "gorm", slog.String("format", msg))
}

// Error implements logger.Interface.
func (l *StatementLog) Error(ctx context.Context, msg string, _ ...any) {
	l.To.LogAttrs(ctx, slog.LevelError, "gorm", slog.String("format", msg))
}

// filtered marks a text that ParamsFilter has returned. GORM's Scan does not call it and passes
// on a text with the values.
const filtered = "\x00"

// ParamsFilter implements gorm.ParamsFilter.
func (l *StatementLog) ParamsFilter(_ context.Context, sql string, _ ...any) (string, []any) {
	return filtered + sql, nil
}

// explained is what GORM writes for PostgreSQL's $1 if it has no value for it.
var explained = regexp.MustCompile(`\$(\d+)\$`)

// Trace implements logger.Interface.
func (l *StatementLog) Trace(ctx context.Context, begin time.Time, fc func() (string, int64), err error) {
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

func (l *StatementLog) trace(ctx context.Context, took time.Duration, fc func() (string, int64), err error) {
	if errors.Is(err, gorm.ErrRecordNotFound) {
		err = nil
	}
	level, msg := l.levelOf(ctx, took, err)
	if !l.To.Enabled(ctx, level) {
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
	l.To.LogAttrs(ctx, level, msg, attrs...)
}

// levelOf returns the level and the message for a statement. Where the context has ended it goes
// by the context, since drivers have errors of their own for that.
func (l *StatementLog) levelOf(ctx context.Context, took time.Duration, err error) (slog.Level, string) {
	slow := l.Slow > 0 && took >= l.Slow
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
		return slog.LevelWarn, "query failed" // the primary decides whether it is an error
	}
	return slog.LevelError, "query failed"
}

// harmless are errors whose text is always the same.
var harmless = []error{
	context.Canceled, context.DeadlineExceeded, driver.ErrBadConn, sql.ErrConnDone, sql.ErrTxDone,
	gorm.ErrDuplicatedKey, gorm.ErrForeignKeyViolated, gorm.ErrCheckConstraintViolated, gorm.ErrInvalidTransaction,
}

// errorCode names an error without its text, which may have values: its code, a text that is
// always the same, or its type.
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
