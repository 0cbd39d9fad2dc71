package dialect

import (
	"strconv"
	"strings"
)

// Documents collect rows into JSON documents, and look into those of a column.
type Documents interface {
	// TextArray aggregates a column of texts as a JSON array, sorted by bytes.
	TextArray(column string) string
	// BytesObject aggregates keys and columns of bytes as a JSON object; bytes are hexadecimal.
	BytesObject(key, value string) string
	// HasScalar is the condition that a column has a JSON object with a value under a key, or with
	// contains an array of which the value is an element.
	HasScalar(column, key string, value Scalar, contains bool) (sql string, args []any)
}

// Scalar is a JSON value that has no parts, and that both databases compare in the same way.
type Scalar struct {
	// Doc is the value as JSON.
	Doc string
	// Value is the text or the int64, or nil for the literals true, false and null.
	Value any
}

func (postgres) TextArray(column string) string {
	return "CAST(jsonb_agg(" + column + " ORDER BY CAST(" + column + ` AS text) COLLATE "C") AS text)`
}

func (postgres) BytesObject(key, value string) string {
	return "CAST(jsonb_object_agg(" + key + ", encode(" + value + ", 'hex')) AS text)"
}

func (postgres) HasScalar(column, key string, value Scalar, contains bool) (sql string, args []any) {
	at := column + " -> CAST(? AS text)"
	if !contains {
		return "coalesce(" + at + " = CAST(? AS jsonb), false)", []any{key, value.Doc}
	}
	return "coalesce(jsonb_typeof(" + at + ") = 'array' AND " + at + " @> CAST(? AS jsonb), false)", []any{key, key, value.Doc}
}

func (sqlite) TextArray(column string) string {
	return "json_group_array(" + column + " ORDER BY " + column + ")"
}

func (sqlite) BytesObject(key, value string) string {
	return "json_group_object(" + key + ", hex(" + value + "))"
}

// HasScalar asks for an object: json_each gives the elements of an array numbers as keys.
func (sqlite) HasScalar(column, key string, value Scalar, contains bool) (sql string, args []any) {
	from, of := "json_each("+column+") j", "j"
	if contains {
		from, of = from+" JOIN json_each(CASE j.type WHEN 'array' THEN j.value ELSE '[]' END) e", "e"
	}
	sql, args = "(json_type("+column+") IS 'object' AND EXISTS (SELECT 1 FROM "+from+" WHERE j.key = ? AND "+of+".type ", []any{key}
	switch v := value.Value.(type) {
	case nil:
		sql += "= '" + strings.TrimSpace(value.Doc) + "'"
	case string:
		sql, args = sql+"= 'text' AND "+of+".value = ?", append(args, v)
	case int64:
		sql += "IN ('integer', 'real') AND " + of + ".value = " + strconv.FormatInt(v, 10)
	}
	return sql + "))", args
}
