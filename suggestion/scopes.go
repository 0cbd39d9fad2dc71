package suggestion

import (
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/convostore/convostore/internal/column"
)

// The scopes below are for gorm.DB.Scopes and Preload. They only add conditions, so they
// combine in any order. They qualify columns with the table, so they also work in a join.
// Do not combine the orders with GORM's Count: PostgreSQL refuses to sort a count.

func col(name string) column.Of { return column.Of{Model: Suggestion{}, Name: name} }

// OwnedBy keeps the suggestions of one user.
func OwnedBy(userID uuid.UUID) column.Scope { return col("user_id").Is(userID) }

// InConversation keeps the suggestions of one conversation.
func InConversation(id uuid.UUID) column.Scope { return col("conversation_id").Is(id) }

// InReplyTo keeps the suggestions that reply to one message.
func InReplyTo(messageID uuid.UUID) column.Scope { return col("in_reply_to_message_id").Is(messageID) }

// WithStatus keeps the suggestions with any of the statuses. Without statuses it keeps none.
func WithStatus(statuses ...Status) column.Scope { return column.In(col("status"), statuses) }

// Pending keeps the suggestions that are not decided.
func Pending(db *gorm.DB) *gorm.DB { return col("status").Is(StatusPending)(db) }

// Superseded keeps the suggestions that a newer message of the lead superseded.
func Superseded(db *gorm.DB) *gorm.DB { return col("status").Is(StatusSuperseded)(db) }

// Expired keeps the suggestions that nobody decided on in time.
func Expired(db *gorm.DB) *gorm.DB { return col("status").Is(StatusExpired)(db) }

// Sendable keeps the suggestions that may be sent and were not: the approved and edited ones.
func Sendable(db *gorm.DB) *gorm.DB {
	return col("sent_message_id").Null()(WithStatus(StatusApproved, StatusEdited)(db))
}

// Drafted keeps the suggestions with an edit that is not finished.
func Drafted(db *gorm.DB) *gorm.DB { return col("draft_at").NotNull()(db) }

// AnsweringBefore keeps the suggestions whose AnswersSeq is below a seq, and not those without one.
func AnsweringBefore(seq int64) column.Scope { return col("answers_seq").Below(seq) }

// WithConfidence keeps the suggestions with at least this confidence. It drops those
// without one.
func WithConfidence(least float64) column.Scope { return col("confidence_score").AtLeast(least) }

// ByModel keeps the suggestions of one model.
func ByModel(model string) column.Scope { return col("model_used").Is(model) }

// CreatedSince keeps the suggestions created at t or later.
func CreatedSince(t time.Time) column.Scope { return col("created_at").Since(t) }

// CreatedBefore keeps the suggestions created before t.
func CreatedBefore(t time.Time) column.Scope { return col("created_at").Until(t) }

// Live keeps the suggestions that are not soft-deleted. GORM adds this condition to queries
// on Suggestion by itself; Live is for joins and for Unscoped.
func Live(db *gorm.DB) *gorm.DB { return col("deleted_at").Null()(db) }

// OnlyDeleted keeps the soft-deleted suggestions and no others.
func OnlyDeleted(db *gorm.DB) *gorm.DB { return col("deleted_at").NotNull()(db.Unscoped()) }

// WithDeleted keeps soft-deleted suggestions as well as live ones.
func WithDeleted(db *gorm.DB) *gorm.DB { return db.Unscoped() }

// Newest sorts by the time of creation, newest first.
func Newest(db *gorm.DB) *gorm.DB { return column.Order(true, "created_at", "id")(db) }

// Oldest sorts by the time of creation, oldest first.
func Oldest(db *gorm.DB) *gorm.DB { return column.Order(false, "created_at", "id")(db) }
