package scope

import (
	"regexp"
	"strconv"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
)

// postgresFeatures reads PostgreSQL's catalogs.
type postgresFeatures struct{}

// vectorType is the type of an embedding, "vector(1536)".
var vectorType = regexp.MustCompile(`^(?:.*\.)?(vector|halfvec)\((\d+)\)$`)

func (postgresFeatures) read(s *Store, db query.Conn) (*Features, error) {
	var f Features
	var column, vectorSchema, leadType record.Text
	triggers := s.triggerNames(s.Dialect.Name())
	q := query.New(`SELECT to_regclass(?) IS NOT NULL,
		(SELECT count(*) = ? FROM pg_trigger WHERE tgrelid IN (to_regclass(?), to_regclass(?)) AND tgenabled IN ('O', 'A') AND`,
		s.Tables.SearchNotes, len(triggers), s.Tables.Messages, s.Tables.Conversations)
	query.In(q, " tgname", triggers).Add(`),
		(SELECT format_type(atttypid, atttypmod) FROM pg_attribute
			WHERE attrelid = to_regclass(?) AND attname = 'embedding' AND NOT attisdropped),
		(SELECT quote_ident(n.nspname) FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid JOIN pg_namespace n ON n.oid = t.typnamespace
			WHERE a.attrelid = to_regclass(?) AND a.attname = 'embedding' AND NOT a.attisdropped),
		EXISTS (SELECT 1 FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam
			WHERE i.indrelid = to_regclass(?) AND i.indisvalid AND a.amname = 'hnsw'),
		(SELECT format_type(atttypid, atttypmod) FROM pg_attribute
			WHERE attrelid = to_regclass(?) AND attname = 'lead_id' AND NOT attisdropped)`,
		s.Tables.Embeddings, s.Tables.Embeddings, s.Tables.Embeddings, s.Tables.Conversations)
	var complete bool
	if _, err := q.Row(db, &f.SearchTables, &complete, &column, &vectorSchema, &f.VectorIndex, &leadType); err != nil {
		return nil, err
	}
	f.leadType, f.vectorSchema = string(leadType), string(vectorSchema)
	var err error
	if f.Distributed, err = s.Distributed(db); err != nil {
		return nil, err
	}
	f.FullText = f.SearchTables && complete && !f.Distributed
	if match := vectorType.FindStringSubmatch(string(column)); match != nil {
		f.Vectors, f.Half = true, match[1] == "halfvec"
		f.dimensions, _ = strconv.Atoi(match[2]) // a few digits
	}
	return &f, nil
}

// Distributed tells whether a Citus cluster has spread the tables over its nodes: then the
// tables of the server itself are empty. It is for PostgreSQL alone.
func (s *Store) Distributed(db query.Conn) (bool, error) {
	found, err := query.New("SELECT 1 FROM pg_extension WHERE extname = 'citus'").Row(db, new(int))
	if err != nil || !found {
		return false, err
	}
	q := query.New("SELECT 1 FROM pg_dist_partition WHERE partmethod <> 'n' AND logicalrelid = to_regclass(?)", s.Tables.Conversations)
	return q.Row(db, new(int))
}
