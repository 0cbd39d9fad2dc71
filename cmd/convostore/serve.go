package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/convostore/convostore/cmd/convostore/internal/web"
	"github.com/convostore/convostore/inbox"
	"github.com/convostore/convostore/store"
)

// tokenVariable is the variable of the environment that has the token.
const tokenVariable = "CONVOSTORE_TOKEN"

// server is the command serve.
type server struct {
	*app
	listen, tokenFile, cert, key, user, name, zone, title string
	hosts, columns                                        []string
	plain, readOnly                                       bool
	leads                                                 leadFlags
}

func newServe(a *app) *cobra.Command {
	s := &server{app: a}
	c := &cobra.Command{
		Use: "serve", Short: "Open the inbox over a database, for one operator", Args: none,
		Long: `Serves the review inbox over a database: the queue, threads with their drafts, search, reports and health. Whoever
has the token may come in. It is printed at the start, unless $CONVOSTORE_TOKEN or --token-file has one of at
least 16 characters.

It listens on this machine alone. For another address say by which names it is reached (--host), and give it TLS
(--tls-cert, --tls-key) or say that a proxy before it does that (--plain-http).

It sends nothing: an approved reply waits in the outbox until a worker of yours calls Deliveries().Run. The start and
the page Health say what is due and waits. For more than
one operator, with your own login, mount module inbox in your service.`,
		Example: `  convostore serve --database chat.db
  convostore serve --database chat.db --user ann --listen 127.0.0.1:9000 --zone Europe/Berlin`,
		RunE: func(c *cobra.Command, _ []string) error { return s.run(c.Context()) },
	}
	f := c.Flags()
	f.StringVar(&s.listen, "listen", "127.0.0.1:8080", "the address to listen on; port 0 takes a free one")
	f.StringSliceVar(&s.hosts, "host", nil, "a name by which it is reached, without port, where that is not this machine's own")
	f.StringVar(&s.tokenFile, "token-file", "", "the file with the token")
	f.StringVar(&s.cert, "tls-cert", "", "the file of the certificate")
	f.StringVar(&s.key, "tls-key", "", "the file of its key")
	f.BoolVar(&s.plain, "plain-http", false, "serve another address than this machine's own without TLS")
	f.StringVar(&s.user, "user", "", userHelp+`; "all" for everybody (default the only one)`)
	f.StringVar(&s.name, "name", "operator", "the operator's name, as it stands beside decisions")
	f.StringVar(&s.zone, "zone", "", "the operator's time zone, such as Europe/Berlin (default this machine's)")
	f.StringVar(&s.title, "title", "", "the heading of the pages")
	f.BoolVar(&s.readOnly, "read-only", false, "show everything and let nothing be done")
	f.StringSliceVar(&s.columns, "lead-columns", nil, "columns of your leads that threads show")
	s.leads.add(f)
	return c
}

func (s *server) run(ctx context.Context) error {
	if err := s.check(); err != nil {
		return err
	}
	token, made, err := s.token()
	if err != nil {
		return err
	}
	with, err := s.leads.options()
	if err != nil {
		return err
	}
	return s.withStore(ctx, func(st store.Store) error {
		if _, err := st.Health().Ready(ctx); err != nil {
			return err
		}
		operator, err := s.operator(ctx, st)
		if err != nil {
			return err
		}
		return s.serve(ctx, st, operator, token, made)
	}, with...)
}

func (s *server) check() error {
	switch {
	case (s.cert == "") != (s.key == ""):
		return usagef("--tls-cert and --tls-key are given together")
	case web.Loopback(s.listen):
	case len(s.hosts) == 0:
		return usagef("--listen: %s can be reached from elsewhere: say by which names, with --host", s.listen)
	case s.cert == "" && !s.plain:
		return usagef("--listen: %s can be reached from elsewhere: give --tls-cert and --tls-key, or --plain-http behind a proxy that has TLS", s.listen)
	}
	if len(s.columns) > 0 {
		if s.leads.table.Name == "" {
			return usagef("--leads, the table with --lead-columns, is missing")
		}
		s.leads.table.Columns = append(s.leads.table.Columns, s.columns...)
	}
	return nil
}

// token returns the token, and whether it was made now.
func (s *server) token() (token string, made bool, err error) {
	token = s.getenv(tokenVariable)
	if s.tokenFile != "" {
		text, err := os.ReadFile(s.tokenFile)
		if err != nil {
			return "", false, fmt.Errorf("--token-file: %w", err)
		}
		token = string(text)
	}
	token = strings.TrimSpace(token)
	switch {
	case token == "" && s.tokenFile == "":
		return web.NewToken(), true, nil
	case len(token) < web.MinToken:
		return "", false, usagef("the token of --token-file and $%s has fewer than %d characters", tokenVariable, web.MinToken)
	}
	return token, false, nil
}

func (s *server) operator(ctx context.Context, st store.Store) (inbox.Operator, error) {
	o := inbox.Operator{ID: s.name, May: inbox.MayAll, AllUsers: s.user == everybody, Location: time.Local}
	if s.readOnly {
		o.May = inbox.MayRead | inbox.MaySeeHealth
	}
	var err error
	if s.zone != "" {
		if o.Location, err = time.LoadLocation(s.zone); err != nil {
			return o, usagef("--zone: %s", err)
		}
	}
	if !o.AllUsers {
		o.UserID, err = onlyUser(ctx, st, s.user, "")
	}
	return o, err
}

func (s *server) serve(ctx context.Context, st store.Store, operator inbox.Operator, token string, made bool) error {
	pages, err := inbox.New(st, inbox.Options{
		Operator: func(*http.Request) (inbox.Operator, error) { return operator, nil },
		Hosts:    s.hosts, Title: s.title, LeadColumns: s.columns, NoWorker: true,
	})
	if err != nil {
		return err
	}
	defer pages.Close()
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.listen)
	if err != nil {
		return err
	}
	scheme, query := "http", ""
	if s.cert != "" {
		scheme = "https"
	}
	if made {
		query = "?token=" + token
	}
	host := l.Addr().String()
	if len(s.hosts) > 0 {
		_, port, _ := net.SplitHostPort(host)
		host = net.JoinHostPort(s.hosts[0], port)
	}
	outbox, err := st.Health().Deliveries(ctx)
	if err != nil {
		return errors.Join(err, l.Close())
	}
	whose := cmp.Or(map[bool]string{true: "everybody"}[operator.AllUsers], operator.UserID.String())
	fmt.Fprintf(s.errs, "The inbox of %s is at\n\n  %s://%s/%s\n\nIt sends nothing: replies wait in the outbox for a worker of yours.\n%sCtrl-C ends it.\n",
		whose, scheme, host, query, outboxLine(outbox))
	return web.Server{
		Handler: web.Login(token, s.cert != "", pages), OnShutdown: pages.Close, Cert: s.cert, Key: s.key,
	}.Serve(ctx, l)
}

// outboxLine says what is in the outbox of everybody, as a line, empty if nothing is.
func outboxLine(h store.DeliveryHealth) string {
	switch {
	case h.Overdue > 0:
		return fmt.Sprintf("In the outbox: %d, of which %d are due and no worker has them, the first since %s.\n",
			h.Open, h.Overdue, h.OldestDue.UTC().Format(time.RFC3339))
	case h.Open > 0:
		return fmt.Sprintf("In the outbox: %d, none overdue.\n", h.Open)
	}
	return ""
}
