package scope

import (
	"fmt"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/naming"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/rule"
)

// Features is what the schema can do, by the options that it was migrated with. It is read from
// the schema, so that a host does not have to give these options a second time.
type Features struct {
	// FullText says that there is an index of words, and that every trigger that keeps it up is
	// there and fires. Without one of them it may lack what was written.
	FullText bool
	// SearchTables says that the tables of the index of words are there.
	SearchTables bool
	// Vectors says that the database can compare embeddings, and VectorIndex that it has an
	// index for that.
	Vectors, VectorIndex bool
	// Half says that the database keeps vectors in half precision.
	Half bool
	// vectorSchema is the quoted schema of PostgreSQL's type of embeddings.
	vectorSchema string
	// vectorLists says that there are tables for the lists of vectors.
	vectorLists bool
	// leadType is the type of lead_id.
	leadType string
	// dimensions is the length of every embedding, 0 if the schema does not fix it.
	dimensions int
	// Distributed says that a Citus cluster has spread the tables over its nodes. There a
	// statement that writes to two tables runs in several steps.
	Distributed bool
}

// featureReader reads the features from the schema of one database.
type featureReader interface {
	read(s *Store, db query.Conn) (*Features, error)
}

// SchemaFeatures returns the features, which it reads once for a store.
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
	f, err := s.featureReader.read(s, db)
	if err == nil {
		f.vectorLists = s.Dialect.VectorLists()
	}
	if err != nil {
		return nil, fmt.Errorf("convostore: read what the schema can do: %w", err)
	}
	return f, nil
}

// SchemaOptions returns the options that the schema was migrated with: those that the host has
// given to WithMigrate, or else what the schema itself says. Foreign keys to a host's tables
// are not among the latter, since the schema of a host that has them has more than is asked for.
func (s *Store) SchemaOptions(f *Features) migrate.Options {
	o := s.MigrateOptions()
	if s.Migrate != nil {
		return o
	}
	o.Dimensions, o.WithoutPgvector = f.dimensions, !f.Vectors
	if f.leadType != "" {
		o.Leads = &migrate.Ref{Table: naming.Conversations, Type: f.leadType} // of which only the type counts
	}
	return o
}

// TableNames returns the names of the tables that the schema has, without a prefix.
func (f *Features) TableNames() []string {
	names := naming.All()
	if f.vectorLists {
		names = naming.OnSQLite()
	}
	if f.SearchTables {
		names = append(names, naming.Search()...)
	}
	return names
}

// triggerNames returns the names of the triggers that keep up the index of words.
func (s *Store) triggerNames(dialect string) []string {
	names := naming.SearchTriggers(dialect)
	for i, name := range names {
		names[i] = s.Config.Tables.Prefix + name
	}
	return names
}

// VectorType is the type of an embedding in PostgreSQL's SQL, without its dimensions. It has the
// schema of the extension, which need not be on the search_path.
func (f *Features) VectorType() string {
	switch {
	case !f.Vectors:
		return "text"
	case f.Half:
		return f.vectorSchema + ".halfvec"
	}
	return f.vectorSchema + ".vector"
}

// CosineDistance is pgvector's operator for the cosine distance, with the extension's schema.
func (f *Features) CosineDistance() string { return "OPERATOR(" + f.vectorSchema + ".<=>)" }

// The range of half precision (IEEE 754 binary16): it ends at 65504, and loses digits below 2^-14.
const maxHalf, minHalf = 65504, 0x1p-14

// Dimensions is how many numbers each vector of the database has.
func (f *Features) Dimensions() int { return f.dimensions }

// CheckVector returns ErrInvalid for a vector that the database cannot keep or compare.
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
