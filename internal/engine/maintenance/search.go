package maintenance

import (
	"context"
	"errors"
	"fmt"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/textindex"
	"github.com/convostore/convostore/store"
)

func (s maintenance) PackSearch(ctx context.Context) error {
	if _, err := s.searchTables(ctx); err != nil {
		return query.Wrap("pack the index of words", err)
	}
	return query.Wrap("pack the index of words", textindex.PackAll(ctx, s.sc.Store))
}

func (s maintenance) ReindexSearch(ctx context.Context, progress func(store.SearchProgress)) error {
	_, err := s.searchTables(ctx)
	if err == nil {
		err = s.reindexSearch(ctx, progress)
	}
	return query.Wrap("rebuild the index of words", err)
}

func (s maintenance) reindexSearch(ctx context.Context, progress func(store.SearchProgress)) error {
	if err := textindex.Outdate(ctx, s.sc.Store); err != nil {
		return err
	}
	for done := int64(0); ; {
		read, left, err := textindex.RebuildOne(ctx, s.sc.Store)
		if errors.Is(err, store.ErrSearchIndex) {
			if err = textindex.StartOver(ctx, s.sc.Store); err == nil {
				err = textindex.PackAll(ctx, s.sc.Store)
			}
			return err
		}
		if err != nil {
			return err
		}
		if done += read; progress != nil && read > 0 {
			progress(store.SearchProgress{Done: done, Total: done + left})
		}
		if left == 0 {
			return textindex.PackAll(ctx, s.sc.Store)
		}
	}
}

func (s maintenance) SearchState(ctx context.Context) (store.SearchState, error) {
	db, err := s.searchTables(ctx)
	if err != nil {
		return store.SearchState{}, query.Wrap("read the state of the index of words", err)
	}
	state, err := textindex.State(db, s.sc.Store)
	return state, query.Wrap("read the state of the index of words", err)
}

// searchTables returns a connection to a database with an index of words.
func (s maintenance) searchTables(ctx context.Context) (query.Conn, error) {
	db, err := s.wholeTables(ctx)
	if err != nil {
		return db, err
	}
	f, err := s.sc.SchemaFeatures(db)
	if err == nil && !f.FullText {
		err = fmt.Errorf("%w: the database was migrated without full text, or its tables are distributed", store.ErrUnsupported)
	}
	return db, err
}
