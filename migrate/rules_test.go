package migrate

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore/internal/naming"
)

// tableRules is what the catalogue says of one table of the library.
type tableRules struct {
	name    string
	owned   bool
	indexes []tableIndex
	// foreignKeys are the columns of each.
	foreignKeys [][]string
	// constraints are the names of all that have one given by hand, with their kinds.
	constraints []namedConstraint
}

type tableIndex struct {
	name    string
	unique  bool
	columns []string
	// condition is of a partial index.
	condition string
}

type namedConstraint struct{ name, kind string }

// rulesOf asks the database for all tables with the prefix of o.
func rulesOf(t *testing.T, db *gorm.DB, o Options) (all []tableRules) {
	t.Helper()
	if db.Name() == postgres {
		return rulesOfPostgres(t, db, o)
	}
	return rulesOfSQLite(t, db, o)
}

func rulesOfPostgres(t *testing.T, db *gorm.DB, o Options) (all []tableRules) {
	t.Helper()
	var tables []struct {
		OID   int64 `gorm:"column:oid"`
		Name  string
		Owned bool
	}
	require.NoError(t, db.Raw(`SELECT c.oid, c.relname AS name,
			EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'user_id') AS owned
		FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE c.relkind = 'r' AND n.nspname = ? AND starts_with(c.relname, ?) ORDER BY 2`, o.Schema, o.Prefix).Scan(&tables).Error)
	for _, table := range tables {
		r := tableRules{name: table.Name, owned: table.Owned}
		var indexes []struct {
			Name, Columns, Condition string
			Uniq                     bool
		}
		require.NoError(t, db.Raw(`SELECT c.relname AS name, i.indisunique AS uniq, coalesce(pg_get_expr(i.indpred, i.indrelid), '') AS condition,
				(SELECT string_agg(pg_get_indexdef(i.indexrelid, k, true), ',' ORDER BY k) FROM generate_series(1, i.indnkeyatts) k) AS columns
			FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = ?`, table.OID).Scan(&indexes).Error)
		for _, i := range indexes {
			r.indexes = append(r.indexes, tableIndex{i.Name, i.Uniq, strings.Split(i.Columns, ","), i.Condition})
		}
		var constraints []struct{ Name, Kind, Columns string }
		require.NoError(t, db.Raw(`SELECT conname AS name, contype::text AS kind, coalesce((SELECT string_agg(a.attname, ',' ORDER BY k.n)
				FROM unnest(conkey) WITH ORDINALITY AS k (num, n) JOIN pg_attribute a ON a.attrelid = conrelid AND a.attnum = k.num), '') AS columns
			FROM pg_constraint WHERE conrelid = ? AND contype <> 'n'`, table.OID).Scan(&constraints).Error)
		for _, c := range constraints {
			kind := map[string]string{"p": "pkey", "u": "key", "f": "fkey", "c": "check"}[c.Kind]
			r.constraints = append(r.constraints, namedConstraint{c.Name, kind})
			if kind == "fkey" {
				r.foreignKeys = append(r.foreignKeys, strings.Split(c.Columns, ","))
			}
		}
		all = append(all, r)
	}
	return all
}

var (
	// namedInSQL finds the constraints of a table's text, which SQLite's catalogue does not have.
	namedInSQL = regexp.MustCompile(`CONSTRAINT "(\w+)" (PRIMARY|UNIQUE|FOREIGN|CHECK)`)
	kindInSQL  = map[string]string{"PRIMARY": "pkey", "UNIQUE": "key", "FOREIGN": "fkey", "CHECK": "check"}
)

func rulesOfSQLite(t *testing.T, db *gorm.DB, o Options) (all []tableRules) {
	t.Helper()
	var tables []struct {
		Name, SQL string
		Owned     bool
	}
	require.NoError(t, db.Raw(`SELECT name, sql, EXISTS (SELECT 1 FROM pragma_table_info(s.name) WHERE name = 'user_id') AS owned
		FROM sqlite_schema s WHERE type = 'table' AND name LIKE ? || '%' ORDER BY 1`, o.Prefix).Scan(&tables).Error)
	for _, table := range tables {
		r := tableRules{name: table.Name, owned: table.Owned}
		var indexes []struct {
			Name, Columns, Condition string
			Uniq                     bool
		}
		require.NoError(t, db.Raw(`SELECT l.name, l."unique" AS uniq, (SELECT group_concat(coalesce(name, '?')) FROM pragma_index_info(l.name)) AS columns,
				coalesce((SELECT substr(sql, instr(sql, ' WHERE ')) FROM sqlite_schema s WHERE s.name = l.name AND instr(sql, ' WHERE ') > 0), '') AS condition
			FROM pragma_index_list(?) l`, table.Name).Scan(&indexes).Error)
		for _, i := range indexes {
			r.indexes = append(r.indexes, tableIndex{i.Name, i.Uniq, strings.Split(i.Columns, ","), i.Condition})
		}
		var keys []string
		require.NoError(t, db.Raw(`SELECT group_concat("from") FROM (SELECT * FROM pragma_foreign_key_list(?) ORDER BY id, seq) GROUP BY id`, table.Name).Scan(&keys).Error)
		for _, k := range keys {
			r.foreignKeys = append(r.foreignKeys, strings.Split(k, ","))
		}
		for _, c := range namedInSQL.FindAllStringSubmatch(table.SQL, -1) {
			r.constraints = append(r.constraints, namedConstraint{c[1], kindInSQL[c[2]]})
		}
		all = append(all, r)
	}
	return all
}

