package conversation

import (
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/convostore/convostore/internal/column"
	"github.com/convostore/convostore/suggestion"
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

// AssignedTo keeps the conversations that somebody has.
func AssignedTo(assignee string) column.Scope { return col("assignee").Is(assignee) }

// Unassigned keeps the conversations that nobody has.
func Unassigned(db *gorm.DB) *gorm.DB { return col("assignee").Null()(db) }

// Snoozed keeps the conversations that are snoozed at t, which is mostly now.
func Snoozed(t time.Time) column.Scope { return col("snoozed_until").After(t) }

// NotSnoozed keeps the conversations that are not snoozed at t: those never snoozed, and those that have
// come back. Together with NeedsReply it is the queue.
func NotSnoozed(t time.Time) column.Scope { return col("snoozed_until").NotAfter(t) }

// Pinned keeps the conversations that are pinned.
func Pinned(db *gorm.DB) *gorm.DB { return col("pinned_at").NotNull()(db) }

// NotPinned keeps the conversations that are not pinned.
func NotPinned(db *gorm.DB) *gorm.DB { return col("pinned_at").Null()(db) }

// HasDraft keeps the conversations that have a live suggestion which is pending.
func HasDraft(db *gorm.DB) *gorm.DB {
	pending := db.Session(&gorm.Session{NewDB: true}).Model(&suggestion.Suggestion{}).Scopes(suggestion.Pending).Select("conversation_id", "user_id")
	return col("id").Where(func(id clause.Column) clause.Expression {
		return clause.Expr{SQL: "(?, ?) IN (?)", Vars: []any{id, clause.Column{Table: id.Table, Name: "user_id"}, pending}}
	})(db)
}

// PinnedFirst sorts as NewestActivity does, with the conversations that are pinned before all others.
func PinnedFirst(db *gorm.DB) *gorm.DB {
	own := func(name string) clause.Column { return clause.Column{Table: clause.CurrentTable, Name: name} }
	return db.Order(clause.OrderBy{Expression: clause.Expr{
		SQL:  "CASE WHEN ? IS NULL THEN 1 ELSE 0 END, ? DESC, ? DESC",
		Vars: []any{own("pinned_at"), own("last_message_at"), own("id")},
	}})
}

// OldestActivity sorts by the time of the last message, oldest first: who has waited longest.
func OldestActivity(db *gorm.DB) *gorm.DB { return column.Order(false, "last_message_at", "id")(db) }

// NewestActivity sorts by the time of the last message, newest first.
func NewestActivity(db *gorm.DB) *gorm.DB { return column.Order(true, "last_message_at", "id")(db) }

// NewestCreated sorts by the time of creation, newest first.
func NewestCreated(db *gorm.DB) *gorm.DB { return column.Order(true, "created_at", "id")(db) }
