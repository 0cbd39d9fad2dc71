package main

import (
	"context"
	"os"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/postgres"
	"github.com/convostore/convostore/store/sqlite"
)

// open migrates nothing: a report does not change the database.
func (o *options) open(ctx context.Context) (store.Store, error) {
	with := []convostore.Option{
		convostore.WithTablePrefix(o.prefix), convostore.WithSchema(o.schema),
		convostore.WithClock(func() time.Time { return o.now }),
	}
	if o.leads.Name != "" {
		with = append(with, convostore.WithLeads(o.leads))
	}
	if isPostgres(o.db) {
		return postgres.Open(ctx, o.db, with...)
	}
	if _, err := os.Stat(o.db); err != nil {
		return nil, err // SQLite would make an empty file
	}
	return sqlite.Open(ctx, o.db, with...)
}

func isPostgres(db string) bool {
	return strings.HasPrefix(db, "postgres://") || strings.HasPrefix(db, "postgresql://") || strings.Contains(db, "host=")
}

func (o *options) scope(st store.Store) store.Scope {
	if o.user == uuid.Nil {
		return st.AllUsers()
	}
	return st.ForUser(o.user)
}
