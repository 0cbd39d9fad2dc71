// Package enum is what the models' words of a fixed list have in common.
package enum

import "fmt"

// Scan reads a text column. NULL is an error: the columns of words that every row has
// do not take it.
func Scan[T ~string](dest *T, src any) error {
	switch v := src.(type) {
	case string:
		*dest = T(v)
	case []byte:
		*dest = T(v)
	default:
		return fmt.Errorf("convostore: cannot read a text column from %T", src)
	}
	return nil
}

// Unmarshal sets dest only if the word is valid, or empty: a value that was never set is
// written so, and has to be read again.
func Unmarshal[T ~string](dest *T, text []byte, validate func(T) error) error {
	if len(text) > 0 {
		if err := validate(T(text)); err != nil {
			return err
		}
	}
	*dest = T(text)
	return nil
}
