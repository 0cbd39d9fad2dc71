package message

import (
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/convostore/convostore/internal/column"
)

// The scopes below are for gorm.DB.Scopes and Preload. They only ever narrow, so they
// combine in any order, and they name the table, so they also work on a join. Orders are
// not for GORM's Count, which PostgreSQL refuses to sort.

func col(name string) column.Of { return column.Of{Model: Message{}, Name: name} }

// OwnedBy keeps the messages of one user.
func OwnedBy(userID uuid.UUID) column.Scope { return col("user_id").Is(userID) }

// InConversation keeps the messages of one conversation.
func InConversation(id uuid.UUID) column.Scope { return col("conversation_id").Is(id) }

// WithRole keeps the messages of any of the roles, none at all if there are none.
func WithRole(roles ...Role) column.Scope { return column.In(col("role"), roles) }

// WithDirection keeps the messages of one direction; DirectionNone keeps those that
// have none.
func WithDirection(d Direction) column.Scope {
	if d == DirectionNone {
		return col("direction").Null()
	}
	return col("direction").Is(d)
}

// Inbound keeps what came in.
func Inbound(db *gorm.DB) *gorm.DB { return WithDirection(DirectionInbound)(db) }

// Outbound keeps what went out.
func Outbound(db *gorm.DB) *gorm.DB { return WithDirection(DirectionOutbound)(db) }

// WithToolCalls keeps the messages that have tool calls.
func WithToolCalls(db *gorm.DB) *gorm.DB { return col("tool_calls").NotNull()(db) }

// WithAttachments keeps the messages that have attachments.
func WithAttachments(db *gorm.DB) *gorm.DB { return col("attachments").NotNull()(db) }

// AfterSeq keeps the messages after seq, not seq itself.
func AfterSeq(seq int64) column.Scope { return col("seq").Above(seq) }

// BeforeSeq keeps the messages before seq, not seq itself.
func BeforeSeq(seq int64) column.Scope { return col("seq").Below(seq) }

// SentSince keeps the messages sent at t or later.
func SentSince(t time.Time) column.Scope { return col("sent_at").AtLeast(Instant(t)) }

// SentBefore keeps the messages sent before t.
func SentBefore(t time.Time) column.Scope { return col("sent_at").Below(Instant(t)) }

// Live keeps the messages that are not deleted. A query on Message does so by itself;
// this is for joins and for Unscoped.
func Live(db *gorm.DB) *gorm.DB { return col("deleted_at").Null()(db) }

// OnlyDeleted keeps the softly deleted messages alone.
func OnlyDeleted(db *gorm.DB) *gorm.DB { return col("deleted_at").NotNull()(db.Unscoped()) }

// WithDeleted keeps the softly deleted messages as well.
func WithDeleted(db *gorm.DB) *gorm.DB { return db.Unscoped() }

// Oldest sorts as the thread runs.
func Oldest(db *gorm.DB) *gorm.DB { return column.Order(false, "seq")(db) }

// Newest sorts against the thread.
func Newest(db *gorm.DB) *gorm.DB { return column.Order(true, "seq")(db) }

// BySentTime sorts by the time of sending, then as the thread runs.
func BySentTime(db *gorm.DB) *gorm.DB { return column.Order(false, "sent_at", "seq")(db) }
