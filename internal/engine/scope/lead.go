package scope

import (
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/rule"
)

// CheckLead refuses a lead id that the column cannot have, see migrate.Ref.Type: PostgreSQL
// would refuse the statement, quote the id, and end a transaction around it.
func (sc Scope) CheckLead(db query.Conn, leadID string) error {
	if leadID == "" {
		return nil
	}
	f, err := sc.SchemaFeatures(db)
	if err != nil {
		return err
	}
	return f.CheckLead(leadID)
}

// integers are the SQL types of whole numbers with their bits.
var integers = map[string]int{
	"smallint": 16, "int2": 16, "integer": 32, "int": 32, "int4": 32, "bigint": 64, "int8": 64,
}

func (f *Features) CheckLead(leadID string) error {
	kind := strings.ToLower(f.leadType)
	if bits := integers[kind]; leadID != "" && bits > 0 {
		if _, err := strconv.ParseInt(leadID, 10, bits); err != nil {
			return rule.Invalid("lead_id", "is not a whole number of %d bits, as the host's leads have them", bits)
		}
	}
	if leadID != "" && kind == "uuid" {
		if _, err := uuid.Parse(leadID); err != nil || strings.HasPrefix(strings.ToLower(leadID), "urn:") {
			return rule.Invalid("lead_id", "is not a UUID, as the host's leads have them")
		}
	}
	return nil
}
