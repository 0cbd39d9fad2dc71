package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/sqlite"
)

// demoLeads is the host's table in a made-up database.
var demoLeads = store.HostTable{Name: "leads", Owner: "owner", Title: "title", Columns: []string{"category"}}

// demoUsers are the two mailboxes of it.
var demoUsers = []struct {
	name string
	id   uuid.UUID
}{
	{"support", uuid.MustParse("5a000000-0000-4000-8000-000000000001")},
	{"sales", uuid.MustParse("5a000000-0000-4000-8000-000000000002")},
}

// makeDemo makes a database that is not there yet. The seed is fixed: two of the same day
// and zone are the same.
func makeDemo(ctx context.Context, o *options, errs io.Writer) error {
	file, err := os.OpenFile(o.demo, os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	seed := [32]byte{7}
	made := plan(o.now, rand.New(rand.NewChaCha8(seed)))
	if err := errors.Join(file.Close(), fillDemo(ctx, o, made, rand.NewChaCha8(seed))); err != nil {
		return errors.Join(fmt.Errorf("make %s: %w", o.demo, err), os.Remove(o.demo))
	}
	fmt.Fprintf(errs, "%s has %d made-up conversations of two users:\n", o.demo, len(made))
	for _, u := range demoUsers {
		fmt.Fprintf(errs, "  -user %s  %s\n", u.id, u.name)
	}
	return nil
}

func fillDemo(ctx context.Context, o *options, made []*thread, ids io.Reader) (err error) {
	st, err := sqlite.Open(ctx, o.demo,
		convostore.WithMigrate(migrate.Options{}),
		convostore.WithClock(func() time.Time { return o.now }),
		convostore.WithIDs(func() (uuid.UUID, error) { return uuid.NewRandomFromReader(ids) }))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	if err := writeLeads(ctx, st); err != nil {
		return err
	}
	return st.Transaction(ctx, func(tx store.Store) error {
		for _, t := range made {
			if err := t.write(ctx, tx); err != nil {
				return err
			}
		}
		return nil
	})
}

func writeLeads(ctx context.Context, st store.Store) error {
	db := st.DB(ctx)
	if err := db.Exec("CREATE TABLE leads (id TEXT, owner TEXT, title TEXT NOT NULL, category TEXT, PRIMARY KEY (owner, id))").Error; err != nil {
		return err
	}
	var rows []map[string]any
	for _, u := range demoUsers {
		for i, p := range demoPeople {
			rows = append(rows, map[string]any{"id": leadID(i), "owner": u.id.String(), "title": p.name, "category": p.category})
		}
	}
	return db.Table("leads").Create(rows).Error
}

func leadID(i int) string { return fmt.Sprintf("L-%03d", i+1) }
