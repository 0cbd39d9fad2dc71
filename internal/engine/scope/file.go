package scope

import (
	"context"
	"database/sql"

	"github.com/convostore/convostore/internal/engine/query"
)

// CheckFile returns store.ErrFileGone if the database file is no longer at its path.
func (s *Store) CheckFile() error { return s.file().Check() }

// file is nil on PostgreSQL, for a database in memory, and for a host's handle before its
// first use.
func (s *Store) file() *query.File {
	if s.File != nil {
		return s.File
	}
	return s.watch.Load()
}

// watchFile finds the file of a host's handle. What happened to the file between the host's
// opening it and this first use is not noticed.
func (s *Store) watchFile(db query.Conn) error {
	if s.group == nil || s.file() != nil {
		return nil
	}
	var path, mode string
	err := query.New("SELECT l.file, m.journal_mode FROM pragma_database_list l, pragma_journal_mode m WHERE l.name = 'main'").
		Rows(db, func(rows *sql.Rows) error { return rows.Scan(&path, &mode) })
	if err != nil {
		return err
	}
	if f := query.NewFile(path, mode == "wal"); f != nil {
		s.watch.Store(f)
	}
	return nil
}

// watched runs a write, if the file is at its path, and fails if it is not there afterwards.
func (s *Store) watched(write func() error) error {
	if err := s.CheckFile(); err != nil {
		return err
	}
	if err := write(); err != nil {
		return err
	}
	return s.CheckFile()
}

// noteWritten tells whoever opened the database of a write.
func (s *Store) noteWritten(ctx context.Context) {
	if s.Written != nil && !s.InTx {
		s.Written(ctx)
	}
}
