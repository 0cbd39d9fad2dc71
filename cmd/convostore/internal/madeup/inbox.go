// Package madeup makes up an inbox and a chat that look as if people had written them: the same ones
// for the same day, zone and seed.
package madeup

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/store"
)

// Leads is the host's table in a made-up database.
var Leads = store.HostTable{Name: "leads", Owner: "owner", Title: "title", Columns: []string{"category"}}

// User is a mailbox with a name.
type User struct {
	Name string
	ID   uuid.UUID
}

// Users are the two mailboxes: support, which answers, and sales, which asks.
var Users = []User{
	{"support", uuid.MustParse("5a000000-0000-4000-8000-000000000001")},
	{"sales", uuid.MustParse("5a000000-0000-4000-8000-000000000002")},
}

// seed makes everything the same each time.
var seed = [32]byte{7}

// IDs returns a function for convostore.WithIDs with which the ids are the same each time, too.
func IDs() func() (uuid.UUID, error) {
	var source io.Reader = rand.NewChaCha8(seed)
	return func() (uuid.UUID, error) { return uuid.NewRandomFromReader(source) }
}

// History writes what happened in some weeks until now, with the leads. The database must be new. It
// returns the number of conversations.
func History(ctx context.Context, st store.Store, now time.Time) (int, error) {
	if err := writeLeads(ctx, st); err != nil {
		return 0, err
	}
	made := plan(now, rand.New(rand.NewChaCha8(seed)))
	return len(made), st.Transaction(ctx, func(tx store.Store) error {
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
	for _, u := range Users {
		for i, p := range people {
			rows = append(rows, map[string]any{"id": leadID(i), "owner": u.ID.String(), "title": p.name, "category": p.category})
		}
	}
	return db.Table("leads").Create(rows).Error
}

func leadID(i int) string { return fmt.Sprintf("L-%03d", i+1) }
