package scope

import (
	"encoding/binary"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"
)

// canonical encodes a value so that two values have the same bytes only if they mean the same.
//
// Of a struct it encodes the fields that are set, by their names. Neither the order of the
// fields nor a field that is added to a filter later changes the encoding of a filter that
// does not set it. Each name and each value follows its length, so that no text can be taken
// for another value. A time is its instant, a pointer is what it points to, and a list without
// elements is not set. A field must not be renamed: that would refuse the cursors of all
// filters that set it.
func canonical(v any) []byte { return appendCanonical(nil, reflect.ValueOf(v)) }

func appendCanonical(b []byte, v reflect.Value) []byte {
	if v.IsValid() && v.Type() == reflect.TypeFor[time.Time]() {
		at := v.Interface().(time.Time) //nolint:forcetypeassert // the line above tells the type
		return at.UTC().AppendFormat(append(b, 't'), time.RFC3339Nano)
	}
	switch v.Kind() {
	case reflect.Invalid:
		return append(b, 'n')
	case reflect.Pointer, reflect.Interface:
		return appendCanonical(b, v.Elem())
	case reflect.Struct:
		return appendFields(append(b, 'o'), v)
	case reflect.Slice, reflect.Array:
		b = append(b, 'l')
		for i := range v.Len() {
			b = appendSized(b, appendCanonical(nil, v.Index(i)))
		}
		return b
	case reflect.String:
		return append(append(b, 's'), v.String()...)
	case reflect.Bool:
		return fmt.Appendf(b, "b%t", v.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return fmt.Appendf(b, "i%d", v.Int())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return fmt.Appendf(b, "i%d", v.Uint())
	case reflect.Float32, reflect.Float64:
		return binary.BigEndian.AppendUint64(append(b, 'f'), math.Float64bits(v.Float()))
	}
	// Only the type of a filter can lead here, so that its first test shows it.
	panic("convostore: a filter has a field of type " + v.Type().String() + ", which a cursor cannot name")
}

// appendFields appends the exported fields that are set, sorted by name.
func appendFields(b []byte, v reflect.Value) []byte {
	for _, f := range fieldsOf(v.Type()) {
		if value := v.Field(f.index); !unset(value) {
			b = appendSized(b, []byte(f.name))
			b = appendSized(b, appendCanonical(nil, value))
		}
	}
	return b
}

// namedField is an exported field with its place in the struct.
type namedField struct {
	name  string
	index int
}

// knownFields has the fields of each type of filter, since reflection takes longer to list
// them than to read them. The key is a reflect.Type.
var knownFields sync.Map

// fieldsOf returns the exported fields of a struct, sorted by name. An embedded struct is
// one field.
func fieldsOf(t reflect.Type) []namedField {
	if known, ok := knownFields.Load(t); ok {
		return known.([]namedField) //nolint:forcetypeassert // nothing else is stored
	}
	var fields []namedField
	for i := range t.NumField() {
		if f := t.Field(i); f.IsExported() {
			fields = append(fields, namedField{f.Name, i})
		}
	}
	slices.SortFunc(fields, func(a, b namedField) int { return strings.Compare(a.name, b.name) })
	knownFields.Store(t, fields)
	return fields
}

func unset(v reflect.Value) bool { return v.IsZero() || v.Kind() == reflect.Slice && v.Len() == 0 }

func appendSized(b, part []byte) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(part))), part...)
}
