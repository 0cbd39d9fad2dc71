package scope

import (
	"fmt"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
)

// Features is what the migrations' options left in the schema. It is read from there, so
// that it cannot be said twice.
type Features struct {
	// FullText says that there are indexes of words.
	FullText bool
	// TextConfig is PostgreSQL's text search configuration.
	TextConfig string
	// Vectors says that the database can compare embeddings, and vectorIndex that it has
	// an index for it.
	Vectors, VectorIndex bool
	// Half says that vectors are kept in half precision.
	Half bool
	// leadType is the type of lead_id.
	leadType string
	// dimensions is the length of an embedding, 0 where any will do.
	dimensions int
	// Distributed says that the tables are spread over the nodes of a Citus cluster, where a
	// statement that writes to two of them is run in several steps.
	Distributed bool
}

// featureReader reads the features from the schema of one database.
type featureReader interface {
	read(s *Store, db query.Conn) (*Features, error)
}

// SchemaFeatures reads the features once for a store.
func (s *Store) SchemaFeatures(db query.Conn) (*Features, error) {
	if f := s.features.Load(); f != nil {
		return f, nil
	}
	f, err := s.ReadFeatures(db)
	if err != nil {
		return nil, err
	}
	s.features.Store(f)
	return f, nil
}

// ReadFeatures reads the features from the schema as it is now.
func (s *Store) ReadFeatures(db query.Conn) (*Features, error) {
	f, err := s.reader.read(s, db)
	if err != nil {
		return nil, fmt.Errorf("convostore: read what the schema can do: %w", err)
	}
	return f, nil
}

// Half precision (IEEE 754 binary16) ends at 65504, and below 2^-14 it loses digits.
const maxHalf, minHalf = 65504, 0x1p-14

// CheckVector refuses a vector that the database cannot keep or compare.
func (f *Features) CheckVector(v message.Vector) error {
	if f.dimensions > 0 && len(v) != f.dimensions {
		return rule.Invalid("embedding", "has %d dimensions, not %d", len(v), f.dimensions)
	}
	if err := v.Validate(); err != nil {
		return err
	}
	if !f.Half {
		return nil
	}
	var most float32
	for _, x := range v {
		most = max(most, x, -x)
	}
	if most > maxHalf || most < minHalf {
		return rule.Invalid("embedding", "has its greatest number outside of half precision, in which this database keeps vectors")
	}
	return nil
}
