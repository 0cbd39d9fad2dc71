package sqlite

import (
	"database/sql"

	"github.com/libtnb/sqlite"
	"gorm.io/gorm"
)

// dialector opens a DSN as it is written. The one that it builds on adds parameters to a DSN, among
// them one that has the driver read text that looks like a time as another text.
type dialector struct{ sqlite.Dialector }

// Initialize implements gorm.Dialector.
func (d dialector) Initialize(db *gorm.DB) error {
	if d.Conn != nil {
		return d.Dialector.Initialize(db)
	}
	pool, err := sql.Open(sqlite.DriverName, d.DSN)
	if err != nil {
		return err
	}
	d.Conn = pool
	return d.Dialector.Initialize(db)
}
