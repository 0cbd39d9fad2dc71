// Package hook tells the models' GORM hooks what the statement that called them writes.
package hook

import (
	"errors"
	"reflect"
	"slices"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

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

// Partial returns a model with only what an Updates sets, and false if it sets nothing that is
// known here: an SQL expression is computed by the database. A value that does not fit its field
// is a *rule.InvalidError if the field's type says so, and otherwise left to the database.
func Partial[T any](tx *gorm.DB) (*T, bool, error) {
	if dest, ok := structOf[T](tx.Statement.Dest); ok {
		model := *dest
		return &model, true, nil
	}
	values, ok := tx.Statement.Dest.(map[string]any)
	if !ok || tx.Statement.Schema == nil {
		return nil, false, nil
	}
	model := new(T)
	for name, value := range values {
		field := tx.Statement.Schema.LookUpField(name)
		switch value.(type) {
		case clause.Expression, gorm.Valuer, *gorm.DB, nil:
			continue
		}
		if field == nil || field.DBName == "" {
			continue
		}
		if err := field.Set(tx.Statement.Context, reflect.ValueOf(model).Elem(), value); errors.Is(err, rule.ErrInvalid) {
			return nil, false, err
		}
	}
	return model, true, nil
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
