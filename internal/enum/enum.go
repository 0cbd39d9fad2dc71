// Package enum reads the models' string types that allow a fixed list of words.
package enum

import "fmt"

// Scan reads a text column into dest. NULL is an error, since such columns are NOT NULL.
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

// Unmarshal sets dest to a word that validate accepts, or to the empty word: a value that was
// never set is marshaled as empty. After an error dest is unchanged.
func Unmarshal[T ~string](dest *T, text []byte, validate func(T) error) error {
	if len(text) > 0 {
		if err := validate(T(text)); err != nil {
			return err
		}
	}
	*dest = T(text)
	return nil
}
