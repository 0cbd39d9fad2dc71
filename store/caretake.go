package store

import (
	"context"
	"errors"

	"github.com/convostore/convostore/rule"
)

var errLogKept = errors.New("the tables are written anew, but a reader kept what was there before in the write-ahead log; run it again when there is none")

func (s maintenance) Analyze(ctx context.Context) error {
	return fail("analyze", s.care(ctx, s.dialect.Analyze(s.ownTables())))
}

func (s maintenance) Vacuum(ctx context.Context) error {
	words, err := s.wordIndexes(ctx)
	if err != nil {
		return fail("vacuum", err)
	}
	if err := s.care(ctx, s.dialect.Vacuum(s.ownTables(), words)); err != nil {
		return fail("vacuum", err)
	}
	_, err = s.checkpoint(ctx)
	return fail("vacuum", err)
}

func (s maintenance) VacuumFull(ctx context.Context) error {
	words, err := s.wordIndexes(ctx)
	if err != nil {
		return fail("vacuum", err)
	}
	if err := s.care(ctx, s.dialect.VacuumFull(s.ownTables(), words)); err != nil {
		return fail("vacuum", err)
	}
	emptied, err := s.checkpoint(ctx)
	if err == nil && !emptied {
		err = errLogKept
	}
	return fail("vacuum", err)
}

func (s maintenance) Reindex(ctx context.Context) error {
	return fail("reindex", s.care(ctx, s.dialect.Reindex(s.ownTables())))
}

// ownTables are those with rows, in the order of their keys.
func (s maintenance) ownTables() []string {
	return []string{s.tables.conversations, s.tables.messages, s.tables.embeddings, s.tables.claims, s.tables.suggestions}
}

// wordIndexes are the indexes of words that the schema has, where they are tables.
func (s maintenance) wordIndexes(ctx context.Context) ([]string, error) {
	db, err := s.caring(ctx)
	if err != nil {
		return nil, err
	}
	f, err := s.schemaFeatures(db)
	if err != nil || !f.fullText {
		return nil, err
	}
	return []string{s.tables.messagesText, s.tables.conversationsText}, nil
}

// caring returns a session for statements about whole tables.
func (s maintenance) caring(ctx context.Context) (conn, error) {
	switch {
	case !s.all:
		return conn{}, rule.Invalid("scope", "is of one user, and the tables are everybody's; call it with AllUsers")
	case s.inTx:
		return conn{}, rule.Invalid("transaction", "is open; whole tables are looked after outside of one")
	}
	return s.writing(ctx)
}

func (s maintenance) care(ctx context.Context, statements []string) error {
	db, err := s.caring(ctx)
	if err != nil {
		return err
	}
	for _, statement := range statements {
		if err := s.retry(ctx, func() error {
			_, err := newQuery(statement).exec(db)
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
	if s.dialect.Checkpoint() == "" {
		return true, nil
	}
	var busy, pages, moved int64
	err = s.retry(ctx, func() (err error) {
		_, err = newQuery(s.dialect.Checkpoint()).row(session(ctx, s.writer), &busy, &pages, &moved)
		return err
	})
	return busy == 0, err
}
