package reports

import "github.com/convostore/convostore/internal/engine/query"

// leadTypesPostgres reads the catalogue. All types of text are alike.
func leadTypesPostgres(s reports, db query.Conn) (types leadTypes, there bool, err error) {
	typeOf := "(SELECT CASE typcategory WHEN 'S' THEN 0 ELSE t.oid END FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid" +
		" WHERE a.attrelid = to_regclass(?) AND a.attname = ? AND NOT a.attisdropped)"
	leads := table(s.sc.Leads)
	q := query.New("SELECT to_regclass(?) IS NOT NULL, coalesce("+typeOf+" = "+typeOf+", false), coalesce((SELECT format_type(atttypid, atttypmod)"+
		" FROM pg_attribute a WHERE a.attrelid = to_regclass(?) AND a.attname = ? AND NOT a.attisdropped AND a.atttypid <> 'uuid'::regtype), '')",
		leads, s.sc.Tables.Conversations, "lead_id", leads, s.sc.Leads.Key, leads, s.sc.Leads.Owner)
	_, err = q.Row(db, &there, &types.alike, &types.wrongOwner)
	return types, there, err
}
