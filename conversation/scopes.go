package conversation

import (
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/convostore/convostore/internal/column"
)

// The scopes below are for gorm.DB.Scopes and Preload. They only add conditions, so they
// combine in any order. They qualify columns with the table, so they also work in a join.
// Do not combine the orders with GORM's Count: PostgreSQL refuses to sort a count.

func col(name string) column.Of { return column.Of{Model: Conversation{}, Name: name} }

// OwnedBy keeps the conversations of one user.
func OwnedBy(userID uuid.UUID) column.Scope { return col("user_id").Is(userID) }

// ForLead keeps the conversations with one lead.
func ForLead(leadID string) column.Scope { return col("lead_id").Is(leadID) }

// WithStatus keeps the conversations with any of the statuses. Without statuses it keeps
// none.
func WithStatus(statuses ...Status) column.Scope { return column.In(col("status"), statuses) }

// NeedsReply keeps the conversations with StatusNeedsReply: an inbound message came last.
func NeedsReply(db *gorm.DB) *gorm.DB { return WithStatus(StatusNeedsReply)(db) }

// Open keeps the conversations that are not archived.
func Open(db *gorm.DB) *gorm.DB { return WithStatus(OpenStatuses()...)(db) }

// Archived keeps the archived conversations.
func Archived(db *gorm.DB) *gorm.DB { return WithStatus(StatusArchived)(db) }

// ActiveSince keeps the conversations whose last message was sent at t or later.
func ActiveSince(t time.Time) column.Scope {
	return col("last_message_at").Since(t)
}

// ActiveBefore keeps the conversations whose last message was sent before t.
func ActiveBefore(t time.Time) column.Scope {
	return col("last_message_at").Until(t)
}

// Live keeps the conversations that are not soft-deleted. GORM adds this condition to
// queries on Conversation by itself; Live is for joins and for Unscoped.
func Live(db *gorm.DB) *gorm.DB { return col("deleted_at").Null()(db) }

// OnlyDeleted keeps the soft-deleted conversations and no others.
func OnlyDeleted(db *gorm.DB) *gorm.DB { return col("deleted_at").NotNull()(db.Unscoped()) }

// WithDeleted keeps soft-deleted conversations as well as live ones.
func WithDeleted(db *gorm.DB) *gorm.DB { return db.Unscoped() }

// Held keeps the conversations that are on hold.
func Held(db *gorm.DB) *gorm.DB { return col("held_at").NotNull()(db) }

// NotHeld keeps the conversations that are not on hold.
func NotHeld(db *gorm.DB) *gorm.DB { return col("held_at").Null()(db) }

// NewestActivity sorts by the time of the last message, newest first.
func NewestActivity(db *gorm.DB) *gorm.DB { return column.Order(true, "last_message_at", "id")(db) }

// NewestCreated sorts by the time of creation, newest first.
func NewestCreated(db *gorm.DB) *gorm.DB { return column.Order(true, "created_at", "id")(db) }
