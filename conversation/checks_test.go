package conversation_test

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/schema"

	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
)

// onlyGo are the rules of Validate that not every database has in its tables, and why.
var onlyGo = map[string]string{
	`^has U\+0000 at byte`:                   "PostgreSQL keeps no such text, and SQLite any bytes",
	`^is not UTF-8 at byte`:                  "PostgreSQL keeps no such text, and SQLite any bytes",
	`^is not in the years 1 to 9999$`:        "PostgreSQL keeps years that SQLite's texts do not sort",
	`^is the nil UUID$`:                      "a foreign key finds it, but for the owner of states",
	`^is empty$`:                             "an empty name is no name, and a CHECK for it would cost each write",
	`^has \d+ bytes, the most is 1024$`:      "PostgreSQL bounds the entry of an index, after compression, and no other text",
	`^is not between 0 and 1000000000$`:      "bounds the sums of reports, and may be raised without a migration",
	`^has more than 10 decimals or 18 digit`: "both databases hold amounts that reports do not sum exactly",
	`^has a number with an exponent beyond`:  "both databases take more, and jsonb writes all digits out",
	`^has half a surrogate pair`:             "PostgreSQL takes none, and SQLite any text that parses",
	`^is more than 2147483647$`:              "the column has 32 bits in PostgreSQL and 64 in SQLite",
	`^has more than 500 levels$`:             "jsonb takes more, SQLite 1,000",
	`^is the zero vector`:                    "the rule is of a number that no CHECK computes",
	`^is given exactly when a suggestion is`: "says what a decision needs, which is the host's to change",
	`^is negative$`:                          "a fence has no CHECK: only its writers compare it",
}

// onlyTables are columns of which the tables refuse more than Validate, and why.
var onlyTables = map[string]string{
	"messages.seq":                   "0 is a message that has no seq yet: BeforeCreate takes it from the database",
	"messages.user_id":               unknownYet,
	"messages.conversation_id":       unknownYet,
	"ai_suggestions.user_id":         unknownYet,
	"ai_suggestions.conversation_id": unknownYet,
	"message_embeddings.user_id":     unknownYet,
	"message_embeddings.message_id":  unknownYet,
	"message_embeddings.embedding":   "how many dimensions a vector has is an option of the migrations",
}

// unknownYet are ids that a parent or the store fills in after Validate. A foreign key finds
// those that nobody has filled in.
const unknownYet = "filled in later"

// probedRow is a valid row of a model that is not stored, with the fields of its columns.
type probedRow struct {
	value  any
	schema *schema.Schema
}

func (r probedRow) table() string { return r.schema.Table }

// with returns a copy of the row with other values, by column. Nil stays nil in a pointer.
func (r probedRow) with(t *testing.T, values map[string]any) any {
	t.Helper()
	c := copyOf(r.value)
	for column, value := range values {
		f := r.schema.FieldsByDBName[column]
		dest := f.ReflectValueOf(t.Context(), c.Elem())
		switch {
		case value == nil:
			dest.SetZero()
		case dest.Kind() == reflect.Pointer:
			dest.Set(reflect.New(dest.Type().Elem()))
			dest.Elem().Set(reflect.ValueOf(value).Convert(dest.Type().Elem()))
		default:
			dest.Set(reflect.ValueOf(value).Convert(dest.Type()))
		}
	}
	return c.Interface()
}

func probedRows(t *testing.T, db *gorm.DB) (rows []probedRow) {
	t.Helper()
	for _, row := range rowsOf(storedThread(t, db)) {
		if m, ok := row.(*message.Message); ok {
			m.Seq = 100
		}
		normalize(row)
		rows = append(rows, probedRow{row, parse(t, db, row)})
	}
	return rows
}

func normalize(row any) {
	row.(interface{ Normalize(now time.Time) }).Normalize(message.Now())
}

// verdicts compares what Validate and the tables say of rows, and notes who refused what.
type verdicts struct {
	db *gorm.DB
	// broken are the constraints that refused a row which Validate refuses too, and used the
	// entries of onlyGo and onlyTables.
	broken, used map[string]bool
}

// compare writes the row as a host would that skips the hooks.
func (v *verdicts) compare(t *testing.T, row probedRow, values map[string]any) {
	t.Helper()
	c := row.with(t, values)
	normalize(c)
	said := c.(interface{ Validate() error }).Validate()
	tx := v.db.Begin()
	require.NoError(t, tx.Error)
	stored := tx.Session(&gorm.Session{SkipHooks: true}).Omit(clause.Associations).Create(c).Error
	require.NoError(t, tx.Rollback().Error)
	what := row.table()
	for column, value := range values {
		what += fmt.Sprintf(" %s=%.30q", column, fmt.Sprint(value))
		if doc, ok := value.([]byte); ok {
			what += fmt.Sprintf("%.30q", doc)
		}
	}
	var invalid *rule.InvalidError
	switch {
	case said == nil && stored == nil:
	case said == nil:
		v.excused(t, slices.Sorted(maps.Keys(values)), row.table(), stored, what)
	case !errors.As(said, &invalid):
		t.Errorf("%s: %v is no InvalidError", what, said)
	case stored == nil:
		v.listed(t, invalid, what)
	default:
		v.broken[constraintOf(stored)] = true
		assert.Contains(t, row.schema.FieldsByDBName, invalid.Field, "%s: the field of %v", what, said)
	}
}

