package health

import (
	"context"

	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/store"
)

func (s health) Pages(ctx context.Context) (store.Pages, error) {
	if err := s.only(dialect.SQLite, "PostgreSQL has a file for each table, see TableSizes"); err != nil {
		return store.Pages{}, err
	}
	var p store.Pages
	_, err := query.New("SELECT page_size, page_count, freelist_count FROM pragma_page_size, pragma_page_count, pragma_freelist_count").
		Row(s.asked(ctx), &p.Size, &p.Total, &p.Free)
	return p, query.Wrap("read the pages of the file", err)
}
