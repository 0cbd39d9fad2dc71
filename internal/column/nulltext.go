package column

import (
	"context"
	"fmt"
	"reflect"

	"gorm.io/gorm/schema"
)

// nullText keeps an empty string as NULL, so that a unique index passes over rows that
// have no key.
//
// The tag default:null would do so for one row; for several GORM writes DEFAULT in the
// place of an unset value, which SQLite does not parse. A string type of its own would
// show in the models.
type nullText struct{}

// The models name it in their tags. GORM knows serializers by a name that is the whole
// process's, hence the long one.
func init() { schema.RegisterSerializer("convostore_null_text", nullText{}) }

// Value implements schema.SerializerValuerInterface.
func (nullText) Value(_ context.Context, _ *schema.Field, _ reflect.Value, v any) (any, error) {
	if v == "" {
		return nil, nil //nolint:nilnil // a nil value is how NULL is said
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