// excused asks that onlyTables has a column of those that the tables refused alone.
func (v *verdicts) excused(t *testing.T, columns []string, table string, stored error, what string) {
	t.Helper()
	for _, column := range columns {
		if key := table + "." + column; onlyTables[key] != "" {
			v.used[key] = true
			v.broken[constraintOf(stored)] = true
			return
		}
	}
	t.Errorf("%s: Validate takes what the table refuses: %v", what, stored)
}

// listed asks that onlyGo has the rule that a table does not have.
func (v *verdicts) listed(t *testing.T, invalid *rule.InvalidError, what string) {
	t.Helper()
	for pattern := range onlyGo {
		if regexp.MustCompile(pattern).MatchString(invalid.Rule) {
			v.used[pattern] = true
			return
		}
	}
	t.Errorf("%s: the table takes what Validate refuses: %v", what, invalid)
}

// constraintOf returns the name of the CHECK that refused a row, or what the database says.
func constraintOf(err error) string {
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		return refused.ConstraintName
	}
	if found := checkFailed.FindStringSubmatch(err.Error()); found != nil {
		return found[1]
	}
	return err.Error()
}

var checkFailed = regexp.MustCompile(`CHECK constraint failed: (.*?)( \(\d+\))?$`)

// TestChecksAndValidateAgree tries values at the bounds of every column of every model, and of
// the columns of each CHECK all together.
func TestChecksAndValidateAgree(t *testing.T) {
	used, ran := map[string]bool{}, 0
	eachDatabase(t, func(t *testing.T, db *gorm.DB) {
		ran++
		v := &verdicts{db, map[string]bool{}, used}
		checks := checksOf(t, db)
		require.Greater(t, len(checks), 20)
		for _, row := range probedRows(t, db) {
			v.compare(t, row, nil)
			for _, f := range row.schema.Fields {
				for _, value := range probes(f) {
					v.compare(t, row, map[string]any{f.DBName: value})
				}
			}
			for _, check := range checks {
				if check.table == row.table() {
					for _, values := range combinations(t, row.schema, check.columns) {
						v.compare(t, row, values)
					}
				}
			}
		}
		for _, check := range checks {
			assert.True(t, v.broken[check.name], "%s: nothing breaks it that Validate refuses", check.name)
		}
	})
	if ran < 2 {
		return // the subtest of the database that is missing has said so; an exception may be of that one alone
	}
	for _, list := range []map[string]string{onlyGo, onlyTables} {
		for entry, reason := range list {
			assert.True(t, used[entry], "%s: no row needs the exception: %s", entry, reason)
		}
	}
}

// tableCheck is a CHECK with a name. Those without are SQLite's, of times and documents alone.
type tableCheck struct {
	table, name string
	columns     []string
}

var (
	namedCheck = regexp.MustCompile(`CONSTRAINT "(\w+)" CHECK \((.*)\)`)
	words      = regexp.MustCompile(`\w+`)
)

// checksOf asks the database for the CHECKs of the tables that have models.
func checksOf(t *testing.T, db *gorm.DB) (checks []tableCheck) {
	t.Helper()
	for _, model := range models() {
		s := parse(t, db, model)
		var found []struct{ Name, Text string }
		if db.Name() == "postgres" {
			require.NoError(t, db.Raw("SELECT conname AS name, pg_get_constraintdef(oid) AS text FROM pg_constraint WHERE contype = 'c' AND conrelid = to_regclass(?)",
				s.Table).Scan(&found).Error)
		} else {
			var definition string
			require.NoError(t, db.Raw("SELECT sql FROM sqlite_schema WHERE name = ?", s.Table).Scan(&definition).Error)
			for _, c := range namedCheck.FindAllStringSubmatch(definition, -1) {
				found = append(found, struct{ Name, Text string }{c[1], c[2]})
			}
		}
		for _, c := range found {
			check := tableCheck{table: s.Table, name: c.Name}
			for _, word := range words.FindAllString(c.Text, -1) {
				if s.FieldsByDBName[word] != nil && !slices.Contains(check.columns, word) {
					check.columns = append(check.columns, word)
				}
			}
			// PostgreSQL writes casts after the names of types, and a text may be a column's name.
			if strings.HasSuffix(c.Name, "_kind_check") {
				check.columns = []string{"kind"}
			}
			checks = append(checks, check)
		}
	}
	return checks
}

// combinations are the values of columns that a CHECK looks at together.
func combinations(t *testing.T, s *schema.Schema, columns []string) []map[string]any {
	t.Helper()
	all := []map[string]any{{}}
	for _, column := range columns {
		var longer []map[string]any
		for _, values := range all {
			for _, value := range few(s.FieldsByDBName[column]) {
				more := maps.Clone(values)
				more[column] = value
				longer = append(longer, more)
			}
		}
		all = longer
	}
	return all
}
