package column

import (
	"context"
	"fmt"
	"reflect"

	"gorm.io/gorm/schema"
)

// nullText stores an empty string as NULL, so that a unique index ignores rows without a key.
//
// The tag default:null does so for one row only: for several rows GORM writes DEFAULT for an
// unset value, which SQLite does not parse. A string type of its own would be visible in the
// models.
type nullText struct{}

// The models' tags refer to the serializer by its name. GORM keeps serializers for the whole
// process, hence the long name.
func init() { schema.RegisterSerializer("convostore_null_text", nullText{}) }

// Value implements schema.SerializerValuerInterface.
func (nullText) Value(_ context.Context, _ *schema.Field, _ reflect.Value, v any) (any, error) {
	if v == "" {
		return nil, nil //nolint:nilnil // a nil value is NULL
	}
	return v, nil
}

// Scan implements schema.SerializerInterface. A host's lead_id may be a number.
func (nullText) Scan(ctx context.Context, field *schema.Field, dst reflect.Value, src any) error {
	text := ""
	switch v := src.(type) {
	case nil:
	case string:
		text = v
	case []byte:
		text = string(v)
	default:
		text = fmt.Sprint(v)
	}
	field.ReflectValueOf(ctx, dst).SetString(text)
	return nil
}
