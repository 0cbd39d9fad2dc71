package scope

import (
	"strings"

	"github.com/convostore/convostore/internal/engine/query"
)

// leadTypesSQLite reads the type of the owner. SQLite compares ids of any types, and an owner that
// is a number with no user's.
func leadTypesSQLite(sc Scope, db query.Conn) (types leadTypes, there bool, err error) {
	types.alike = true
	if sc.Leads.Owner == "" {
		return types, true, nil
	}
	var declared string
	there, err = query.New("SELECT type FROM pragma_table_info(?) WHERE name = ? COLLATE NOCASE", sc.Leads.Name, sc.Leads.Owner).
		Row(db, &declared)
	if strings.Contains(strings.ToUpper(declared), "INT") {
		types.wrongOwner = declared
	}
	return types, there, err
}
