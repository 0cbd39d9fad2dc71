package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/cmd/convostore/internal/bar"
	"github.com/convostore/convostore/mailbox/mailimport"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/transfer"
)

// formatMail is the format of mail, beside those of package transfer.
const formatMail = "mail"

// formats are the names that --format takes, with those of package transfer.
var formats = map[string]transfer.Format{
	"chatgpt": transfer.ChatGPT, "claude": transfer.Claude, "open-webui": transfer.OpenWebUI, "openwebui": transfer.OpenWebUI,
	"jsonl": transfer.JSONL, "convostore": transfer.JSONL,
}

// importer is the command import.
type importer struct {
	*app
	format, user, source string
	mine                 []string
	allMail, bySubject   bool
}

// imported is its result.
type imported struct {
	User          string `json:"user"`
	Conversations int64  `json:"conversations,omitempty"`
	// Read counts mails, which are found before they are stored.
	Read    int64 `json:"read,omitempty"`
	Stored  int64 `json:"stored"`
	Known   int64 `json:"known"`
	Rows    int64 `json:"rows,omitempty"`
	Deleted int64 `json:"deleted,omitempty"`
	// Skipped were not stored, LeftOut are drafts, spam and trash that nobody asked for.
	Skipped  int64     `json:"skipped"`
	LeftOut  int64     `json:"left_out,omitempty"`
	Problems []problem `json:"problems"`
}

// problem is what is wrong with one mail, message or conversation.
type problem struct {
	Where   string `json:"where"`
	Reason  string `json:"reason"`
	Skipped bool   `json:"skipped"`
}

func newImport(a *app) *cobra.Command {
	i := &importer{app: a}
	c := &cobra.Command{
		Use: "import PATH...", Short: "Store mail, or the history of another product", Args: arguments(1, -1, "a file or a folder"),
		Long: `Stores what is in files and folders: mail (mbox, Maildir, .eml, Gmail's Takeout), exports of ChatGPT, Claude
and Open WebUI (a ZIP, its folder, or a file of conversations), and the library's own lines of JSON.

Everything is stored once: an import may be interrupted and run again, and a newer export of the same account
adds what is new. What was deleted here stays deleted. A missing SQLite file is made; another database
needs "convostore migrate up" first.

Without --format, .zip, .json and .jsonl are told by what is in them, and everything else is mail. Drafts, spam
and trash stay out unless --all-mail asks for them. The path - is the standard input. Without --user it is the
only user of the database, or "me" in a new one; with --user all each conversation of JSONL keeps its own.`,
		Example: `  convostore import --database mail.db --me ann@example.com,ann@work.example ~/Maildir archive.mbox
  convostore import --database chat.db --user ann chatgpt-export.zip
  convostore import --database chat.db --user all backup.jsonl`,
		RunE: func(c *cobra.Command, paths []string) error { return i.run(c.Context(), paths) },
	}
	f := c.Flags()
	f.StringVar(&i.format, "format", "", "mail, chatgpt, claude, open-webui or jsonl (default: told by the file)")
	f.StringVar(&i.user, "user", "", userHelp)
	f.StringSliceVar(&i.mine, "me", nil, "the user's own mail addresses: mail from them went out")
	f.BoolVar(&i.allMail, "all-mail", false, "also drafts, spam and what is in the trash")
	f.BoolVar(&i.bySubject, "by-subject", false, "join answers that name no mail to the thread of their subject")
	f.StringVar(&i.source, "app", "", "the app of new conversations, not for mail")
	return c
}

func (i *importer) run(ctx context.Context, paths []string) error {
	if i.format != "" && i.format != formatMail && formats[i.format] == "" {
		return usagef("--format: %q is none of mail, chatgpt, claude, open-webui and jsonl", i.format)
	}
	st, err := i.openOrMake(ctx)
	if err != nil {
		return err
	}
	err = i.importAll(ctx, st, paths)
	return errors.Join(err, st.Close())
}

// openOrMake makes an SQLite file that is not there, with its tables.
func (i *importer) openOrMake(ctx context.Context) (store.Store, error) {
	at, err := i.address()
	if err != nil {
		return nil, err
	}
	there, err := at.Exists()
	if err != nil {
		return nil, err
	}
	options := i.naming()
	if !there {
		options = append(options, convostore.WithMigrate(migrate.Options{}))
	}
	return at.Store(ctx, options...)
}

func (i *importer) importAll(ctx context.Context, st store.Store, paths []string) error {
	r := &imported{User: everybody, Problems: []problem{}}
	var user uuid.UUID
	if i.user != everybody {
		var err error
		if user, err = onlyUser(ctx, st, i.user, "me"); err != nil {
			return err
		}
		r.User = user.String()
	}
	var mail []string
	var err error
	for _, path := range paths {
		if i.isMail(path) {
			mail = append(mail, path)
		} else if err = i.transfer(ctx, st, user, path, r); err != nil {
			break
		}
	}
	if err == nil && len(mail) > 0 {
		err = i.mail(ctx, st, user, mail, r)
	}
	return errors.Join(err, i.print(r, func(out io.Writer) error { return r.print(out) }))
}

