package store

import (
	"fmt"
	"regexp"
	"strconv"

	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
)

// features is what the migrations' options left in the schema. It is read from there, so
// that it cannot be said twice.
type features struct {
	// fullText says that there are indexes of words.
	fullText bool
	// textConfig is PostgreSQL's text search configuration.
	textConfig string
	// vectors says that the database can compare embeddings, and vectorIndex that it has
	// an index for it.
	vectors, vectorIndex bool
	// half says that vectors are kept in half precision.
	half bool
	// leadType is the type of lead_id.
	leadType string
	// dimensions is the length of an embedding, 0 where any will do.
	dimensions int
	// distributed says that the tables are spread over the nodes of a Citus cluster, where a
	// statement that writes to two of them is run in several steps.
	distributed bool
}

// schemaFeatures reads the features once for a store.
func (s *store) schemaFeatures(db conn) (*features, error) {
	if f := s.features.Load(); f != nil {
		return f, nil
	}
	f, err := s.readFeatures(db)
	if err != nil {
		return nil, err
	}
	s.features.Store(f)
	return f, nil
}

func (s *store) readFeatures(db conn) (*features, error) {
	read := s.sqliteFeatures
	if s.dialect.Name() == dialect.Postgres {
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

func (s *store) postgresFeatures(db conn) (*features, error) {
	var f features
	var column, leadType text
	q := newQuery(`SELECT
		coalesce((SELECT substring(pg_get_expr(d.adbin, d.adrelid) from '''([^'']+)''::regconfig')
			FROM pg_attribute a JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
			WHERE a.attrelid = to_regclass(?) AND a.attname = 'search' AND NOT a.attisdropped), ''),
		(SELECT format_type(atttypid, atttypmod) FROM pg_attribute
			WHERE attrelid = to_regclass(?) AND attname = 'embedding' AND NOT attisdropped),
		EXISTS (SELECT 1 FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam
			WHERE i.indrelid = to_regclass(?) AND i.indisvalid AND a.amname = 'hnsw'),
		(SELECT format_type(atttypid, atttypmod) FROM pg_attribute
			WHERE attrelid = to_regclass(?) AND attname = 'lead_id' AND NOT attisdropped)`,
		s.tables.messages, s.tables.embeddings, s.tables.embeddings, s.tables.conversations)
	if _, err := q.row(db, &f.textConfig, &column, &f.vectorIndex, &leadType); err != nil {
		return nil, err
	}
	f.leadType = string(leadType)
	var err error
	if f.distributed, err = s.distributed(db); err != nil {
		return nil, err
	}
	f.fullText = f.textConfig != ""
	if match := vectorType.FindStringSubmatch(string(column)); match != nil {
		f.vectors, f.half = true, match[1] == "halfvec"
		f.dimensions, _ = strconv.Atoi(match[2]) // digits, few of them
	}
	return &f, nil
}

// vectorCheck is the constraint on the length of SQLite's blob.
var vectorCheck = regexp.MustCompile(`length\(embedding\) = (\d+) \+`)

func (s *store) sqliteFeatures(db conn) (*features, error) {
	var schema, leadType text
	f := features{vectors: true}
	q := newQuery(`SELECT (SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?),
		(SELECT count(*) = 2 FROM sqlite_master WHERE type = 'table' AND name IN (?, ?)),
		(SELECT type FROM pragma_table_info(?) WHERE name = 'lead_id')`,
		s.Config.tables.Table("message_embeddings"), s.Config.tables.Table("messages_fts"), s.Config.tables.Table("conversations_fts"),
		s.Config.tables.Table("conversations"))
	if _, err := q.row(db, &schema, &f.fullText, &leadType); err != nil {
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

// checkVector refuses a vector that the database cannot keep or compare.
func (f *features) checkVector(v message.Vector) error {
	if f.dimensions > 0 && len(v) != f.dimensions {
		return rule.Invalid("embedding", "has %d dimensions, not %d", len(v), f.dimensions)
	}
	if err := v.Validate(); err != nil {
		return err
	}
	if !f.half {
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
