package dialect

import (
	"errors"
	"reflect"
)

// sqliteCode returns the extended result code of an error. modernc's error has the method Code
// for it, ncruces's the method ExtendedCode, and mattn's a field of that name. The last two are
// found by reflection: their types are their packages' own, which are not imported, since that
// would compile another SQLite into every host.
func sqliteCode(err error) (int, bool) {
	var coder interface{ Code() int }
	if errors.As(err, &coder) {
		return coder.Code(), true
	}
	return reflectedCode(err)
}

// reflectedCode looks for ExtendedCode in err and in every error that it wraps, since several
// may be joined.
func reflectedCode(err error) (int, bool) {
	if code, ok := extendedCode(reflect.ValueOf(err)); ok {
		return code, true
	}
	switch wrapping := err.(type) { //nolint:errorlint // it walks the chain itself
	case interface{ Unwrap() error }:
		return reflectedCode(wrapping.Unwrap())
	case interface{ Unwrap() []error }:
		for _, err := range wrapping.Unwrap() {
			if code, ok := reflectedCode(err); ok {
				return code, true
			}
		}
	}
	return 0, false
}

// extendedCode calls the method ExtendedCode of an error, or reads its field of that name.
func extendedCode(err reflect.Value) (int, bool) {
	if !err.IsValid() || err.Kind() == reflect.Pointer && err.IsNil() {
		return 0, false
	}
	if m := err.MethodByName("ExtendedCode"); m.IsValid() && m.Type().NumIn() == 0 && m.Type().NumOut() == 1 {
		return integer(m.Call(nil)[0])
	}
	// ncruces's errors also come as their bare codes, of which the extended one has no method
	// for itself.
	if m := err.MethodByName("Code"); m.IsValid() && err.CanUint() {
		return integer(err)
	}
	if v := reflect.Indirect(err); v.Kind() == reflect.Struct {
		return integer(v.FieldByName("ExtendedCode"))
	}
	return 0, false
}

func integer(v reflect.Value) (int, bool) {
	switch {
	case v.CanInt():
		return int(v.Int()), true
	case v.CanUint():
		return int(v.Uint()), true
	}
	return 0, false
}
