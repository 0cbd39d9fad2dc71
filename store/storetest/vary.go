package storetest

import (
	"reflect"
	"slices"
)

// vary returns copies of arguments of a method, in each of which change has replaced one value
// of type T: an argument, an element of a list or a map, or a field of a struct, also behind a
// pointer. The name of a copy says which. What the arguments share with others is left alone.
func vary[T any](args []any, change func(T) T) map[string][]any {
	varied := map[string][]any{}
	for i, arg := range args {
		if arg == nil {
			continue
		}
		for path, v := range variants(reflect.ValueOf(arg), change) {
			changed := slices.Clone(args)
			changed[i] = v.Interface()
			varied[reflect.TypeOf(arg).String()+path] = changed
		}
	}
	return varied
}

func variants[T any](v reflect.Value, change func(T) T) map[string]reflect.Value {
	if one, ok := v.Interface().(T); ok && v.Type() == reflect.TypeFor[T]() {
		return map[string]reflect.Value{"": reflect.ValueOf(change(one))}
	}
	out := map[string]reflect.Value{}
	switch v.Kind() { //nolint:exhaustive // the others have no values in them
	case reflect.Pointer:
		if v.IsNil() || v.Elem().Kind() != reflect.Struct {
			return nil
		}
		for path, inner := range variants(v.Elem(), change) {
			p := reflect.New(v.Type().Elem())
			p.Elem().Set(inner)
			out[path] = p
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if !f.IsExported() {
				continue
			}
			for path, inner := range variants(v.Field(i), change) {
				c := reflect.New(v.Type()).Elem()
				c.Set(v)
				c.Field(i).Set(inner)
				out["."+f.Name+path] = c
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			for path, inner := range variants(v.Index(i), change) {
				c := reflect.AppendSlice(reflect.MakeSlice(v.Type(), 0, v.Len()), v)
				c.Index(i).Set(inner)
				out["[]"+path] = c
			}
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			for path, inner := range variants(v.MapIndex(key), change) {
				c := reflect.MakeMap(v.Type())
				for _, k := range v.MapKeys() {
					c.SetMapIndex(k, v.MapIndex(k))
				}
				c.SetMapIndex(key, inner)
				out["["+key.String()+"]"+path] = c
			}
		}
	}
	return out
}
