package mailimport

import (
	"io/fs"
	"os"

	"gorm.io/gorm"
)

// databaseFiles are the files of the SQLite database that the mails go into. They may lie in a
// folder that is imported, and they must not even be opened there: to close a file ends all locks
// that the process has on it, those of SQLite too.
type databaseFiles struct{ files []fs.FileInfo }

// databaseFilesOf returns none for PostgreSQL and for a database in memory.
func databaseFilesOf(db *gorm.DB) (*databaseFiles, error) {
	d := &databaseFiles{}
	if db.Name() != "sqlite" {
		return d, nil
	}
	var paths []string
	if err := db.Raw("SELECT file FROM pragma_database_list WHERE file <> ''").Scan(&paths).Error; err != nil {
		return nil, err
	}
	for _, path := range paths {
		for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
			if info, err := os.Stat(path + suffix); err == nil {
				d.files = append(d.files, info)
			}
		}
	}
	return d, nil
}

// has compares files and not their names, so that links are seen through.
func (d *databaseFiles) has(_ string, info fs.FileInfo) bool {
	for _, own := range d.files {
		if os.SameFile(own, info) {
			return true
		}
	}
	return false
}
