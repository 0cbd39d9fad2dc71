package conversation_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/schema"

	"github.com/convostore/convostore/message"
)

var errUndone = errors.New("undone")

// undone runs do in a transaction that is rolled back.
func undone(t *testing.T, db *gorm.DB, do func(tx *gorm.DB)) {
	t.Helper()
	require.ErrorIs(t, db.Transaction(func(tx *gorm.DB) error {
		do(tx)
		return errUndone
	}), errUndone)
}

// TestEveryValueComesBack writes every value of every column that Validate takes, by Create, by
// Save and by Updates, and reads it again.
func TestEveryValueComesBack(t *testing.T) {
	eachDatabase(t, func(t *testing.T, db *gorm.DB) {
		written := 0
		for _, row := range probedRows(t, db) {
			if m, ok := row.value.(*message.Message); ok {
				m.Seq = 3 // the next one
			}
			for _, f := range row.schema.Fields {
				for _, value := range append(probes(f), odd(f)...) {
					values := map[string]any{f.DBName: value}
					if !takes(t, row, values) {
						continue
					}
					written++
					undone(t, db, func(tx *gorm.DB) { row.create(t, tx, values) })
					if f.Updatable {
						undone(t, db, func(tx *gorm.DB) { row.change(t, tx, f, values) })
					}
				}
			}
		}
		assert.Greater(t, written, 400)
	})
}

// odd are times as hosts have them: in a zone, and with nanoseconds.
func odd(f *schema.Field) []any {
	if f.IndirectFieldType != reflect.TypeFor[time.Time]() {
		return nil
	}
	return []any{
		time.Date(2026, 3, 29, 2, 30, 0, 999999999, time.FixedZone("Kathmandu", 20700)), time.Date(1, 1, 1, 0, 0, 0, 1000, time.UTC),
		time.Date(1969, 12, 31, 23, 59, 59, 1500, time.FixedZone("", -43200)), time.Now(),
	}
}

func takes(t *testing.T, row probedRow, values map[string]any) bool {
	t.Helper()
	c := row.with(t, values)
	normalize(c)
	return c.(interface{ Validate() error }).Validate() == nil && row.table()+"."+oneOf(values) != "message_embeddings.embedding" && !foreign(row, values)
}

func oneOf(values map[string]any) string {
	for column := range values {
		return column
	}
	return ""
}

// foreign tells whether a value is an id that a foreign key or the hook of a message looks up.
func foreign(row probedRow, values map[string]any) bool {
	key := row.table() + "." + oneOf(values)
	return onlyTables[key] != ""
}

// create writes the row with the values and asks that it comes back.
func (r probedRow) create(t *testing.T, tx *gorm.DB, values map[string]any) {
	t.Helper()
	c := r.with(t, values)
	require.NoError(t, tx.Create(c).Error, "%s %v", r.table(), values)
	r.stored(t, tx, c, fmt.Sprintf("Create %s.%s", r.table(), oneOf(values)))
}

// change writes the values over those of a row.
func (r probedRow) change(t *testing.T, tx *gorm.DB, f *schema.Field, values map[string]any) {
	t.Helper()
	base := copyOf(r.value).Interface()
	require.NoError(t, tx.Create(base).Error)
	c := probedRow{base, r.schema}.with(t, values)
	what := fmt.Sprintf("%s.%s", r.table(), f.DBName)
	require.NoError(t, tx.Save(c).Error, what)
	got := r.stored(t, tx, c, "Save "+what)

	if f.AutoUpdateTime != 0 {
		return
	}
	require.NoError(t, tx.Save(base).Error)
	value, _ := f.ValueOf(t.Context(), reflect.ValueOf(c).Elem())
	update := tx.Model(base).Session(&gorm.Session{}).Updates(map[string]any{f.DBName: value})
	require.NoError(t, update.Error, what)
	require.EqualValues(t, 1, update.RowsAffected, what)
	again := r.read(t, tx, c)
	r.sameField(t, f, got, again, "Updates "+what)
}

// stored asks that the database has c, and returns what it has.
func (r probedRow) stored(t *testing.T, tx *gorm.DB, c any, what string) any {
	t.Helper()
	got := r.read(t, tx, c)
	for _, f := range r.schema.Fields {
		if f.DBName != "" {
			r.sameField(t, f, c, got, what)
		}
	}
	return got
}

// read reads the row with the keys of c.
func (r probedRow) read(t *testing.T, tx *gorm.DB, c any) any {
	t.Helper()
	got := reflect.New(r.schema.ModelType).Interface()
	q := tx.Unscoped()
	for _, f := range r.schema.PrimaryFields {
		value, _ := f.ValueOf(t.Context(), reflect.ValueOf(c).Elem())
		q = q.Where(clause.Eq{Column: clause.Column{Name: f.DBName}, Value: value})
	}
	require.NoError(t, q.Take(got).Error)
	return got
}

func (r probedRow) sameField(t *testing.T, f *schema.Field, want, got any, what string) {
	t.Helper()
	if f.AutoUpdateTime != 0 {
		return // GORM sets it
	}
	w, g := plainValue(t, f, want), plainValue(t, f, got)
	assert.Equal(t, w, g, "%s: %s", what, f.DBName)
}

// plainValue returns a value in a form in which equal ones are the same.
func plainValue(t *testing.T, f *schema.Field, row any) any {
	t.Helper()
	v := f.ReflectValueOf(t.Context(), reflect.ValueOf(row).Elem())
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return nil
		}
		v = v.Elem()
	}
	switch v := v.Interface().(type) {
	case time.Time:
		return v.UTC().Truncate(time.Microsecond).Format(time.RFC3339Nano)
	case gorm.DeletedAt:
		return v.Time.UTC().Format(time.RFC3339Nano)
	case decimal.Decimal:
		return v.String()
	case message.JSON:
		return plainJSON(t, v)
	}
	if v.Kind() == reflect.Slice && v.Len() == 0 {
		return nil
	}
	return v.Interface()
}

// plainJSON decodes a document with the values of its numbers: jsonb writes them out.
func plainJSON(t *testing.T, doc message.JSON) any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader([]byte(doc.String())))
	d.UseNumber()
	var v any
	require.NoError(t, d.Decode(&v))
	return plainNumbers(t, v)
}

func plainNumbers(t *testing.T, v any) any {
	t.Helper()
	switch v := v.(type) {
	case json.Number:
		n, err := decimal.NewFromString(v.String())
		require.NoError(t, err)
		return n.String()
	case []any:
		for i := range v {
			v[i] = plainNumbers(t, v[i])
		}
	case map[string]any:
		for key := range v {
			v[key] = plainNumbers(t, v[key])
		}
	}
	return v
}
