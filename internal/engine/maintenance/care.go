package maintenance

import (
	"context"
	"errors"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/rule"
)

var errLogKept = errors.New("the tables are written anew, but a reader kept what was there before in the write-ahead log; run it again when there is none")

func (s maintenance) Analyze(ctx context.Context) error {
	return query.Wrap("analyze", s.care(ctx, s.sc.Dialect.Analyze(s.ownTables())))
}

func (s maintenance) Vacuum(ctx context.Context) error {
	words, err := s.wordIndexes(ctx)
	if err != nil {
		return query.Wrap("vacuum", err)
	}
	if err := s.care(ctx, s.sc.Dialect.Vacuum(s.ownTables(), words)); err != nil {
		return query.Wrap("vacuum", err)
	}
	_, err = s.checkpoint(ctx)
	return query.Wrap("vacuum", err)
}

func (s maintenance) VacuumFull(ctx context.Context) error {
	words, err := s.wordIndexes(ctx)
	if err != nil {
		return query.Wrap("vacuum", err)
	}
	if err := s.care(ctx, s.sc.Dialect.VacuumFull(s.ownTables(), words)); err != nil {
		return query.Wrap("vacuum", err)
	}
	emptied, err := s.checkpoint(ctx)
	if err == nil && !emptied {
		err = errLogKept
	}
	return query.Wrap("vacuum", err)
}

func (s maintenance) Reindex(ctx context.Context) error {
	return query.Wrap("reindex", s.care(ctx, s.sc.Dialect.Reindex(s.ownTables())))
}

// ownTables returns the quoted names of the tables with rows of users.
func (s maintenance) ownTables() (names []string) {
	for _, table := range record.Tables() {
		names = append(names, s.sc.Tables.Of(table))
	}
	return names
}

// wordIndexes are the indexes of words that the schema has, where they are tables.
func (s maintenance) wordIndexes(ctx context.Context) ([]string, error) {
	db, err := s.caring(ctx)
	if err != nil {
		return nil, err
	}
	f, err := s.sc.SchemaFeatures(db)
	if err != nil || !f.FullText {
		return nil, err
	}
	return []string{s.sc.Tables.MessagesText, s.sc.Tables.ConversationsText}, nil
}

// caring returns a session for statements about whole tables.
func (s maintenance) caring(ctx context.Context) (query.Conn, error) {
	switch {
	case !s.sc.All:
		return query.Conn{}, rule.Invalid("scope", "is of one user, and the tables are everybody's; call it with AllUsers")
	case s.sc.InTx:
		return query.Conn{}, rule.Invalid("transaction", "is open; whole tables are looked after outside of one")
	}
	return s.sc.Writing(ctx)
}

func (s maintenance) care(ctx context.Context, statements []string) error {
	db, err := s.caring(ctx)
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

// checkpoint empties SQLite's write-ahead log, and tells whether it could: a reader that
// goes on for longer than the busy timeout keeps the part that it reads.
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