// leads is the one foreign key whose index has not all of its columns: the id of a lead says
// nearly all, and the other is its owner.
const leads = "lead_id"

// serves tells whether a deletion of the parent finds the rows of the key by the index.
func (i tableIndex) serves(key []string) bool {
	if i.condition != "" && !onlyNotNull.MatchString(i.condition) {
		return false
	}
	if i.columns[0] == leads && slices.Contains(key, leads) {
		return true
	}
	if len(i.columns) < len(key) {
		return false
	}
	for _, column := range i.columns[:len(key)] {
		if !slices.Contains(key, column) {
			return false
		}
	}
	return true
}

// onlyNotNull is the condition of an index that has every row that a key can name.
var onlyNotNull = regexp.MustCompile(`^\W*(WHERE )?\w+ IS NOT NULL\W*$`)

// TestEveryKeyHasAnIndex: without one a deletion of the parent reads the whole table, and so does
// the erasure of a user.
func TestEveryKeyHasAnIndex(t *testing.T) {
	t.Parallel()
	eachDialect(t, func(t *testing.T, db *gorm.DB) {
		o := hosted(t, db)
		keys := 0
		for _, table := range rulesOf(t, db, o) {
			for _, key := range table.foreignKeys {
				keys++
				assert.True(t, slices.ContainsFunc(table.indexes, func(i tableIndex) bool { return i.serves(key) }),
					"%s: nothing serves the foreign key %v: %v", table.name, key, table.indexes)
			}
			// The lists have their rows by way of the vectors, which have such an index.
			if table.owned && !strings.HasSuffix(table.name, naming.Lists) {
				assert.True(t, slices.ContainsFunc(table.indexes, func(i tableIndex) bool { return i.condition == "" && i.columns[0] == "user_id" }),
					"%s: no index has all rows of a user: %v", table.name, table.indexes)
			}
		}
		want := 20
		if db.Name() == "postgres" {
			want = 18
		}
		assert.Equal(t, want, keys, "the foreign keys that were looked at")
	})
}

// TestEveryNameFollowsTheRule: the table, what it is about, and its kind. A name without the prefix
// would collide with another set of tables in the same schema.
func TestEveryNameFollowsTheRule(t *testing.T) {
	t.Parallel()
	eachDialect(t, func(t *testing.T, db *gorm.DB) {
		o := hosted(t, db)
		all := rulesOf(t, db, o)
		want := naming.OnSQLite()
		if db.Name() == "postgres" {
			want = naming.All()
		}
		require.Len(t, all, len(want)+len(naming.Search()))
		seen := map[string]bool{}
		for _, table := range all {
			for _, c := range table.constraints {
				assertName(t, o, table.name, c.name, c.kind)
				assert.False(t, seen[c.name], c.name)
				seen[c.name] = true
			}
			for _, i := range table.indexes {
				if seen[i.name] || strings.HasPrefix(i.name, "sqlite_autoindex_") {
					continue // of a constraint
				}
				kind := "idx"
				if i.unique {
					kind = "key"
				}
				assertName(t, o, table.name, i.name, kind)
				seen[i.name] = true
			}
		}
		assert.Greater(t, len(seen), 60)
	})
}

// assertName asserts that the name begins with the table's and ends with its kind. It fits
// PostgreSQL's 63 bytes with the longest prefix.
func assertName(t *testing.T, o Options, table, name, kind string) {
	t.Helper()
	assert.True(t, strings.HasPrefix(name, table+"_"), "%s of %s", name, table)
	assert.True(t, strings.HasSuffix(name, "_"+kind), "%s is a %s", name, kind)
	assert.LessOrEqual(t, len(strings.TrimPrefix(name, o.Prefix))+20, 63, fmt.Sprint("with the longest prefix: ", name))
}
