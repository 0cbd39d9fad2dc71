package storetest

import (
	"math"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// spoiled returns values of the same type, some of which a method or a database may refuse. Of
// a struct, one field at a time is spoiled.
func spoiled(v reflect.Value) []reflect.Value {
	switch v.Interface().(type) {
	case uuid.UUID:
		return values(v, uuid.Nil, uuid.UUID{0: 0xff, 15: 1})
	case time.Time:
		return values(v, time.Time{}, distant, time.Date(-5000, 1, 1, 0, 0, 0, 0, time.UTC))
	}
	switch v.Kind() { //nolint:exhaustive // of the others there is nothing to spoil
	case reflect.String:
		return values(v, "", "a\x00b", "a\xffb", "'\"\\%_:*()&|!<->", strings.Repeat("k", 3000))
	case reflect.Int, reflect.Int32, reflect.Int64:
		return values(v, -1, 0, math.MaxInt32, math.MinInt32)
	case reflect.Float32, reflect.Float64:
		return values(v, -1.0, math.NaN(), math.Inf(1))
	case reflect.Pointer:
		return spoiledPointer(v)
	case reflect.Slice:
		return spoiledSlice(v)
	case reflect.Struct:
		return spoiledStruct(v)
	}
	return nil
}

func values(like reflect.Value, all ...any) []reflect.Value {
	out := make([]reflect.Value, len(all))
	for i, one := range all {
		out[i] = reflect.ValueOf(one).Convert(like.Type())
	}
	return out
}

// spoiledPointer is nil, and what is spoiled behind it. Behind nil there is a zero value.
func spoiledPointer(v reflect.Value) []reflect.Value {
	out := []reflect.Value{reflect.Zero(v.Type())}
	behind := reflect.Zero(v.Type().Elem())
	if !v.IsNil() {
		behind = v.Elem()
	}
	for _, bad := range spoiled(behind) {
		p := reflect.New(v.Type().Elem())
		p.Elem().Set(bad)
		out = append(out, p)
	}
	return out
}

func spoiledSlice(v reflect.Value) []reflect.Value {
	out := []reflect.Value{reflect.Zero(v.Type())}
	if v.Type().Elem().Kind() == reflect.Uint8 {
		for _, text := range []string{"{", `{"a":"\u0000"}`, "1e400000", `"\ud83d"`, "null", "[1]", "\xff"} {
			out = append(out, reflect.ValueOf([]byte(text)).Convert(v.Type()))
		}
		return out
	}
	one := reflect.Zero(v.Type().Elem())
	if v.Len() > 0 {
		one = v.Index(0)
	}
	if one.Kind() == reflect.Pointer && one.IsNil() {
		return out
	}
	for _, bad := range spoiled(one) {
		out = append(out, reflect.Append(reflect.MakeSlice(v.Type(), 0, 1), bad))
	}
	return out
}

func spoiledStruct(v reflect.Value) []reflect.Value {
	var out []reflect.Value
	for i := range v.NumField() {
		if f := v.Type().Field(i); !f.IsExported() || slices.Contains([]string{"Conversation", "Lead"}, f.Name) {
			continue // a parent's own fields are not read
		}
		for _, bad := range spoiled(v.Field(i)) {
			c := reflect.New(v.Type()).Elem()
			c.Set(v)
			c.Field(i).Set(bad)
			out = append(out, c)
		}
	}
	return out
}
