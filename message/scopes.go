package message

import (
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/convostore/convostore/internal/column"
	"github.com/convostore/convostore/internal/dialect"
)

// The scopes below are for gorm.DB.Scopes and Preload. They only add conditions, so they
// combine in any order. They qualify columns with the table, so they also work in a join.
// Do not combine the orders with GORM's Count: PostgreSQL refuses to sort a count.

func col(name string) column.Of { return column.Of{Model: Message{}, Name: name} }

// OwnedBy keeps the messages of one user.
func OwnedBy(userID uuid.UUID) column.Scope { return col("user_id").Is(userID) }

// InConversation keeps the messages of one conversation.
func InConversation(id uuid.UUID) column.Scope { return col("conversation_id").Is(id) }

// WithRole keeps the messages with any of the roles. Without roles it keeps none.
func WithRole(roles ...Role) column.Scope { return column.In(col("role"), roles) }

// WithDirection keeps the messages with one direction. DirectionNone keeps those without
// a direction.
func WithDirection(d Direction) column.Scope {
	if d == DirectionNone {
		return col("direction").Null()
	}
	return col("direction").Is(d)
}

// Inbound keeps the inbound messages.
func Inbound(db *gorm.DB) *gorm.DB { return WithDirection(DirectionInbound)(db) }

// Outbound keeps the outbound messages.
func Outbound(db *gorm.DB) *gorm.DB { return WithDirection(DirectionOutbound)(db) }

// WithToolCalls keeps the messages that have tool calls, which an empty document is not, see
// JSON.IsEmpty.
func WithToolCalls(db *gorm.DB) *gorm.DB {
	return col("tool_calls").Meets(func(d dialect.Dialect, column string) string { return d.Filled(column) })(db)
}

// WithAttachments keeps the messages that have attachments, which an empty list is not.
func WithAttachments(db *gorm.DB) *gorm.DB {
	return col("attachments").Meets(func(d dialect.Dialect, column string) string { return dialect.Listed(d, column) })(db)
}

// AfterSeq keeps the messages with a greater seq.
func AfterSeq(seq int64) column.Scope { return col("seq").Above(seq) }

// BeforeSeq keeps the messages with a smaller seq.
func BeforeSeq(seq int64) column.Scope { return col("seq").Below(seq) }

// SentSince keeps the messages sent at t or later.
func SentSince(t time.Time) column.Scope { return col("sent_at").Since(t) }

// SentBefore keeps the messages sent before t.
func SentBefore(t time.Time) column.Scope { return col("sent_at").Until(t) }

// Live keeps the messages that are not soft-deleted. GORM adds this condition to queries on
// Message by itself; Live is for joins and for Unscoped.
func Live(db *gorm.DB) *gorm.DB { return col("deleted_at").Null()(db) }

// OnlyDeleted keeps the soft-deleted messages and no others.
func OnlyDeleted(db *gorm.DB) *gorm.DB { return col("deleted_at").NotNull()(db.Unscoped()) }

// WithDeleted keeps soft-deleted messages as well as live ones.
func WithDeleted(db *gorm.DB) *gorm.DB { return db.Unscoped() }

// Oldest sorts by seq, oldest first.
func Oldest(db *gorm.DB) *gorm.DB { return column.Order(false, "seq")(db) }

// Newest sorts by seq, newest first.
func Newest(db *gorm.DB) *gorm.DB { return column.Order(true, "seq")(db) }

// BySentTime sorts by the time of sending, oldest first, with seq as the tie-break.
func BySentTime(db *gorm.DB) *gorm.DB { return column.Order(false, "sent_at", "seq")(db) }
