package suggestion

import (
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/convostore/convostore/internal/column"
	"github.com/convostore/convostore/message"
)

// The scopes below are for gorm.DB.Scopes and Preload. They only ever narrow, so they
// combine in any order, and they name the table, so they also work on a join. Orders are
// not for GORM's Count, which PostgreSQL refuses to sort.

func col(name string) column.Of { return column.Of{Model: Suggestion{}, Name: name} }

// OwnedBy keeps the suggestions of one user.
func OwnedBy(userID uuid.UUID) column.Scope { return col("user_id").Is(userID) }

// InConversation keeps the suggestions of one conversation.
func InConversation(id uuid.UUID) column.Scope { return col("conversation_id").Is(id) }

// InReplyTo keeps the suggestions that answer one message.
func InReplyTo(messageID uuid.UUID) column.Scope { return col("in_reply_to_message_id").Is(messageID) }

// WithStatus keeps the suggestions in any of the statuses, none at all if there are none.
func WithStatus(statuses ...Status) column.Scope { return column.In(col("status"), statuses) }

// Pending keeps what waits for a decision.
func Pending(db *gorm.DB) *gorm.DB { return col("status").Is(StatusPending)(db) }

// WithConfidence keeps the suggestions whose model gave at least this confidence.
func WithConfidence(least float64) column.Scope { return col("confidence_score").AtLeast(least) }

// ByModel keeps the suggestions of one model.
func ByModel(model string) column.Scope { return col("model_used").Is(model) }

// CreatedSince keeps the suggestions made at t or later.
func CreatedSince(t time.Time) column.Scope { return col("created_at").AtLeast(message.Instant(t)) }

// CreatedBefore keeps the suggestions made before t.
func CreatedBefore(t time.Time) column.Scope { return col("created_at").Below(message.Instant(t)) }

// Live keeps the suggestions that are not deleted. A query on Suggestion does so by
// itself; this is for joins and for Unscoped.
func Live(db *gorm.DB) *gorm.DB { return col("deleted_at").Null()(db) }

// OnlyDeleted keeps the softly deleted suggestions alone.
func OnlyDeleted(db *gorm.DB) *gorm.DB { return col("deleted_at").NotNull()(db.Unscoped()) }

// WithDeleted keeps the softly deleted suggestions as well.
func WithDeleted(db *gorm.DB) *gorm.DB { return db.Unscoped() }

// Newest sorts by creation, newest first.
func Newest(db *gorm.DB) *gorm.DB { return column.Order(true, "created_at", "id")(db) }

// Oldest sorts by creation, oldest first.
func Oldest(db *gorm.DB) *gorm.DB { return column.Order(false, "created_at", "id")(db) }
