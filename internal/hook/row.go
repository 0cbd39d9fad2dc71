package hook

import (
	"time"

	"gorm.io/gorm"
)

// Row is a model that stands by itself: writing one neither moves another row nor asks for one.
type Row[T any] interface {
	*T
	Normalize(now time.Time)
	Validate() error
}

// Create is the BeforeCreate of a Row.
func Create[T any, R Row[T]](row R, now time.Time) error {
	row.Normalize(now)
	return row.Validate()
}

// Update is the BeforeUpdate of a Row. Save normalizes and validates as Create does, also a row
// that is not there yet, for which GORM calls no other hook. Updates validates what it sets, from
// a struct or from a map; fill sets what it does not set and Validate asks for. SQL expressions,
// NULL and UpdateColumn are not seen here: what the tables' own checks do not refuse is stored.
func Update[T any, R Row[T]](tx *gorm.DB, row R, now time.Time, fill func(R, Sets)) error {
	if Whole(tx, (*T)(row)) {
		return Create(row, now)
	}
	changes, sets, err := Partial[T](tx)
	if err != nil || len(sets) == 0 {
		return err
	}
	fill(changes, sets)
	return Create(R(changes), now)
}
