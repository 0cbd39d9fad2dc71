package scope

import "github.com/convostore/convostore/internal/engine/query"

// leadTypesPostgres reads the catalogue. All types of text are alike.
func leadTypesPostgres(sc Scope, db query.Conn) (types leadTypes, there bool, err error) {
	typeOf := "(SELECT CASE typcategory WHEN 'S' THEN 0 ELSE t.oid END FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid" +
		" WHERE a.attrelid = to_regclass(?) AND a.attname = ? AND NOT a.attisdropped)"
	leads := sc.LeadTable()
	q := query.New("SELECT to_regclass(?) IS NOT NULL, coalesce("+typeOf+" = "+typeOf+", false), coalesce((SELECT format_type(atttypid, atttypmod)"+
		" FROM pg_attribute a WHERE a.attrelid = to_regclass(?) AND a.attname = ? AND NOT a.attisdropped AND a.atttypid <> 'uuid'::regtype), '')",
		leads, sc.Tables.Conversations, "lead_id", leads, sc.Leads.Key, leads, sc.Leads.Owner)
	_, err = q.Row(db, &there, &types.alike, &types.wrongOwner)
	return types, there, err
}
