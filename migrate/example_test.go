package migrate_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"gorm.io/driver/postgres"
	"gorm.io/driver/sqlite"
	"gorm.io/gorm"
	_ "modernc.org/sqlite"

	"github.com/convostore/convostore/migrate"
)

// open makes a database in a directory that done removes.
func open() (db *gorm.DB, done func()) {
	dir, err := os.MkdirTemp("", "convostore")
	if err != nil {
		panic(err)
	}
	dsn := "file:" + filepath.ToSlash(filepath.Join(dir, "chat.db")) + "?_foreign_keys=on&_busy_timeout=5000"
	db, err = gorm.Open(sqlite.Dialector{DriverName: "sqlite", DSN: dsn}, &gorm.Config{})
	if err != nil {
		panic(err)
	}
	return db, func() {
		if pool, err := db.DB(); err == nil {
			_ = pool.Close()
		}
		_ = os.RemoveAll(dir)
	}
}

// The host has a table of its own called messages, and users whose conversations go with
// them.
func ExampleUp() {
	ctx := context.Background()
	db, done := open()
	defer done()
	for _, s := range []string{"CREATE TABLE users (id text PRIMARY KEY)", "CREATE TABLE messages (id integer)"} {
		if err := db.Exec(s).Error; err != nil {
			panic(err)
		}
	}

	o := migrate.Options{Prefix: "chat_", Users: &migrate.Ref{Table: "users", Column: "id"}}
	if err := migrate.Up(ctx, db, o); err != nil {
		panic(err)
	}
	version, err := migrate.Version(ctx, db, o)
	if err != nil {
		panic(err)
	}
	fmt.Println(version == migrate.Latest(), db.Migrator().HasTable("chat_messages"))
	// Output: true true
}

func ExampleStatus() {
	ctx := context.Background()
	db, done := open()
	defer done()
	if err := migrate.UpTo(ctx, db, migrate.Options{}, 1); err != nil {
		panic(err)
	}

	steps, err := migrate.Status(ctx, db, migrate.Options{})
	if err != nil {
		panic(err)
	}
	for _, s := range steps[:2] {
		fmt.Println(s.Version, s.Name, s.AppliedAt != nil)
	}
	// Output:
	// 1 core true
	// 2 threads false
}

// Verify finds what somebody did by hand.
func ExampleVerify() {
	ctx := context.Background()
	db, done := open()
	defer done()
	if err := migrate.Up(ctx, db, migrate.Options{}); err != nil {
		panic(err)
	}
	if err := db.Exec("DROP INDEX messages_gmail_key").Error; err != nil {
		panic(err)
	}

	drifts, err := migrate.Verify(ctx, db, migrate.Options{})
	if err != nil {
		panic(err)
	}
	for _, d := range drifts {
		fmt.Println(d.Kind, d.Object, d.Name)
	}
	// Output: missing index messages.messages_gmail_key
}

// A service that began without full text adds it later, for the rows that it has too.
func ExampleRebuildSearch() {
	ctx := context.Background()
	db, done := open()
	defer done()
	if err := migrate.Up(ctx, db, migrate.Options{WithoutFullText: true}); err != nil {
		panic(err)
	}
	const id = "0190f3a0-0000-7000-8000-000000000001"
	if err := db.Exec("INSERT INTO conversations (id, user_id, title) VALUES (?, ?, 'A leaking roof')", id, id).Error; err != nil {
		panic(err)
	}

	if err := migrate.RebuildSearch(ctx, db, migrate.Options{}); err != nil {
		panic(err)
	}
	var noted int
	if err := db.Raw("SELECT count(*) FROM search_notes").Scan(&noted).Error; err != nil {
		panic(err)
	}
	fmt.Println(noted, "text to be found")
	// Output: 1 text to be found
}

// A host that runs all its SQL with a tool of its own writes the files down.
func ExampleFS() {
	files, err := migrate.FS("postgres", migrate.Options{Schema: "crm"}, migrate.FormatGoose)
	if err != nil {
		panic(err)
	}
	names, err := fs.Glob(files, "*")
	if err != nil {
		panic(err)
	}
	fmt.Println(names[:2])
	// Output: [00001_core.sql 00002_threads.sql]
}

// A service keeps its own tables fit to be distributed too, long before it has a cluster:
// this runs on any PostgreSQL.
func ExamplePreflight() {
	ctx := context.Background()
	db, err := gorm.Open(postgres.Open("postgres://app@localhost/crm"))
	if err != nil {
		panic(err)
	}
	found, err := migrate.Preflight(ctx, db, migrate.Options{Users: &migrate.Ref{Table: "users"}}, "notes")
	if err != nil {
		panic(err)
	}
	for _, f := range found {
		fmt.Println(f) // public.notes: notes_pkey: unique: make it anew with user_id among its columns
	}
}

// On the coordinator of a Citus cluster, once, while the service is stopped.
func ExampleDistribute() {
	ctx := context.Background()
	db, err := gorm.Open(postgres.Open("postgres://app@coordinator/crm"))
	if err != nil {
		panic(err)
	}
	o := migrate.Options{Users: &migrate.Ref{Table: "users"}}
	var blocked *migrate.PreflightError
	err = migrate.Distribute(ctx, db, o, migrate.DistributeOptions{Shards: 32})
	if errors.As(err, &blocked) {
		fmt.Println(blocked.Findings)
	}
	if err != nil {
		panic(err)
	}
}
