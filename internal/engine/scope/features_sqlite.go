package scope

import (
	"regexp"
	"strconv"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/naming"
)

// sqliteFeatures reads the schema that SQLite keeps as text.
type sqliteFeatures struct{}

// vectorCheck is the constraint on the length of SQLite's blob.
var vectorCheck = regexp.MustCompile(`length\(embedding\) = (\d+) \+`)

func (sqliteFeatures) read(s *Store, db query.Conn) (*Features, error) {
	var schema, leadType record.Text
	f := Features{Vectors: true}
	name := s.Config.Tables.Table
	triggers := s.triggerNames(s.Dialect.Name())
	q := query.New(`SELECT (SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?),
		EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?),
		(SELECT count(*) = ? FROM sqlite_master WHERE type = 'trigger' AND`,
		name(naming.Embeddings), name(naming.SearchNotes), len(triggers))
	query.In(q, " name", triggers).Add("), (SELECT type FROM pragma_table_info(?) WHERE name = 'lead_id')", name(naming.Conversations))
	var complete bool
	if _, err := q.Row(db, &schema, &f.SearchTables, &complete, &leadType); err != nil {
		return nil, err
	}
	f.FullText = f.SearchTables && complete
	f.leadType = string(leadType)
	if match := vectorCheck.FindStringSubmatch(string(schema)); match != nil {
		size, _ := strconv.Atoi(match[1]) // a few digits
		f.dimensions = size / 4
	}
	return &f, nil
}
