// Package hook tells the models' GORM hooks what the statement that called them writes.
package hook

import (
	"errors"
	"reflect"
	"slices"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/schema"

	"github.com/convostore/convostore/rule"
)

// Whole tells whether the statement writes every field of the model, as Save does. Updates does
// not, nor does a Save with Select.
func Whole[T any](tx *gorm.DB, model *T) bool {
	dest, ok := structOf[T](tx.Statement.Dest)
	return ok && dest == model && slices.Contains(tx.Statement.Selects, "*")
}

// Upserts tells whether an insert writes over a row that is there already, as Save of a slice
// and FullSaveAssociations do.
func Upserts(tx *gorm.DB) bool {
	conflict, _ := tx.Statement.Clauses["ON CONFLICT"].Expression.(clause.OnConflict)
	return conflict.UpdateAll
}

// Sets has the columns that an Updates sets to a value that is known here: an SQL expression and
// NULL are left to the database.
type Sets map[string]bool

// Fill sets a field to a value that is valid, unless the Updates sets its column: the row has one
// already.
func Fill[V any](s Sets, column string, field *V, valid V) {
	if !s[column] {
		*field = valid
	}
}

// Partial returns a model with only what an Updates sets, from a struct or from a map, and which
// columns these are. A value that does not fit its field is a *rule.InvalidError if the field's
// type says so, and otherwise left to the database.
func Partial[T any](tx *gorm.DB) (*T, Sets, error) {
	stmt, model := tx.Statement, new(T)
	if stmt.Schema == nil {
		return model, nil, nil
	}
	if dest, ok := structOf[T](stmt.Dest); ok {
		*model = *dest
		return model, ofStruct(stmt, reflect.ValueOf(model).Elem()), nil
	}
	sets := Sets{}
	values, _ := stmt.Dest.(map[string]any)
	for name, value := range values {
		field := stmt.Schema.LookUpField(name)
		if field == nil || field.DBName == "" || computed(field, value) {
			continue
		}
		err := field.Set(stmt.Context, reflect.ValueOf(model).Elem(), value)
		if errors.Is(err, rule.ErrInvalid) {
			return nil, nil, err
		}
		sets[field.DBName] = err == nil
	}
	return model, sets, nil
}

// computed tells whether the database makes the value of an assignment. A vector, which is a
// gorm.Valuer too, is known as it is.
func computed(field *schema.Field, value any) bool {
	switch value.(type) {
	case clause.Expression, *gorm.DB, nil:
		return true
	case gorm.Valuer:
		return reflect.TypeOf(value) != field.FieldType
	}
	return false
}

// ofStruct returns what GORM writes of a struct: what is not zero, and what a Select names.
func ofStruct(stmt *gorm.Statement, model reflect.Value) Sets {
	sets := Sets{}
	selected, _ := stmt.SelectAndOmitColumns(false, true)
	for _, field := range stmt.Schema.Fields {
		if field.DBName != "" {
			_, zero := field.ValueOf(stmt.Context, model)
			sets[field.DBName] = !zero || selected[field.DBName]
		}
	}
	return sets
}

// structOf follows pointers to a T.
func structOf[T any](dest any) (*T, bool) {
	v := reflect.ValueOf(dest)
	for v.Kind() == reflect.Pointer && !v.IsNil() {
		if model, ok := v.Interface().(*T); ok {
			return model, true
		}
		v = v.Elem()
	}
	if v.IsValid() {
		if model, ok := v.Interface().(T); ok {
			return &model, true
		}
	}
	return nil, false
}
