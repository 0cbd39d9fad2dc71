package store

import (
	"context"

	"github.com/convostore/convostore/internal/dialect"
)

func (s health) Pages(ctx context.Context) (Pages, error) {
	if err := s.only(dialect.SQLite, "PostgreSQL has a file for each table, see TableSizes"); err != nil {
		return Pages{}, err
	}
	var p Pages
	_, err := newQuery("SELECT page_size, page_count, freelist_count FROM pragma_page_size, pragma_page_count, pragma_freelist_count").
		row(s.asked(ctx), &p.Size, &p.Total, &p.Free)
	return p, fail("read the pages of the file", err)
}
