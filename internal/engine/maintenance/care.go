package maintenance

import (
	"context"
	"errors"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/naming"
	"github.com/convostore/convostore/rule"
)

var errLogKept = errors.New("the tables are written anew, but a reader kept what was there before in the write-ahead log; run it again when there is none")

func (s maintenance) Analyze(ctx context.Context) error {
	return query.Wrap("analyze", s.execEach(ctx, s.sc.Dialect.Analyze(s.ownTables())))
}

func (s maintenance) Vacuum(ctx context.Context) error {
	fullText, err := s.fullTextTables(ctx)
	if err != nil {
		return query.Wrap("vacuum", err)
	}
	if err := s.execEach(ctx, s.sc.Dialect.Vacuum(s.ownTables(), fullText)); err != nil {
		return query.Wrap("vacuum", err)
	}
	_, err = s.checkpoint(ctx)
	return query.Wrap("vacuum", err)
}

func (s maintenance) VacuumFull(ctx context.Context) error {
	fullText, err := s.fullTextTables(ctx)
	if err != nil {
		return query.Wrap("vacuum", err)
	}
	if err := s.execEach(ctx, s.sc.Dialect.VacuumFull(s.ownTables(), fullText)); err != nil {
		return query.Wrap("vacuum", err)
	}
	emptied, err := s.checkpoint(ctx)
	if err == nil && !emptied {
		err = errLogKept
	}
	return query.Wrap("vacuum", err)
}

func (s maintenance) Reindex(ctx context.Context) error {
	return query.Wrap("reindex", s.execEach(ctx, s.sc.Dialect.Reindex(s.ownTables())))
}

// ownTables returns the quoted names of all tables, those without an owner among them.
func (s maintenance) ownTables() (names []string) {
	all := naming.All()
	if s.sc.Dialect.VectorLists() {
		all = naming.OnSQLite()
	}
	for _, name := range all {
		names = append(names, s.sc.Config.Tables.Quoted(name))
	}
	return names
}

// fullTextTables returns the tables that hold SQLite's full-text indexes, none if the schema
// was migrated without them.
func (s maintenance) fullTextTables(ctx context.Context) ([]string, error) {
	db, err := s.wholeTables(ctx)
	if err != nil {
		return nil, err
	}
	f, err := s.sc.SchemaFeatures(db)
	if err != nil || !f.FullText {
		return nil, err
	}
	return []string{s.sc.Tables.MessagesText, s.sc.Tables.ConversationsText}, nil
}

// wholeTables returns a connection for statements on whole tables. A scope of one user and an
// open transaction are ErrInvalid.
func (s maintenance) wholeTables(ctx context.Context) (query.Conn, error) {
	switch {
	case !s.sc.All:
		return query.Conn{}, rule.Invalid("scope", "is of one user, and the tables are everybody's; call it with AllUsers")
	case s.sc.InTx:
		return query.Conn{}, rule.Invalid("transaction", "is open; whole tables are looked after outside of one")
	}
	return s.sc.Writing(ctx)
}

// execEach runs statements one by one, outside a transaction.
func (s maintenance) execEach(ctx context.Context, statements []string) error {
	db, err := s.wholeTables(ctx)
	if err != nil {
		return err
	}
	for _, statement := range statements {
		if err := s.sc.Retry(ctx, func() error {
			_, err := query.New(statement).Exec(db)
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

// checkpoint moves SQLite's write-ahead log into the file, and tells whether the log is empty
// after that. A reader that runs longer than the busy timeout keeps the part that it reads. On
// PostgreSQL there is nothing to do.
func (s maintenance) checkpoint(ctx context.Context) (emptied bool, err error) {
	if s.sc.Dialect.Checkpoint() == "" {
		return true, nil
	}
	var busy, pages, moved int64
	err = s.sc.Retry(ctx, func() (err error) {
		_, err = query.New(s.sc.Dialect.Checkpoint()).Row(query.On(ctx, s.sc.Writer), &busy, &pages, &moved)
		return err
	})
	return busy == 0, err
}