// isMail says what a path is, by the flag or by its name.
func (i *importer) isMail(path string) bool {
	if i.format != "" {
		return i.format == formatMail
	}
	switch strings.ToLower(filepath.Ext(path)) {
	case ".zip", ".json", ".jsonl":
		return false
	}
	exports, _ := filepath.Glob(filepath.Join(path, "conversations*.json"))
	return len(exports) == 0 && path != "-"
}

func (i *importer) mail(ctx context.Context, st store.Store, user uuid.UUID, paths []string, to *imported) error {
	if i.user == everybody {
		return usagef("--user all: mail does not say whose it is")
	}
	r, err := mailimport.Import(ctx, st, mailimport.Options{
		UserID: user, Mine: i.mine, Paths: paths, All: i.allMail, BySubject: i.bySubject, Progress: bar.Show(i.errs, "mails"),
	})
	to.Read += int64(r.Found)
	to.Stored += int64(r.Stored)
	to.Known += int64(r.Known)
	to.Skipped += int64(r.Skipped())
	to.LeftOut += int64(r.LeftOut)
	for _, p := range r.Problems {
		to.Problems = append(to.Problems, problem(p))
	}
	return err
}

func (i *importer) transfer(ctx context.Context, st store.Store, user uuid.UUID, path string, to *imported) error {
	o := transfer.ImportOptions{Format: formats[i.format], App: i.source, OnProblem: func(p transfer.Problem) error {
		to.Problems = append(to.Problems, problem{path, oneLine(p.String()), true})
		return nil
	}}
	r, err := i.read(ctx, st, user, path, o)
	to.Conversations += r.Conversations
	to.Stored += r.Messages
	to.Known += r.Known
	to.Rows += r.Rows
	to.Deleted += r.Deleted
	to.Skipped += r.Problems
	if err != nil && ctx.Err() == nil {
		err = fmt.Errorf("%s: %w", path, err)
	}
	return err
}

// read imports one file, one export as it was downloaded, or the standard input.
func (i *importer) read(ctx context.Context, st store.Store, user uuid.UUID, path string, o transfer.ImportOptions) (transfer.ImportResult, error) {
	all := i.user == everybody
	if path == "-" {
		return load(ctx, st, user, i.in, o, all)
	}
	info, err := os.Stat(path)
	if err != nil {
		return transfer.ImportResult{}, err
	}
	if info.IsDir() || strings.EqualFold(filepath.Ext(path), ".zip") {
		if all {
			return transfer.ImportResult{}, usagef("--user all: only a file of JSONL says whose a conversation is")
		}
		o.OnRead = inKB(bar.Show(i.errs, "kB"))
		return transfer.ImportFile(ctx, st, user, path, o)
	}
	file, err := os.Open(path)
	if err != nil {
		return transfer.ImportResult{}, err
	}
	defer func() { _ = file.Close() }() // it was only read
	return load(ctx, st, user, &counted{file, 0, info.Size(), inKB(bar.Show(i.errs, "kB"))}, o, all)
}

func load(ctx context.Context, st store.Store, user uuid.UUID, r io.Reader, o transfer.ImportOptions, all bool) (transfer.ImportResult, error) {
	if all {
		return transfer.ImportAll(ctx, st, r, o)
	}
	return transfer.Import(ctx, st, user, r, o)
}

// counted shows how much of a file is read.
type counted struct {
	io.Reader
	read, size int64
	show       func(read, size int64)
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	if c.read += int64(n); n > 0 {
		c.show(c.read, c.size)
	}
	return n, err
}

// inKB shows how many bytes of how many are read. Once all are, it shows nothing more: a ZIP may have
// more than it says.
func inKB(show func(stage string, done, total int)) func(read, size int64) {
	const kB = 1000
	ended := false
	return func(read, size int64) {
		if ended {
			return
		}
		ended = read/kB >= size/kB
		show("importing", int(min(read, size)/kB), int(size/kB))
	}
}

// oneLine takes out what would move the cursor of a terminal.
func oneLine(s string) string { return mailimport.OneLine(s) }

func (r *imported) print(out io.Writer) error {
	for _, p := range r.Problems {
		verdict := "mended "
		if p.Skipped {
			verdict = "SKIPPED"
		}
		fmt.Fprintf(out, "%s  %s: %s\n", verdict, p.Where, p.Reason)
	}
	if r.Read > 0 {
		fmt.Fprintf(out, "%s read: ", many(r.Read, "mail"))
	}
	fmt.Fprintf(out, "%d stored, %d there already, %d skipped", r.Stored, r.Known, r.Skipped)
	if r.Conversations > 0 {
		fmt.Fprintf(out, "; %s new", many(r.Conversations, "conversation"))
	}
	if r.Rows > 0 {
		fmt.Fprintf(out, "; %s besides", many(r.Rows, "other row"))
	}
	if r.Deleted > 0 {
		fmt.Fprintf(out, "; %s deleted here since, and stay so", many(r.Deleted, "conversation"))
	}
	if r.LeftOut > 0 {
		fmt.Fprintf(out, "; %s of drafts, spam and trash left out (--all-mail takes them)", many(r.LeftOut, "mail"))
	}
	_, err := fmt.Fprintf(out, "\nuser %s\n", r.User)
	return err
}
