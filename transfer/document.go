package transfer

import (
	"bytes"
	"encoding/json"
	"reflect"

	"github.com/shopspring/decimal"

	"github.com/convostore/convostore/message"
)

// canonical writes every document of a model in the one form that does not depend on the database:
// keys sorted, the last one of several with the same name, no white space, and numbers with all
// their digits, as PostgreSQL has them. It goes by the types of the fields, so that a new column is
// among them.
func canonical(model any) error {
	fields := reflect.ValueOf(model).Elem()
	for i := range fields.NumField() {
		if doc, ok := fields.Field(i).Addr().Interface().(*message.JSON); ok && !doc.IsNull() {
			written, err := canonicalDocument(*doc)
			if err != nil {
				return err
			}
			*doc = written
		}
	}
	return nil
}

func canonicalDocument(doc message.JSON) (message.JSON, error) {
	d := json.NewDecoder(bytes.NewReader(doc))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	written, err := encode(canonicalValue(v))
	return message.JSON(written), err
}

func canonicalValue(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, inner := range v {
			v[key] = canonicalValue(inner)
		}
	case []any:
		for i, inner := range v {
			v[i] = canonicalValue(inner)
		}
	case json.Number:
		if n, err := decimal.NewFromString(v.String()); err == nil {
			return json.Number(n.StringFixed(max(0, -n.Exponent())))
		}
	}
	return v
}
