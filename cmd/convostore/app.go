package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/cmd/convostore/internal/database"
	"github.com/convostore/convostore/store"
)

// databaseURL is the variable of the environment that has the database where --database is not given.
const databaseURL = "DATABASE_URL"

// app is what a command has from its surroundings, and from the flags that all commands share.
type app struct {
	in        io.Reader
	out, errs io.Writer
	getenv    func(string) string
	now       func() time.Time
	// asks says that somebody sits at a terminal who can answer.
	asks bool

	database, prefix, schema string
	json                     bool
}

// run returns the code that the process ends with: see exitCode.
func (a *app) run(ctx context.Context, args []string) int {
	root := newRoot(a)
	root.SetArgs(args)
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.errs)
	err := root.ExecuteContext(ctx)
	if err != nil && ctx.Err() != nil {
		err = fmt.Errorf("%w: %w", context.Canceled, err)
	}
	if err != nil && !isQuiet(err) {
		fmt.Fprintln(a.errs, "convostore:", a.hide(strings.TrimPrefix(explain(err), "convostore: ")))
	}
	return exitCode(err)
}

// address is the database of --database, or of the environment. A flag's default would be printed
// by -h, with its password.
func (a *app) address() (database.Address, error) {
	text := a.database
	if text == "" {
		text = a.getenv(databaseURL)
	}
	if text == "" {
		return database.Address{}, usagef("--database and $%s are missing: name an SQLite file or postgres://user:password@host/name", databaseURL)
	}
	at, err := database.Parse(text)
	if err != nil {
		return at, fmt.Errorf("%w: %w", errUsage, err)
	}
	if !at.Postgres() && a.schema != "" {
		return at, usagef("--schema is for PostgreSQL; SQLite has no schemas")
	}
	return at, nil
}

// hide takes the password of the database out of a text.
func (a *app) hide(text string) string {
	for _, name := range []string{a.database, a.getenv(databaseURL)} {
		if at, err := database.Parse(name); err == nil {
			text = at.Hide(text)
		}
	}
	return text
}

// open opens the store of a database that is there, and changes nothing in it.
func (a *app) open(ctx context.Context, options ...convostore.Option) (store.Store, error) {
	at, err := a.address()
	if err != nil {
		return nil, err
	}
	if err := at.There(); err != nil {
		return nil, err
	}
	return at.Store(ctx, append(a.naming(), options...)...)
}

func (a *app) naming() []convostore.Option {
	return []convostore.Option{convostore.WithTablePrefix(a.prefix), convostore.WithSchema(a.schema), convostore.WithClock(a.now)}
}

// withStore runs a command on an open store, and closes it.
func (a *app) withStore(ctx context.Context, do func(store.Store) error, options ...convostore.Option) error {
	st, err := a.open(ctx, options...)
	if err != nil {
		return err
	}
	err = do(st)
	if closed := st.Close(); err == nil {
		err = closed
	}
	return err
}

// print writes a result: as JSON where that is asked for, or else as text does.
func (a *app) print(result any, text func(io.Writer) error) error {
	if !a.json {
		return text(a.out)
	}
	e := json.NewEncoder(a.out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(result)
}

// confirm asks before something is destroyed. Where nobody can be asked, only yes will do.
func (a *app) confirm(yes bool, question string) error {
	if yes {
		return nil
	}
	if !a.asks {
		return usagef("%s There is no terminal to ask at: say --yes if that is meant", question)
	}
	fmt.Fprintf(a.errs, "%s Type yes to go on: ", question)
	answer, err := bufio.NewReader(a.in).ReadString('\n')
	if strings.TrimSpace(answer) == "yes" {
		return nil
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return errDeclined
}
