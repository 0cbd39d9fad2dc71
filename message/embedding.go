package message

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/google/uuid"
	"github.com/pgvector/pgvector-go"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/schema"

	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/internal/column"
	"github.com/convostore/convostore/internal/vector"
	"github.com/convostore/convostore/rule"
)

// MaxDimensions is the most that an index of pgvector takes (as halfvec).
const MaxDimensions = 4000

// smallestNormal is the least float32 of full precision, 2^-126.
const smallestNormal = 0x1p-126

// Embedding is the vector of a message for one model. It stands in a table of its own,
// so that writing a vector does not rewrite the message and reading messages does not
// read vectors, and so that a second model can be filled while the first one serves.
type Embedding struct {
	MessageID      uuid.UUID `gorm:"primaryKey;<-:create" json:"message_id"`
	UserID         uuid.UUID `gorm:"primaryKey;<-:create" json:"user_id"`
	Model          string    `gorm:"primaryKey;<-:create" json:"model"`
	ConversationID uuid.UUID `gorm:"<-:create" json:"conversation_id"`
	Vector         Vector    `gorm:"column:embedding" json:"vector"`
	CreatedAt      time.Time `gorm:"<-:create" json:"created_at"`
}

// TableName implements GORM's TablerWithNamer.
func (Embedding) TableName(n schema.Namer) string { return column.Table(n, "message_embeddings") }

// Vector is an embedding: one float32 a dimension. PostgreSQL keeps it as a pgvector
// vector, SQLite as a blob of little-endian IEEE 754 floats, 4 bytes each, followed by a
// code for searching, one bit a dimension.
type Vector []float32

// Validate refuses what has no direction to compare: an empty vector, one of more than
// MaxDimensions, one with NaN or an infinity, and one without a length: the zero vector,
// or one whose square single precision cannot hold, which is how pgvector compares.
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

// GormValue implements gorm.Valuer: text for PostgreSQL, a blob for SQLite.
func (v Vector) GormValue(_ context.Context, db *gorm.DB) clause.Expr {
	if db.Name() == "postgres" {
		return clause.Expr{SQL: "?", Vars: []any{pgvector.NewVector(v).String()}}
	}
	return clause.Expr{SQL: "?", Vars: []any{vector.Encode(v)}}
}

// Value implements driver.Valuer with the blob, which is what SQLite keeps.
func (v Vector) Value() (driver.Value, error) { return vector.Encode(v), nil }

// Scan implements sql.Scanner for either form: pgvector's text comes as a string,
// SQLite's blob as bytes.
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
	// The parser cuts the brackets off unseen.
	if len(s) < 2 || s[0] != '[' || s[len(s)-1] != ']' {
		return errors.New("convostore: cannot read a vector from text without brackets")
	}
	var parsed pgvector.Vector
	if err := parsed.Parse(s); err != nil {
		return fmt.Errorf("convostore: cannot read a vector: %w", err)
	}
	*v = parsed.Slice()
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

// SetEmbedding puts a vector on m for a model, in the place of one that m had for it.
// It refuses a vector that is not valid and leaves m as it was.
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

// Validate returns an *rule.InvalidError for a model without a name or a vector that
// cannot be compared.
func (e *Embedding) Validate() error {
	return check.First(modelName(e.Model), e.Vector.Validate())
}

// BeforeCreate is GORM's hook for hosts that create vectors themselves.
func (e *Embedding) BeforeCreate(*gorm.DB) error {
	if e.CreatedAt.IsZero() {
		e.CreatedAt = Now()
	}
	e.CreatedAt = Instant(e.CreatedAt)
	return e.Validate()
}

func modelName(name string) error {
	if name == "" {
		return rule.Invalid("model", "is empty")
	}
	return check.Key("model", name)
}

// keyEmbeddings gives the vectors the keys of a message that had none yet when they were
// set. GORM itself carries over only those of the association.
func (m *Message) keyEmbeddings() error {
	for _, e := range m.Embeddings {
		if e == nil {
			return rule.Invalid("embedding", "is nil")
		}
		e.MessageID, e.UserID, e.ConversationID = m.ID, m.UserID, m.ConversationID
	}
	return nil
}

// Embedding returns the vector of a model, nil if m has none loaded for it.
func (m *Message) Embedding(model string) Vector {
	for _, e := range m.Embeddings {
		if e != nil && e.Model == model {
			return e.Vector
		}
	}
	return nil
}
