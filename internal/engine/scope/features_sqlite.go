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
	q := query.New(`SELECT (SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?),
		(SELECT count(*) = 2 FROM sqlite_master WHERE type = 'table' AND name IN (?, ?)),
		(SELECT type FROM pragma_table_info(?) WHERE name = 'lead_id')`,
		name(naming.Embeddings), name(naming.MessagesText), name(naming.ConversationsText), name(naming.Conversations))
	if _, err := q.Row(db, &schema, &f.FullText, &leadType); err != nil {
		return nil, err
	}
	f.leadType = string(leadType)
	if match := vectorCheck.FindStringSubmatch(string(schema)); match != nil {
		size, _ := strconv.Atoi(match[1]) // a few digits
		f.dimensions = size / 4
	}
	return &f, nil
}
