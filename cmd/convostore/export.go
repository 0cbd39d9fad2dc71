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
	"github.com/convostore/convostore/mailbox/mailexport"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/transfer"
)

// formatMbox is the format of mail, beside those of package transfer.
const formatMbox = "mbox"

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
	// LeftOut counts messages that are no mail, Attachments the files that mails name and do not have.
	LeftOut     int64 `json:"left_out,omitempty"`
	Attachments int64 `json:"attachments,omitempty"`
}

func newExport(a *app) *cobra.Command {
	e := &exporter{app: a}
	c := &cobra.Command{
		Use: "export", Short: "Write conversations to a file", Args: none,
		Long: `Writes the live conversations of a user, or of everybody with --user all, with all branches. JSONL has everything
and moves a user from one database to the other; chatgpt, claude and open-webui are what these products take.
mbox is what mail programs take: texts, senders, dates and threads, without notes, drafts and what was not sent. The
files that mails came with are not in the database; a mail names them.

Without --output it goes to the standard output. A file appears under its name when it is whole, and one that
is there is not overwritten.`,
		Example: `  convostore export --database chat.db --user all --output backup.jsonl
  convostore export --database chat.db --user ann --format chatgpt --output conversations.json
  convostore export --database chat.db --user ann --format mbox --output ann.mbox`,
		RunE: func(c *cobra.Command, _ []string) error { return e.run(c.Context()) },
	}
	f := c.Flags()
	f.StringVar(&e.format, "format", "jsonl", "jsonl, chatgpt, claude, open-webui or mbox")
	f.StringVar(&e.user, "user", "", userHelp+`; "all" for everybody`)
	f.StringVarP(&e.file, "output", "o", "", "the file to write")
	f.StringVar(&e.filter.App, "app", "", "only conversations of this app")
	f.StringSliceVar(&e.filter.Labels, "label", nil, "only conversations with all of these labels")
	f.BoolVar(&e.vectors, "vectors", false, "also the vectors of messages (jsonl)")
	return c
}

func (e *exporter) run(ctx context.Context) error {
	if formats[e.format] == "" && e.format != formatMbox {
		return usagef("--format: %q is none of jsonl, chatgpt, claude, open-webui and mbox", e.format)
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
		if err == nil && r.LeftOut > 0 {
			_, err = fmt.Fprintf(out, "left out: %s that nobody sent to anybody\n", many(r.LeftOut, "message"))
		}
		if err == nil && r.Attachments > 0 {
			_, err = fmt.Fprintf(out, "not in the database: %s, which the mails name\n", many(r.Attachments, "attachment"))
		}
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
	r.File = e.file
	return r, nil
}

func (e *exporter) write(ctx context.Context, st store.Store, user uuid.UUID, to io.Writer) (exported, error) {
	total, err := e.total(ctx, st, user)
	if err != nil {
		return exported{}, err
	}
	show := bar.Show(e.errs, "conversations")
	progress := func(conversations int64) {
		show("exporting", int(conversations), max(total, int(conversations)))
	}
	out := bufio.NewWriter(to)
	var r exported
	if e.format == formatMbox {
		r, err = e.writeMails(ctx, st, user, out, progress)
	} else {
		r, err = e.writeChats(ctx, st, user, out, progress)
	}
	return r, errors.Join(err, out.Flush())
}

func (e *exporter) writeMails(ctx context.Context, st store.Store, user uuid.UUID, to io.Writer, progress func(int64)) (exported, error) {
	r, err := mailexport.Write(ctx, st, user, to, mailexport.Options{
		Filter: e.filter, Progress: func(r mailexport.Result) { progress(r.Conversations) },
	})
	return exported{Conversations: r.Conversations, Messages: r.Messages, LeftOut: r.LeftOut, Attachments: r.Attachments}, err
}

func (e *exporter) writeChats(ctx context.Context, st store.Store, user uuid.UUID, to io.Writer, progress func(int64)) (exported, error) {
	o := transfer.ExportOptions{Filter: e.filter, Vectors: e.vectors, Progress: func(r transfer.ExportResult) { progress(r.Conversations) }}
	export := func() (transfer.ExportResult, error) { return transfer.Export(ctx, st, user, formats[e.format], to, o) }
	if e.user == everybody {
		export = func() (transfer.ExportResult, error) { return transfer.ExportAll(ctx, st, to, o) }
	}
	r, err := export()
	return exported{Conversations: r.Conversations, Messages: r.Messages, States: r.States}, err
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
