package sqlite

import (
	"errors"

	"gorm.io/driver/sqlite"
	"gorm.io/gorm"
	driver "modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"
)

// dialector translates the errors of the driver modernc.org/sqlite, which GORM's own dialector
// cannot read.
type dialector struct{ sqlite.Dialector }

// Translate implements gorm.ErrorTranslator, for hosts that set gorm.Config.TranslateError.
func (d dialector) Translate(err error) error {
	var coded *driver.Error
	if !errors.As(err, &coded) {
		return err
	}
	switch coded.Code() {
	case codes.SQLITE_CONSTRAINT_PRIMARYKEY, codes.SQLITE_CONSTRAINT_UNIQUE:
		return gorm.ErrDuplicatedKey
	case codes.SQLITE_CONSTRAINT_FOREIGNKEY:
		return gorm.ErrForeignKeyViolated
	case codes.SQLITE_CONSTRAINT_CHECK:
		return gorm.ErrCheckConstraintViolated
	}
	return err
}
