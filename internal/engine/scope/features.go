package scope

import (
	"fmt"
	"regexp"
	"strconv"

	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
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

func (s *Store) ReadFeatures(db query.Conn) (*Features, error) {
	read := s.sqliteFeatures
	if s.Dialect.Name() == dialect.Postgres {
		read = s.postgresFeatures
	}
	f, err := read(db)
	if err != nil {
		return nil, fmt.Errorf("convostore: read what the schema can do: %w", err)
	}
	return f, nil
}

// vectorType is the type of an embedding, "vector(1536)".
var vectorType = regexp.MustCompile(`^(?:.*\.)?(vector|halfvec)\((\d+)\)$`)

func (s *Store) postgresFeatures(db query.Conn) (*Features, error) {
	var f Features
	var column, leadType record.Text
	q := query.New(`SELECT
		coalesce((SELECT substring(pg_get_expr(d.adbin, d.adrelid) from '''([^'']+)''::regconfig')
			FROM pg_attribute a JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
			WHERE a.attrelid = to_regclass(?) AND a.attname = 'search' AND NOT a.attisdropped), ''),
		(SELECT format_type(atttypid, atttypmod) FROM pg_attribute
			WHERE attrelid = to_regclass(?) AND attname = 'embedding' AND NOT attisdropped),
		EXISTS (SELECT 1 FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam
			WHERE i.indrelid = to_regclass(?) AND i.indisvalid AND a.amname = 'hnsw'),
		(SELECT format_type(atttypid, atttypmod) FROM pg_attribute
			WHERE attrelid = to_regclass(?) AND attname = 'lead_id' AND NOT attisdropped)`,
		s.Tables.Messages, s.Tables.Embeddings, s.Tables.Embeddings, s.Tables.Conversations)
	if _, err := q.Row(db, &f.TextConfig, &column, &f.VectorIndex, &leadType); err != nil {
		return nil, err
	}
	f.leadType = string(leadType)
	var err error
	if f.Distributed, err = s.Distributed(db); err != nil {
		return nil, err
	}
	f.FullText = f.TextConfig != ""
	if match := vectorType.FindStringSubmatch(string(column)); match != nil {
		f.Vectors, f.Half = true, match[1] == "halfvec"
		f.dimensions, _ = strconv.Atoi(match[2]) // digits, few of them
	}
	return &f, nil
}

// vectorCheck is the constraint on the length of SQLite's blob.
var vectorCheck = regexp.MustCompile(`length\(embedding\) = (\d+) \+`)

func (s *Store) sqliteFeatures(db query.Conn) (*Features, error) {
	var schema, leadType record.Text
	f := Features{Vectors: true}
	q := query.New(`SELECT (SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?),
		(SELECT count(*) = 2 FROM sqlite_master WHERE type = 'table' AND name IN (?, ?)),
		(SELECT type FROM pragma_table_info(?) WHERE name = 'lead_id')`,
		s.Config.Tables.Table("message_embeddings"), s.Config.Tables.Table("messages_fts"), s.Config.Tables.Table("conversations_fts"),
		s.Config.Tables.Table("conversations"))
	if _, err := q.Row(db, &schema, &f.FullText, &leadType); err != nil {
		return nil, err
	}
	f.leadType = string(leadType)
	if match := vectorCheck.FindStringSubmatch(string(schema)); match != nil {
		size, _ := strconv.Atoi(match[1])
		f.dimensions = size / 4
	}
	return &f, nil
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

// Distributed tells whether the tables are spread over the nodes of a Citus cluster: then
// those that the server itself has are empty.
func (s *Store) Distributed(db query.Conn) (bool, error) {
	there, err := query.New("SELECT 1 FROM pg_extension WHERE extname = 'citus'").Row(db, new(int))
	if err != nil || !there {
		return false, err
	}
	q := query.New("SELECT 1 FROM pg_dist_partition WHERE partmethod <> 'n' AND logicalrelid = to_regclass(?)", s.Tables.Conversations)
	return q.Row(db, new(int))
}
