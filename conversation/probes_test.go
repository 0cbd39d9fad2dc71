package conversation_test

import (
	"math"
	"reflect"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"
	"gorm.io/gorm"
	"gorm.io/gorm/schema"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/suggestion"
)

// probes are the values at the bounds of a field's column.
func probes(f *schema.Field) []any {
	switch f.IndirectFieldType {
	case reflect.TypeFor[uuid.UUID]():
		if f.DBName == "in_reply_to_message_id" || f.DBName == "sent_message_id" {
			return []any{nil} // which messages there are says the foreign key alone
		}
		return []any{uuid.Nil}
	case reflect.TypeFor[time.Time]():
		return []any{
			time.Time{},
			time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC),
			time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 0, time.FixedZone("", -3600)),
		}
	case reflect.TypeFor[gorm.DeletedAt]():
		return []any{
			gorm.DeletedAt{Time: time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC), Valid: true},
			gorm.DeletedAt{Time: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), Valid: true},
		}
	case reflect.TypeFor[decimal.Decimal]():
		return []any{
			decimal.New(-1, -10), decimal.Zero, decimal.New(1, -10), decimal.New(1, -11),
			decimal.New(999999999999999999, 0), decimal.New(1, 18),
		}
	case reflect.TypeFor[message.Vector]():
		return []any{message.Vector{0, 0, 0}, message.Vector{-1, 0, 1e-3}, message.Vector{}, message.Vector{1, 2}}
	case reflect.TypeFor[message.JSON]():
		return documents()
	case reflect.TypeFor[conversation.Value](), reflect.TypeFor[message.Payload]():
		return []any{[]byte(nil), []byte{}, []byte("a\x00\xff")}
	}
	switch f.IndirectFieldType.Kind() { //nolint:exhaustive // the models have no others, or any value will do
	case reflect.String:
		long := strings.Repeat("é", 512)
		return []any{"", "x", "a\x00b", "\xff", long, long + "x", long[:510], long[:512], strings.Repeat("é", 256), "👩‍👩‍👧"}
	case reflect.Int, reflect.Int64:
		return []any{-1, 0, 1, 2, math.MaxInt32, math.MaxInt32 + 1, math.MaxInt64}
	case reflect.Float64:
		return []any{-1e-9, 0.0, 1.0, 1.000001, math.Inf(1)}
	}
	return nil
}

func documents() []any {
	var all []any
	for _, doc := range []string{
		"", "null", "{", " 1 ", `"a"`, "[]", "{}", `{"a":{"b":[1,null,true,"é👩"]}}`, `{"a":"\u0000"}`, "1e1000", "1e1001", `"\ud83d"`,
		strings.Repeat("[", 500) + strings.Repeat("]", 500), strings.Repeat("[", 501) + strings.Repeat("]", 501),
	} {
		all = append(all, []byte(doc))
	}
	return all
}

// few are the values of a field that is tried together with others.
func few(f *schema.Field) []any {
	at := time.Date(2026, 2, 3, 4, 5, 6, 7000, time.UTC)
	switch f.IndirectFieldType {
	case reflect.TypeFor[uuid.UUID]():
		return []any{nil, uuid.Max}
	case reflect.TypeFor[time.Time]():
		return []any{nil, at}
	case reflect.TypeFor[decimal.Decimal]():
		return []any{decimal.New(-1, 0), decimal.Zero, decimal.New(1, 0)}
	case reflect.TypeFor[message.Vector]():
		return probes(f)
	case reflect.TypeFor[message.Payload]():
		return []any{nil, []byte("{}")}
	case reflect.TypeFor[suggestion.Status]():
		all := []any{"gone"}
		for _, s := range suggestion.Statuses() {
			all = append(all, s)
		}
		return all
	}
	switch f.IndirectFieldType.Kind() { //nolint:exhaustive // no CHECK looks at others
	case reflect.String:
		return []any{"", "x"}
	case reflect.Float64:
		return []any{nil, -0.1, 0.0, 1.0, 1.1}
	case reflect.Bool:
		return []any{false, true}
	}
	values := []any{-1, 0, 1, 2}
	if f.FieldType.Kind() == reflect.Pointer {
		values = append(values, nil)
	}
	return values
}
