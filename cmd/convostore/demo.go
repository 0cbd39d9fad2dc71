package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/cmd/convostore/internal/madeup"
	"github.com/convostore/convostore/cmd/convostore/internal/web"
	"github.com/convostore/convostore/inbox"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/sqlite"
)

// demo is the command demo.
type demo struct {
	*app
	port      int
	open      bool
	keep      string
	quiet     bool
	onlyWrite bool
}

func newDemo(a *app) *cobra.Command {
	d := &demo{app: a}
	c := &cobra.Command{
		Use: "demo", Short: "Open a made-up inbox and chat, in a file that is removed at the end", Args: none,
		Long: `Makes up some weeks of mail, drafts and chats in a temporary SQLite file, and opens the inbox over it on this machine.
Mails go on coming in, a chat goes on streaming, and what you approve is "sent" to this terminal after the 30 seconds
in which it can be undone. Nothing leaves the machine. Ctrl-C ends it and removes the file, unless --keep names one.`,
		Example: `  convostore demo
  convostore demo --open --port 8080
  convostore demo --keep demo.db --only-write`,
		RunE: func(c *cobra.Command, _ []string) error { return d.run(c.Context()) },
	}
	f := c.Flags()
	f.IntVar(&d.port, "port", 0, "the port to listen on; 0 takes a free one")
	f.BoolVar(&d.open, "open", false, "open the page in a browser")
	f.StringVar(&d.keep, "keep", "", "the file to make and to leave there")
	f.BoolVar(&d.quiet, "quiet", false, "let nothing happen by itself")
	f.BoolVar(&d.onlyWrite, "only-write", false, "make the file of --keep and end")
	return c
}

func (d *demo) run(ctx context.Context) (err error) {
	if d.onlyWrite && d.keep == "" {
		return usagef("--only-write: --keep, the file to make, is missing")
	}
	if d.port < 0 || d.port > 65535 {
		return usagef("--port is not 0 to 65535")
	}
	file, remove, err := d.file()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()
	st, err := d.fill(ctx, file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	if d.onlyWrite {
		_, err = fmt.Fprintln(d.out, d.keep)
		return err
	}
	return d.serve(ctx, st, file)
}

// file makes the name of the database, and says what to do with it in the end.
func (d *demo) file() (path string, remove func() error, err error) {
	if d.keep != "" {
		file, err := os.OpenFile(d.keep, os.O_CREATE|os.O_EXCL, 0o600) // one that is there is not written over
		if err != nil {
			return "", nil, err
		}
		return d.keep, func() error { return nil }, file.Close()
	}
	dir, err := os.MkdirTemp("", "convostore-demo-*")
	return filepath.Join(dir, "demo.db"), func() error { return os.RemoveAll(dir) }, err
}

// fill makes everything up. What happened was at its times, and what happens next is now.
func (d *demo) fill(ctx context.Context, file string) (store.Store, error) {
	now := d.now().In(time.Local)
	past, err := sqlite.Open(ctx, file, convostore.WithMigrate(migrate.Options{}), convostore.WithIDs(madeup.IDs()),
		convostore.WithClock(func() time.Time { return now }), convostore.WithLeads(madeup.Leads))
	if err != nil {
		return nil, err
	}
	_, err = madeup.History(ctx, past, now)
	if err == nil {
		err = madeup.Showcase(ctx, past, now)
	}
	if err = errors.Join(err, past.Close()); err != nil {
		return nil, fmt.Errorf("make %s: %w", file, err)
	}
	return sqlite.Open(ctx, file, convostore.WithLeads(madeup.Leads))
}

func (d *demo) serve(ctx context.Context, st store.Store, file string) error {
	pages, err := inbox.New(st, inbox.Options{
		Operator: func(*http.Request) (inbox.Operator, error) {
			return inbox.Operator{ID: "ann", Name: "Ann", UserID: madeup.Users[0].ID, Location: time.Local, May: inbox.MayAll}, nil
		},
		Title: "Mill & Harbour", LeadColumns: []string{madeup.Leads.Title, "category"}, Channel: madeup.Channel,
	})
	if err != nil {
		return err
	}
	defer pages.Close()
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", d.port))
	if err != nil {
		return err
	}
	token := web.NewToken()
	address := fmt.Sprintf("http://%s/?token=%s", l.Addr(), token)
	fmt.Fprintf(d.errs, "A made-up inbox is at\n\n  %s\n\nin %s. Nothing leaves this machine. Ctrl-C ends it.\n", address, file)
	if d.open {
		d.browse(ctx, address)
	}
	return d.live(ctx, st, func(ctx context.Context) error {
		return web.Server{Handler: web.Login(token, false, pages), OnShutdown: pages.Close}.Serve(ctx, l)
	})
}

// live has things happen while the pages are served.
func (d *demo) live(ctx context.Context, st store.Store, serve func(context.Context) error) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	happened := make(chan error, 1)
	go func() {
		defer stop()
		if d.quiet {
			<-ctx.Done()
			happened <- nil
			return
		}
		happened <- madeup.Live(ctx, st, madeup.Pace{}, func(line string) { fmt.Fprintln(d.errs, line) })
	}()
	err := serve(ctx)
	stop()
	return errors.Join(err, <-happened)
}

// browse opens the browser, where there is one.
func (d *demo) browse(ctx context.Context, address string) {
	name, args := "xdg-open", []string{address}
	switch runtime.GOOS {
	case "darwin":
		name = "open"
	case "windows":
		name, args = "rundll32", []string{"url.dll,FileProtocolHandler", address}
	}
	c := exec.CommandContext(context.WithoutCancel(ctx), name, args...)
	if err := c.Start(); err != nil {
		fmt.Fprintln(d.errs, "no browser could be opened:", err)
		return
	}
	go func() { _ = c.Wait() }() // it goes on by itself
}
