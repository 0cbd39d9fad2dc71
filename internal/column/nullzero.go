package column

import (
	"context"
	"database/sql/driver"
	"fmt"
	"reflect"

	"github.com/shopspring/decimal"
	"gorm.io/gorm/schema"
)

// nullZero stores a number of zero as NULL, for columns that most rows do not use. It is for
// int64 and decimal.Decimal.
type nullZero struct{}

func init() { schema.RegisterSerializer("convostore_null_zero", nullZero{}) }

// Value implements schema.SerializerValuerInterface.
func (nullZero) Value(_ context.Context, _ *schema.Field, _ reflect.Value, v any) (any, error) {
	if z, ok := v.(interface{ IsZero() bool }); v == int64(0) || ok && z.IsZero() {
		return nil, nil //nolint:nilnil // a nil value is NULL
	}
	if valuer, ok := v.(driver.Valuer); ok {
		return valuer.Value() // drivers do not ask a second time
	}
	return v, nil
}

// Scan implements schema.SerializerInterface.
func (nullZero) Scan(ctx context.Context, field *schema.Field, dst reflect.Value, src any) error {
	to := field.ReflectValueOf(ctx, dst)
	if src == nil {
		to.SetZero()
		return nil
	}
	switch dest := to.Addr().Interface().(type) {
	case *int64:
		n, ok := src.(int64)
		if !ok {
			return fmt.Errorf("convostore: cannot read a number from %T", src)
		}
		*dest = n
		return nil
	case *decimal.Decimal:
		return dest.Scan(src)
	}
	return fmt.Errorf("convostore: cannot read a number into %s", to.Type())
}
