package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/convostore/convostore/cmd/convostore/internal/bar"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/transfer"
)

// exporter is the command export.
type exporter struct {
	*app
	format, user, file string
	filter             store.ConversationFilter
	vectors            bool
}

// exported is its result.
type exported struct {
	File          string `json:"file"`
	Conversations int64  `json:"conversations"`
	Messages      int64  `json:"messages"`
	States        int64  `json:"states"`
}

func newExport(a *app) *cobra.Command {
	e := &exporter{app: a}
	c := &cobra.Command{
		Use: "export", Short: "Write conversations to a file", Args: none,
		Long: `Writes the live conversations of a user, or of everybody with --user all, with all branches. JSONL has everything
and moves a user from one database to the other; chatgpt, claude and open-webui are what these products take.

Without --output it goes to the standard output. A file appears under its name when it is whole, and one that
is there is not overwritten.`,
		Example: `  convostore export --database chat.db --user all --output backup.jsonl
  convostore export --database chat.db --user ann --format chatgpt --output conversations.json`,
		RunE: func(c *cobra.Command, _ []string) error { return e.run(c.Context()) },
	}
	f := c.Flags()
	f.StringVar(&e.format, "format", "jsonl", "jsonl, chatgpt, claude or open-webui")
	f.StringVar(&e.user, "user", "", userHelp+`; "all" for everybody`)
	f.StringVarP(&e.file, "output", "o", "", "the file to write")
	f.StringVar(&e.filter.App, "app", "", "only conversations of this app")
	f.StringSliceVar(&e.filter.Labels, "label", nil, "only conversations with all of these labels")
	f.BoolVar(&e.vectors, "vectors", false, "also the vectors of messages (jsonl)")
	return c
}

func (e *exporter) run(ctx context.Context) error {
	if formats[e.format] == "" {
		return usagef("--format: %q is none of jsonl, chatgpt, claude and open-webui", e.format)
	}
	if e.user == everybody && formats[e.format] != transfer.JSONL {
		return usagef("--format: %s has no place for more than one user; say --user or --format jsonl", e.format)
	}
	if e.file == "" && e.json {
		return usagef("--json: without --output the standard output is the export itself")
	}
	return e.withStore(ctx, func(st store.Store) error { return e.export(ctx, st) })
}

func (e *exporter) export(ctx context.Context, st store.Store) error {
	var user uuid.UUID
	if e.user != everybody {
		var err error
		if user, err = onlyUser(ctx, st, e.user, ""); err != nil {
			return err
		}
	}
	if e.file == "" {
		_, err := e.write(ctx, st, user, e.out)
		return err
	}
	r, err := e.writeFile(ctx, st, user)
	if err != nil {
		return err
	}
	return e.print(r, func(out io.Writer) error {
		_, err := fmt.Fprintf(out, "%s: %s, %s\n", r.File, many(r.Conversations, "conversation"), many(r.Messages, "message"))
		return err
	})
}

// writeFile writes beside the file, and links it to its name in the end: nobody finds half an export.
func (e *exporter) writeFile(ctx context.Context, st store.Store, user uuid.UUID) (exported, error) {
	if _, err := os.Lstat(e.file); err == nil {
		return exported{}, fmt.Errorf("%s is there already", e.file)
	}
	part, err := os.CreateTemp(filepath.Dir(e.file), filepath.Base(e.file)+".*.part")
	if err != nil {
		return exported{}, err
	}
	defer func() { _ = os.Remove(part.Name()) }() // it has its own name by then
	r, err := e.write(ctx, st, user, part)
	if err == nil {
		err = part.Sync()
	}
	if err := errors.Join(err, part.Close()); err != nil {
		return exported{}, err
	}
	if err := os.Link(part.Name(), e.file); err != nil { // refuses a file that came meanwhile
		return exported{}, err
	}
	return exported{e.file, r.Conversations, r.Messages, r.States}, nil
}

func (e *exporter) write(ctx context.Context, st store.Store, user uuid.UUID, to io.Writer) (transfer.ExportResult, error) {
	total, err := e.total(ctx, st, user)
	if err != nil {
		return transfer.ExportResult{}, err
	}
	show := bar.Show(e.errs, "conversations")
	o := transfer.ExportOptions{Filter: e.filter, Vectors: e.vectors, Progress: func(r transfer.ExportResult) {
		show("exporting", int(r.Conversations), max(total, int(r.Conversations)))
	}}
	out := bufio.NewWriter(to)
	var r transfer.ExportResult
	if e.user == everybody {
		r, err = transfer.ExportAll(ctx, st, out, o)
	} else {
		r, err = transfer.Export(ctx, st, user, formats[e.format], out, o)
	}
	return r, errors.Join(err, out.Flush())
}

// total is how many conversations there are to write now.
func (e *exporter) total(ctx context.Context, st store.Store, user uuid.UUID) (int, error) {
	scope := st.AllUsers()
	if e.user != everybody {
		scope = st.ForUser(user)
	}
	page, err := scope.Conversations().ListNumbered(ctx, e.filter, store.NumberRequest{Size: 1})
	return int(page.Total), err
}
