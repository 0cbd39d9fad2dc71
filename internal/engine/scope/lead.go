package scope

import (
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/rule"
)

// CheckLead returns ErrInvalid for a lead id that does not fit the type of the column, see
// migrate.Ref.Type. Without the check PostgreSQL would fail the statement with an error that
// quotes the id, and abort a transaction around it.
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

// integers are the SQL types of integers with their sizes in bits.
var integers = map[string]int{
	"smallint": 16, "int2": 16, "integer": 32, "int": 32, "int4": 32, "bigint": 64, "int8": 64,
}

// CheckLead is Scope.CheckLead for features that were read already.
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
