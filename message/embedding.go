package message

import (
	"context"
	"database/sql/driver"
	"fmt"
	"math"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/schema"

	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/internal/column"
	"github.com/convostore/convostore/internal/hook"
	"github.com/convostore/convostore/internal/vector"
	"github.com/convostore/convostore/rule"
)

// MaxDimensions is the maximum that a pgvector index takes (as halfvec).
const MaxDimensions = 4000

// smallestNormal is the smallest float32 with full precision, 2^-126.
const smallestNormal = 0x1p-126

// Embedding is the vector of a message for one model. It is in a table of its own, so that
// writing a vector does not rewrite the message, reading messages does not read vectors,
// and the vectors of a second model can be computed while searches still use the first.
type Embedding struct {
	MessageID      uuid.UUID `gorm:"type:uuid;primaryKey;<-:create;-:migration" json:"message_id"`
	UserID         uuid.UUID `gorm:"type:uuid;primaryKey;<-:create;-:migration" json:"user_id"`
	Model          string    `gorm:"primaryKey;<-:create;-:migration" json:"model"`
	ConversationID uuid.UUID `gorm:"type:uuid;<-:create;-:migration" json:"conversation_id"`
	Vector         Vector    `gorm:"column:embedding;-:migration" json:"vector"`
	CreatedAt      time.Time `gorm:"<-:create;-:migration" json:"created_at"`
}

// TableName implements GORM's TablerWithNamer.
func (Embedding) TableName(n schema.Namer) string { return column.Table(n, "message_embeddings") }

// Vector is an embedding, with one float32 for each dimension. PostgreSQL stores it as a
// pgvector vector. SQLite stores it as a blob: little-endian IEEE 754 floats of 4 bytes
// each, then a code for searching with one bit for each dimension.
type Vector []float32

// Validate returns a *rule.InvalidError for a vector that cannot be compared: an empty one,
// one with more than MaxDimensions, one with NaN or an infinity, the zero vector, or one
// whose squared length does not fit single precision, in which pgvector computes.
func (v Vector) Validate() error {
	if len(v) == 0 || len(v) > MaxDimensions {
		return rule.Invalid("embedding", "has %d dimensions, not 1 to %d", len(v), MaxDimensions)
	}
	square := 0.0
	for i, f := range v {
		f64 := float64(f)
		if math.IsNaN(f64) || math.IsInf(f64, 0) {
			return rule.Invalid("embedding", "is not a finite number at dimension %d", i)
		}
		square += f64 * f64
	}
	switch {
	case square == 0:
		return rule.Invalid("embedding", "is the zero vector, which has no direction")
	case square < smallestNormal || square > math.MaxFloat32:
		return rule.Invalid("embedding", "has a length whose square is not within single precision")
	}
	return nil
}

// GormValue implements gorm.Valuer. It returns text for PostgreSQL and a blob for SQLite.
func (v Vector) GormValue(_ context.Context, db *gorm.DB) clause.Expr {
	if db.Name() == "postgres" {
		return clause.Expr{SQL: "?", Vars: []any{vector.Text(v)}}
	}
	return clause.Expr{SQL: "?", Vars: []any{vector.Encode(v)}}
}

// Value implements driver.Valuer. It returns the blob that SQLite stores.
func (v Vector) Value() (driver.Value, error) { return vector.Encode(v), nil }

// Scan implements sql.Scanner for both forms: the text of pgvector as a string, the blob of
// SQLite as bytes.
func (v *Vector) Scan(src any) error {
	switch s := src.(type) {
	case nil:
		*v = nil
		return nil
	case string:
		return v.scanText(s)
	case []byte:
		return v.scanBlob(s)
	}
	return fmt.Errorf("convostore: cannot read a vector from %T", src)
}

func (v *Vector) scanText(s string) error {
	parsed, err := vector.ParseText(s)
	if err != nil {
		return fmt.Errorf("convostore: cannot read a vector: %w", err)
	}
	*v = parsed
	return nil
}

func (v *Vector) scanBlob(b []byte) error {
	dimensions, ok := vector.Dimensions(b)
	if !ok {
		return fmt.Errorf("convostore: a vector of %d bytes is cut short", len(b))
	}
	*v = vector.Decode(b, dimensions)
	return nil
}

// SetEmbedding sets the vector of m for a model and replaces one that m has for that model.
// It returns a *rule.InvalidError for an invalid model or vector and leaves m unchanged.
func (m *Message) SetEmbedding(model string, v Vector) error {
	if err := check.First(modelName(model), v.Validate()); err != nil {
		return err
	}
	for _, e := range m.Embeddings {
		if e != nil && e.Model == model {
			e.Vector = v
			return nil
		}
	}
	m.Embeddings = append(m.Embeddings, &Embedding{
		MessageID: m.ID, UserID: m.UserID, ConversationID: m.ConversationID,
		Model: model, Vector: v, CreatedAt: Now(),
	})
	return nil
}

// Normalize sets CreatedAt to now if it is unset. It truncates it to microseconds, in UTC.
func (e *Embedding) Normalize(now time.Time) {
	column.Default(&e.CreatedAt, now)
	e.CreatedAt = Instant(e.CreatedAt)
}

// Validate returns a *rule.InvalidError for a model name that is empty, has more than 1,024
// bytes, U+0000 or invalid UTF-8, for an invalid vector and for a time that no table keeps.
func (e *Embedding) Validate() error {
	return check.First(modelName(e.Model), e.Vector.Validate(), check.Time("created_at", e.CreatedAt))
}

// BeforeCreate is a GORM hook for hosts that create embeddings themselves. It normalizes and
// validates.
func (e *Embedding) BeforeCreate(*gorm.DB) error { return hook.Create(e, Now()) }

// BeforeUpdate is a GORM hook for hosts that change embeddings themselves. Save normalizes and
// validates as BeforeCreate does, and Updates validates what it sets.
func (e *Embedding) BeforeUpdate(tx *gorm.DB) error {
	return hook.Update(tx, e, Now(), func(e *Embedding, sets hook.Sets) {
		hook.Fill(sets, "model", &e.Model, "unchanged")
		hook.Fill(sets, "embedding", &e.Vector, Vector{1})
	})
}

func modelName(name string) error {
	if name == "" {
		return rule.Invalid("model", "is empty")
	}
	return check.Key("model", name)
}

// keyEmbeddings copies the message's keys to its embeddings, which may have been set before
// the message had an id. GORM itself copies only the columns of the association.
func (m *Message) keyEmbeddings() error {
	for _, e := range m.Embeddings {
		if e == nil {
			return rule.Invalid("embedding", "is nil")
		}
		e.MessageID, e.UserID, e.ConversationID = m.ID, m.UserID, m.ConversationID
	}
	return nil
}

// Embedding returns the vector of m for a model, nil if none is loaded.
func (m *Message) Embedding(model string) Vector {
	for _, e := range m.Embeddings {
		if e != nil && e.Model == model {
			return e.Vector
		}
	}
	return nil
}
